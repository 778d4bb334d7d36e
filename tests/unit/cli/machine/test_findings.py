import socket
from pathlib import Path

import pytest

from cli.machine.findings import Finding, findings
from tests.infra import engine_double


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on it."""
    monkeypatch.setenv("DASHTAM_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    return tmp_path


def named(check: str) -> Finding:
    return next(finding for finding in findings() if finding.check == check)


@pytest.mark.parametrize("check", ["Docker engine", "Pulumi CLI", "Pulumi plugins"])
def test_what_is_missing_has_a_cause_and_a_remedy(machine: Path, check: str) -> None:
    finding = named(check)
    assert not finding.ok
    assert finding.detail
    assert finding.cause
    assert finding.remedy
    assert list(machine.iterdir()) == [], "looking must change nothing"


def test_a_socket_that_nobody_serves(machine: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(machine / "none.sock"))
    assert "Connection refused" in named("Docker engine").cause


@pytest.mark.parametrize("podman", [True, False])
def test_podman_is_no_engine_of_docker_s(machine: Path, monkeypatch: pytest.MonkeyPatch, *, podman: bool) -> None:
    engine = engine_double.EngineDouble()
    engine.podman = podman
    with engine_double.listening(engine, machine) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        finding = named("Docker engine")
    assert finding.ok is not podman
    assert ("Use Docker, rootless too" in finding.remedy) is podman


@pytest.mark.parametrize(
    ("content", "problem"), [(None, "does not exist"), ("no certificate", "holds no usable certificates")]
)
def test_a_wrong_bundle_of_certificates(
    machine: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, problem: str
) -> None:
    bundle = machine / "ca.pem"
    if content is not None:
        bundle.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    finding = named("Trusted certificates (SSL_CERT_FILE)")
    assert not finding.ok
    assert problem in finding.detail


def test_looking_remembers_nothing(machine: Path) -> None:
    pulumi = machine / "pulumi"
    pulumi.write_text("#!/bin/sh\necho v3.999.0\n")
    pulumi.chmod(0o755)
    assert named("Pulumi CLI").detail.startswith("3.999.0, from PATH")
    assert list(machine.iterdir()) == [pulumi]


@pytest.mark.usefixtures("machine")
def test_disk_space_is_told() -> None:
    assert "GB free at" in named("Disk space").detail


def test_folders_that_cannot_be_made_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DASHTAM_DATA_HOME", str(tmp_path / "file/below"))
    monkeypatch.setenv("DASHTAM_CACHE_HOME", str(tmp_path / "new"))
    assert named("Folder (DASHTAM_CACHE_HOME)").ok
    finding = named("Folder (DASHTAM_DATA_HOME)")
    assert not finding.ok
    assert finding.cause == f"{tmp_path}/file is not a folder that you may write to."
    assert finding.remedy == "Set DASHTAM_DATA_HOME to one on a local disk."
