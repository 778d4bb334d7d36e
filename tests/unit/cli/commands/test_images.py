# ruff: noqa: ANN401 - the engine here is a fake one
from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from cli.commands import images
from cli.images import build, rebuild, registry
from infra.catalogue import BASES, POSTGRES, ROOT, ImageSource
from tests.unit.cli.images_double import DIGEST

pytestmark = pytest.mark.usefixtures("own_homes")


@pytest.fixture
def invoke(engine: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(images, "connect", lambda: engine)
    engine.images.get = lambda _: SimpleNamespace(labels={"dashtam.version": "17.12"}, attrs={"Size": 150})
    return lambda *arguments: CliRunner().invoke(images.app, arguments)


@pytest.mark.parametrize("command", ["source", "build", "lock", "list", "clean"])
def test_every_command_shows_an_example(invoke: Any, command: str) -> None:
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert f": ./dashtam images {command}" in " ".join(result.output.split())


def test_the_source_is_shown_with_its_reason_and_changed(invoke: Any) -> None:
    assert invoke("source").output.startswith("registry (")
    assert invoke("source", "debian").output == "debian (chosen with `./dashtam images source debian`)\n"
    assert invoke("source").output.startswith("debian (")


def test_the_list_is_for_scripts_too(invoke: Any, engine: Any) -> None:
    invoke("source", "debian")
    engine.tags = [POSTGRES.reference(ImageSource.DEBIAN)]
    engine.images_by_label = [{"Id": "x", "RepoTags": ["dashtam-debian/redis:old"], "Size": 7}]
    engine.service_images = [
        {"Id": "y", "RepoTags": ["dashtam/test:0123456789ab"], "Size": 8, "Created": 1},
        {"Id": "z", "RepoTags": [], "Size": 9, "Created": 1},
    ]
    content = json.loads(invoke("list", "--json").output)
    assert content["source"] == "debian"
    assert {(row["name"], row["state"]) for row in content["images"]} == {
        ("postgres", "present"), ("redis", "missing"), ("python", "missing"), ("node", "missing"),
        ("redis", "stale"), ("test", "stale"), ("(no name)", "stale"),
    }  # fmt: skip
    assert content["images"][0]["version"] == "17.12"
    assert {(row["reference"], row["bytes"]) for row in content["images"] if row["state"] == "stale"} == {
        ("dashtam-debian/redis:old", 7), ("dashtam/test:0123456789ab", 8), ("z", 9),
    }  # fmt: skip


def test_every_command_tells_scripts_what_it_did(invoke: Any, engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(*arguments: str) -> Any:
        return json.loads(invoke(*arguments, "--json").output)

    chosen = {"source": "registry", "reason": "chosen with `./dashtam images source registry`"}
    assert told("source", "registry") == told("source") == chosen
    engine.tags = [base.official for base in BASES]
    built = told("build")
    assert (built["source"], {row["state"] for row in built["images"]}) == ("registry", {"present"})
    assert built == told("list")
    monkeypatch.setattr(registry, "record_digests", lambda _: {"redis:8": DIGEST})
    assert told("lock") == {"digests": {"redis:8": DIGEST}}
    engine.images_by_label = [{"Id": "x", "RepoTags": ["dashtam-debian/redis:old"], "Size": 7}]
    assert told("clean") == {"removed": ["dashtam-debian/redis:old"]}


def test_an_image_that_an_environment_of_this_checkout_would_run_is_not_removed(invoke: Any, engine: Any) -> None:
    current = sorted(rebuild.current_references(ROOT))
    assert current
    names = [*current, "dashtam/test:0123456789ab"]
    engine.service_images = [{"Id": name, "RepoTags": [name], "Size": 1, "Created": 1} for name in names]
    assert json.loads(invoke("clean", "--json").output) == {"removed": ["dashtam/test:0123456789ab"]}
    engine.service_images.pop()
    assert invoke("clean").stderr == "There is nothing to remove.\n"


def test_the_build_tells_that_nothing_is_missing_and_may_be_forbidden_to_install(
    invoke: Any, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.tags = [base.official for base in BASES]
    assert invoke("build").stderr == "All base images are present.\n"
    monkeypatch.setattr(build, "ensure", ensure := Mock())
    for options, install in ((), True), (("--no-install",), False):
        invoke("build", *options)
        assert ensure.call_args.kwargs == {"install": install}


@pytest.mark.parametrize(("incomplete", "expected"), [("", ["auto", "registry", "debian"]), ("de", ["debian"])])
def test_sources_are_completed(incomplete: str, expected: list[str]) -> None:
    assert sorted(images.complete_source(incomplete)) == sorted(expected)


def test_the_list_never_cuts_a_reference(invoke: Any, engine: Any) -> None:
    invoke("source", "registry")
    engine.tags = [POSTGRES.official]
    assert POSTGRES.official in "".join(invoke("list").output.split())
