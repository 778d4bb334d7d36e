"""Shells and clients inside the services' containers."""

from __future__ import annotations

import itertools
import os
import re
import secrets
import subprocess
from pathlib import Path

import docker
import pytest

from tests.system import damage
from tests.system.checkout import Checkout
from tests.system.commands import terminal
from tests.system.running import succeed, wait_until


def _run(checkout: Checkout, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [str(checkout.root / "dashtam"), *arguments]
    return subprocess.run(
        command,
        cwd=checkout.root,
        env=checkout.environ,
        input=stdin,
        capture_output=True,
        check=False,
        timeout=terminal.TIMEOUT,
    )


def _password(checkout: Checkout, client: docker.DockerClient, service: str) -> str:
    done = client.containers.get(f"dashtam-{checkout.stack}-{service}").exec_run(["cat", "/run/secrets/password"])
    assert done.exit_code == 0
    assert isinstance(done.output, bytes)
    return done.output.decode()


def test_input_and_output_are_passed_on_byte_for_byte(checkout: Checkout) -> None:
    content = os.urandom(3_000_000)
    done = _run(checkout, "exec", checkout.stack, "app", "--", "cat", stdin=content)
    assert done.returncode == 0
    assert done.stdout == content
    assert done.stderr == b""


def test_what_follows_is_the_commands_and_its_outputs_and_status_are_kept_apart(checkout: Checkout) -> None:
    script = "printf '%s|' \"$@\"; echo bad >&2; exit 126"
    done = _run(checkout, "exec", checkout.stack, "app", "--", "sh", "-c", script, "sh", "--help", "-f", "--")
    assert (done.returncode, done.stdout, done.stderr) == (126, b"--help|-f|--|", b"bad\n")


def test_without_dockers_client_it_says_what_to_install(checkout: Checkout, tmp_path: Path) -> None:
    for name in ("sh", "git", "env", "uname", "readlink"):
        found = next(Path(folder, name) for folder in os.environ["PATH"].split(":") if Path(folder, name).exists())
        (tmp_path / name).symlink_to(found)
    done = checkout.dashtam("shell", checkout.stack, PATH=str(tmp_path))
    assert done.returncode == 1
    assert "The docker command is not on your PATH." in done.stderr
    assert "apt-get install" in done.stderr


def test_a_shell_is_on_the_users_terminal(checkout: Checkout) -> None:
    with terminal.opened(checkout, "./dashtam", "shell", checkout.stack) as shell:
        shell.expect("$ ")
        assert not shell.echoes()
        widths = itertools.count(81)
        wait_until(lambda: "\n33 " in _size_after_a_resize(shell, next(widths)), "the terminal's new size inside")
        shell.type("id -u; test -t 2; echo tty=$?\r")
        assert "10001" in shell.expect("tty=0")
        shell.expect("$ ")
        sleep = f"sleep 6{secrets.randbelow(10**6):06}"  # nobody else's on this machine
        shell.type(f"{sleep}\r")
        # Before the command is the terminal's foreground process, Ctrl-C is the shell's.
        wait_until(lambda: f"\n{sleep}\n" in _listed("axww", "-o", "args"), "the command among the processes")
        shell.type("\x03")
        shell.expect("$ ")
        shell.type("exit 9\r")
        assert shell.process.wait(terminal.TIMEOUT) == 9
        assert shell.echoes()


def _size_after_a_resize(shell: terminal.Terminal, columns: int) -> str:
    """Docker's client misses a new size that it is told before it has set the first one (docker/cli#3554)."""
    shell.resize(33, columns)
    shell.type("stty size\r")
    return shell.expect("$ ")


def test_psql_is_on_the_users_terminal(checkout: Checkout) -> None:
    with terminal.opened(checkout, "./dashtam", "db-shell", checkout.stack) as psql:
        psql.expect("dashtam=")
        psql.type("select 40 + 2 as answer;\r")
        psql.expect("42")
        psql.type("\x10\r")  # Ctrl-P recalls what was typed
        psql.expect("42")
        psql.type("\\q\r")
        assert psql.process.wait(terminal.TIMEOUT) == 0


def test_redis_cli_is_on_the_users_terminal(checkout: Checkout) -> None:
    with terminal.opened(checkout, "./dashtam", "redis-cli", checkout.stack) as redis:
        redis.expect("localhost:6379> ")
        redis.type("ACL WHOAMI\r")
        redis.expect('"dashtam"')
        # It drops what is typed before it asks again (linenoise sets the terminal with TCSAFLUSH).
        redis.expect("localhost:6379> ")
        redis.type("exit\r")
        assert redis.process.wait(terminal.TIMEOUT) == 0


def test_psql_verifies_the_server_and_is_its_owner(checkout: Checkout) -> None:
    script = b"\\conninfo\nselect current_user, ssl, version from pg_stat_ssl where pid = pg_backend_pid();\n"
    done = _run(checkout, "db-shell", checkout.stack, "--", "-tA", stdin=script)
    assert done.returncode == 0
    assert b"dashtam_user|t|TLSv1.3" in done.stdout
    refused = _run(checkout, "db-shell", checkout.stack, "-c", "select 1", "host=127.0.0.2")
    assert refused.returncode == 2
    assert b"certificate" in refused.stderr


def test_redis_cli_is_the_services_user_on_its_database(checkout: Checkout) -> None:
    said = succeed(checkout.dashtam("redis-cli", checkout.stack, "--", "CLIENT", "INFO"))
    assert " user=dashtam " in said
    assert " db=0 " in said
    assert _run(checkout, "redis-cli", checkout.stack, stdin=b"PING\n").stdout == b"PONG\n"


@pytest.mark.parametrize(
    ("service", "program", "command"),
    [
        ("postgres", "psql", ["db-shell", "-c", "select pg_sleep(20), '{mark}'"]),
        ("redis", "redis-cli", ["redis-cli", "BLPOP", "{mark}", "20"]),
    ],
)
def test_no_password_is_in_a_list_of_processes(
    checkout: Checkout, client: docker.DockerClient, service: str, program: str, command: list[str]
) -> None:
    password, mark = _password(checkout, client, service), secrets.token_hex(8)
    assert len(password) == 40
    name, *arguments = (word.format(mark=mark) for word in command)
    with damage.at_latest_killed(checkout.start(name, checkout.stack, "--", *arguments)):
        wait_until(
            lambda: bool(re.search(rf"^{program} .*{mark}", _listed("axww", "-o", "args"), re.MULTILINE)),
            "the client among the processes",
        )
        assert password not in _listed("axww", "-o", "args")
        if service == "postgres":
            with_environments = _listed("axeww")
            assert "PGSERVICE=dashtam" in with_environments
            assert password not in with_environments


def _listed(*options: str) -> str:
    return subprocess.run(["ps", *options], capture_output=True, text=True, check=True).stdout
