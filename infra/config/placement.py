"""Where a stack is put on this machine: under which name, and on which ports, where these aren't what its config says.

A clone keeps a record, outside git, of the stacks whose place differs: one made from another's config (`up dev --name
feature-x`), and one whose own names or ports another clone holds. A placement is chosen once and kept: data volumes are
found by their names, and addresses are kept in bookmarks and at providers.

The program finds the record by the checkout's marker, so plain `pulumi up` does the same as `./dashtam`. It holds no
copy of the config: that of a further stack is a link to its source's file. Labels keep the stack's own name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, TypeAdapter, ValidationError

from infra import identity
from infra.config.sections import NetworkSettings, Section
from infra.config.settings import StackSettings
from infra.config.values import Port
from infra.endpoints import HTTPS_PORT, address
from infra.loopback import LOCAL, LOCALHOST
from infra.naming import DEBUGGER


class Placement(Section):
    """Where one stack is put."""

    source: str
    """The stack whose config it has: its own, or the one that it was made from."""
    name: str
    """What stands for the stack in the names of containers, networks and volumes."""
    ports: dict[str, Port] = Field(default_factory=dict)
    """Host ports by service, instead of the config's."""
    services: tuple[str, ...] = ()
    """The services that run, with all that they need; every one where none is named."""

    def is_plain(self, stack: str) -> bool:
        """Tell whether a stack so placed is as its own config says."""
        return self.source == self.name == stack

    def running(self, config: StackSettings) -> tuple[str, ...]:
        """Return the services that run."""
        return tuple(one for one in config.services if one in self.services or not self.services)

    def published(self, config: StackSettings) -> dict[str, int]:
        """Return the host ports of what runs, here of a config to which this placement was applied."""
        running = self.running(config)
        return {
            name: port
            for name, port in config.ports.items()
            if port and ("app" if name == DEBUGGER else name) in running
        }

    def applied(self, config: StackSettings) -> StackSettings:
        """Return a valid config with this placement's ports, and what follows from them and from the host name.

        A service that publishes no port still publishes none. A redirect URI that leads to the callback's port on this
        machine leads to its new one, and to the host name that clients know; any other stays as it was registered.
        """
        ports = {service: port for service, port in self.ports.items() if config.ports[service]}
        debugger = ports.pop(DEBUGGER, config.app.debugger_port)
        services = {
            service: getattr(config, service).model_copy(update={"port": port}) for service, port in ports.items()
        }
        moved = config.model_copy(update=services)
        moved = moved.model_copy(update={"app": moved.app.model_copy(update={"debugger_port": debugger})})
        old, new = config.callback.port, moved.callback.port
        return _redirected(moved, partial(follow, old=old, new=new, network=config.network)) if old and new else moved


def plain(stack: str) -> Placement:
    """Return the placement of a stack that is as its own config says."""
    return Placement(source=stack, name=stack)


_RECORD = TypeAdapter(dict[str, Placement])


def record(root: Path) -> Path | None:
    """Return the record of the clone that a checkout is; None where nothing has been done in it yet."""
    clone, data_home = identity.read(root), identity.home(root)
    if not clone:
        return None
    folder = identity.folder(clone, Path(data_home)) if data_home else None
    if folder is None or not folder.is_dir():  # the marker of an earlier version names none
        raise ValueError("The record of this checkout's names and ports isn't found. Run `./dashtam env` once.")
    return folder / identity.PLACEMENTS


def read(file: Path | None) -> dict[str, Placement]:
    """Return the placements in a record, by stack; a stack that is not in it is plain."""
    try:
        return _RECORD.validate_json(file.read_text()) if file else {}
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        why = error if isinstance(error, OSError) else "it is not such a record"
        raise ValueError(f"{file}, with the ports and names of this clone's stacks, can't be read: {why}.") from None


def written(placements: Mapping[str, Placement]) -> str:
    """Return a record's text."""
    return _RECORD.dump_json(dict(sorted(placements.items())), indent=2, exclude_defaults=True).decode() + "\n"


def report(stack: str, placed: Placement, file: Path | None) -> Iterator[str]:
    """Yield what a preview shows of a stack that isn't as its own config says, or of which some services run."""
    if not placed.is_plain(stack):
        ports = ", ".join(f"{service} {port}" for service, port in placed.ports.items()) or "of its config"
        yield f"{stack} has the name {placed.name}, the config of {placed.source} and the ports {ports}: see {file}."
    if placed.services:
        yield f"Of {stack} only {', '.join(placed.services)} run; `./dashtam up {stack}` starts all: see {file}."


def follow(uri: str, old: int, new: int, network: NetworkSettings) -> str:
    """Return an https URL with its port changed from `old` to `new` if it names this machine and that port.

    Where clients know this machine by another name than localhost, it gets that name.
    """
    parts = urlsplit(uri)
    if parts.hostname not in {*LOCAL, network.hostname} or (parts.port or HTTPS_PORT) != old:
        return uri
    host = str(parts.hostname) if network.hostname == LOCALHOST else network.hostname
    return parts._replace(netloc=address(host, new)).geturl()


def _redirected(config: StackSettings, followed: Callable[[str], str]) -> StackSettings:
    app = config.app.model_copy(update={"oauth_redirect_uri": followed(config.app.oauth_redirect_uri)})
    providers = {
        name: one.model_copy(update={"redirect_uri": one.redirect_uri and followed(one.redirect_uri)})
        for name, one in config.providers.items()
    }
    return config.model_copy(update={"app": app, "providers": providers})
