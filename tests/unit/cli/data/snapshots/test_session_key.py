from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from cli.core.errors import UserError
from cli.data import restore_journal, sealed_secrets
from cli.data.restore_journal import Entry, Journal, Phase
from cli.data.snapshots import session_key
from cli.environments.clone import Clone
from cli.environments.handle import EnvironmentHandle
from cli.operations import finish_restore
from cli.pulumi.process import Pulumi
from tests.unit.cli.engine_double import Engine

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("cheap_keys")

FORMER = base64.b64encode(bytes(range(32)))
SESSION = "urn:pulumi:dev::dashtam::dashtam:index:App$random:index/randomBytes:RandomBytes::session-key"
TOKEN = "urn:pulumi:dev::dashtam::dashtam:index:Environment$random:index/randomBytes:RandomBytes::token-k1-key"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone("me", tmp_path, tmp_path / "home")
    made.passphrase_file.parent.mkdir(parents=True, exist_ok=True)
    made.passphrase_file.write_text("of this clone")
    return made


@pytest.fixture
def noted(clone: Clone) -> Journal:
    """A restore that has all of its data in place."""
    made = restore_journal.of(clone, "dev")
    sealed = sealed_secrets.seal(clone.passphrase_file, sealed_secrets.SESSION_KEY, FORMER)
    made.write(Entry(format=2, snapshot="one", phase=Phase.SWAPPING, parts=(), session_key=sealed))
    return made


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, object]]:
    """The keys' outputs in Pulumi's state, by URN; only what is imported changes it."""
    outputs: dict[str, dict[str, object]] = {SESSION: {"length": 32, "hex": "new"}, TOKEN: {"length": 32, "hex": "own"}}

    def run(_pulumi: Pulumi, _stack: str, action: str, *_: str, stdin: str | None = None) -> str:
        if action == "import":
            assert stdin
            outputs.update({one["urn"]: one["outputs"] for one in json.loads(stdin)["deployment"]["resources"]})
        kind = "random:index/randomBytes:RandomBytes"
        resources = [{"urn": urn, "type": kind, "outputs": values} for urn, values in outputs.items()]
        return json.dumps({"deployment": {"resources": resources}})

    monkeypatch.setattr(Pulumi, "run", run)
    return outputs


@pytest.fixture
def environment(clone: Clone, tmp_path: Path) -> EnvironmentHandle:
    return EnvironmentHandle("dev", clone, Engine(tmp_path).view)


def test_the_key_of_the_data_becomes_the_environment_s(
    environment: EnvironmentHandle, noted: Journal, state: dict[str, dict[str, object]]
) -> None:
    finish_restore.finish(environment)
    assert session_key.pending(environment)
    before = state[TOKEN]
    session_key.apply(Pulumi({}), environment)
    secret = state[SESSION]["base64"]
    assert isinstance(secret, dict)
    assert json.loads(secret["plaintext"]) == FORMER.decode()
    assert state[SESSION]["length"] == 32
    assert state[TOKEN] == before
    assert not session_key.pending(environment)
    assert noted.read() is None


def test_it_waits_for_the_data(
    environment: EnvironmentHandle, noted: Journal, state: dict[str, dict[str, object]]
) -> None:
    before = dict(state)
    session_key.apply(Pulumi({}), environment)
    assert state == before
    assert noted.read()


def test_what_another_passphrase_sealed_is_let_alone(
    environment: EnvironmentHandle, noted: Journal, state: dict[str, dict[str, object]]
) -> None:
    finish_restore.finish(environment)
    before = dict(state)
    environment.clone.passphrase_file.write_text("of another clone")
    session_key.apply(Pulumi({}), environment)
    assert state == before
    assert noted.read() is None


def test_what_can_not_install_it_names_the_update_that_does(environment: EnvironmentHandle, noted: Journal) -> None:
    with pytest.raises(UserError, match="The last restore of dev is not finished") as raised:
        finish_restore.require_finished(environment)
    assert "./dashtam up dev" in raised.value.remedy
    assert noted.read()
