"""No secret can be read but by who needs it: every secret of the state is looked for everywhere else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from infra.naming import FILES as INSTALLER
from infra.naming import SERVICES
from tests.system.checkout import ROOT
from tests.system.environments import USERS, Environment
from tests.system.running import run, succeed

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

    def are_in(self, text: str) -> bool:
        """Tell whether a text holds one of them."""
        return any(value in text for value in self.values)


@pytest.fixture(scope="module", params=["test", "ci", "further"])
def part(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def environment(part: str, every: dict[str, Environment]) -> Environment:
    return every[part]


@pytest.fixture(scope="module")
def all_needles(every: dict[str, Environment]) -> dict[str, Needles]:
    """Each environment's secrets."""
    return {part: _secrets(one) for part, one in every.items()}


@pytest.fixture(scope="module")
def needles(part: str, all_needles: dict[str, Needles]) -> Needles:
    """What must be found nowhere."""
    return all_needles[part]


def _secrets(environment: Environment) -> Needles:
    command = ["pulumi", "stack", "export", "--show-secrets", "--stack", environment.name, "--non-interactive"]
    state = json.loads(succeed(run(command, cwd=environment.root, env=environment.environ)))
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
    assert set(containers) == {*SERVICES, INSTALLER}
    # The results of health checks are among what it shows.
    assert all(containers[service].attrs["State"]["Health"]["Log"] for service in SERVICES)
    assert [component for component, one in containers.items() if needles.are_in(json.dumps(one.attrs))] == []


def test_no_image_holds_one(environment: Environment, needles: Needles) -> None:
    references = {one for one in environment.outputs.images.model_dump().values() if one}
    assert len(references) >= 2
    images = {reference: environment.client.images.get(reference) for reference in references}
    telling = [name for name, one in images.items() if needles.are_in(json.dumps([one.history(), one.attrs]))]
    assert telling == []


def test_no_log_holds_one(environment: Environment, needles: Needles) -> None:
    logs = {component: one.logs().decode(errors="replace") for component, one in environment.containers().items()}
    assert [service for service in SERVICES if not logs[service]] == []
    assert [component for component, log in logs.items() if needles.are_in(log)] == []


def test_the_state_is_encrypted(environment: Environment, needles: Needles) -> None:
    # Whatever Pulumi prints of a stack, its outputs and its history, comes from these files.
    folder = Path(unquote(urlsplit(environment.environ["PULUMI_BACKEND_URL"]).path)) / ".pulumi"
    files = [path for path in folder.rglob(f"{environment.name}*.json*") if path.is_file()]
    assert {path.relative_to(folder).parts[0] for path in files} >= {"stacks", "history"}
    assert [str(path) for path in files if needles.are_in(path.read_text(errors="replace"))] == []


def test_no_process_shows_one(environment: Environment, needles: Needles) -> None:
    shown = {service: environment.execute(service, "sh", "-c", MAIN_PROCESSES) for service in SERVICES}
    assert [service for service, (_, said) in shown.items() if needles.are_in(said)] == []
    assert [service for service, (status, said) in shown.items() if status != 0 or "PATH=" not in said] == []


def test_files_are_the_readers_own(environment: Environment) -> None:
    found, expected = {}, {}
    for service in SERVICES:
        uid, gid = USERS[service]
        status, said = environment.execute(service, "sh", "-c", "cd /run/secrets && stat -c '%n %a %u %g' . *")
        found[service] = (status, {*said.splitlines()})
        expected[service] = (0, {f". 500 {uid} {gid}", *(f"{name} 400 {uid} {gid}" for name in FILES[service])})
    assert found == expected


def test_files_are_mounted_read_only(environment: Environment) -> None:
    found = {}
    for service in SERVICES:
        [mount] = [one for one in environment.inspect(service)["Mounts"] if one["Destination"] == "/run/secrets"]
        status, said = environment.execute(service, "sh", "-c", "echo changed > /run/secrets/tls.crt")
        found[service] = (mount["Type"], mount["RW"], status != 0, "Read-only file system" in said)
    assert found == dict.fromkeys(SERVICES, ("volume", False, True, True))


def test_what_installed_the_files_kept_no_copy(environment: Environment) -> None:
    changed = {str(change["Path"]) for change in environment.containers()[INSTALLER].diff() or []}
    # The places that the engine mounts something at; the uploads are gone again.
    assert changed - {"/files", *(f"/files/{service}" for service in SERVICES)} == set()


def test_git_tracks_none(environment: Environment, needles: Needles) -> None:
    tracked = succeed(run(["git", "ls-files", "-z"], cwd=environment.root)).split("\0")
    paths = [environment.root / name for name in tracked if name]
    assert environment.root / f"Pulumi.{environment.name}.yaml" in paths
    read = [path for path in paths if path.is_file()]
    assert [str(path) for path in read if needles.are_in(path.read_text(errors="replace"))] == []


def test_no_two_environments_share_one(all_needles: dict[str, Needles]) -> None:
    of = [one.values for one in all_needles.values()]
    # Counted first: a failure would print what is counted in the assertion.
    distinct, together = len(frozenset[str]().union(*of)), sum(map(len, of))
    assert distinct == together


def test_the_passphrase_is_outside_git_and_private(every: dict[str, Environment]) -> None:
    for one in every.values():
        passphrase = Path(one.environ["PULUMI_CONFIG_PASSPHRASE_FILE"])
        assert passphrase.stat().st_mode & 0o077 == 0
        assert not passphrase.is_relative_to(ROOT)
        assert not passphrase.is_relative_to(one.root)
