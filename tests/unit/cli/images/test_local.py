from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.core.errors import UserError
from cli.images.local import connect, is_local, local_references, patience

pytestmark = pytest.mark.usefixtures("own_homes")

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


def test_an_engine_that_does_not_answer_is_a_users_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    with pytest.raises(UserError, match="that you chose by DOCKER_HOST") as caught:
        connect()
    assert "No such file" in caught.value.cause
    assert "unset DOCKER_HOST" in caught.value.remedy


def test_the_engine_is_the_one_that_the_users_context_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONTEXT", "mine")
    meta = tmp_path / "contexts/meta" / hashlib.sha256(b"mine").hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Endpoints": {"docker": {"Host": f"unix://{tmp_path}/docker.sock"}}}))
    with pytest.raises(UserError, match="that you chose by context mine"):
        connect()
