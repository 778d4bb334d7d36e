from __future__ import annotations

import shutil

import pytest

from cli.images.mirror import configured, mirrors


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ("http://mirror.example/debian/ Debian Debian main", ["http://mirror.example/debian"]),
        (
            "http://m.example/debian/ Debian Debian main\nhttp://n.example/debian/ Debian Debian main",
            ["http://m.example/debian"],
        ),
        ("http://mirror.example/debian-security/ Debian Debian-Security main", []),
        ("http://mirror.example/ubuntu/ Ubuntu Ubuntu main", []),
        ("http://mirror.example/debian/ Debian Debian contrib", []),
        ("https://mirror.example/debian/ Debian Debian main", []),
        ("cdrom://disk/ Debian Debian main", []),
        ("", []),
        ("one-field-only", []),
    ],
)
def test_only_a_plain_debian_mirror_counts(targets: str, expected: list[str]) -> None:
    assert configured(targets) == expected


def test_the_default_is_tried_last_and_alone_without_apt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert mirrors() == [""]
