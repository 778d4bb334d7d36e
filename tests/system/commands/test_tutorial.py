"""The quickstart and the tutorial, as somebody would type them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.system.running import run, succeed
from tests.unit.docs.pages import DOCS, Page

if TYPE_CHECKING:
    from tests.system.checkout import Checkout


def test_the_tutorial_works(checkout: Checkout) -> None:
    said = followed("tutorial-link-account.md", checkout)
    assert '{"status":"ok"}' in said
    assert "healthy" in said
    assert checkout.status() == ""


@pytest.mark.timeout(480)  # it brings the environment up three times, on a machine that may be busy
def test_the_quickstart_works(checkout: Checkout) -> None:
    try:
        said = followed("quickstart.md", checkout)
        assert "healthy" in said
        assert checkout.dashtam("env", checkout.stack).returncode == 1
        assert checkout.status() == ""
    finally:
        checkout.up()


def followed(page: str, checkout: Checkout) -> str:
    """Run all commands of a page in one shell, for the checkout's environment in the place of dev."""
    script = "\n".join(["set -eu", *Page(DOCS / page).scripts()])
    assert "./dashtam up dev" in script
    real = {"dev": checkout.stack, **ports(checkout)}
    script = re.sub(r"\b(dev|\d{4})\b", lambda match: real[match[1]], script)
    return succeed(run(["bash", "-c", script], cwd=checkout.root, env=checkout.environ))


def ports(checkout: Checkout) -> dict[str, str]:
    """Return the checkout's ports by those of dev, which the pages name."""
    dev = yaml.safe_load((checkout.root / "Pulumi.dev.yaml").read_text())["config"]
    own = yaml.safe_load(checkout.config_file.read_text())["config"]
    return {
        str(section["port"]): str(own[name]["port"])
        for name, section in dev.items()
        if isinstance(section, dict) and "port" in section
    }
