"""Nothing takes data away unasked: an edit of the program, plain Pulumi, another clone, another engine, another key."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.infra.engine_double import EngineDouble, listening
from tests.system import environments
from tests.system.running import run, succeed

if TYPE_CHECKING:
    import subprocess

    import docker

    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents

LABEL = '            OWNER_LABEL: self.owner,\n            "dashtam.release": "next",\n'
REFUSED: tuple[tuple[dict[str, dict[str, object]], str], ...] = (
    ({"postgres": {"database": "another"}}, "was made with another database"),
    ({"postgres": {"user": "another"}}, "was made with another user"),
    ({"images": {"postgres": "postgres:99.1"}}, "was made with another major version"),
    ({"tokens": {"keys": ["k2"]}}, "no longer has the key k1"),
)


def _plain(checkout: Checkout, command: str, *flags: str, **env: str) -> subprocess.CompletedProcess[str]:
    words = ["pulumi", command, "--stack", checkout.stack, "--yes", "--skip-preview", "--non-interactive", *flags]
    return run(words, cwd=checkout.root, env={**checkout.tools, **env})


def _ids(checkout: Checkout, client: docker.DockerClient) -> set[str]:
    return {one["Id"] for one in client.api.containers(all=True, filters=environments.labelled(checkout.stack))}


def _random(checkout: Checkout) -> dict[str, str]:
    """Return the ids of passwords and keys, without which data can't be read."""
    return {one["urn"]: one["id"] for one in _resources(checkout) if one["type"].startswith("random:")}


def _resources(checkout: Checkout) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(checkout.state().read_bytes())["checkpoint"]["latest"]["resources"]
    return found


async def test_a_release_with_other_labels_and_a_plain_destroy_keep_the_data_and_what_reads_it(
    small: Checkout, small_contents: Contents, client: docker.DockerClient
) -> None:
    await small_contents.fill()
    before, kept = await small_contents.digest(), _random(small)
    assert kept
    naming = small.root / "infra/naming.py"
    source = naming.read_text()
    naming.write_text(source.replace("            OWNER_LABEL: self.owner,\n", LABEL))
    assert naming.read_text() != source
    try:
        small.up()
    finally:
        naming.write_text(source)
    labelled = client.api.containers(filters=environments.labelled(small.stack))
    assert [one["Labels"].get("dashtam.release") for one in labelled] == ["next"] * len(small.services)
    assert await small_contents.digest() == before

    done = _plain(small, "destroy")
    assert done.returncode != 0
    assert "because it is protected" in done.stdout + done.stderr
    small.up()
    assert await small_contents.digest() == before
    assert _random(small) == kept


async def test_replacing_by_name_keeps_what_data_is_read_with_and_leaves_no_second_network(
    small: Checkout, small_contents: Contents, client: docker.DockerClient
) -> None:
    await small_contents.fill()
    before, kept = await small_contents.digest(), _random(small)
    for name in ("postgres-password", "session-key", "token-k1-key"):
        done = _plain(small, "up", "--replace", f"urn:pulumi:{small.stack}::**::{name}")
        assert done.returncode != 0
        assert "protect" in done.stdout + done.stderr
    [network] = client.api.networks(filters=environments.labelled(small.stack))
    files = f"dashtam-{small.stack}-postgres-files"
    replaced = [f"--replace=urn:pulumi:{small.stack}::**::{name}" for name in ("network", files)]
    said = succeed(_plain(small, "up", *replaced))
    assert f"{files} replaced" in said
    [another] = client.api.networks(filters=environments.labelled(small.stack))
    assert another["Id"] != network["Id"]
    assert _random(small) == kept
    assert await small_contents.digest() == before


def test_a_second_clone_with_plain_pulumi_takes_nothing_over(
    small: Checkout, client: docker.DockerClient, tmp_path: Path
) -> None:
    root, backend = tmp_path / "second", tmp_path / "state"
    succeed(run(["git", "clone", "--quiet", str(small.root), str(root)], cwd=tmp_path))
    (root / small.config_file.name).write_text(small.pristine)
    (root / ".venv").symlink_to(small.root / ".venv")
    backend.mkdir()
    environ = {
        **{name: value for name, value in small.tools.items() if not name.startswith("DASHTAM_")},
        "DASHTAM_IMAGE_SOURCE": small.tools["DASHTAM_IMAGE_SOURCE"],
        "PULUMI_BACKEND_URL": backend.as_uri(),
        "PYTHONPATH": str(root),
    }
    succeed(run(["pulumi", "stack", "init", small.stack, "--non-interactive"], cwd=root, env=environ))
    before = _ids(small, client)
    words = ["pulumi", "up", "--stack", small.stack, "--yes", "--skip-preview", "--non-interactive"]
    done = run(words, cwd=root, env=environ)
    assert done.returncode != 0
    assert f"{small.stack} is another clone's here; nothing was changed." in done.stdout + done.stderr
    assert _ids(small, client) == before


async def test_keys_that_rows_need_and_what_the_database_was_made_with_stay(
    checkout: Checkout, contents: Contents, client: docker.DockerClient
) -> None:
    contents.accounts("kept")
    before, ids = await contents.digest(), _ids(checkout, client)
    try:
        for changes, message in REFUSED:
            checkout.configure(**changes)
            _assert_refused(checkout.dashtam("up", checkout.stack), message)
        # That the program refuses each is in tests/infra/test_refusals.py; whether rows need a key, the engine says.
        _assert_refused(_plain(checkout, "up"), message)
    finally:
        checkout.configure()
    assert _ids(checkout, client) == ids
    assert await contents.digest() == before


def _assert_refused(done: subprocess.CompletedProcess[str], message: str) -> None:
    assert done.returncode != 0
    assert message in done.stdout + done.stderr
    assert "nothing was changed" in done.stdout + done.stderr


@pytest.mark.campaign
def test_a_key_goes_once_its_rows_have_another(checkout: Checkout, contents: Contents) -> None:
    before = contents.accounts("rotated")
    try:
        checkout.configure(tokens={"keys": ["k1", "k2"]})
        checkout.up()
        checkout.configure(tokens={"keys": ["k2"]})
        assert "no longer has the key k1" in checkout.dashtam("up", checkout.stack).stderr
        checkout.configure(tokens={"keys": ["k1", "k2"]})
        succeed(checkout.dashtam("keys", "rotate", checkout.stack))
        checkout.configure(tokens={"keys": ["k2"]})
        checkout.up()
        assert contents.accounts() == before
    finally:
        checkout.configure(tokens={"keys": ["k2", "k1"]})
        checkout.up()
        succeed(checkout.dashtam("keys", "rotate", checkout.stack))
        checkout.configure()
        checkout.up()


def test_another_engine_is_refused_before_anything_is_changed(small: Checkout) -> None:
    before = _urns(small)
    other = EngineDouble()
    with tempfile.TemporaryDirectory() as folder, listening(other, Path(folder)) as host:
        done = _plain(small, "up", DOCKER_HOST=host)
    assert done.returncode != 0
    assert f"{small.stack} is on another Docker engine; nothing was changed." in done.stdout + done.stderr
    assert _urns(small) == before


async def test_a_state_in_another_backend_makes_no_other_keys(
    small: Checkout, small_contents: Contents, client: docker.DockerClient, tmp_path: Path
) -> None:
    before, ids = await small_contents.digest(), _ids(small, client)
    refused = small.dashtam("up", small.stack, PULUMI_BACKEND_URL=tmp_path.as_uri())
    assert refused.returncode == 1
    assert f"lacks the password and the keys of the data of {small.stack}; nothing was changed" in refused.stderr
    assert _ids(small, client) == ids
    assert await small_contents.digest() == before


def _urns(checkout: Checkout) -> set[str]:
    # A refused update may write the stack and the default provider in another order.
    return {one["urn"] for one in _resources(checkout)}
