"""Nothing takes data away unasked: an edit of the program, plain Pulumi, another clone, another engine, another key."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.infra.engine_double import EngineDouble, listening
from tests.system.checkout import Checkout
from tests.system.running import run, succeed

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.system.commands.contents import Contents

LABEL = '            OWNER_LABEL: self.owner,\n            "dashtam.release": "next",\n'


@pytest.fixture
def linked(checkout: Checkout, contents: Contents) -> Iterator[None]:
    """Accounts whose tokens must be readable at the end, once it is up again."""
    before = contents.accounts("kept")
    assert "kept" in before
    yield
    checkout.up()
    assert contents.accounts() == before


def _plain(checkout: Checkout, command: str, *flags: str, **env: str) -> subprocess.CompletedProcess[str]:
    words = ["pulumi", command, "--stack", checkout.stack, "--yes", "--skip-preview", "--non-interactive", *flags]
    return run(words, cwd=checkout.root, env={**checkout.tools, **env})


@pytest.mark.usefixtures("linked")
def test_a_release_with_other_labels_keeps_the_data(checkout: Checkout) -> None:
    naming = checkout.root / "infra/naming.py"
    before = naming.read_text()
    naming.write_text(before.replace("            OWNER_LABEL: self.owner,\n", LABEL))
    assert naming.read_text() != before
    try:
        checkout.up()
    finally:
        naming.write_text(before)


@pytest.mark.usefixtures("linked")
def test_plain_destroy_leaves_the_data_and_what_reads_it(checkout: Checkout) -> None:
    done = _plain(checkout, "destroy")
    assert done.returncode != 0
    assert "because it is protected" in done.stdout + done.stderr


@pytest.mark.usefixtures("linked")
def test_a_second_clone_with_plain_pulumi_takes_nothing_over(checkout: Checkout, tmp_path: Path) -> None:
    succeed(checkout.dashtam("down", checkout.stack))
    root = tmp_path / "second"
    succeed(run(["git", "clone", "--quiet", str(checkout.root), str(root)], cwd=tmp_path))
    (root / checkout.config_file.name).write_text(checkout.pristine)
    second = Checkout(root, tmp_path / "data", checkout.stack, checkout.pristine)
    succeed(second.dashtam("--help"))
    backend = tmp_path / "state"
    backend.mkdir()
    environ = {
        **{
            name: value.replace(str(checkout.root), str(root))  # the folders of its programs
            for name, value in checkout.tools.items()
            if not name.startswith("DASHTAM_")
        },
        "PULUMI_BACKEND_URL": backend.as_uri(),
        "DASHTAM_IMAGE_SOURCE": checkout.tools["DASHTAM_IMAGE_SOURCE"],
    }
    succeed(run(["pulumi", "stack", "init", second.stack, "--non-interactive"], cwd=root, env=environ))
    words = ["pulumi", "up", "--stack", second.stack, "--yes", "--skip-preview", "--non-interactive"]
    done = run(words, cwd=root, env=environ)
    assert done.returncode != 0
    assert f"{second.stack} is another clone's here; nothing was changed." in done.stdout + done.stderr
    words = ["pulumi", "destroy", "--stack", second.stack, "--yes", "--skip-preview", "--non-interactive"]
    succeed(run(words, cwd=root, env=environ))


@pytest.mark.usefixtures("linked")
def test_keys_that_rows_need_and_what_the_database_was_made_with_stay(checkout: Checkout) -> None:
    try:
        for changes, message in (
            ({"tokens": {"keys": ["k2"]}}, "no longer has the key k1"),
            ({"postgres": {"database": "another"}}, "was made with another database"),
            ({"postgres": {"user": "another"}}, "was made with another user"),
            ({"images": {"postgres": "postgres:99.1"}}, "was made with another major version"),
        ):
            checkout.configure(**changes)
            for done in (checkout.dashtam("up", checkout.stack), _plain(checkout, "up")):
                assert done.returncode != 0
                assert message in done.stdout + done.stderr
                assert "nothing was changed" in done.stdout + done.stderr
    finally:
        checkout.configure()


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


@pytest.mark.usefixtures("linked")
def test_another_engine_is_refused_before_anything_is_changed(checkout: Checkout) -> None:
    before = checkout.state().read_bytes()
    other = EngineDouble()
    with tempfile.TemporaryDirectory() as folder, listening(other, Path(folder)) as host:
        done = _plain(checkout, "up", DOCKER_HOST=host)
    assert done.returncode != 0
    assert f"{checkout.stack} is on another Docker engine; nothing was changed." in done.stdout + done.stderr
    assert _resources(before) == _resources(checkout.state().read_bytes())


def _resources(state: bytes) -> set[str]:
    # A refused update may write the stack and the default provider in another order.
    return {one["urn"] for one in json.loads(state)["checkpoint"]["latest"]["resources"]}
