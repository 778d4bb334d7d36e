"""`./dashtam images`: where the base images come from, and what is here."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from cli.console import out
from cli.images import build as building
from cli.images import lock, source, stale
from cli.images.engine import connect
from infra.catalogue import BASES, ImageSource

if TYPE_CHECKING:
    from docker import DockerClient

app = typer.Typer(
    help="The base images: where they come from, and what is here.", no_args_is_help=True, add_completion=False
)

_BYTES = 1_000_000


@dataclass(frozen=True)
class Row:
    """An image in the list.

    Args:
        name: The base's name.
        reference: What the environments run.
        state: `present`, `missing`, or `stale` for what an older version built.
        version: The version inside, where a label says so.
        size: In bytes, as the engine counts; 0 where it is missing.
    """

    name: str
    reference: str
    state: str
    version: str
    size: int


def rows(client: DockerClient, images: ImageSource) -> list[Row]:
    """List this machine's base images.

    Args:
        client: The engine.
        images: Where they come from.

    Returns:
        What the environments run, then what older versions left.
    """
    absent = building.missing(client, images)
    current = [_row(client, base.name, base.reference(images), absent) for base in BASES]
    old = [
        Row(image.tags[0].split("/")[1].split(":")[0], image.tags[0], "stale", "", image.size)
        for image in stale.find(client)
    ]
    return current + old


def _row(client: DockerClient, name: str, reference: str, absent: list[str]) -> Row:
    if reference in absent:
        return Row(name, reference, "missing", "", 0)
    image = client.images.get(reference)
    return Row(name, reference, "present", image.labels.get("dashtam.version", ""), image.attrs["Size"])


@app.command("source")
def source_command(
    wish: Annotated[str | None, typer.Argument(help="auto, registry or debian; shows what holds if left out.")] = None,
) -> None:
    """Show or choose where this machine's images come from.

    Example: ./dashtam images source debian
    """
    client = connect()
    decision = source.choose(client, wish) if wish else source.explain(client)
    out.print(f"{decision.source.value} ({decision.reason})", markup=False, highlight=False)


@app.command("build")
def build_command() -> None:
    """Make what is missing: pull it, or build it from Debian packages.

    Example: ./dashtam images build
    """
    client = connect()
    building.ensure(client, source.decide(client))


@app.command("lock")
def lock_command() -> None:
    """Record the digests of the official images, as the registry gives them, in images/lock.json.

    Example: ./dashtam images lock
    """
    for reference, digest in lock.record(connect()).items():
        out.print(f"{reference} {digest}", markup=False, highlight=False)


@app.command("clean")
def clean_command() -> None:
    """Remove the base images that older versions built and nothing uses.

    Example: ./dashtam images clean
    """
    for reference in stale.remove(connect()):
        out.print(f"removed {reference}", markup=False, highlight=False)


@app.command("list")
def list_command(*, as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """List the base images of this machine.

    Example: ./dashtam images list --json
    """
    client = connect()
    images = source.decide(client)
    found = rows(client, images)
    if as_json:
        out.print(
            json.dumps({"source": images.value, "images": [asdict(row) for row in found]}, indent=2), markup=False
        )
        return
    # A reference is there to be copied: folded rather than cut.
    table = Table("image", Column("reference", overflow="fold"), "state", "version", "size", box=None)
    for row in found:
        table.add_row(
            row.name, row.reference, row.state, row.version, f"{row.size / _BYTES:.0f} MB" if row.size else ""
        )
    out.print(table)
