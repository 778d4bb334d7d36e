from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import docker
import pytest

from cli.errors import UserError
from cli.images.engine import connect, is_local, local_references, patience

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
    local = frozenset({"postgres:17.6", f"postgres@{DIGEST}", f"127.0.0.1:5000/team/redis@{DIGEST}"})
    assert is_local(reference, local) is expected


def test_images_are_known_by_all_their_names_and_may_have_none() -> None:
    images = [{"RepoTags": ["a:1"], "RepoDigests": ["a@x"]}, {"RepoTags": None, "RepoDigests": []}, {}]
    client: Any = SimpleNamespace(api=SimpleNamespace(images=lambda: images))
    assert local_references(client) == {"a:1", "a@x"}


def test_patience_is_given_back_even_after_a_failure() -> None:
    client: Any = SimpleNamespace(api=SimpleNamespace(timeout=60))
    with suppress(ValueError), patience(client, 5):
        assert client.api.timeout == 5
        raise ValueError
    assert client.api.timeout == 60


def test_an_engine_that_does_not_answer_is_a_users_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise docker.errors.DockerException("connection refused")

    monkeypatch.setattr(docker, "from_env", refuse)
    with pytest.raises(UserError) as caught:
        connect()
    assert caught.value.cause == "connection refused"
    assert "doctor" in caught.value.remedy
