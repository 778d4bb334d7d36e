from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from cli.core.errors import UserError
from cli.core.paths import cache_home
from cli.engine.connect import answering_within, connect, find_endpoint, probe
from tests.infra import engine_double

pytestmark = pytest.mark.usefixtures("own_homes")


def test_a_limit_ends_even_after_a_failure() -> None:
    client: Any = SimpleNamespace(api=SimpleNamespace(timeout=60))
    with suppress(ValueError), answering_within(client, 5):
        assert client.api.timeout == 5
        raise ValueError
    assert client.api.timeout == 60


def test_an_engine_that_does_not_answer_is_a_users_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    with pytest.raises(UserError, match="that you chose by DOCKER_HOST") as caught:
        connect()
    assert "No such file" in caught.value.cause
    assert "unset DOCKER_HOST" in caught.value.remedy


def test_the_engine_is_the_one_that_the_users_context_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONTEXT", "mine")
    meta = tmp_path / "contexts/meta" / hashlib.sha256(b"mine").hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Endpoints": {"docker": {"Host": f"unix://{tmp_path}/docker.sock"}}}))
    with pytest.raises(UserError, match="that you chose by context mine"):
        connect()


@pytest.mark.parametrize("by", ["DOCKER_HOST", "context mine"])
def test_an_engine_over_ssh_is_refused_with_the_way_to_reach_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, by: str
) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    if by == "DOCKER_HOST":
        monkeypatch.setenv("DOCKER_HOST", "ssh://me@build")
    else:
        monkeypatch.setenv("DOCKER_CONTEXT", "mine")
        meta = tmp_path / "contexts/meta" / hashlib.sha256(b"mine").hexdigest() / "meta.json"
        meta.parent.mkdir(parents=True)
        meta.write_text(json.dumps({"Endpoints": {"docker": {"Host": "ssh://me@build"}}}))
    with pytest.raises(UserError, match=r"The Docker engine at ssh://me@build can't be used\.") as caught:
        connect()
    assert caught.value.cause.startswith(f"{by} names it; ")
    assert "`ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock me@build`" in caught.value.remedy


@pytest.mark.parametrize("content", ["[]", '{"proxies": []}', '{"proxies": {"default": 5}}'])
def test_a_config_of_dockers_clients_with_a_wrong_type_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text(content)
    with engine_double.listening(engine_double.EngineDouble(), tmp_path) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        with pytest.raises(UserError, match=r"config\.json can't be read") as caught:
            connect()
    assert caught.value.remedy == "Correct or delete the file."


def test_an_engine_with_tls_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    with pytest.raises(UserError, match="doesn't answer") as caught:
        connect()
    assert "Set DOCKER_CERT_PATH" in caught.value.remedy


@pytest.mark.parametrize(
    ("record", "asked"),
    [
        ('{"host": "HOST"}', False),
        ('{"host": "HOST", "version": "27.5.1"}', False),  # of an earlier version of this program
        ('{"host": "unix:///another.sock"}', True),
        ("{", True),
        (None, True),
    ],
)
def test_an_engine_that_is_remembered_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, record: str | None, *, asked: bool
) -> None:
    with engine_double.listening(engine_double.EngineDouble(), tmp_path) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        monkeypatch.setattr("cli.engine.connect.probe", probed := Mock(wraps=probe))
        file = cache_home() / "engine.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        if record is not None:
            file.write_text(record.replace("HOST", host))
        assert find_endpoint().host == host
        assert probed.called is asked
        assert json.loads(file.read_text())["host"] == host
