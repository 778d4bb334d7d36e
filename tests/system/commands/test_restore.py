"""Backups put back whole or not at all: the old database stays until the service is healthy on the new one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.system import environments
from tests.system.commands import backups
from tests.system.commands.backups import OWN, RESTORING, Made
from tests.system.commands.restoring import killed_when
from tests.system.running import wait_until

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents


@pytest.fixture(scope="module")
async def made(checkout: Checkout, contents: Contents, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return await backups.of(checkout, contents, tmp_path_factory.mktemp("backup"))


@pytest.mark.campaign
async def test_the_old_database_comes_back_where_the_service_fails_on_the_new_one(
    checkout: Checkout, contents: Contents, client: docker.DockerClient, tmp_path: Path
) -> None:
    before = await contents.rows()
    async with contents.session() as session:
        # Once it is in its place, it is of a revision that nobody knows.
        await session.execute("ALTER TABLE alembic_version RENAME TO kept_version")
        await session.execute(
            "CREATE VIEW alembic_version AS SELECT CASE current_database() WHEN 'dashtam' THEN '9999'"
            " ELSE version_num END AS version_num FROM kept_version"
        )
        try:
            path = backups.make(checkout, tmp_path)
        finally:
            await session.execute("DROP VIEW alembic_version")
            await session.execute("ALTER TABLE kept_version RENAME TO alembic_version")
    refused = checkout.dashtam("restore", checkout.stack, str(path), "--yes")
    assert refused.returncode == 1
    assert "didn't become healthy with dev.backup; the database from before is back" in refused.stderr
    assert await contents.rows() == before
    assert await contents.databases() == OWN
    assert environments.is_up(client, checkout.stack)


@pytest.mark.parametrize("moment", ["loading", pytest.param("swapping", marks=pytest.mark.campaign), "starting"])
async def test_one_that_was_killed_leaves_the_old_or_the_new_rows(
    checkout: Checkout, contents: Contents, client: docker.DockerClient, made: Made, moment: str
) -> None:
    await contents.fill()
    old = await contents.rows()
    assert old != made.rows
    app = client.containers.get(f"dashtam-{checkout.stack}-app")
    started = app.attrs["State"]["StartedAt"]
    number = await _number(contents)

    async with contents.session("postgres") as session:

        async def reached() -> bool:
            if moment == "loading":
                return bool(await session.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", RESTORING))
            app.reload()
            state = app.attrs["State"]
            return bool(state["Status"] == "exited" if moment == "swapping" else state["StartedAt"] != started)

        await killed_when(checkout.start("restore", checkout.stack, str(made.path), "--yes", "--no-snapshot"), reached)
    if moment == "swapping":  # the app was stopped by then, and not started again
        checkout.up()
        assert await contents.databases() == OWN
    wait_until(lambda: environments.is_up(client, checkout.stack), "the app is healthy", 60)
    swapped = await _number(contents) != number
    if moment != "swapping":
        assert swapped is (moment == "starting")
    assert await contents.rows() == (made.rows if swapped else old)
    backups.restore(checkout, made.path)
    assert await contents.rows() == made.rows
    assert await contents.databases() == OWN


async def _number(contents: Contents) -> int:
    """Return what tells the database from any other, whatever their names."""
    async with contents.session() as session:
        number: int = await session.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")
        return number


async def test_where_none_can_be_made_beside_it_nothing_is_changed(
    checkout: Checkout, contents: Contents, made: Made
) -> None:
    before = await contents.rows()
    async with contents.session("postgres") as session:
        await session.execute("ALTER DATABASE template0 ALLOW_CONNECTIONS true")
        try:
            # PostgreSQL copies no database that a session uses.
            async with contents.session("template0"):
                backups.assert_refused(checkout, made.path, "No database can be made beside dashtam")
        finally:
            await session.execute("ALTER DATABASE template0 ALLOW_CONNECTIONS false")
    assert await contents.rows() == before
    assert await contents.databases() == OWN
