# ruff: noqa: ANN401 - the engine here is a fake one
from __future__ import annotations

from typing import Any

import pytest

from cli.core.errors import UserError
from cli.images import registry


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("postgres:17.6", ("postgres", "17.6")),
        ("postgres:17.6@sha256:ab", ("postgres", "sha256:ab")),
        ("127.0.0.1:5000/a/b:1", ("127.0.0.1:5000/a/b", "1")),
    ],
)
def test_a_recorded_digest_is_what_is_pulled(engine: Any, reference: str, expected: tuple[str, str]) -> None:
    registry.make(engine, reference, lambda _: None)
    assert engine.pulled == [expected]


def test_progress_adds_up_the_layers(engine: Any) -> None:
    mebibyte = 2**20
    engine.pull_events = [
        {"status": "Downloading", "id": "a", "progressDetail": {"current": mebibyte, "total": mebibyte}},
        {"status": "Downloading", "id": "b", "progressDetail": {"current": 2 * mebibyte}},
        {"status": "Pull complete", "id": "a", "progressDetail": {}},
    ]
    news: list[str] = []
    registry.make(engine, "a:1", news.append)
    assert news[-1] == "3 MiB, Pull complete"


def test_a_registrys_refusal_names_the_image_and_the_other_way(engine: Any) -> None:
    engine.pull_events = [{"error": "manifest unknown"}]
    with pytest.raises(UserError) as caught:
        registry.make(engine, "a:1", lambda _: None)
    assert "a:1" in caught.value.message
    assert caught.value.cause == "manifest unknown"
    assert "source debian" in caught.value.remedy
