"""`open` hands a browser the address at which the engine publishes a service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.system.checkout import Checkout
from tests.system.running import succeed, wait_until

NO_BROWSER = {"BROWSER": "/nonexistent", "PATH": "/bin", "DISPLAY": "", "WAYLAND_DISPLAY": ""}


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


def _expect_shown(browser: Path, url: str) -> None:
    shown = browser.with_name("shown")
    wait_until(lambda: shown.exists() and shown.read_text() == url, "the browser")


def test_a_browser_gets_the_url(checkout: Checkout, browser: Path) -> None:
    url = f"https://localhost:{_port(checkout, 'app')}"
    assert succeed(checkout.dashtam("open", checkout.stack, BROWSER=f"{browser} %s")) == f"{url}\n"
    _expect_shown(browser, url)


def test_without_a_browser_the_url_is_printed(checkout: Checkout) -> None:
    done = checkout.dashtam("open", checkout.stack, "callback", **NO_BROWSER)
    assert succeed(done) == f"https://localhost:{_port(checkout, 'callback')}\n"
    assert "There is no browser" in done.stderr


def test_scripts_are_told_the_url(checkout: Checkout, browser: Path) -> None:
    opened = checkout.dashtam("open", checkout.stack, "docs", "--json", BROWSER=f"{browser} %s")
    docs = f"https://localhost:{_port(checkout, 'app')}/docs"
    told = {"environment": checkout.stack, "page": "docs", "url": docs, "opened": True}
    assert json.loads(succeed(opened)) == told
    _expect_shown(browser, docs)
    sandbox = f"https://localhost:{_port(checkout, 'sandbox')}"
    done = checkout.dashtam("open", checkout.stack, "sandbox", "--json", **NO_BROWSER)
    assert json.loads(succeed(done)) == {**told, "page": "sandbox", "url": sandbox, "opened": False}
