# ruff: noqa: ANN401 - the engine here is a fake one
from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
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
    assert [found.tags for found in local.find_stale(engine, ())] == [("dashtam-debian/python:old",)]


HEX = "0123456789ab"
NOW = 1_780_000_000.25
MINUTE = 60
DAY = 24 * 60 * MINUTE


@pytest.fixture
def built(engine: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have the engine list an image of a service, of an age in seconds; returns its id."""
    monkeypatch.setattr(time, "time", lambda: NOW)

    def add(*tags: str, age: float = DAY + MINUTE, **more: object) -> str:
        identity = f"sha256:{len(engine.service_images)}"
        dates_and_names = {"Id": identity, "RepoTags": list(tags), "Size": 1, "Created": int(NOW - age)}
        engine.service_images.append({**dates_and_names, **more})
        return identity

    return add


def stale(engine: Any, *current: str) -> list[tuple[str, ...]]:
    return [found.references for found in local.find_stale(engine, current)]


def test_images_of_services_are_stale_once_nothing_needs_them(engine: Any, built: Any) -> None:
    built(f"dashtam/production:{HEX}")
    registry = (f"dashtam/callback:{HEX}", f"registry:5000/team/dashtam/callback:{HEX}")
    built(*registry)
    unnamed = built()
    unnamed_in_older_words = built("<none>:<none>", RepoDigests=["<none>@<none>"])
    expected = [(f"dashtam/production:{HEX}",), registry, (unnamed,), (unnamed_in_older_words,)]
    assert stale(engine) == sorted(expected)


def test_what_this_checkout_runs_stays(engine: Any, built: Any) -> None:
    built(f"dashtam/production:{HEX}", "dashtam/production:fedcba987654")
    assert stale(engine, f"dashtam/production:{HEX}") == []


def test_what_any_container_uses_stays(engine: Any, built: Any) -> None:
    engine.containers = [{"ImageID": built(f"dashtam/production:{HEX}", f"dashtam/production:{HEX[::-1]}")}]
    engine.containers += [{"ImageID": built()}]
    assert stale(engine) == []


@pytest.mark.parametrize(
    "name", ["mine:1", "dashtam/production:latest", "dashtam/production:0123", f"dashtam-debian/python:{HEX}"]
)
def test_an_image_that_has_another_name_stays(engine: Any, built: Any, name: str) -> None:
    built(name)
    built(f"dashtam/production:{HEX}", name)
    built(RepoDigests=[f"somebody/image@{DIGEST}"])
    assert stale(engine) == []


def test_what_was_built_within_a_day_stays(engine: Any, built: Any) -> None:
    built(f"dashtam/production:{HEX}", age=DAY - MINUTE)
    built(age=DAY - MINUTE)
    cached = built(f"dashtam/test:{HEX}", age=90 * DAY)
    earlier = built(f"dashtam/sandbox:{HEX}", age=90 * DAY)
    for image, age in ((cached, DAY - MINUTE), (earlier, DAY + MINUTE)):
        tagged = datetime.fromtimestamp(NOW - age, timezone(timedelta(hours=2)))
        engine.last_tagged[image] = f"{tagged:%Y-%m-%dT%H:%M:%S}.123456789+02:00"
    assert stale(engine) == [(f"dashtam/sandbox:{HEX}",)]


def test_what_others_are_built_on_is_removed_last_and_what_is_used_stays(engine: Any, built: Any) -> None:
    engine.images_by_label = [
        image("dashtam-debian/base:old"),
        image("dashtam-debian/redis:old"),
        image("dashtam-debian/python:old"),
    ]
    unnamed = built()
    built(f"dashtam/production:{HEX}")
    built(f"dashtam/test:{HEX}")
    engine.in_use = {"dashtam-debian/python:old", f"dashtam/test:{HEX}"}
    removed = local.remove(engine, local.find_stale(engine, ()))
    assert removed == [f"dashtam/production:{HEX}", unnamed, "dashtam-debian/redis:old", "dashtam-debian/base:old"]
