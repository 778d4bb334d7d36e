# ruff: noqa: ANN401 - the engine here is a fake one
from __future__ import annotations

from typing import Any

from cli.images import stale
from infra.catalogue import PYTHON, ImageSource


def image(*tags: str) -> dict[str, Any]:
    return {"Id": f"sha256:{tags}", "RepoTags": list(tags) or None, "Size": 1}


def test_only_old_images_with_nothing_but_our_names_are_stale(engine: Any) -> None:
    engine.images_by_label = [
        image(PYTHON.reference(ImageSource.DEBIAN)),
        image("dashtam-debian/python:old"),
        image("dashtam-debian/python:kept", "mine:1"),
        image("dashtam/production:1"),
        image(),
    ]
    assert [found.tags for found in stale.find(engine)] == [("dashtam-debian/python:old",)]


def test_root_file_systems_go_last_and_what_is_used_stays(engine: Any) -> None:
    engine.images_by_label = [
        image("dashtam-debian/base:old"),
        image("dashtam-debian/redis:old"),
        image("dashtam-debian/python:old"),
    ]
    engine.in_use = {"dashtam-debian/python:old"}
    assert stale.remove(engine) == ["dashtam-debian/redis:old", "dashtam-debian/base:old"]
