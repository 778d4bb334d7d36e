"""A PostgreSQL that has databases by name, and an engine on which the service serves one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from unittest.mock import Mock

from cli.data import database as databases
from cli.data.database import LONGEST, Database
from cli.engine.streams import CommandError
from cli.environments.clone import Clone
from cli.environments.handle import EnvironmentHandle
from tests.unit.cli.engine_double import Engine

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

CREATE = re.compile(r'^CREATE DATABASE "([^"]+)" TEMPLATE template0$')
DROP = re.compile(r'^DROP DATABASE IF EXISTS "([^"]+)" WITH \(FORCE\)$')
ORDINARY = re.compile(r'^ALTER DATABASE "([^"]+)" IS_TEMPLATE false ALLOW_CONNECTIONS true$')
UNSUBSCRIBE = re.compile(
    r'^SET TRANSACTION READ WRITE; ALTER SUBSCRIPTION "x" DISABLE; ALTER SUBSCRIPTION "x" SET \(slot_name = NONE\);'
    r' DROP SUBSCRIPTION "x";$'
)
RENAME = re.compile(r'ALTER DATABASE "([^"]+)" RENAME TO "([^"]+)";')
SETTINGS = re.compile(r"INSERT INTO pg_db_role_setting.*old\.datname = '(.+)' AND new\.datname = '(.+)'", re.DOTALL)
DISCONNECTS = re.compile(r"pg_terminate_backend.*datname = '([^']+)';")


@dataclass
class Server:
    """The server: it does with a whole script either all or nothing, and cuts names that are too long.

    Databases that are held can't be dropped: a "template", one with a "subscription", or one for any other reason.
    """

    databases: dict[str, str]
    connected: int = 0
    full: bool = False
    broken: bool = False
    held: dict[str, str] = field(default_factory=dict)
    prepared: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    visits: int = field(default=0, init=False)

    def query(self, sql: str, *, database: str | None = None, atomic: bool = True) -> str:
        if self.broken:
            raise CommandError(2, "server closed the connection unexpectedly")
        if "FROM pg_prepared_xacts" in sql:
            return self.prepared
        if "FROM pg_subscription" in sql:
            return "x" if any(f"datname = '{one}'" in sql for one in self._held("subscription")) else ""
        self._release(sql, database)
        self.settings |= {new: self.settings.get(old, "") for old, new in SETTINGS.findall(sql)}
        if "FROM pg_database" in sql:
            return "\n".join(self.databases)
        if made := CREATE.match(sql):
            assert not atomic
            if self.full:
                raise CommandError(1, "ERROR:  No space left on device")
            assert made[1][:LONGEST] not in self.databases
            self.databases[made[1][:LONGEST]] = ""
        for name in DROP.findall(sql):
            assert not atomic
            if name in self.held:
                raise CommandError(1, f'ERROR:  database "{name}" is in use')
            self.databases.pop(name[:LONGEST], None)
        renames = RENAME.findall(sql)
        assert database not in {old for old, _ in renames}
        if renames:
            assert atomic
            assert sql.startswith("DO $swap$BEGIN\n")
            assert sql.endswith("\nEND$swap$;")
            assert {*DISCONNECTS.findall(sql)} == {old for old, _ in renames}
            self._rename(renames)
        return ""

    def _held(self, reason: str) -> set[str]:
        return {name for name, why in self.held.items() if why == reason}

    def _release(self, sql: str, database: str | None) -> None:
        """Do what lets a database be dropped."""
        templates = self._held("template") & {*ORDINARY.findall(sql)}
        subscribed = self._held("subscription") & {database} if UNSUBSCRIBE.match(sql) else set()
        for name in templates | subscribed:
            del self.held[name]

    def _rename(self, renames: list[tuple[str, str]]) -> None:
        self.visits += 1
        if self.connected:
            self.connected -= 1
            raise CommandError(1, f'ERROR:  database "{renames[0][0]}" is being accessed by other users')
        renamed = dict(self.databases)
        for old, new in renames:
            if new in renamed:
                raise CommandError(1, f'ERROR:  database "{new}" already exists')
            renamed[new[:LONGEST]] = renamed.pop(old[:LONGEST])
            for of_database in (self.held, self.settings):
                if old in of_database:
                    of_database[new] = of_database.pop(old)
        self.databases = renamed

    def connect(self, monkeypatch: pytest.MonkeyPatch, name: str = "dashtam") -> Database:
        """Return one of its databases; whoever asks for the environment's gets it, too."""

        def query(_self: Database, sql: str, *, database: str | None = None, atomic: bool = True) -> str:
            return self.query(sql, database=database, atomic=atomic)

        monkeypatch.setattr(Database, "query", query)
        made = Database(Mock(), "postgres", name, "dev")
        monkeypatch.setattr(databases, "of", lambda *_, **__: made)
        return made


@dataclass
class Service:
    """An environment whose app is healthy with some contents of its database, and fails with others.

    Attributes:
        server: Its PostgreSQL.
        engine: Where it runs.
        serves: Contents with which the app is healthy.
        environment: The environment.
    """

    server: Server
    engine: Engine
    serves: set[str]
    environment: EnvironmentHandle

    @property
    def database(self) -> str:
        """What the app's database holds."""
        return self.server.databases["dashtam"]

    def look(self) -> None:
        """Let the engine see how the app is."""
        state = self.engine.containers["app"]["State"]
        well = self.database in self.serves
        state["Health"] = {"Status": "healthy" if well else "unhealthy", "FailingStreak": 0 if well else 3, "Log": []}


def service(root: Path, server: Server, *serves: str) -> Service:
    """Return an environment that is up on a server."""
    engine = Engine(root)
    for component in ("postgres", "redis", "app"):
        engine.run(component)
    engine.said["app"] = b"first\nno such table\n"
    clone = Clone("me", root, root / "home")
    made = Service(server, engine, {*serves}, EnvironmentHandle("dev", clone, engine.view))
    engine.at["inspect_container", "app"] = made.look
    return made
