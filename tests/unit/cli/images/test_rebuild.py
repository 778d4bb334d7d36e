from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

from cli.environments.configuration import configuration
from cli.images import rebuild
from cli.images.rebuild import Image
from infra import recipes
from infra.catalogue import SOURCE_VARIABLE
from tests.unit.cli.world import CONFIG

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_every_image_is_built_though_two_are_of_one_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[tuple[str, str, str]] = []

    def build(*_: object, tag: str, target: str, buildargs: dict[str, str], **__: Any) -> None:  # noqa: ANN401
        built.append((tag, target, buildargs["PYTHON_IMAGE"]))

    monkeypatch.setattr(rebuild, "build", build)
    images = {
        f"dashtam/production:{python}": Image("production", {"PYTHON_IMAGE": python}) for python in ("one", "other")
    }
    rebuild.rebuild(Mock(), images, cache=True)
    assert built == [
        ("dashtam/production:one", "production", "one"),
        ("dashtam/production:other", "production", "other"),
    ]


def test_what_a_checkout_runs_is_known_for_each_source_and_without_configs_that_are_not_valid(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text(CONFIG.replace("{oauth", "{build: development, oauth"))
    (tmp_path / "Pulumi.mine.yaml").write_text(f"{CONFIG}  dashtam:images: {{python: my/python:1}}\n")
    (tmp_path / "Pulumi.broken.yaml").write_text("config: [")
    stages = {"dev": ("development",), "mine": ("production", "callback")}
    expected = {
        recipes.reference(stage, recipes.build_arguments(stage, configuration(tmp_path, stack).images, environ))
        for stack, built in stages.items()
        for stage in built
        for environ in ({SOURCE_VARIABLE: "registry"}, {SOURCE_VARIABLE: "debian"})
    }
    assert rebuild.current_references(tmp_path) == expected
    assert len(expected) == 4, "dev has another base for each source, mine its own"
