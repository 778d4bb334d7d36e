# ruff: noqa: ANN401 - the engine here is a fake one
from __future__ import annotations

import json
import os
import tarfile
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from cli.core.errors import UserError
from cli.core.paths import cache_home
from cli.images import build, debian
from cli.ui import file_lock
from infra.catalogue import BASES, NODE, POSTGRES, PYTHON, REDIS, ImageSource
from tests.unit.cli.images_double import FakeEngine

if TYPE_CHECKING:
    import io

    from tests.unit.cli.conftest import MakeProgram

DEBIAN = ImageSource.DEBIAN

SETPRIV = """
while [ $# -gt 2 ]; do shift; done
mkdir -p "$1/etc" && echo 12.5 > "$1/etc/debian_version"
"""
"""In place of debootstrap, with the namespaces that it runs in: the target and the downloads are its last arguments."""


class Engine(FakeEngine):
    """An engine that pulls, imports and builds, each on what it has.

    Attributes:
        stops_at: The image that it fails to make.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stops_at = ""
        self.drafts: dict[str, str] = {}
        self.api.pull = self._fetch
        self.api.import_image_from_stream = self._import
        self.api.tag = lambda _image, repository, tag: self._have(f"{repository}:{tag}")
        self.api.build = self._build
        self.api.create_host_config = lambda **options: options
        self.api.create_container = lambda *_, **__: {"Id": "probe"}
        self.api.attach = lambda *_, **__: [b"1.0"]
        self.api.start = lambda _container: None
        self.images.get = lambda image: SimpleNamespace(labels={"dashtam.package": self.drafts[image]})

    def _have(self, reference: str) -> None:
        self.tags.append(reference)

    def _fetch(self, repository: str, tag: str, **_: object) -> list[dict[str, str]]:
        if tag.startswith("sha256:"):
            self._have(f"{repository}@{tag}")
        else:
            self._have(f"{repository}:{tag}")
        return []

    def _import(self, stream: io.BufferedReader, changes: list[str]) -> str:
        assert "LABEL dashtam.base=base" in changes
        with tarfile.open(fileobj=stream, mode="r|") as files:
            assert "./etc/debian_version" in files.getnames()
        return json.dumps({"status": "sha256:root"})

    def _build(self, **options: Any) -> list[dict[str, Any]]:
        if path := options.get("path"):
            assert options["buildargs"]["BASE_IMAGE"] in self.tags, "there is nothing to build on"
            name = Path(path).name
            if name == self.stops_at:
                return [{"error": "no space left on device"}]
            self.drafts[f"sha256:{name}"] = name
            return [{"aux": {"ID": f"sha256:{name}"}}]
        self._have(options["tag"])
        return [{"aux": {"ID": "sha256:final"}}]

    def has(self, *references: str) -> bool:
        """Return whether it has these images and no others."""
        return sorted(self.tags) == sorted(references)


@pytest.fixture
def engine() -> Any:
    return Engine()


@pytest.fixture(autouse=True)
def machine(program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of root's on which a root file system is made in no time."""
    for name in ("unshare", "debootstrap"):
        program(name, "exit 1")
    program("apt-get", "")  # which knows no mirror
    folder = program("setpriv", SETPRIV)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return folder


def _all() -> list[str]:
    return [debian.root_reference(), *(base.reference(DEBIAN) for base in BASES)]


def test_the_root_file_system_comes_first_and_what_is_there_is_left(
    engine: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.tags.append(REDIS.reference(DEBIAN))
    build.ensure(engine, DEBIAN)
    made = [debian.root_reference(), *(base.reference(DEBIAN) for base in (POSTGRES, PYTHON, NODE))]
    assert engine.tags == [REDIS.reference(DEBIAN), *made]
    assert "Images 1/4: making a Debian root file system: started" in capsys.readouterr().err
    assert not (cache_home() / "images" / "rootfs.partial").exists()


def test_a_root_file_system_that_is_there_is_built_on(engine: Any, program: MakeProgram) -> None:
    program("setpriv", "exit 1")
    engine.tags.append(debian.root_reference())
    build.ensure(engine, DEBIAN)
    assert engine.has(*_all())


def test_after_an_interruption_only_missing_images_are_made(engine: Any, program: MakeProgram) -> None:
    engine.stops_at = PYTHON.name
    with pytest.raises(UserError, match="Building the python image failed"):
        build.ensure(engine, DEBIAN)
    before = [*engine.tags]
    assert PYTHON.reference(DEBIAN) not in before
    engine.stops_at = ""
    program("setpriv", "exit 1")
    build.ensure(engine, DEBIAN)
    assert engine.tags[: len(before)] == before
    assert engine.has(*_all())


@pytest.mark.parametrize("source", ImageSource)
def test_nothing_happens_where_all_is_there_and_the_engine_is_asked_once(engine: Any, source: ImageSource) -> None:
    engine.tags = [base.reference(source) for base in BASES]
    build.ensure(engine, source)
    assert engine.has(*(base.reference(source) for base in BASES))
    assert engine.calls == 1


def test_official_images_are_pulled(engine: Any) -> None:
    build.ensure(engine, ImageSource.REGISTRY)
    assert build.missing(engine, ImageSource.REGISTRY) == []
    assert len(engine.tags) == len(BASES)


@pytest.mark.parametrize("lacks", ["root", "unshare"])
def test_a_machine_that_cannot_build_says_so_before_anything_is_made(
    engine: Any, machine: Path, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    if lacks == "root":
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
    else:
        (machine / "unshare").unlink()
        monkeypatch.setenv("PATH", str(machine))
    with pytest.raises(UserError, match="can't be built from Debian packages on this machine"):
        build.ensure(engine, DEBIAN)
    assert engine.has()


def test_a_second_run_waits_says_so_and_finds_everything_made(
    engine: Any, program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("setpriv", "exit 1")
    path = cache_home() / "images" / "lock"
    path.parent.mkdir(parents=True)
    said = threading.Event()
    lines: list[str] = []

    def announce(line: str) -> None:
        lines.append(line)
        said.set()

    monkeypatch.setattr(file_lock, "announce", announce)
    second = threading.Thread(target=build.ensure, args=(engine, DEBIAN))
    with FileLock(path):
        second.start()
        assert said.wait(10)
        engine.tags.extend(_all())
    second.join(10)
    assert not second.is_alive()
    assert "waiting" in lines[0]
    assert len(lines) == 1
    assert engine.has(*_all())
