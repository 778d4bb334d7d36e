from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

from cli.images import rebuild
from cli.images.rebuild import Image

if TYPE_CHECKING:
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
