import hashlib
import json
import os
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.engine.endpoint import Endpoint, endpoints


@pytest.fixture(autouse=True)
def docker_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("HOME", "/home/somebody")
    return tmp_path


def add_context(folder: Path, name: str, host: str, *, current: bool = False, tls: bool = False) -> Path:
    identity = hashlib.sha256(name.encode()).hexdigest()
    meta = folder / "contexts" / "meta" / identity
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))
    certificates = folder / "contexts" / "tls" / identity / "docker"
    if tls:
        certificates.mkdir(parents=True)
    if current:
        (folder / "config.json").write_text(json.dumps({"currentContext": name}))
    return certificates


def test_without_a_choice_the_usual_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    assert [endpoint.host for endpoint in endpoints()] == [
        "unix:///var/run/docker.sock",
        "unix:///run/user/1000/docker.sock",
        "unix:///home/somebody/.docker/run/docker.sock",
        "unix:///home/somebody/.docker/desktop/docker.sock",
        "unix:///home/somebody/.colima/default/docker.sock",
        "unix:///home/somebody/.orbstack/run/docker.sock",
        "unix:///home/somebody/.rd/docker.sock",
    ]
    assert not any(endpoint.chosen for endpoint in endpoints())


def test_a_rootless_engine_is_found_in_a_session_that_su_began(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert endpoints()[1].host == "unix:///run/user/1000/docker.sock"


def test_docker_host_is_the_only_candidate(monkeypatch: pytest.MonkeyPatch, docker_folder: Path) -> None:
    add_context(docker_folder, "remote", "tcp://10.0.0.1:2376", current=True)
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:2375")
    assert endpoints() == [Endpoint("tcp://127.0.0.1:2375", "DOCKER_HOST", chosen=True)]


def test_the_default_socket_in_docker_host_still_allows_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
    assert [endpoint.chosen for endpoint in endpoints()] == [False]


def test_docker_host_with_verification(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://build:2376")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path / "certs"))
    (endpoint,) = endpoints()
    assert endpoint.environment() == {
        "DOCKER_HOST": "tcp://build:2376",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(tmp_path / "certs"),
    }


def test_current_context(docker_folder: Path) -> None:
    add_context(docker_folder, "desktop-linux", "unix:///home/u/.docker/desktop/docker.sock", current=True)
    (endpoint,) = endpoints()
    assert endpoint == Endpoint("unix:///home/u/.docker/desktop/docker.sock", "context desktop-linux", chosen=True)
    assert endpoint.socket == Path("/home/u/.docker/desktop/docker.sock")


def test_docker_context_overrides_the_current_one(monkeypatch: pytest.MonkeyPatch, docker_folder: Path) -> None:
    add_context(docker_folder, "one", "tcp://one:2376", current=True)
    certificates = add_context(docker_folder, "two", "tcp://two:2376", tls=True)
    monkeypatch.setenv("DOCKER_CONTEXT", "two")
    assert endpoints() == [Endpoint("tcp://two:2376", "context two", chosen=True, certificates=certificates)]


def test_the_default_context_is_no_choice(monkeypatch: pytest.MonkeyPatch, docker_folder: Path) -> None:
    add_context(docker_folder, "one", "tcp://one:2376", current=True)
    monkeypatch.setenv("DOCKER_CONTEXT", "default")
    assert endpoints()[0].origin == "default socket"


def test_a_missing_context_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "gone")
    with pytest.raises(UserError, match="'gone' does not exist") as raised:
        endpoints()
    assert "docker context use" in raised.value.remedy


@pytest.mark.parametrize("content", ["{", "[]", '"a"', "\xff"])
def test_a_broken_configuration_is_named(docker_folder: Path, content: str) -> None:
    (docker_folder / "config.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(UserError, match=r"config\.json can't be read"):
        endpoints()


def test_no_current_context_is_no_choice(docker_folder: Path) -> None:
    (docker_folder / "config.json").write_text('{"currentContext": null}')
    assert endpoints()[0].origin == "default socket"
