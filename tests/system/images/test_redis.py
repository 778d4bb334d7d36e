# ruff: noqa: ANN401 - options and fixtures pass through to the docker SDK
"""Redis as the environments run it: TLS alone, the default user off, settings from a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from infra.catalogue import REDIS

if TYPE_CHECKING:
    from docker.models.containers import Container

CONFIG = """port 0
tls-port 6379
tls-cert-file /run/secrets/tls.crt
tls-key-file /run/secrets/tls.key
tls-ca-cert-file /run/secrets/tls.crt
tls-auth-clients no
aclfile /run/secrets/users.acl
appendonly yes
"""
PASSWORD = "secret"
USERS = f"user default off\nuser dashtam on >{PASSWORD} ~* &* +@all\n"
TLS = ["--tls", "--cacert", "/run/secrets/tls.crt", "-h", "localhost"]


@pytest.fixture
def redis(run: Any, files: Any, volume: Any, certificate: tuple[str, str]) -> Any:
    crt, key = certificate
    content = {"redis.conf": CONFIG, "users.acl": USERS, "tls.crt": crt, "tls.key": key}
    mounts = [f"{files(REDIS.user, content).name}:/run/secrets:ro", f"{volume().name}:/data"]

    def start() -> Container:
        container: Container = run(REDIS, ["redis-server", "/run/secrets/redis.conf"], volumes=mounts)
        return container

    return start


def cli(container: Container, *arguments: str, user: str = "dashtam", password: str = PASSWORD) -> str:
    login = ["--user", user, "--no-auth-warning"] if user else []
    environment = {"REDISCLI_AUTH": password} if user else {}
    output: Any = container.exec_run(["redis-cli", *login, *arguments], environment=environment).output
    return str(output.decode().strip())


def ready(container: Container) -> bool:
    return cli(container, *TLS, "ping") == "PONG"


def test_only_the_named_user_comes_in_and_only_over_tls(redis: Any, until: Any) -> None:
    container = redis()
    until(lambda: ready(container), container)
    assert cli(container, *TLS, "acl", "whoami") == "dashtam"
    assert "WRONGPASS" in cli(container, *TLS, "ping", password="wrong")
    assert "NOAUTH" in cli(container, *TLS, "ping", user="")
    plain = cli(container, "-h", "localhost", "ping")
    # Which of them depends on how much of the command the server has read when it hangs up.
    assert re.search(r"^Error: (Connection reset by peer|Server closed the connection)$", plain, re.MULTILINE)
    assert "PONG" not in plain
    assert "certificate verify failed" in cli(container, "--tls", "-h", "localhost", "ping")


def test_data_survives_a_stop_which_is_clean(redis: Any, until: Any) -> None:
    first = redis()
    until(lambda: ready(first), first)
    assert cli(first, *TLS, "set", "kept", "42") == "OK"
    first.stop(timeout=30)
    assert first.wait()["StatusCode"] == 0
    second = redis()
    until(lambda: ready(second), second)
    assert cli(second, *TLS, "get", "kept") == "42"


def test_redis_server_is_what_starts_by_default_in_its_data_folder(run: Any, until: Any) -> None:
    container = run(REDIS, tmpfs={"/data": "uid=999,gid=1000"})
    until(lambda: cli(container, "ping", user="") == "PONG", container)
    assert cli(container, "config", "get", "dir", user="").split() == ["dir", "/data"]
