# ruff: noqa: ANN401 - the engine here is a fake one
from __future__ import annotations

import threading
from typing import Any

import pytest
from filelock import FileLock

from cli.errors import UserError
from cli.images import build, debian, pull, rootfs
from cli.paths import cache_home
from infra.catalogue import BASES, NODE, POSTGRES, PYTHON, REDIS, ImageSource

DEBIAN = ImageSource.DEBIAN


@pytest.fixture
def made(engine: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    order: list[str] = []

    def note(reference: str) -> None:
        order.append(reference)
        engine.tags.append(reference)

    monkeypatch.setattr(rootfs, "obstacle", lambda: None)
    monkeypatch.setattr(rootfs, "install_tools", lambda *_, **__: None)
    monkeypatch.setattr(rootfs, "make", lambda _, reference, __: note(reference))
    monkeypatch.setattr(debian, "make", lambda _, base, __: note(base.reference(DEBIAN)))
    monkeypatch.setattr(pull, "make", lambda _, reference, __: note(reference))
    return order


def test_the_root_file_system_comes_first_and_only_what_is_missing_is_made(engine: Any, made: list[str]) -> None:
    engine.tags.append(REDIS.reference(DEBIAN))
    lines: list[str] = []
    build.ensure(engine, DEBIAN, announce=lines.append)
    assert made == [debian.root_reference(), *(base.reference(DEBIAN) for base in (POSTGRES, PYTHON, NODE))]
    assert lines[0].startswith("Images 1/4: ")


@pytest.mark.parametrize("source", ImageSource)
def test_nothing_happens_where_all_is_there_and_the_engine_is_asked_once(
    engine: Any, made: list[str], source: ImageSource
) -> None:
    engine.tags = [base.reference(source) for base in BASES]
    build.ensure(engine, source, announce=pytest.fail)
    assert made == []
    assert engine.calls == 1


def test_official_images_are_pulled(engine: Any, made: list[str]) -> None:
    build.ensure(engine, ImageSource.REGISTRY, announce=lambda _: None)
    assert made == [base.official for base in BASES]


def test_a_machine_that_cannot_build_says_so_before_anything_is_made(
    engine: Any, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rootfs, "obstacle", lambda: UserError("not root"))
    with pytest.raises(UserError, match="not root"):
        build.ensure(engine, DEBIAN, announce=lambda _: None)
    assert made == []


def test_a_second_run_waits_says_so_and_finds_everything_made(engine: Any, made: list[str]) -> None:
    path = cache_home() / "images" / "lock"
    path.parent.mkdir(parents=True)
    said = threading.Event()
    lines: list[str] = []

    def announce(line: str) -> None:
        lines.append(line)
        said.set()

    second = threading.Thread(target=build.ensure, args=(engine, DEBIAN), kwargs={"announce": announce})
    with FileLock(path):
        second.start()
        assert said.wait(10)
        engine.tags.extend(debian.current_references())
    second.join(10)
    assert not second.is_alive()
    assert "waiting" in lines[0]
    assert made == []
