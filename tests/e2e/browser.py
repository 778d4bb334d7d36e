"""Chromium as the distribution packages it, with the environment's CA as the only one it trusts besides its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import async_playwright

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser

CHROMIUM_VARIABLE = "DASHTAM_CHROMIUM"
INSIDE_VARIABLE = "DASHTAM_OUTPUTS_FILE"


def executable() -> str:
    """Return the path of Chromium; ends the run where there is none."""
    chosen = os.environ.get(CHROMIUM_VARIABLE)
    found = shutil.which(chosen or "chromium")
    if found is None:
        what = f"{CHROMIUM_VARIABLE}={chosen} is no program" if chosen else "Chromium is not installed"
        pytest.exit(f"{what}; ./dashtam test e2e installs it, or says how.", returncode=1)
    return found


def trust(home: Path, ca_file: Path) -> None:
    """Make a database of trusted certificates where Chromium looks for it.

    Args:
        home: The browser's home.
        ca_file: The CA, as PEM.
    """
    folder = home / ".pki" / "nssdb"
    folder.mkdir(parents=True)
    database = f"sql:{folder}"
    # Without the module that brings the system's own CAs.
    for command in (["-N", "--empty-password"], ["-A", "-n", "environment", "-t", "C,,", "-i", str(ca_file)]):
        subprocess.run(["certutil", "-d", database, *command], check=True, capture_output=True)


@asynccontextmanager
async def chromium(home: Path, *arguments: str) -> AsyncIterator[Browser]:
    """Run Chromium without a window.

    Args:
        home: Its home: what it trusts, and all that it writes.
        arguments: Further arguments.

    Yields:
        The browser.
    """
    folders = {"HOME": "", "XDG_CONFIG_HOME": ".config", "XDG_CACHE_HOME": ".cache", "XDG_DATA_HOME": ".local/share"}
    env: dict[str, str | float | bool] = {**os.environ, **{key: str(home / name) for key, name in folders.items()}}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable(), env=env, chromium_sandbox=_can_isolate(), args=arguments
        )
        try:
            yield browser
        finally:
            await browser.close()


def _can_isolate() -> bool:
    """Tell whether Chromium can isolate its processes by itself.

    It refuses to as root, and in a container that drops all capabilities it has no means to; there it needs
    --no-sandbox. It visits nothing but the environment's own pages.
    """
    return os.geteuid() != 0 and INSIDE_VARIABLE not in os.environ
