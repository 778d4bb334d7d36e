from __future__ import annotations

from pathlib import Path

import pytest

from cli import private_ca


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "bundle.pem"
    path.write_text("certificates")
    return path


def test_the_environment_names_the_bundle(bundle: Path, tmp_path: Path) -> None:
    assert private_ca.bundle({"SSL_CERT_FILE": str(bundle)}, tmp_path) == bundle


@pytest.mark.parametrize("environ", [{}, {"SSL_CERT_FILE": ""}, {"SSL_CERT_FILE": "/nowhere/at/all.pem"}])
def test_without_added_certificates_there_is_none(environ: dict[str, str], tmp_path: Path) -> None:
    assert private_ca.bundle(environ, tmp_path / "local") is None


def test_added_certificates_mean_the_systems_bundle(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_ca, "SYSTEM_BUNDLE", bundle)
    local = tmp_path / "local/company"
    local.mkdir(parents=True)
    assert private_ca.bundle({}, tmp_path / "local") is None
    (local / "ca.crt").touch()
    assert private_ca.bundle({}, tmp_path / "local") == bundle


def test_the_build_context_follows_the_machine(bundle: Path, tmp_path: Path) -> None:
    target = tmp_path / private_ca.FILE
    private_ca.provide(tmp_path, bundle)
    assert target.read_text() == "certificates"
    bundle.write_text("others")
    private_ca.provide(tmp_path, bundle)
    assert target.read_text() == "others"
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    private_ca.provide(tmp_path, None)
    assert not target.exists()
    private_ca.provide(tmp_path, None)


def test_what_is_right_is_not_written_again(bundle: Path, tmp_path: Path) -> None:
    private_ca.provide(tmp_path, bundle)
    before = (tmp_path / private_ca.FILE).stat().st_ino
    private_ca.provide(tmp_path, bundle)
    assert (tmp_path / private_ca.FILE).stat().st_ino == before
