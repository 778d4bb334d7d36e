"""The environment that a campaign works on, in a copy of this checkout, and what is there beside it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import docker
import yaml
from docker.errors import NotFound
from docker.models.containers import Container

from app.run.seed import ACCOUNTS as SAMPLES
from app.run.seed import PEOPLE
from bench.campaign.checks import Said, Seen, last_line, message
from bench.campaign.ledger import ACCOUNTS, CACHE, DATABASE, IN_POSTGRES, Values
from cli.commands.redis_cli import LOGIN
from infra.naming import COMPONENT_LABEL, SERVICES
from tests.system import checkout as checkouts
from tests.system import environments
from tests.system.checkout import Checkout
from tests.system.commands.contents import LINK
from tests.system.running import run, succeed, wait_until

SAMPLE_ACCOUNTS = frozenset(f"{person}-{account}" for person in PEOPLE for account, _ in SAMPLES)
SETTLED = 40.0
"""Seconds in which a container that was started is healthy, or isn't going to be."""

SERVED = {**dict.fromkeys(IN_POSTGRES, "postgres"), CACHE: "redis"}
"""Services by the part that they keep."""

ROWS = "CREATE TABLE IF NOT EXISTS campaign (value text PRIMARY KEY)"
QUIETLY = "SET client_min_messages = warning"
LISTED = f"{QUIETLY}; {ROWS}; SELECT value FROM campaign"  # noqa: S608 - our own


@dataclass
class World:
    """What is worked on.

    Args:
        checkout: The copy, and the environment's name.
        client: The engine.
        folder: For all that is made meanwhile.
    """

    checkout: Checkout
    client: docker.DockerClient
    folder: Path

    @property
    def stack(self) -> str:
        """The environment."""
        return self.checkout.stack

    @property
    def network(self) -> str:
        """The environment's network."""
        return f"dashtam-{self.stack}-network"

    @property
    def owner(self) -> str:
        """The clone that owns the environment."""
        return self.checkout.tools["DASHTAM_CLONE"]

    @cached_property
    def second(self) -> Checkout:
        """Another clone of the same user, with the same config."""
        made = checkouts.make(self.folder / "second")
        made.config_file.unlink()
        other = replace(made, data=self.checkout.data, stack=self.stack, pristine=self.checkout.pristine)
        other.configure()
        return other

    @cached_property
    def spare(self) -> dict[str, int]:
        """Free ports by the names that sequences have for them."""
        return {f"spare{number}": port for number, port in enumerate(checkouts.free_ports(6), 1)}

    @cached_property
    def credential(self) -> Path:
        """A file with what a provider's client would be known by."""
        file = self.folder / "credential"
        file.write_text("campaign")
        return file

    def reset(self) -> None:
        """Go back to where nothing was ever done."""
        environments.remove_all(self.client, self.stack, self.owner)
        for service in ("postgres", "redis"):  # without a label where it was taken over
            with suppress(NotFound):
                self.client.volumes.get(f"{service}_{self.stack}_data").remove()
        self.configure({})
        self.discard_code()
        for clone in (self.checkout.data / "clones").glob("*"):
            shutil.rmtree(clone)
        self.checkout.dashtam("env", "--json")

    def discard_code(self) -> None:
        """Take every edit of the code back."""
        succeed(run(["git", "checkout", "-q", "--", "app", "infra", "Dockerfile"], cwd=self.checkout.root))

    def configure(self, edits: dict[str, str]) -> None:
        """Write the config with other values of some keys."""
        changes: dict[str, dict[str, object]] = {}
        for name, text in edits.items():
            section, key = name.split(".")
            value = text.replace("CREDENTIAL", str(self.credential))
            changes.setdefault(section, {})[key] = self.spare.get(text) or yaml.safe_load(value)
        self.checkout.configure(**changes)

    def run(self, *arguments: str, **env: str) -> Said:
        """Run `./dashtam`."""
        done = said(" ".join(["./dashtam", *arguments]), self.checkout.dashtam(*arguments, **env))
        if refused := message(done):
            print(f"    {refused}", flush=True)
        return done

    def pulumi(self, *arguments: str) -> Said:
        """Run plain `pulumi` as in a shell that was set up."""
        return said(" ".join(["pulumi", *arguments]), self.checkout.pulumi(*arguments))

    def snapshots(self) -> list[str]:
        """Return the environment's snapshots, the oldest first."""
        found = (self.checkout.home / "snapshots" / self.stack).glob("[!.]*")
        return [one.name for one in sorted(found, key=lambda one: (one.stat().st_mtime, one.name))]

    def container(self, service: str) -> Container | None:
        """Return a service's container, if it is there."""
        with suppress(NotFound):
            return self.client.containers.get(f"dashtam-{self.stack}-{service}")
        return None

    def containers(self) -> dict[str, str]:
        """Return when each of the environment's containers was started, by its id; empty if it restarts itself."""
        found = self.client.api.containers(all=True, filters=environments.labelled(self.stack, self.owner))
        started = {}
        for one in found:
            with suppress(NotFound):  # what was killed lets the engine remove it only now
                document = self.client.api.inspect_container(one["Id"])
                started[one["Id"]] = "" if document["RestartCount"] else document["State"]["StartedAt"]
        return started

    def is_up(self, services: Sequence[str] = SERVICES) -> bool:
        """Tell whether services are healthy."""
        found = self.client.api.containers(filters=environments.labelled(self.stack, self.owner))
        healthy = {one["Labels"][COMPONENT_LABEL] for one in found if one["Status"].endswith("(healthy)")}
        return healthy >= {*services}

    def labelled(self) -> dict[str, str]:
        """Return the names of all that carries the environment's labels, by id."""
        chosen, api = environments.labelled(self.stack, self.owner), self.client.api
        found = {one["Id"]: one["Names"][0] for one in api.containers(all=True, filters=chosen)}
        found |= {one["Id"]: one["Name"] for one in api.networks(filters=chosen)}
        return found | {one["Name"]: one["Name"] for one in api.volumes(filters=chosen)["Volumes"] or []}

    def recorded(self) -> set[str]:
        """Return the ids in Pulumi's state."""
        latest = json.loads(self.checkout.state().read_text())["checkpoint"]["latest"] or {}
        return {one["id"] for one in latest.get("resources", []) if one.get("id")}

    def write(self, value: str) -> Iterator[tuple[str, str]]:
        """Write something into every part; yield what has taken it in."""
        insert = f"{QUIETLY}; {ROWS}; INSERT INTO campaign VALUES ('{value}')"  # noqa: S608 - our own
        if self._query(insert) is not None:
            yield DATABASE, value
        if self._execute("redis", ["sh", "-c", LOGIN, "sh", "-n", "0", "SET", f"campaign:{value}", "1"]) == "OK":
            yield CACHE, value
        if self._execute("app", ["python", "-c", LINK, value]) is not None:
            yield ACCOUNTS, value

    def seen(self, strangers: dict[str, Any]) -> Seen:
        """Look at all that must hold after a step."""
        self._settle()
        chosen = environments.labelled(self.stack, self.owner)
        paused = self.client.api.containers(filters={**chosen, "status": "paused"})
        return Seen(dict(self._readable()), self.volumes(), [one["Names"][0] for one in paused], strangers)

    def volumes(self) -> set[str]:
        """Return the parts whose volume is there."""
        found = self.client.api.volumes(filters=environments.labelled(self.stack, self.owner))["Volumes"] or []
        names = {one["Name"] for one in found}
        return {part for part, service in SERVED.items() if f"{service}_{self.stack}_data" in names}

    def _settle(self) -> None:
        chosen = environments.labelled(self.stack, self.owner)

        def settled() -> bool:
            states = [one["Status"] for one in self.client.api.containers(filters=chosen)]
            return not any("starting" in state or "Paused" in state for state in states)

        with suppress(AssertionError):
            wait_until(settled, "nothing is just starting", SETTLED)

    def _readable(self) -> Iterator[tuple[str, Values]]:
        rows = self._query(LISTED)
        if rows is not None:
            yield DATABASE, frozenset(rows.split())
        keys = self._execute("redis", ["sh", "-c", LOGIN, "sh", "-n", "0", "--scan", "--pattern", "campaign:*"])
        if keys is not None:
            yield CACHE, frozenset(key.removeprefix("campaign:") for key in keys.split())
        accounts = self._execute("app", ["python", "-c", LINK])
        if accounts is not None:
            yield ACCOUNTS, frozenset(_account(*one) for one in json.loads(accounts).items())

    def _query(self, sql: str) -> str | None:
        return self._execute("postgres", ["psql", "-qXAt", "service=dashtam", "-c", sql])

    def _execute(self, service: str, command: list[str]) -> str | None:
        container = self.container(service)
        if container is None or container.status != "running" or container.health != "healthy":
            return None
        done: Any = container.exec_run(command, demux=True)
        output, error = ((text or b"").decode(errors="replace") for text in done.output)
        if done.exit_code != 0:
            print(f"    {service} does not answer: {last_line(error)}", flush=True)
            return None
        return output.strip()


def _account(name: str, found: list[str | None]) -> str:
    return name if len(found) > 1 and str(found[1]).endswith(f"access-{name}") else f"{name}, unreadable"


def said(command: str, done: subprocess.CompletedProcess[str]) -> Said:
    """Return what a command came to."""
    return Said(command, done.returncode, done.stdout + done.stderr)


@contextmanager
def made(client: docker.DockerClient, folder: Path) -> Iterator[World]:
    """Make a world, and remove all of it at the end."""
    world = World(checkouts.make(folder / "first"), client, folder)
    try:
        yield world
    finally:
        world.reset()
