# ruff: noqa: ANN401 - the engine here is a fake one
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError

from cli.core.errors import UserError
from cli.images import debian
from infra.catalogue import POSTGRES, ImageSource

DRAFT = [{"stream": "\x1b[91mwarning\x1b[0m\n"}, {"aux": {"ID": "sha256:draft"}}, {"stream": "Successfully built"}]


@pytest.fixture
def builds(engine: Any) -> list[dict[str, Any]]:
    asked: list[dict[str, Any]] = []
    engine.answers = [DRAFT, [{"aux": {"ID": "sha256:final"}}]]

    def build(**options: Any) -> Any:
        asked.append(options)
        return iter(engine.answers[len(asked) - 1])

    engine.api.build = build
    engine.api.create_host_config = lambda **options: options
    engine.api.create_container = lambda *_, **__: {"Id": "probe"}
    engine.api.attach = lambda *_, **__: [b"17.12", b"-0"]
    engine.api.start = lambda _: None
    engine.images.get = lambda _: SimpleNamespace(labels={"dashtam.package": "postgresql-17"})
    return asked


def test_the_name_comes_last_and_the_version_is_the_installed_one(engine: Any, builds: list[dict[str, Any]]) -> None:
    news: list[str] = []
    debian.make(engine, POSTGRES, news.append)
    draft, final = builds
    assert "tag" not in draft
    assert draft["buildargs"] == {"BASE_IMAGE": debian.root_reference()}
    assert final["tag"] == POSTGRES.reference(ImageSource.DEBIAN)
    assert final["fileobj"].read() == b"FROM sha256:draft\n"
    assert final["labels"]["dashtam.version"] == "17.12-0"
    assert news[0] == "warning\n"


@pytest.mark.parametrize(
    ("events", "cause"),
    [
        ([{"stream": "E: Unable to connect"}, {"error": "returned a non-zero code: 100"}], "couldn't be downloaded"),
        ([{"error": "write /x: no space left on device"}], "the disk is full"),
        ([{"stream": "something"}], "ended without an image"),
    ],
)
def test_a_failed_build_names_its_cause(
    engine: Any, builds: list[dict[str, Any]], events: list[dict[str, str]], cause: str
) -> None:
    engine.answers = [events]
    with pytest.raises(UserError) as caught:
        debian.make(engine, POSTGRES, lambda _: None)
    assert cause in caught.value.cause
    assert len(builds) == 1


def test_an_engine_that_goes_away_is_a_users_error(engine: Any, builds: list[dict[str, Any]]) -> None:
    def gone(**_: Any) -> None:
        raise APIError("connection reset")

    engine.api.build = gone
    with pytest.raises(UserError, match="postgres"):
        debian.make(engine, POSTGRES, lambda _: None)
    assert builds == []
