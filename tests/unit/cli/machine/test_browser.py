from __future__ import annotations

import os
import platform
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.machine import browser, packages

AddProgram = Callable[[str], Path]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AddProgram:
    """A Linux machine of root's with no program but those that are added."""
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DASHTAM_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(browser.VARIABLE, raising=False)

    def add(name: str) -> Path:
        path = tmp_path / name
        path.touch(mode=0o755)
        return path

    return add


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was installed."""
    asked: list[str] = []
    monkeypatch.setattr(packages, "install", lambda names, _what, **_: asked.extend(names))
    return asked


def test_what_is_there_is_used(programs: AddProgram, installed: list[str]) -> None:
    for name in ("chromium", "certutil", "apt-get"):
        programs(name)
    browser.require_browser(install=True)
    assert installed == []


def test_another_browser_is_used_where_one_is_named(
    programs: AddProgram, installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    programs("certutil")
    monkeypatch.setenv(browser.VARIABLE, str(programs("chrome")))
    browser.require_browser(install=True)
    assert installed == []


@pytest.mark.parametrize("there", [[], ["chromium"], ["certutil"]])
def test_what_is_missing_is_installed(programs: AddProgram, installed: list[str], there: list[str]) -> None:
    for name in ("apt-get", *there):
        programs(name)
    browser.require_browser(install=True)
    assert {"chromium", "libnss3-tools"} <= set(installed)


@pytest.mark.parametrize(
    ("there", "user", "install", "says", "remedy"),
    [
        (["apt-get"], 0, False, "chromium and certutil, and --no-install forbids", "`apt-get install --yes"),
        (["apt-get", "chromium"], 1000, True, "on PATH: certutil.", "`sudo apt-get install --yes"),
        (["certutil"], 0, True, "on PATH: chromium.", "Install Chromium and NSS's certutil"),
    ],
    ids=["refused", "not root", "not Debian"],
)
def test_who_may_not_or_cannot_install_is_told_how(
    programs: AddProgram,
    installed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    there: list[str],
    user: int,
    install: bool,
    says: str,
    remedy: str,
) -> None:
    for name in there:
        programs(name)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    with pytest.raises(UserError) as caught:
        browser.require_browser(install=install)
    assert says in caught.value.message
    assert caught.value.remedy.startswith(remedy)
    assert browser.VARIABLE in caught.value.remedy
    assert "./dashtam test ci" in caught.value.remedy
    assert installed == []


def test_a_named_browser_that_is_none_is_refused(programs: AddProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    programs("certutil")
    monkeypatch.setenv(browser.VARIABLE, "/nowhere/chrome")
    with pytest.raises(UserError, match="DASHTAM_CHROMIUM=/nowhere/chrome is not a program"):
        browser.require_browser(install=True)


def test_elsewhere_than_on_linux_the_way_is_ci(programs: AddProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    programs("chromium")
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert not browser.can_run()
    with pytest.raises(UserError, match="can't run on Darwin") as caught:
        browser.require_browser(install=True)
    assert "./dashtam test ci" in caught.value.remedy
