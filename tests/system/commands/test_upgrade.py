"""Environments of earlier versions come up with all their data, and their snapshots and backups are restored.

They were kept by `tests/data/make.py`, which says what is in their archives.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from cli.pulumi.stack_state import VOLUME
from infra.catalogue import POSTGRES, SOURCE_VARIABLE, ImageSource
from infra.identity import MARKER
from tests.system import checkout as checkouts
from tests.system import environments
from tests.system.checkout import PUBLISHED, SALT, Checkout, free_ports
from tests.system.commands import beside, snapshots
from tests.system.commands.contents import Contents
from tests.system.running import succeed
from tests.turns import use_of

if TYPE_CHECKING:
    import docker

ARCHIVES = sorted((Path(__file__).parents[2] / "data").glob("*.tar.xz"))
DATA = ("postgres", "redis")


@dataclass(frozen=True)
class Earlier:
    """An environment of an earlier version, unpacked.

    Args:
        folder: What was in its archive.
        checkout: A checkout of the code as it is now, which is the clone that made the environment.
        client: The engine.
    """

    folder: Path
    checkout: Checkout
    client: docker.DockerClient

    @property
    def facts(self) -> dict[str, Any]:
        """What it must have for ever."""
        found: dict[str, Any] = json.loads((self.folder / "facts.json").read_text())
        return found

    def contents(self) -> Contents:
        """Return what it keeps now."""
        return Contents(self.checkout, self.client, self.folder, self.checkout.stack)

    def data_volume(self, service: str) -> str:
        """Return the name of the volume with a service's data."""
        return f"{service}_{self.checkout.stack}_data"

    def containers(self) -> dict[str, str]:
        """Return the ids of its containers."""
        return beside.own(beside.seen(self.checkout, self.client))

    async def kept(self) -> dict[str, Any]:
        """Return what it has of the facts about its data now."""
        contents = self.contents()
        names = list(self.facts["cached"])
        async with contents.cache() as cache:
            values: list[Any] = await cache.mget(names)
        cached = {name: value and value.decode() for name, value in zip(names, values, strict=True)}
        return {"accounts": contents.accounts(), "rows": await contents.rows("kept"), "cached": cached}

    def expected(self) -> dict[str, Any]:
        """Return what `kept` must return."""
        return {name: self.facts[name] for name in ("accounts", "rows", "cached")}

    async def lose_rows(self) -> None:
        """Remove the rows that a restore must bring back."""
        async with self.contents().session() as session:
            await session.execute("DELETE FROM kept; DELETE FROM provider_connections")


@pytest.fixture(scope="module", params=ARCHIVES, ids=lambda path: path.name.partition(".")[0])
def earlier(
    request: pytest.FixtureRequest, client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Earlier]:
    """An environment of an earlier version, down, as a clone that was updated to the code of now has it."""
    folder = tmp_path_factory.mktemp("archive")
    with tarfile.open(request.param) as archive:
        archive.extractall(folder, filter="data")
    facts = json.loads((folder / "facts.json").read_text())
    with use_of(facts["stack"], fcntl.LOCK_EX), _alone(client, facts):
        checkout = _checkout(tmp_path_factory.mktemp("checkout"), folder, facts)
        made = Earlier(folder, checkout, client)
        _make_volumes(made)
        yield made


@pytest.fixture(scope="module")
async def upgraded(earlier: Earlier) -> dict[str, Any]:
    """Bring it up; return what it has then."""
    earlier.checkout.up()
    return await earlier.kept()


@contextmanager
def _alone(client: docker.DockerClient, facts: dict[str, Any]) -> Iterator[None]:
    """Have the names of an environment to oneself, also where an earlier run of the tests was killed."""
    environments.remove_all(client, facts["stack"])
    try:
        yield
    finally:
        environments.remove_all(client, facts["stack"])


def _checkout(folder: Path, archive: Path, facts: dict[str, Any]) -> Checkout:
    made = checkouts.make(folder)
    made.config_file.unlink()
    config = yaml.safe_load((archive / "config.yaml").read_text())
    for section, port in zip(PUBLISHED, free_ports(len(PUBLISHED)), strict=True):
        config["config"][f"dashtam:{section}"]["port"] = port
    callback = config["config"]["dashtam:callback"]["port"]
    config["config"]["dashtam:app"]["oauth_redirect_uri"] = f"https://127.0.0.1:{callback}"
    checkout = replace(made, stack=facts["stack"], pristine=yaml.safe_dump(config, sort_keys=False))
    assert SALT in checkout.pristine
    checkout.config_file.write_text(checkout.pristine)
    (checkout.root / ".git" / MARKER).write_text(f"{facts['owner']}\n")
    home = checkout.data / "clones" / facts["owner"]
    state = home / "state/.pulumi"
    places = {
        "passphrase": home,
        "placements.json": home,
        "meta.yaml": state,
        "state.json": state / f"stacks/dashtam/{checkout.stack}.json",
    }
    for name, place in places.items():
        _copy(archive / name, place if place.suffix else place / name)
    return checkout


def _copy(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)
    to.chmod(0o600)


def _make_volumes(made: Earlier) -> None:
    """Make the volumes as the earlier version had them: those with data from its snapshot."""
    state = json.loads((made.folder / "state.json").read_text())
    for one in state["checkpoint"]["latest"]["resources"]:
        if one["type"] == VOLUME:
            outputs = one["outputs"]
            labels = {label["label"]: label["value"] for label in outputs["labels"]}
            made.client.volumes.create(outputs["name"], labels=labels)
    image = POSTGRES.reference(ImageSource(made.checkout.tools[SOURCE_VARIABLE]))
    for service in DATA:
        mounted = {made.data_volume(service): {"bind": "/volume", "mode": "rw"}}
        helper = made.client.containers.create(image, ["true"], volumes=mounted, network_mode="none")
        try:
            with (made.folder / f"snapshot/{service}.tar").open("rb") as content:
                assert helper.put_archive("/", content)
        finally:
            helper.remove(v=True)


def test_it_comes_up_with_its_data(earlier: Earlier, upgraded: dict[str, Any]) -> None:
    assert environments.is_up(earlier.client, earlier.checkout.stack, earlier.facts["owner"])
    assert upgraded == earlier.expected()


@pytest.mark.usefixtures("upgraded")
def test_its_keys_are_the_same(earlier: Earlier) -> None:
    files = {"session": "secret-key", "tokens": "token-keys.json"}
    app = beside.seen(earlier.checkout, earlier.client)
    content = {name: app.execute("app", "cat", f"/run/secrets/{file}") for name, file in files.items()}
    found = {name: hashlib.sha256(said.encode()).hexdigest() for name, (_, said) in content.items()}
    assert found == earlier.facts["keys"]


@pytest.mark.usefixtures("upgraded")
def test_nothing_is_changed_by_the_next_update(earlier: Earlier) -> None:
    before = earlier.containers()
    earlier.checkout.up()
    assert earlier.containers() == before


@pytest.mark.usefixtures("upgraded")
async def test_its_snapshot_is_restored(earlier: Earlier) -> None:
    await earlier.lose_rows()
    async with earlier.contents().cache() as cache:
        await cache.delete(*earlier.facts["cached"])
    name = json.loads((earlier.folder / "snapshot/manifest.json").read_text())["name"]
    kept = earlier.checkout.home / "snapshots" / earlier.checkout.stack / name
    shutil.copytree(earlier.folder / "snapshot", kept, dirs_exist_ok=True)
    assert snapshots.restore(earlier.checkout, name)["lost"] == 0
    assert await earlier.kept() == earlier.expected()


@pytest.mark.usefixtures("upgraded")
async def test_its_backup_is_restored(earlier: Earlier) -> None:
    # Redis is not in it.
    expected = {**earlier.expected(), "cached": (await earlier.kept())["cached"]}
    await earlier.lose_rows()
    command = ("restore", earlier.checkout.stack, str(earlier.folder / "backup"), "--yes", "--no-snapshot", "--json")
    done = json.loads(succeed(earlier.checkout.dashtam(*command)))
    assert done["lost"] == 0
    assert await earlier.kept() == expected
