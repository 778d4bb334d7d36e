# ruff: noqa: ANN401 - the engine here is a fake one
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from docker.errors import APIError

from cli.core.errors import UserError
from cli.images import registry

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("postgres:17.6", ("postgres", "17.6")),
        ("postgres:17.6@sha256:ab", ("postgres", "sha256:ab")),
        ("127.0.0.1:5000/a/b:1", ("127.0.0.1:5000/a/b", "1")),
    ],
)
def test_a_recorded_digest_is_what_is_pulled(engine: Any, reference: str, expected: tuple[str, str]) -> None:
    registry.pull(engine, reference, lambda _: None)
    assert engine.pulled == [expected]


def test_progress_adds_up_the_layers(engine: Any) -> None:
    megabyte = 10**6
    engine.pull_events = [
        {"status": "Downloading", "id": "a", "progressDetail": {"current": megabyte, "total": megabyte}},
        {"status": "Downloading", "id": "b", "progressDetail": {"current": 2 * megabyte}},
        {"status": "Pull complete", "id": "a", "progressDetail": {}},
    ]
    news: list[str] = []
    registry.pull(engine, "a:1", news.append)
    assert news[-1] == "3.0 MB, Pull complete"


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("manifest unknown", "images source debian"),
        ("dial tcp 127.0.0.1:5000: connect: connection refused", "images source debian"),
        ("proxyconnect tcp: dial tcp 127.0.0.1:3128: connect: connection refused", "systemctl edit docker"),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "update-ca-certificates"),
    ],
)
def test_a_failed_pull_has_what_was_said_and_the_remedy_for_it(
    engine: Any, said: str, remedy: str, *, streamed: bool
) -> None:
    engine.pull_events = [{"error": said}] if streamed else APIError(said)
    with pytest.raises(UserError) as caught:
        registry.pull(engine, "a:1", lambda _: None)
    assert "a:1" in caught.value.message
    assert caught.value.cause == said
    assert remedy in caught.value.remedy


def test_digests_are_written_sorted_and_the_same_every_time(engine: Any, tmp_path: Path) -> None:
    path = tmp_path / "images" / "lock.json"
    registry.record_digests(engine, ["b:1", "a:1"], path)
    first = path.read_text()
    assert list(json.loads(first)) == ["a:1", "b:1"]
    registry.record_digests(engine, ["a:1", "b:1"], path)
    assert path.read_text() == first
    assert [entry.name for entry in path.parent.iterdir()] == ["lock.json"]


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (requests.ReadTimeout(), "within 2 s"),
        (APIError("500", explanation="no such host"), "no such host"),
        (requests.ConnectionError("broken off"), "broken off"),
        ("", "not a digest"),
        ("sha256:123", "not a digest"),
        ("sha256:" + "G" * 64, "not a digest"),
    ],
)
def test_no_digest_is_ever_invented(engine: Any, tmp_path: Path, answer: Any, cause: str) -> None:
    path = tmp_path / "lock.json"
    path.write_text("{}\n")
    engine.registry = answer
    with pytest.raises(UserError) as caught:
        registry.record_digests(engine, ["a:1"], path, seconds=2)
    assert cause in caught.value.cause
    assert "a:1" in caught.value.message
    assert path.read_text() == "{}\n"
