"""What a snapshot and a backup bring back after everything was removed, with the passphrase of that time or another."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from tests.system import environments
from tests.system.commands import snapshots
from tests.system.commands.passphrases import another
from tests.system.running import TIMEOUT, succeed

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents


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


async def test_all_comes_back_and_tokens_with_the_passphrase_of_that_time_only(
    checkout: Checkout, contents: Contents, client: docker.DockerClient
) -> None:
    await contents.fill()
    async with contents.session() as session:
        # Tests before this one may have linked accounts of the same names.
        await session.execute("DELETE FROM provider_connections")
    accounts = contents.accounts("ada", "bob")
    before, rows = await contents.digest(), await contents.rows()
    backup = _piped(checkout, b"", "backup", checkout.stack, "-")
    path = snapshots.take(checkout)
    assert path.stat().st_mode & 0o777 == 0o700
    modes = {one.name: one.stat().st_mode & 0o777 for one in path.iterdir()}
    assert modes == dict.fromkeys(
        ("manifest.json", "manifest.json.sha256", "postgres.tar", "redis.tar", "session-key.json", "token-keys.json"),
        0o600,
    )
    known = {one.name for one in path.parent.iterdir()}
    succeed(checkout.dashtam("destroy", checkout.stack, "--yes", "--no-snapshot"))
    assert not client.api.volumes(filters=environments.labelled(checkout.stack))["Volumes"]
    assert {one.name for one in path.parent.iterdir()} == known

    # Everything is made again, with other passwords and keys.
    done = snapshots.restore(checkout, path.name)
    assert (done["rewrapped"], done["lost"]) == (1, 0)
    assert environments.is_up(client, checkout.stack)
    assert await contents.digest() == before
    assert contents.accounts() == accounts
    assert accounts["ada"] == ["active", "access-ada", "refresh-ada"]
    assert snapshots.traces(checkout, client) == []

    with another(checkout):
        assert snapshots.restore(checkout, path.name)["lost"] == len(accounts)
    assert contents.accounts() == {name: ["revoked", "", None] for name in accounts}

    said = json.loads(_piped(checkout, backup, "restore", checkout.stack, "-", "--yes", "--no-snapshot", "--json"))
    assert (said["lost"], said["rewrapped"]) == (0, 1)
    assert await contents.rows() == rows
    assert contents.accounts() == accounts
    assert await contents.databases() == {"dashtam", "postgres", "template0", "template1"}
    assert environments.is_up(client, checkout.stack)
