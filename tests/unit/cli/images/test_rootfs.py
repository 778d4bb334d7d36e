from __future__ import annotations

import os
import shutil

import pytest

from cli.core.errors import UserError
from cli.images import rootfs
from cli.machine import packages


def tools(monkeypatch: pytest.MonkeyPatch, *names: str, uid: int = 0) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}" if name in names else None)
    monkeypatch.setattr(os, "geteuid", lambda: uid)


@pytest.mark.parametrize(
    ("names", "uid", "cause"),
    [
        (("unshare",), 0, "no apt-get"),
        (("debootstrap",), 0, "no apt-get"),
        (("unshare", "apt-get"), 1000, "needs root"),
        (("unshare", "debootstrap"), 1000, "needs root"),
    ],
)
def test_what_stands_in_the_way_is_told_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], uid: int, cause: str
) -> None:
    tools(monkeypatch, *names, uid=uid)
    error = rootfs.obstacle()
    assert error is not None
    assert cause in error.cause
    assert "images source registry" in error.remedy
    # Under sudo the source that this user chose is not seen.
    assert ("sudo env DASHTAM_IMAGE_SOURCE=debian ./dashtam images build" in error.remedy) == (uid != 0)


@pytest.mark.parametrize("tool", ["apt-get", "debootstrap"])
def test_root_with_either_tool_can_build(monkeypatch: pytest.MonkeyPatch, tool: str) -> None:
    tools(monkeypatch, "unshare", tool)
    assert rootfs.obstacle() is None


def test_nothing_is_installed_against_the_users_will(monkeypatch: pytest.MonkeyPatch) -> None:
    tools(monkeypatch, "apt-get", "unshare")
    with pytest.raises(UserError) as caught:
        rootfs.require_tools(install=False)
    assert "debootstrap" in caught.value.remedy


def test_what_is_missing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    tools(monkeypatch, "apt-get", "unshare")
    installed: list[str] = []
    monkeypatch.setattr(packages, "install", lambda names, _what, **_: installed.extend(names))
    rootfs.require_tools(install=True)
    assert installed == ["debootstrap", "debian-archive-keyring"]


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
    assert rootfs.configured(targets) == expected


def test_the_default_is_tried_last_and_alone_without_apt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert rootfs.mirrors() == [""]
