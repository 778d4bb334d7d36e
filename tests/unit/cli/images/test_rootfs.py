# ruff: noqa: ANN401 - the engine here is a fake one
from __future__ import annotations

import os
import shutil
import sys
from typing import Any

import pytest

from cli.core.errors import UserError
from cli.images import rootfs


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


@pytest.mark.parametrize("tool", ["apt-get", "debootstrap"])
def test_root_with_either_tool_can_build(monkeypatch: pytest.MonkeyPatch, tool: str) -> None:
    tools(monkeypatch, "unshare", tool)
    assert rootfs.obstacle() is None


def test_nothing_is_installed_against_the_users_will(monkeypatch: pytest.MonkeyPatch) -> None:
    tools(monkeypatch, "apt-get")
    with pytest.raises(UserError) as caught:
        rootfs.install_tools(pytest.fail, install=False)
    assert "debootstrap" in caught.value.remedy


def test_installing_is_announced_first_and_package_lists_are_fetched_if_it_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tools(monkeypatch, "apt-get")
    events: list[str] = []

    def run(command: list[str], *_: Any) -> tuple[int, list[str]]:
        events.append("install" if "install" in command else "update")
        return (100 if events.count("install") == 1 and "update" not in events else 0), []

    monkeypatch.setattr(rootfs, "run", run)
    rootfs.install_tools(lambda _: events.append("announced"), install=True)
    assert events == ["announced", "install", "update", "install"]


def test_a_tools_output_is_passed_on_and_its_last_lines_kept() -> None:
    script = "import sys; [print(i) for i in range(100)]; print('broken', file=sys.stderr); sys.exit(3)"
    news: list[str] = []
    status, lines = rootfs.run([sys.executable, "-c", script], news.append)
    assert status == 3
    assert "broken" in lines
    assert "99" in lines
    assert "1" not in lines
    assert len(news) == 101


def test_an_interrupted_tool_is_ended() -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    endless = "import time\nprint('on', flush=True)\ntime.sleep(600)"
    with pytest.raises(KeyboardInterrupt):
        rootfs.run([sys.executable, "-c", endless], interrupt)
