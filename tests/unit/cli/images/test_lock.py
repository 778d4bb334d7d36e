# ruff: noqa: ANN401 - the engine here is a fake one
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from docker.errors import APIError

from cli.core.errors import UserError
from cli.images import lock

if TYPE_CHECKING:
    from pathlib import Path


def test_digests_are_written_sorted_and_the_same_every_time(engine: Any, tmp_path: Path) -> None:
    path = tmp_path / "images" / "lock.json"
    lock.record(engine, ["b:1", "a:1"], path)
    first = path.read_text()
    assert list(json.loads(first)) == ["a:1", "b:1"]
    lock.record(engine, ["a:1", "b:1"], path)
    assert path.read_text() == first
    assert [entry.name for entry in path.parent.iterdir()] == ["lock.json"]


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (requests.ReadTimeout(), "within 2 s"),
        (APIError("500", explanation="no such host"), "no such host"),
        (requests.ConnectionError("broken off"), "broken off"),
        ("", "no digest"),
        ("sha256:123", "no digest"),
        ("sha256:" + "G" * 64, "no digest"),
    ],
)
def test_no_digest_is_ever_invented(engine: Any, tmp_path: Path, answer: Any, cause: str) -> None:
    path = tmp_path / "lock.json"
    path.write_text("{}\n")
    engine.registry = answer
    with pytest.raises(UserError) as caught:
        lock.record(engine, ["a:1"], path, seconds=2)
    assert cause in caught.value.cause
    assert "a:1" in caught.value.message
    assert path.read_text() == "{}\n"
