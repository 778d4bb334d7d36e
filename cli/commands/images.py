"""`./dashtam images`: where the base images come from, and what is here."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from docker import DockerClient
from rich.filesize import decimal
from rich.table import Column, Table

from cli.commands.parameters import AsJson, NoInstall
from cli.core.paths import ROOT
from cli.engine.connect import connect
from cli.images import build as building
from cli.images import local, rebuild, registry, source
from cli.ui.console import announce, out
from cli.ui.json_result import print_json
from infra.catalogue import BASES, ImageSource

app = typer.Typer(
    help="The base images: where they come from, and what is here.",
    epilog="Examples: ./dashtam images list; ./dashtam images source debian",
    no_args_is_help=True,
    add_completion=False,
)


def complete_source(incomplete: str) -> list[str]:
    """Return the sources that a word may become."""
    return [one for one in source.CHOICES if one.startswith(incomplete)]


@dataclass(frozen=True)
class Row:
    """An image in the list; `bytes` as the engine counts, 0 where it is missing."""

    name: str
    reference: str
    state: str
    version: str
    bytes: int


def rows(client: DockerClient, images: ImageSource) -> list[Row]:
    """List this machine's base images, and the project's that nothing needs any more."""
    absent = building.missing(client, images)
    current = [_row(client, base.name, base.reference(images), absent) for base in BASES]
    old = [Row(_stage(image), image.references[0], "stale", "", image.size) for image in _stale(client)]
    return current + old


def _stale(client: DockerClient) -> list[local.Stale]:
    return local.find_stale(client, rebuild.current_references(ROOT))


def _stage(image: local.Stale) -> str:
    return image.tags[0].rpartition("/")[2].partition(":")[0] if image.tags else "(no name)"


def _row(client: DockerClient, name: str, reference: str, absent: list[str]) -> Row:
    if reference in absent:
        return Row(name, reference, "missing", "", 0)
    image = client.images.get(reference)
    return Row(name, reference, "present", image.labels.get("dashtam.version", ""), image.attrs["Size"])


@app.command("source", epilog="Examples: ./dashtam images source; ./dashtam images source debian")
def source_command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[SOURCE]",
            help="auto, registry or debian; shows the present one if absent.",
            autocompletion=complete_source,
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show or choose where this machine's images come from."""
    client = connect()
    decision = source.choose(client, name) if name else source.explain(client)
    if as_json:
        print_json(decision.model_dump(mode="json"))
        return
    out.print(f"{decision.source.value} ({decision.reason})")


@app.command("build", epilog="Example: ./dashtam images build")
def build_command(*, no_install: NoInstall = False, as_json: AsJson = False) -> None:
    """Pull missing base images, or build them from Debian packages."""
    client = connect()
    images = source.decide(client)
    building.ensure(client, images, install=not no_install)
    if as_json:
        print_json(_document(client, images))
    else:
        announce("All base images are present.")


@app.command("lock", epilog="Example: ./dashtam images lock")
def lock_command(*, as_json: AsJson = False) -> None:
    """Record the digests of the official images, as the registry gives them, in images/lock.json."""
    digests = registry.record_digests(connect())
    if as_json:
        print_json({"digests": digests})
        return
    for reference, digest in digests.items():
        out.print(f"{reference} {digest}")


@app.command("clean", epilog="Example: ./dashtam images clean")
def clean_command(*, as_json: AsJson = False) -> None:
    """Remove images of this project that nothing uses: old base images, and those of services after a day.

    The images of this clone's environments stay. Another clone's that was down for a day builds its own again.
    """
    client = connect()
    removed = local.remove(client, _stale(client))
    if as_json:
        print_json({"removed": removed})
        return
    for reference in removed:
        announce(f"removed {reference}")
    if not removed:
        announce("There is nothing to remove.")


@app.command("list", epilog="Example: ./dashtam images list --json")
def list_command(*, as_json: AsJson = False) -> None:
    """List the base images of this machine, and old images of this project."""
    client = connect()
    images = source.explain(client).source
    if as_json:
        print_json(_document(client, images))
        return
    # A reference is there to be copied: folded rather than cut.
    table = Table("image", Column("reference", overflow="fold"), "state", "version", "size", box=None)
    for row in rows(client, images):
        table.add_row(row.name, row.reference, row.state, row.version, decimal(row.bytes) if row.bytes else "")
    out.print(table)


def _document(client: DockerClient, images: ImageSource) -> dict[str, object]:
    return {"source": images.value, "images": [asdict(row) for row in rows(client, images)]}
