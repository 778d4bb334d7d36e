"""Everything that an environment keeps, written and looked at from outside the code that is tested."""

from __future__ import annotations

import hashlib
import json
import secrets
import ssl
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import asyncpg  # type: ignore[import-untyped]
from redis.asyncio import Redis

from infra.outputs import StackOutputs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import docker

    from tests.system.checkout import Checkout

LINK = """
import asyncio, json, sys, uuid
from datetime import UTC, datetime, timedelta
from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker
from app.core.database import create_engine
from app.tokens.keys import DataKeys, open_tokens
from app.linking.repository import Repository
from app.core.models import ProviderConnection
from app.providers.grants import Grant
from app.core.settings import AppSettings, load
from app.tokens.vault import MasterKeys, UnreadableError

def own(subject):
    return uuid.uuid5(uuid.NAMESPACE_DNS, subject)

async def main(links):
    settings = load(AppSettings)
    engine = create_engine(settings)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    keys = DataKeys(MasterKeys.parse(settings.token_keys.get_secret_value()))
    for link in links:
        grant = Grant("access-" + link, refresh_token="refresh-" + link, scopes=("read",), subject=link,
                      expires_at=datetime.now(UTC) + timedelta(days=1))
        await Repository(sessions, keys).link(own(link), "sandbox", grant)
    found = {}
    async with sessions() as session:
        rows = await session.scalars(select(ProviderConnection))
        for row in sorted(rows, key=lambda row: (row.owner != own(row.subject), row.owner)):
            name = f"{row.subject} of {row.owner}" if row.subject in found else row.subject
            try:
                found[name] = [row.status.value, *await open_tokens(keys, session, row)]
            except UnreadableError as error:
                found[name] = [str(error)]
    await engine.dispose()
    print(json.dumps(found))

asyncio.run(main(sys.argv[1:]))
"""
"""Links accounts of the given names, and prints every account's tokens as the service itself reads them.

Other tests' visitors link accounts of the same subjects: those carry their owner in their name.
"""

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"


@dataclass(frozen=True)
class Contents:
    """What an environment keeps.

    Args:
        checkout: Its checkout.
        client: The engine.
        folder: For the CA's certificate.
        stack: Its name.
    """

    checkout: Checkout
    client: docker.DockerClient
    folder: Path
    stack: str

    async def fill(self, rows: int = 1000) -> None:
        """Add rows and keys of every kind."""
        async with self.session() as connection:
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS kept (id bigserial PRIMARY KEY, number double precision, content bytea,"
                " moment timestamptz, said jsonb)"
            )
            await connection.execute(
                "INSERT INTO kept (number, content, moment, said) SELECT random(), sha512(random()::text::bytea),"
                " clock_timestamp(), jsonb_build_object('n', n) FROM generate_series(1, $1) n",
                rows,
            )
        async with self.cache() as cache:
            name = secrets.token_hex(4)
            await cache.set(f"text:{name}", secrets.token_bytes(100))
            await cache.hset(f"hash:{name}", mapping={"a": "1", "b": name})
            await cache.zadd(f"sorted:{name}", {"x": 1.5, "y": 2.5})
            await cache.set(f"ending:{name}", "1", ex=86400)

    @asynccontextmanager
    async def session(self, database: str = "") -> AsyncIterator[asyncpg.Connection]:
        """Connect to the database, or to another one of the server, as its owner."""
        outputs = self._outputs()
        assert outputs.database_dsn
        parts = urlsplit(outputs.database_dsn.get_secret_value())
        dsn = urlunsplit(parts._replace(query="", path=f"/{database}" if database else parts.path))
        connection = await asyncpg.connect(dsn, ssl=ssl.create_default_context(cadata=outputs.ca_certificate))
        try:
            yield connection
        finally:
            await connection.close()

    async def claim_revision(self, revision: str) -> str:
        """Make the database say that it is at another revision; return the one it was at."""
        async with self.session() as connection:
            before: str = await connection.fetchval("SELECT version_num FROM alembic_version")
            await connection.execute("UPDATE alembic_version SET version_num = $1", revision)
            return before

    async def digest(self) -> str:
        """Return a checksum over all rows and keys."""
        return f"{await self.rows()} {await self.keys()}"

    async def rows(self, *tables: str, database: str = "") -> str:
        """Return a checksum over all rows, or some tables'; of data keys, which may be wrapped anew, over the names."""
        found = hashlib.sha256()
        async with self.session(database) as connection:
            for table in tables or [table for (table,) in await connection.fetch(TABLES)]:
                row = "id || created_at::text" if table == "token_keys" else "t::text"
                rows = f"SELECT count(*) || coalesce(md5(string_agg({row}, '|' ORDER BY {row})), '') FROM {table} t"  # noqa: S608
                found.update(f"{table} {await connection.fetchval(rows)}".encode())
        return found.hexdigest()

    async def keys(self) -> str:
        """Return a checksum over the service's keys, with their values and ends, but those that may end meanwhile."""
        found, soon = hashlib.sha256(), time.time() + 3600
        async with self.cache() as cache:
            names = [name async for name in cache.scan_iter() if not name.startswith(b"sandbox:")]
            for key in sorted(names):
                ends = await cache.expiretime(key)
                if ends < 0 or ends > soon:
                    found.update(key + (await cache.dump(key) or b"") + str(ends).encode())
        return found.hexdigest()

    async def databases(self) -> set[str]:
        """Return the names of the databases that there are."""
        async with self.session() as connection:
            return {name for (name,) in await connection.fetch("SELECT datname FROM pg_database")}

    def accounts(self, *links: str) -> dict[str, list[str | None]]:
        """Link accounts of these names; return all there are, with status and tokens, as the service reads them.

        This starts the service once more in the app's container, which takes more than a second: whether accounts
        survived is told by `rows` too.
        """
        app = self.client.containers.get(f"dashtam-{self.stack}-app")
        status, said = app.exec_run(["python", "-c", LINK, *links])
        assert status == 0, said
        assert isinstance(said, bytes)
        found: dict[str, list[str | None]] = json.loads(said)
        return found

    def _outputs(self) -> StackOutputs:
        return StackOutputs.model_validate(self.checkout.outputs(self.stack))

    def cache(self) -> Redis:
        """Connect to the cache, as the service's user."""
        outputs = self._outputs()
        assert outputs.redis_dsn
        ca_file = self.folder / "ca.crt"
        ca_file.write_text(outputs.ca_certificate)
        made: Redis = Redis.from_url(outputs.redis_dsn.get_secret_value(), ssl_ca_certs=str(ca_file))
        return made
