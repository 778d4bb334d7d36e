"""What `./dashtam trust` tells browsers: Chromium refuses the service before, opens it, and refuses it again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Error

from cli.core.paths import ROOT, data_home
from tests.e2e.browser import chromium
from tests.system.running import run, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from infra.outputs import StackOutputs


async def _title(home: Path, url: str) -> str:
    async with chromium(home) as browser:
        page = await browser.new_page()
        await page.goto(url)
        return await page.title()


def _dashtam(home: Path, *arguments: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if name not in {"XDG_DATA_HOME", "XDG_CONFIG_HOME"}}
    environ = {**inherited, "HOME": str(home), "DASHTAM_DATA_HOME": str(data_home())}
    command = [str(ROOT / "dashtam"), *arguments, "--store", "browsers", "--yes"]
    return succeed(run(command, cwd=ROOT, env=environ))


async def test_a_browser_trusts_the_environment_as_long_as_it_is_told_to(outputs: StackOutputs, tmp_path: Path) -> None:
    assert outputs.urls.app
    (unused := tmp_path / "unused").mkdir()
    _dashtam(unused, "trust", outputs.environment)
    assert "Dashtam" in await _title(unused, outputs.urls.app)
    _dashtam(unused, "untrust", outputs.environment)
    with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
        await _title(tmp_path, outputs.urls.app)
    for _ in range(2):
        _dashtam(tmp_path, "trust", outputs.environment)
        assert "Dashtam" in await _title(tmp_path, outputs.urls.app)
    for _ in range(2):
        _dashtam(tmp_path, "untrust", outputs.environment)
        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            await _title(tmp_path, outputs.urls.app)


def test_a_profile_of_firefox_holds_it_as_long_as_it_is_told_to(outputs: StackOutputs, tmp_path: Path) -> None:
    profile = tmp_path / ".mozilla/firefox/abc.default"
    profile.mkdir(parents=True)
    _certutil(profile, "-N", "--empty-password")
    before = _certutil(profile, "-L")
    for _ in range(2):
        _dashtam(tmp_path, "trust", outputs.environment)
        [listed] = set(_certutil(profile, "-L").splitlines()) - set(before.splitlines())
        name, flags = listed.split()
        assert flags == "C,,"
        held = _certutil(profile, "-L", "-n", name, "-a")
        assert held.split() == outputs.ca_certificate.split()
    for _ in range(2):
        _dashtam(tmp_path, "untrust", outputs.environment)
        assert _certutil(profile, "-L") == before


def _certutil(profile: Path, *arguments: str) -> str:
    return succeed(run(["certutil", "-d", f"sql:{profile}", *arguments], cwd=profile))
