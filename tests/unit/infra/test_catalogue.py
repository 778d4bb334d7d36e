from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from docker.utils.build import exclude_paths
from hypothesis import given, settings
from hypothesis import strategies as st

from app.run import reload
from infra import catalogue
from infra.catalogue import (
    ALL,
    BASES,
    HAPROXY,
    NODE,
    NOT_SOURCE,
    POSTGRES,
    PYTHON,
    REDIS,
    ROOT,
    Base,
    ImageSource,
    is_source,
    locked_digests,
    source_digest,
)

DIGEST = "sha256:" + "0123456789abcdef" * 4

BESIDE_SOURCE = (
    "__pycache__/main.cpython-313.pyc",
    "main.pyc",
    ".main.py.swp",
    ".main.py.swo",
    "main.py.swp",
    "main.py~",
    "#main.py#",
    ".#main.py",
    "main.py.tmp",
    "4913",
    ".DS_Store",
    ".idea/workspace.xml",
)
SOURCE = ("main.py", "static/icon.svg", "templates/index.html", "script.py.mako", "swp", "tmp.py", "a#b", "py.typed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    top = tmp_path / "image"
    (top / "inner").mkdir(parents=True)
    (top / "Dockerfile").write_text("FROM scratch\n")
    (top / "inner" / "entrypoint").write_text("#!/bin/sh\n")
    return top


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(catalogue, "IMAGES", tmp_path)
    monkeypatch.setattr(catalogue, "LOCK", tmp_path / "lock.json")
    return tmp_path


def test_the_official_images_are_the_originals() -> None:
    forms = {
        POSTGRES: (r"postgres:17\.\d+-alpine3\.\d+", "70:70"),
        REDIS: (r"redis:8\.\d+\.\d+-alpine3\.\d+", "999:1000"),
        PYTHON: (r"python:3\.13\.\d+-slim-trixie", "10001:10001"),
        NODE: (r"node:24\.\d+\.\d+-trixie-slim", "10001:10001"),
        HAPROXY: (r"haproxy:3\.\d+\.\d+-alpine3\.\d+", "99:99"),
    }
    assert {base: base.user for base in ALL} == {base: user for base, (_, user) in forms.items()}
    assert [base.official for base, (form, _) in forms.items() if not re.fullmatch(form, base.official)] == []


def test_a_digest_is_stable(folder: Path) -> None:
    before = source_digest(folder)
    (folder / "Dockerfile").touch()
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "module.pyc").write_text("compiled")
    (folder / "empty").mkdir()
    assert source_digest(folder) == before
    assert re.fullmatch("[0-9a-f]{64}", before)


@pytest.mark.parametrize("name", BESIDE_SOURCE)
def test_a_digest_counts_nothing_that_is_left_beside_source(folder: Path, name: str) -> None:
    before = source_digest(folder)
    for top in (folder, folder / "inner"):
        (top / name).parent.mkdir(exist_ok=True)
        (top / name).write_text("unsaved")
    assert source_digest(folder) == before


def test_a_digest_is_taken_while_an_editor_puts_another_file_in_the_place_of_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "main.py").write_text("edited")
    without = source_digest(folder / "Dockerfile", folder / "inner")
    read_bytes = Path.read_bytes

    def read(path: Path) -> bytes:
        if path.name == "main.py":
            path.unlink()
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    assert source_digest(folder / "main.py", folder / "Dockerfile", folder / "inner") == without
    assert not (folder / "main.py").exists()


def test_everyone_knows_the_same_names_of_what_is_not_source() -> None:
    assert reload.NOT_SOURCE == NOT_SOURCE
    assert {f"**/{name}" for name in NOT_SOURCE} <= {*(ROOT / ".dockerignore").read_text().splitlines()}


def test_what_is_left_beside_source_enters_no_build_and_restarts_nothing(tmp_path: Path) -> None:
    expected, beside = (
        {f"app/{folder}{name}" for folder in ("", "http/static/") for name in names}
        for names in (SOURCE, BESIDE_SOURCE)
    )
    here = expected | beside
    for name in (*here, ".build/ca.crt", ".build/venv.lock", "sandbox/.npmrc", ".env"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    sent = {name for name in exclude_paths(str(tmp_path), ignored) if (tmp_path / name).is_file()}
    assert sent == {*expected, ".build/ca.crt", "sandbox/.npmrc"}
    assert {name for name in here if reload.is_source(reload.SOURCE.parent / name)} == expected
    assert {name for name in here if all(map(is_source, Path(name).parts))} == expected


def test_a_digest_does_not_depend_on_where_the_checkout_is(folder: Path, tmp_path: Path) -> None:
    before = source_digest(folder)
    (tmp_path / "elsewhere").mkdir()
    assert source_digest(folder.rename(tmp_path / "elsewhere" / "image")) == before


def test_a_digest_follows_content_names_and_executable_bits(folder: Path) -> None:
    seen = [source_digest(folder)]
    (folder / "Dockerfile").write_text("FROM scratch \n")
    seen.append(source_digest(folder))
    (folder / "Dockerfile").rename(folder / "Containerfile")
    seen.append(source_digest(folder))
    (folder / "inner" / "entrypoint").chmod(0o755)
    seen.append(source_digest(folder))
    (folder / "inner").rename(folder / "outer")
    seen.append(source_digest(folder))
    (folder / "more").touch()
    seen.append(source_digest(folder))
    (folder / "more").unlink()
    (folder / "outer" / "more").touch()
    seen.append(source_digest(folder))
    assert len(set(seen)) == len(seen)


def test_a_digest_takes_files_and_leaves_out_what_is_missing(folder: Path) -> None:
    file = folder / "Dockerfile"
    assert source_digest(file) != source_digest(folder)
    assert source_digest(file, folder / "missing") == source_digest(file)
    assert source_digest(file) != source_digest()


@settings(max_examples=25)
@given(contents=st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=20)), order=st.randoms())
def test_a_digest_follows_the_content_alone(
    tmp_path_factory: pytest.TempPathFactory, contents: dict[str, bytes], order: object
) -> None:
    names = list(contents)
    order.shuffle(names)  # type: ignore[attr-defined]
    one, other = tmp_path_factory.mktemp("one") / "top", tmp_path_factory.mktemp("other") / "top"
    for top, listed in ((one, list(contents)), (other, names)):
        top.mkdir()
        for name in listed:
            (top / name).write_bytes(contents[name])
    assert source_digest(one) == source_digest(other)
    (other / "a").write_bytes(contents.get("a", b"") + b"!")
    assert source_digest(one) != source_digest(other)


def test_a_registry_gives_the_exact_tag(images: Path) -> None:
    assert not (images / "lock.json").exists()
    assert [base.reference(ImageSource.REGISTRY) for base in BASES] == [base.official for base in BASES]
    assert locked_digests() == {}


def test_a_registry_gives_the_recorded_digest(images: Path) -> None:
    (images / "lock.json").write_text(json.dumps({REDIS.official: DIGEST}))
    assert REDIS.reference(ImageSource.REGISTRY) == f"redis:8.2.1-alpine3.22@{DIGEST}"
    assert POSTGRES.reference(ImageSource.REGISTRY) == POSTGRES.official
    assert locked_digests() == {REDIS.official: DIGEST}


def test_an_image_built_here_is_named_after_what_it_is_built_from(images: Path) -> None:
    base = Base("postgres", "postgres:17.6", "70:70")
    (images / "base").mkdir()
    (images / "postgres").mkdir()
    (images / "redis").mkdir()
    seen = [base.reference(ImageSource.DEBIAN)]
    (images / "postgres" / "Dockerfile").write_text("FROM base\n")
    seen.append(base.reference(ImageSource.DEBIAN))
    (images / "base" / "rootfs").write_text("#!/bin/sh\n")
    seen.append(base.reference(ImageSource.DEBIAN))
    (images / "redis" / "Dockerfile").write_text("FROM base\n")
    assert base.reference(ImageSource.DEBIAN) == seen[-1]
    assert len(set(seen)) == len(seen)
    assert all(re.fullmatch("dashtam-debian/postgres:[0-9a-f]{12}", reference) for reference in seen)
