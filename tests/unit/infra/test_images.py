from __future__ import annotations

import pytest

from infra.catalogue import SOURCE_VARIABLE, ImageSource
from infra.images import image_source
from infra.settings import ImageSettings


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
    with pytest.raises(ValueError, match=r"^DASHTAM_IMAGE_SOURCE=quay is no source of images: set it to registry"):
        image_source(ImageSettings(source=wish))
