"""No secret can be read but by who needs it: every secret of the state is looked for everywhere else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from infra.naming import SERVICES
from tests.system.checkout import ROOT
from tests.system.environments import USERS, Environment
from tests.system.running import run, succeed

PARTS = ("test", "ci", "further")
SECRET_FIELDS = {
    "random:index/randomPassword:RandomPassword": ("result",),
    "random:index/randomBytes:RandomBytes": ("base64", "hex"),
    "tls:index/privateKey:PrivateKey": ("privateKeyPem", "privateKeyPemPkcs8"),
}
TLS = {"ca.crt", "tls.crt", "tls.key"}
FILES = {
    "postgres": {*TLS, "password", "pg_hba.conf", "pg_service.conf"},
    "redis": {"ca.crt", "tls.crt", "tls.key", "password", "users.acl", "redis.conf"},
    "app": {*TLS, "database-password", "redis-password", "secret-key", "providers.json", "token-keys.json"},
    "callback": TLS,
    "sandbox": {*TLS, "client-secret", "cookie-key", "signing-key", "redis-password"},
}
PEM_HEAD = "-----BEGIN"

MAIN_PROCESSES = r"""
for pid in 1 $(cat /proc/1/task/1/children); do tr '\0' '\n' < /proc/$pid/environ; done
for process in /proc/[0-9]*; do tr '\0' ' ' < $process/cmdline 2> /dev/null || true; echo; done
"""
"""The environment of what runs all the time, and the arguments of everything."""


@dataclass(frozen=True)
class Needles:
    """Secrets, which no failure of a test prints.

    Args:
        values: The secrets.
    """

    values: frozenset[str] = field(repr=False)

    def require_none(self, text: str, where: str) -> None:
        """Fail if a text holds one of them."""
        if any(value in text for value in self.values):
            pytest.fail(f"a secret is in {where}", pytrace=False)


@pytest.fixture(scope="session")
def known() -> dict[str, Needles]:
    """Secrets that were looked up already, by the state that they are in."""
    return {}


@pytest.fixture(params=PARTS)
def environment(request: pytest.FixtureRequest, every: dict[str, Environment]) -> Environment:
    return every[request.param]


@pytest.fixture
def needles(environment: Environment, known: dict[str, Needles]) -> Needles:
    """What must be found nowhere."""
    key = environment.name + "".join(sorted(environment.ids().values()))
    if key not in known:
        known[key] = _secrets(environment)
    return known[key]


def _pulumi(environment: Environment, *arguments: str) -> str:
    command = ["pulumi", *arguments, "--stack", environment.name, "--non-interactive"]
    return succeed(run(command, cwd=environment.root, env=environment.environ))


def _secrets(environment: Environment) -> Needles:
    state = json.loads(_pulumi(environment, "stack", "export", "--show-secrets"))
    resources = state["deployment"]["resources"]
    return Needles(
        frozenset(
            _telling_part(_plain(resource["outputs"][name]))
            for resource in resources
            for name in SECRET_FIELDS.get(resource["type"], ())
        )
    )


def _telling_part(secret: str) -> str:
    # Of a key the first line holds the private part; escaped line ends must not hide it.
    return secret.splitlines()[1] if secret.startswith(PEM_HEAD) else secret


def _plain(value: Any) -> str:  # noqa: ANN401 - as Pulumi prints a secret
    text = json.loads(value["plaintext"]) if isinstance(value, dict) else value
    assert isinstance(text, str)
    assert len(text) >= 32
    return text


def test_the_state_holds_all_of_them(needles: Needles) -> None:
    # Four passwords; the keys of session, tokens and cookies, six for TLS and one that signs, each in two forms.
    count = len(needles.values)
    assert count == 4 + 3 * 2 + 7 * 2


def test_no_container_shows_one_to_docker_inspect(environment: Environment, needles: Needles) -> None:
    containers = environment.containers()
    assert set(containers) == {*SERVICES, *(f"{service}-files" for service in SERVICES)}
    for component, one in containers.items():
        needles.require_none(json.dumps(one.attrs), component)


def test_no_image_holds_one(environment: Environment, needles: Needles) -> None:
    references = {one for one in environment.outputs.images.model_dump().values() if one}
    for reference in references:
        image = environment.client.images.get(reference)
        needles.require_none(json.dumps([image.history(), image.attrs]), reference)


def test_no_log_holds_one(environment: Environment, needles: Needles) -> None:
    for component, one in environment.containers().items():
        needles.require_none(one.logs().decode(errors="replace"), component)


@pytest.mark.parametrize("arguments", [("export",), ("output",), ("output", "--json"), ("history", "--json")])
def test_the_state_is_encrypted(environment: Environment, needles: Needles, arguments: tuple[str, ...]) -> None:
    said = _pulumi(environment, "stack", *arguments)
    needles.require_none(said, " ".join(arguments))
    assert said.strip()


@pytest.mark.parametrize("service", SERVICES)
def test_no_process_shows_one(environment: Environment, needles: Needles, service: str) -> None:
    status, said = environment.execute(service, "sh", "-c", MAIN_PROCESSES)
    needles.require_none(said, service)
    assert status == 0, said
    assert "PATH=" in said


@pytest.mark.parametrize("service", SERVICES)
def test_the_health_checks_show_none(environment: Environment, needles: Needles, service: str) -> None:
    needles.require_none(json.dumps(environment.inspect(service)["State"]["Health"]), service)


@pytest.mark.parametrize("service", SERVICES)
def test_files_are_the_readers_own(environment: Environment, service: str) -> None:
    status, said = environment.execute(service, "sh", "-c", "cd /run/secrets && stat -c '%n %a %u %g' . *")
    assert status == 0, said
    uid, gid = USERS[service]
    expected = {f". 500 {uid} {gid}", *(f"{name} 400 {uid} {gid}" for name in FILES[service])}
    assert set(said.splitlines()) == expected


@pytest.mark.parametrize("service", SERVICES)
def test_files_are_mounted_read_only(environment: Environment, service: str) -> None:
    [mount] = [one for one in environment.inspect(service)["Mounts"] if one["Destination"] == "/run/secrets"]
    assert (mount["Type"], mount["RW"]) == ("volume", False)
    status, said = environment.execute(service, "sh", "-c", "echo changed > /run/secrets/tls.crt")
    assert status != 0
    assert "Read-only file system" in said


@pytest.mark.parametrize("service", SERVICES)
def test_what_installed_the_files_kept_no_copy(environment: Environment, service: str) -> None:
    installer = environment.containers()[f"{service}-files"]
    changed = {str(change["Path"]) for change in installer.diff() or []}
    # The places that the engine mounts something at; the uploads are gone again.
    assert changed <= {"/run", "/run/secrets"}


def test_git_tracks_none(environment: Environment, needles: Needles) -> None:
    for name in succeed(run(["git", "ls-files", "-z"], cwd=environment.root)).split("\0"):
        path = environment.root / name
        if path.is_file():
            needles.require_none(path.read_text(errors="replace"), name)


def test_no_two_environments_share_one(every: dict[str, Environment]) -> None:
    of = {part: _secrets(one) for part, one in every.items()}
    distinct = len(frozenset[str]().union(*(needles.values for needles in of.values())))
    assert distinct == sum(len(needles.values) for needles in of.values())


def test_the_passphrase_is_outside_git_and_private(every: dict[str, Environment]) -> None:
    for one in every.values():
        passphrase = Path(one.environ["PULUMI_CONFIG_PASSPHRASE_FILE"])
        assert passphrase.stat().st_mode & 0o077 == 0
        assert not passphrase.is_relative_to(ROOT)
        assert not passphrase.is_relative_to(one.root)
