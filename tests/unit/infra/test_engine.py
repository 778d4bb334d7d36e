from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from unittest.mock import Mock

import pytest
from docker import DockerClient
from docker.errors import APIError

from infra import cluster, engine
from infra.config.sections import TargetSettings
from tests.infra import engine_double

MORE = "`./dashtam doctor` shows more."
START = "Start Docker Desktop or the docker service; `./dashtam up` installs and starts one where it may."

UNPRIVILEGED = """
import os
from infra import engine
if os.geteuid() == 0:
    os.seteuid(65534)
try:
    engine.require()
except engine.EngineError as error:
    print(error)
finally:
    os.seteuid(os.getuid())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:  # short enough for a socket's path on every system
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def listening(folder: Path) -> Iterator[Path]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "docker.sock"))
        listener.listen()
        yield folder / "docker.sock"


def refusal(monkeypatch: pytest.MonkeyPatch, host: str) -> str:
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(engine.EngineError) as error:
        engine.require()
    assert error.value.__suppress_context__
    return str(error.value)


def test_a_listening_socket_is_an_engine(monkeypatch: pytest.MonkeyPatch, listening: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{listening}")
    engine.require()


@pytest.mark.parametrize("given", [None, ""])
def test_the_default_is_the_engines_own_socket(
    monkeypatch: pytest.MonkeyPatch, listening: Path, given: str | None
) -> None:
    assert engine.DEFAULT_HOST == "unix:///var/run/docker.sock"
    monkeypatch.setattr(engine, "DEFAULT_HOST", f"unix://{listening}")
    if given is None:
        monkeypatch.delenv("DOCKER_HOST", raising=False)
    else:
        monkeypatch.setenv("DOCKER_HOST", given)
    engine.require()


@pytest.mark.parametrize("context", ["", "default"])
def test_the_default_context_is_the_engine_of_docker_host(
    monkeypatch: pytest.MonkeyPatch, listening: Path, context: str
) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", context)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{listening}")
    engine.require()


def test_a_context_that_the_provider_would_prefer_is_refused(monkeypatch: pytest.MonkeyPatch, listening: Path) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "elsewhere")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{listening}")
    with pytest.raises(engine.EngineError, match=r"DOCKER_CONTEXT=elsewhere is set, .* unset DOCKER_CONTEXT"):
        engine.require()


def test_a_listening_port_is_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{listener.getsockname()[1]}")
        engine.require()


def test_a_named_pipe_is_left_to_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "npipe:////./pipe/docker_engine")
    engine.require()


@pytest.mark.parametrize(
    ("host", "remedy"),
    [
        ("ssh://user@elsewhere", "`ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock user@elsewhere`"),
        (
            "ssh://user@elsewhere:2222/run/docker.sock",
            "`ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock -p 2222 user@elsewhere`",
        ),
        ("fd://", "Write unix:///var/run/docker.sock or tcp://HOST:PORT."),
        *(
            (wrong, "Write unix:///var/run/docker.sock or tcp://HOST:PORT.")
            for wrong in (
                "elsewhere:2375",
                "unix://var/run/docker.sock",
                "unix://",
                "unix:///var/run/docker.sock ",
                "unix:///var/run/docker.sock\n",
                '"unix:///var/run/docker.sock"',
                "tcp://",
                "tcp://:2375",
                "tcp://elsewhere:99999",
                "tcp://elsewhere:port",
                "tcp://elsewhere:0",
                "tcp://[elsewhere:2375",
            )
        ),
    ],
)
def test_what_is_not_supported_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, host: str, remedy: str
) -> None:
    said = refusal(monkeypatch, host)
    assert " is not supported: " in said
    assert remedy in said


def test_a_password_of_ssh_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(monkeypatch, "ssh://user:hu@sh@elsewhere")
    assert " user@elsewhere`" in said
    assert "sh@elsewhere" not in said
    assert "hu" not in said


@pytest.mark.parametrize("content", ["[]", '{"proxies": []}'])
def test_a_config_of_dockers_clients_with_a_wrong_type_is_named(
    monkeypatch: pytest.MonkeyPatch, listening: Path, content: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{listening}")
    monkeypatch.setenv("DOCKER_CONFIG", str(listening.parent))
    (listening.parent / "config.json").write_text(content)
    with pytest.raises(engine.EngineError, match=r"config\.json has a value of the wrong type"):
        engine.connect()


def test_the_data_nodes_engine_that_is_not_there_is_named() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        host = f"tcp://127.0.0.1:{deaf.getsockname()[1]}"
        target = TargetSettings(kind="swarm", expose=True, data_node="one", nodes={"one": host})
        with pytest.raises(engine.EngineError, match=f"The Docker engine at {host} can't be used"):
            cluster.connect(target)


@pytest.mark.parametrize("failure", [engine.EngineError("No engine answers."), APIError("no such container")])
def test_a_log_that_cant_be_read_hides_no_other_failure(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    monkeypatch.setattr(engine, "connect", Mock(side_effect=failure))
    assert engine.last_lines("dashtam-dev-files", 5) == ""


@pytest.mark.parametrize(
    ("status", "said"),
    [(200, ""), (500, "no such cgroup"), (404, "it does not exist any more. `pulumi up --refresh` makes it again.")],
)
def test_processes_are_limited_by_the_containers_own_group(status: int, said: str) -> None:
    asked: list[tuple[str, object]] = []

    def post(url: str, *, json: object, timeout: float) -> SimpleNamespace:
        assert timeout == 60
        asked.append((url, json))
        return SimpleNamespace(ok=status == 200, status_code=status, text="no such cgroup\n")

    api = SimpleNamespace(post=post, base_url="http+docker://localhost", api_version="1.41", timeout=60)
    assert engine.limit_processes(cast("DockerClient", SimpleNamespace(api=api)), "abc", "unless-stopped") == said
    assert asked == [
        (
            "http+docker://localhost/v1.41/containers/abc/update",
            {"PidsLimit": 1024, "RestartPolicy": {"Name": "unless-stopped"}},
        )
    ]


def test_a_missing_socket(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    host = f"unix://{folder}/docker.sock"
    assert refusal(monkeypatch, host) == (
        f"No Docker engine answers at {host}: No such file or directory. {START} {MORE}"
    )


def test_a_socket_that_nobody_listens_on(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / "docker.sock"))
    host = f"unix://{folder}/docker.sock"
    assert refusal(monkeypatch, host) == f"No Docker engine answers at {host}: Connection refused. {START} {MORE}"


def test_a_port_that_nobody_listens_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as bound:  # taken, but not listening
        bound.bind(("127.0.0.1", 0))
        host = f"tcp://127.0.0.1:{bound.getsockname()[1]}"
        assert refusal(monkeypatch, host) == f"No Docker engine answers at {host}: Connection refused. {START} {MORE}"


def test_a_host_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(address: tuple[str, int], timeout: float) -> socket.socket:
        assert (address, timeout) == (("192.0.2.1", 2375), engine.TIMEOUT)
        raise TimeoutError("timed out")  # what the standard library says; no address is slow everywhere

    monkeypatch.setattr(socket, "create_connection", never)
    host = "tcp://192.0.2.1"
    assert refusal(monkeypatch, host) == f"No Docker engine answers at {host}: timed out. {START} {MORE}"


def test_a_socket_that_the_user_may_not_use(listening: Path) -> None:
    listening.chmod(0)
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED],
        env={**os.environ, "DOCKER_HOST": f"unix://{listening}"},
        cwd=Path(engine.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == (
        f"No Docker engine answers at unix://{listening}: Permission denied. This user may not use it: add it to the"
        f" docker group (`sudo usermod -aG docker $USER`, then log in again). {MORE}"
    )
    assert done.stderr == ""


class Database:
    """The SDK's low-level client, of an engine on which psql answers."""

    def __init__(self, said: str = "", status: int = 0, *, runs: bool = True) -> None:
        self.said, self.status, self.runs = said, status, runs

    def exec_create(self, container: str, command: list[str]) -> dict[str, str]:
        assert (container, command[0]) == ("dashtam-dev-postgres", "psql")
        if not self.runs:
            raise APIError("is not running")
        return {"Id": "one"}

    def exec_start(self, execution: str) -> bytes:
        assert execution == "one"
        return self.said.encode()

    def exec_inspect(self, execution: str) -> dict[str, int]:
        assert execution == "one"
        return {"ExitCode": self.status}


@pytest.mark.parametrize(
    ("database", "keys"),
    [
        (Database("k1\nk2\n"), {"k1", "k2"}),
        (Database(""), set()),
        (Database('ERROR:  relation "token_keys" does not exist\nLINE 1: ...', 1), set()),
        (Database("psql: error: connection refused", 2), None),
        (Database(runs=False), None),
    ],
)
def test_the_keys_that_rows_need(database: Database, keys: set[str] | None) -> None:
    client = cast("DockerClient", SimpleNamespace(api=database))
    assert engine.keys_in_use(client, "dashtam-dev-postgres") == keys


def test_podman_has_no_lasting_id() -> None:
    found = engine_double.EngineDouble()
    with tempfile.TemporaryDirectory() as folder, engine_double.listening(found, Path(folder)) as host:
        client = DockerClient(base_url=host)
        found.put("network", "dashtam-dev-network", {"a": "b"})
        assert engine.take_inventory(client) == engine.Inventory(
            engine_double.ID, (engine.EngineObject("network", "dashtam-dev-network", {"a": "b"}),)
        )
        found.podman = True
        assert engine.take_inventory(client).id == ""
        assert engine.take_inventory(client).is_podman
        client.close()
