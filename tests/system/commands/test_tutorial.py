"""The tutorial, as somebody would type it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from tests.system.running import run, succeed
from tests.unit.docs.pages import DOCS, Page

if TYPE_CHECKING:
    from tests.system.checkout import Checkout


def test_the_tutorial_works(checkout: Checkout) -> None:
    script = "\n".join(["set -eu", *Page(DOCS / "tutorial-link-account.md").scripts()])
    assert "./dashtam up dev" in script
    real = {"dev": checkout.stack, **ports(checkout)}
    script = re.sub(r"\b(dev|\d{4})\b", lambda match: real[match[1]], script)
    said = succeed(run(["bash", "-c", script], cwd=checkout.root, env=checkout.environ))
    assert '{"status":"ok"}' in said
    assert "healthy" in said
    assert checkout.status() == ""


def ports(checkout: Checkout) -> dict[str, str]:
    """Return the checkout's ports by those of dev, which the tutorial names."""
    dev = yaml.safe_load((checkout.root / "Pulumi.dev.yaml").read_text())["config"]
    own = yaml.safe_load(checkout.config_file.read_text())["config"]
    return {
        str(section["port"]): str(own[name]["port"])
        for name, section in dev.items()
        if isinstance(section, dict) and "port" in section
    }
