from __future__ import annotations

from pathlib import Path

import pytest

from cli.images import build_ca


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "bundle.pem"
    path.write_text("certificates")
    return path


def test_the_environment_names_the_bundle(bundle: Path, tmp_path: Path) -> None:
    assert build_ca.bundle({"SSL_CERT_FILE": str(bundle)}, tmp_path) == bundle


@pytest.mark.parametrize("environ", [{}, {"SSL_CERT_FILE": ""}, {"SSL_CERT_FILE": "/nowhere/at/all.pem"}])
def test_without_added_certificates_there_is_none(environ: dict[str, str], tmp_path: Path) -> None:
    assert build_ca.bundle(environ, tmp_path / "local") is None


def test_added_certificates_mean_the_systems_bundle(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_ca, "SYSTEM_BUNDLE", bundle)
    local = tmp_path / "local/company"
    local.mkdir(parents=True)
    assert build_ca.bundle({}, tmp_path / "local") is None
    (tmp_path / "local/dashtam-dev-0123456789.crt").touch()
    assert build_ca.bundle({}, tmp_path / "local") is None
    (local / "ca.crt").touch()
    assert build_ca.bundle({}, tmp_path / "local") == bundle


def test_the_build_context_follows_the_machine(bundle: Path, tmp_path: Path) -> None:
    target = tmp_path / build_ca.FILE
    build_ca.provide(tmp_path, bundle)
    assert target.read_text() == "certificates"
    bundle.write_text("others")
    build_ca.provide(tmp_path, bundle)
    assert target.read_text() == "others"
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    build_ca.provide(tmp_path, None)
    assert not target.exists()
    build_ca.provide(tmp_path, None)


def test_what_is_right_is_not_written_again(bundle: Path, tmp_path: Path) -> None:
    build_ca.provide(tmp_path, bundle)
    before = (tmp_path / build_ca.FILE).stat().st_ino
    build_ca.provide(tmp_path, bundle)
    assert (tmp_path / build_ca.FILE).stat().st_ino == before
