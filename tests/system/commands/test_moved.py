"""A clone that was moved keeps its environment, whose app has the source at the new place."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx2

from tests.system import environments
from tests.system.running import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents

EDITED, EDIT = "app/http/pages.py", ('"text/css"', '"text/edited"')


@contextmanager
def _moved(checkout: Checkout, root: Path) -> Iterator[Checkout]:
    """Move a clone, and at the end back, with its environment."""
    checkout.root.rename(root)
    try:
        moved = replace(checkout, root=root)
        moved.install()
        yield moved
    finally:
        root.rename(checkout.root)
        checkout.install()
        checkout.up()


def _source(client: docker.DockerClient, checkout: Checkout) -> str:
    mounts = client.containers.get(f"dashtam-{checkout.stack}-app").attrs["Mounts"]
    (source,) = [one["Source"] for one in mounts if one["Type"] == "bind"]
    return str(source)


def _ids(client: docker.DockerClient, checkout: Checkout) -> set[str]:
    return {one["Id"] for one in client.api.containers(all=True, filters=environments.labelled(checkout.stack))}


async def test_its_environment_follows_a_clone_that_was_moved(
    checkout: Checkout, contents: Contents, client: docker.DockerClient, tmp_path: Path
) -> None:
    await contents.fill()
    before, owner = await contents.digest(), checkout.tools["DASHTAM_CLONE"]
    with _moved(checkout, checkout.root.with_name("moved to Ünï's cöde")) as moved:
        moved.up()
        assert moved.tools["DASHTAM_CLONE"] == owner
        assert moved.status() == ""
        assert _source(client, moved) == str(moved.root / "app")
        assert await replace(contents, checkout=moved).digest() == before
        _require_edits_served(moved, tmp_path)
        ids = _ids(client, moved)
        moved.up()
        assert _ids(client, moved) == ids
    assert _source(client, checkout) == str(checkout.root / "app")
    assert await contents.digest() == before


def _require_edits_served(checkout: Checkout, folder: Path) -> None:
    outputs = checkout.outputs()
    authority = folder / "ca.crt"
    authority.write_text(outputs["ca_certificate"])
    source = checkout.root / EDITED
    text = source.read_text()
    source.write_text(text.replace(*EDIT))
    with httpx2.Client(verify=ssl.create_default_context(cafile=str(authority))) as browser:

        def is_served() -> bool:
            try:
                style = browser.get(f"{outputs['urls']['app']}/static/style.css")
            except httpx2.HTTPError:
                return False  # while it reloads
            return style.headers["content-type"].startswith("text/edited")

        try:
            wait_until(is_served, "the edit is served", 60)
        finally:
            source.write_text(text)
