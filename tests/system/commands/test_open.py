"""`open` hands a browser the address at which the engine publishes a service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.system.checkout import Checkout
from tests.system.running import succeed, wait_until


def _port(checkout: Checkout, service: str) -> int:
    port: int = yaml.safe_load(checkout.config_file.read_text())["config"][f"dashtam:{service}"]["port"]
    return port


@pytest.fixture
def browser(tmp_path: Path) -> Path:
    """A browser that notes what it is to show."""
    path = tmp_path / "browser"
    path.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/shown\n')
    path.chmod(0o700)
    return path


@pytest.mark.parametrize(
    ("arguments", "service", "path"),
    [([], "app", ""), (["docs"], "app", "/docs"), (["callback"], "callback", ""), (["sandbox"], "sandbox", "")],
)
def test_a_browser_gets_the_url(
    checkout: Checkout, browser: Path, arguments: list[str], service: str, path: str
) -> None:
    said = succeed(checkout.dashtam("open", checkout.stack, *arguments, BROWSER=f"{browser} %s"))
    url = f"https://localhost:{_port(checkout, service)}{path}"
    assert said == f"{url}\n"
    shown = browser.with_name("shown")
    wait_until(lambda: shown.exists() and shown.read_text() == url, "the browser")


def test_without_a_browser_the_url_is_printed(checkout: Checkout) -> None:
    done = checkout.dashtam("open", checkout.stack, BROWSER="/nonexistent", PATH="/bin", DISPLAY="", WAYLAND_DISPLAY="")
    assert succeed(done) == f"https://localhost:{_port(checkout, 'app')}\n"
    assert "There is no browser" in done.stderr


@pytest.mark.parametrize("opened", [True, False])
def test_scripts_are_told_the_url(checkout: Checkout, browser: Path, opened: bool) -> None:
    with_it = {"BROWSER": f"{browser} %s"}
    without = {"BROWSER": "/nonexistent", "PATH": "/bin", "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    said = succeed(checkout.dashtam("open", checkout.stack, "docs", "--json", **(with_it if opened else without)))
    assert json.loads(said) == {
        "environment": checkout.stack,
        "page": "docs",
        "url": f"https://localhost:{_port(checkout, 'app')}/docs",
        "opened": opened,
    }


def test_an_environment_that_is_not_up_is_told(checkout: Checkout) -> None:
    done = checkout.dashtam("open", "dev")
    assert done.returncode == 1
    assert "`./dashtam up dev`" in done.stderr
