"""Ordinary dumps of a real server, of other owners: they come in whole, and what is wrong with one harms nothing."""

from __future__ import annotations

import gzip
import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from app.core.revision import head_revision
from cli.core.errors import UserError
from cli.data import database as databases
from cli.data.backups import database_swap, formats, load, source
from cli.engine.inventory import EngineView
from cli.environments.handle import EnvironmentHandle
from cli.operations import restore_backup
from tests.system import environments
from tests.system.commands.backups import OWN
from tests.system.running import TIMEOUT

if TYPE_CHECKING:
    from pathlib import Path

    import docker

    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents

LOGIN = "service=dashtam host=/var/run/postgresql"

FOREIGN = """
CREATE ROLE stranger;
CREATE ROLE reader;
CREATE SCHEMA theirs AUTHORIZATION stranger;
CREATE TABLE theirs.odd ("a;b" text, c text DEFAULT E'it''s \\\\');
INSERT INTO theirs.odd VALUES (E'tab\\tback\\\\slash\\nline', E'\\\\.');
CREATE FUNCTION theirs.f() RETURNS text LANGUAGE sql AS $_$ SELECT 'GRANT x TO y; \\! ls' $_$;
ALTER TABLE theirs.odd OWNER TO stranger;
GRANT SELECT ON theirs.odd TO reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA theirs GRANT SELECT ON TABLES TO reader;
"""
REMOVE = """
DROP SCHEMA IF EXISTS theirs CASCADE;
DROP OWNED BY stranger, reader;
DROP ROLE stranger;
DROP ROLE reader;
"""
EMPTY = "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('{revision}');"
ODD = 'SELECT "a;b" || c || theirs.f() FROM theirs.odd'


@dataclass(frozen=True)
class Made:
    """Dumps of a database, some of whose objects belong to roles that are gone.

    Args:
        dumps: By their options.
        rows: A checksum over the service's rows.
        odd: What the other rows hold.
    """

    dumps: dict[str, bytes]
    rows: str
    odd: str


@pytest.fixture(scope="module")
async def made(checkout: Checkout, contents: Contents, client: docker.DockerClient) -> Made:
    contents.accounts("dumped")
    postgres = client.containers.get(f"dashtam-{checkout.stack}-postgres")

    def dump(*options: str) -> bytes:
        done = postgres.exec_run(["pg_dump", *options, "--dbname", LOGIN])
        assert done.exit_code == 0, done.output
        assert isinstance(done.output, bytes)
        return done.output

    async with contents.session() as session:
        await session.execute(FOREIGN)
        odd = await session.fetchval(ODD)
        try:
            dumps = {
                "plain": dump(),
                "with its database": dump("--create"),
                "gzipped, into what is there": gzip.compress(dump("--clean", "--if-exists", "--inserts")),
                "archive": dump("-Fc"),
            }
        finally:
            await session.execute(REMOVE)
    return Made(dumps, await contents.rows(), odd)


def _restore(checkout: Checkout, content: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(checkout.root / "dashtam"), "restore", checkout.stack, "-", "--yes", "--no-snapshot", "--json"],
        cwd=checkout.root,
        env=checkout.environ,
        input=content,
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )


async def test_one_of_other_owners_comes_in_whole(
    checkout: Checkout, contents: Contents, client: docker.DockerClient, made: Made
) -> None:
    async with contents.session() as session:
        await session.execute("DELETE FROM provider_connections")
    done = _restore(checkout, made.dumps["plain"])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["lost"] == 0
    assert await contents.databases() == OWN
    await _assert_whole(contents, made)
    async with contents.session() as session:
        await session.execute("DROP SCHEMA theirs CASCADE")
    assert environments.is_up(client, checkout.stack)


async def _assert_whole(contents: Contents, made: Made, database: str = "") -> None:
    assert await contents.rows(database=database) == made.rows
    async with contents.session(database) as session:
        assert await session.fetchval(ODD) == made.odd
        owners = await session.fetch("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'theirs'")
        assert [owner for (owner,) in owners] == ["dashtam_user"]


@pytest.fixture
def environment(checkout: Checkout, client: docker.DockerClient) -> EnvironmentHandle:
    """The environment as `restore` has it, without the second in which that starts."""
    return EnvironmentHandle(checkout.stack, checkout.clone, EngineView(client))


@pytest.mark.parametrize("name", ["with its database", "gzipped, into what is there", "archive"])
async def test_one_of_another_form_is_loaded_whole(
    contents: Contents, environment: EnvironmentHandle, made: Made, name: str, tmp_path: Path
) -> None:
    path, database = tmp_path / "dump", databases.of(environment)
    path.write_bytes(made.dumps[name])
    with (
        source.opened(environment.clone, str(path)) as opened,
        formats.recognised(environment, opened) as recognised,
    ):
        dump = load.verify(recognised, database)
        with database_swap.beside(database) as fresh:
            load.load(dump, fresh)
            await _assert_whole(contents, made, fresh.name)


async def test_one_that_is_wrong_changes_nothing(
    checkout: Checkout,
    contents: Contents,
    client: docker.DockerClient,
    environment: EnvironmentHandle,
    made: Made,
    tmp_path: Path,
) -> None:
    before, started = await contents.rows(), _started(client, checkout)
    plain, archive = made.dumps["plain"], made.dumps["archive"]
    wrong = {
        "cut short": plain[: len(plain) // 2],
        "damaged, or not a backup": archive[:200],
        "can't be loaded": archive[:-20],  # behind the list of what is in it, wherever that ends
        "has a command of psql": plain + b"\n\\! rm -rf /\n",
        "syntax error": b"This is not SQL;\n",
        # Tables of the service's names, but not its own.
        'column "version_num" does not exist': b"CREATE TABLE alembic_version (n int);\n",
        "another version of the service": EMPTY.format(revision="9999").encode(),
        # It says that it is of this version, and lacks its tables.
        "can't be served: relation": EMPTY.format(revision=head_revision()).encode(),
        # It says that it is older than it is, so that a table that it has is made once more.
        "already exists": b"CREATE TABLE provider_connections (n int);\n",
    }
    path = tmp_path / "dump"
    for why, content in wrong.items():
        path.write_bytes(content)
        with pytest.raises(UserError, match="nothing was changed") as raised:
            restore_backup.restore(environment, str(path))
        assert why in f"{raised.value.message}\n{raised.value.cause}\n{raised.value.remedy}"
    refused = _restore(checkout, content)
    assert refused.returncode == 1
    assert why in refused.stderr.decode()
    assert "nothing was changed" in refused.stderr.decode()
    assert "Traceback" not in refused.stderr.decode()
    assert await contents.rows() == before
    assert await contents.databases() == OWN
    assert _started(client, checkout) == started
    assert environments.is_up(client, checkout.stack)


def _started(client: docker.DockerClient, checkout: Checkout) -> str:
    started: str = client.containers.get(f"dashtam-{checkout.stack}-app").attrs["State"]["StartedAt"]
    return started
