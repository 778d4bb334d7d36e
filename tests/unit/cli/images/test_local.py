# ruff: noqa: ANN401 - the engine here is a fake one
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from cli.images import local
from cli.images.local import is_local, local_references
from infra.catalogue import PYTHON, ImageSource

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("postgres:17.6", True),
        ("postgres:17.7", False),
        (f"postgres:17.6@{DIGEST}", True),
        (f"postgres:99@{DIGEST}", True),
        (f"redis:8@{DIGEST}", False),
        (f"127.0.0.1:5000/team/redis:8@{DIGEST}", True),
        ("127.0.0.1:5000/team/redis:8", False),
    ],
)
def test_of_tag_and_digest_the_digest_counts(reference: str, expected: bool) -> None:
    known = frozenset({"postgres:17.6", f"postgres@{DIGEST}", f"127.0.0.1:5000/team/redis@{DIGEST}"})
    assert is_local(reference, known) is expected


def test_images_are_known_by_all_their_names_and_may_have_none() -> None:
    images = [{"RepoTags": ["a:1"], "RepoDigests": ["a@x"]}, {"RepoTags": None, "RepoDigests": []}, {}]
    client: Any = SimpleNamespace(api=SimpleNamespace(images=lambda: images))
    assert local_references(client) == {"a:1", "a@x"}


def test_podman_names_its_own_images_after_localhost() -> None:
    client: Any = SimpleNamespace(api=SimpleNamespace(images=lambda: [{"RepoTags": ["localhost/dashtam-debian/x:1"]}]))
    assert local_references(client) == {"dashtam-debian/x:1"}


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
    assert [found.tags for found in local.find_stale(engine)] == [("dashtam-debian/python:old",)]


def test_root_file_systems_go_last_and_what_is_used_stays(engine: Any) -> None:
    engine.images_by_label = [
        image("dashtam-debian/base:old"),
        image("dashtam-debian/redis:old"),
        image("dashtam-debian/python:old"),
    ]
    engine.in_use = {"dashtam-debian/python:old"}
    assert local.remove_stale(engine) == ["dashtam-debian/redis:old", "dashtam-debian/base:old"]
