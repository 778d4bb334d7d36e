"""What a snapshot and a backup bring back after everything was removed, with the passphrase of that time or another.

The database and its owner have names as long as PostgreSQL's can be: no command takes one for another.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from cli.data.database import LONGEST
from infra.outputs import StackOutputs
from tests.system import environments
from tests.system.commands import snapshots, walking
from tests.system.commands.additional import beside
from tests.system.commands.contents import Contents
from tests.system.commands.passphrases import another
from tests.system.running import TIMEOUT, succeed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.system.checkout import Checkout

NAMES: dict[str, object] = {"database": "d" * LONGEST, "user": "u" * LONGEST}
MODES = dict.fromkeys(
    ("manifest.json", "manifest.json.sha256", "postgres.tar", "redis.tar", "session-key.json", "token-keys.json"),
    0o600,
)


@pytest.fixture
def longest(checkout: Checkout, client: docker.DockerClient) -> Iterator[Checkout]:
    """An additional environment, of its own because no other one's data has these names."""
    with beside(checkout, client, "longest") as made:
        made.configure(postgres=NAMES)
        made.up()
        yield made


def _piped(checkout: Checkout, stdin: bytes, *arguments: str) -> bytes:
    done = subprocess.run(
        [str(checkout.root / "dashtam"), *arguments],
        cwd=checkout.root,
        env=checkout.environ,
        input=stdin,
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _outputs(checkout: Checkout) -> StackOutputs:
    return StackOutputs.model_validate(checkout.outputs())


def _ids(checkout: Checkout, client: docker.DockerClient) -> set[str]:
    return {one["Id"] for one in client.api.containers(filters=environments.labelled(checkout.stack))}


async def test_all_comes_back_and_tokens_with_the_passphrase_of_that_time_only(
    longest: Checkout, client: docker.DockerClient, tmp_path: Path
) -> None:
    contents = Contents(longest, client, tmp_path, longest.stack)
    with walking.browser(outputs := _outputs(longest)) as person:
        linked = walking.link(outputs, "sessions", person).accounts
    assert linked == [("sandbox", "sessions")]
    await contents.fill()
    accounts = contents.accounts("ada", "bob")
    before, rows = await contents.digest(), await contents.rows()
    backup = _piped(longest, b"", "backup", longest.stack, "-")
    path = snapshots.take(longest)
    assert path.stat().st_mode & 0o777 == 0o700
    assert {one.name: one.stat().st_mode & 0o777 for one in path.iterdir()} == MODES
    succeed(longest.dashtam("destroy", longest.stack, "--yes", "--no-snapshot"))
    assert not client.api.volumes(filters=environments.labelled(longest.stack))["Volumes"]
    assert [one.name for one in path.parent.iterdir()] == [path.name]

    # Everything is made again, with other passwords and keys.
    done = snapshots.restore(longest, path.name)
    assert (done["rewrapped"], done["lost"]) == (1, 0)
    assert environments.is_up(client, longest.stack)
    assert await contents.digest() == before
    assert contents.accounts() == accounts
    assert accounts["ada"] == ["active", "access-ada", "refresh-ada"]
    assert snapshots.traces(longest, client) == []
    renewed = _outputs(longest)
    assert renewed.ca_certificate != outputs.ca_certificate
    with walking.browser(renewed, person.cookies) as again:
        assert walking.accounts(renewed, again) == linked
    # The session key is the environment's own now: nothing is to be done by the next update.
    ids = _ids(longest, client)
    longest.up()
    assert _ids(longest, client) == ids

    with another(longest):
        assert snapshots.restore(longest, path.name)["lost"] == len(accounts)
    assert contents.accounts() == {name: ["revoked", "", None] for name in accounts}

    said = json.loads(_piped(longest, backup, "restore", longest.stack, "-", "--yes", "--no-snapshot", "--json"))
    assert (said["lost"], said["rewrapped"]) == (0, 1)
    assert await contents.rows() == rows
    assert contents.accounts() == accounts
    assert await contents.databases() == {"d" * LONGEST, "postgres", "template0", "template1"}
    assert environments.is_up(client, longest.stack)
