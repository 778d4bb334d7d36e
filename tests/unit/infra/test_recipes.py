from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra import recipes
from infra.catalogue import PYTHON, ROOT, SOURCE_VARIABLE, ImageSource
from infra.config.sections import ImageSettings
from infra.recipes import RECIPES, build_arguments, image_source, reference


@pytest.mark.parametrize(
    ("wish", "machine", "expected"),
    [
        (None, None, ImageSource.REGISTRY),
        (None, "", ImageSource.REGISTRY),
        (None, "debian", ImageSource.DEBIAN),
        (None, "registry", ImageSource.REGISTRY),
        (ImageSource.REGISTRY, "debian", ImageSource.REGISTRY),
        (ImageSource.DEBIAN, None, ImageSource.DEBIAN),
    ],
)
def test_the_stacks_wish_comes_before_the_machines(
    monkeypatch: pytest.MonkeyPatch, wish: ImageSource | None, machine: str | None, expected: ImageSource
) -> None:
    monkeypatch.delenv(SOURCE_VARIABLE, raising=False)
    if machine is not None:
        monkeypatch.setenv(SOURCE_VARIABLE, machine)
    assert image_source(ImageSettings(source=wish)) is expected


@pytest.mark.parametrize("wish", [None, ImageSource.DEBIAN])
def test_a_machine_that_names_no_source_is_refused(monkeypatch: pytest.MonkeyPatch, wish: ImageSource | None) -> None:
    monkeypatch.setenv(SOURCE_VARIABLE, "quay")
    with pytest.raises(ValueError, match=r"^DASHTAM_IMAGE_SOURCE=quay is not a source of images: set it to registry"):
        image_source(ImageSettings(source=wish))


@pytest.mark.parametrize("stage", RECIPES)
def test_what_an_image_is_built_from_is_there_and_enters_the_build(stage: str) -> None:
    recipe = RECIPES[stage]
    entering = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for name in (*recipe.packages, *recipe.content):
        assert (ROOT / name).exists(), name
        assert name.split("/")[0] in entering
    assert f" AS {stage}\n" in (ROOT / recipe.dockerfile).read_text()


@pytest.mark.parametrize("stage", RECIPES)
def test_an_image_stands_on_its_own_base(stage: str) -> None:
    recipe = RECIPES[stage]
    assert f"ARG {recipe.base.name.upper()}_IMAGE={recipe.base.official}\n" in (ROOT / recipe.dockerfile).read_text()


def test_what_the_image_of_tests_imports_is_copied_into_it() -> None:
    stage = (ROOT / "Dockerfile").read_text().partition(" AS test\n")[2]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", stage, re.MULTILINE)
    assert copied
    found = [path for pattern in " ".join(copied).split() for path in ROOT.glob(pattern)]
    files = {file for path in found for file in (path.rglob("*.py") if path.is_dir() else [path])}
    assert {needed for file in files if file.suffix == ".py" for needed in imported(file)} - files == set()
    entering = [ROOT / name for name in (*RECIPES["test"].content, *RECIPES["test"].packages)]
    assert [file for file in files if not any(file.is_relative_to(path) for path in entering)] == []


def imported(file: Path) -> set[Path]:
    """Return this project's files that a file imports."""
    found = re.findall(r"^\s*(?:from|import) ([\w.]+)(?: import (.+))?$", file.read_text(), re.MULTILINE)
    names = [module for module, _ in found]
    names += [f"{module}.{name}" for module, imported in found for name in re.findall(r"\w+", imported)]
    modules = [ROOT.joinpath(*name.split(".")) for name in names]
    return {path for one in modules for path in (one.with_suffix(".py"), one / "__init__.py") if path.is_file()}


def test_an_edit_rebuilds_what_it_goes_into_alone() -> None:
    digests = {stage: recipe.digest() for stage, recipe in RECIPES.items()}
    assert digests["production"] == digests["callback"]
    assert len(set(digests.values())) == len(digests) - 1


def test_a_reference_follows_from_the_source_and_the_base() -> None:
    made = {(stage, base): reference(stage, {"BASE": base}) for stage in RECIPES for base in ("registry:1", "debian:1")}
    assert len({*made.values()}) == len(made)
    assert all(re.fullmatch(f"dashtam/{stage}:[0-9a-f]{{12}}", made[stage, base]) for stage, base in made)
    assert reference("sandbox", {"BASE": "registry:1"}) == made["sandbox", "registry:1"]


def test_an_edit_of_the_source_makes_another_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "ROOT", tmp_path)
    before = reference("sandbox", {})
    (tmp_path / "sandbox/src").mkdir(parents=True)
    (tmp_path / "sandbox/src/server.mjs").write_text("")
    assert reference("sandbox", {}) != before


@pytest.mark.parametrize(
    ("stage", "settings", "expected"),
    [
        ("production", ImageSettings(source=ImageSource.REGISTRY), {"PYTHON_IMAGE": PYTHON.official}),
        ("sandbox", ImageSettings(node="my/node:24"), {"NODE_IMAGE": "my/node:24"}),
    ],
)
def test_an_image_stands_on_what_the_config_says(stage: str, settings: ImageSettings, expected: dict[str, str]) -> None:
    assert build_arguments(stage, settings) == expected
