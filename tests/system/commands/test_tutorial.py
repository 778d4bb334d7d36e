"""The quickstart and the tutorial, as somebody would type them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.system import environments
from tests.system.running import run, succeed
from tests.unit.docs.pages import DOCS, Page

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout


@pytest.mark.timeout(480)  # it brings the environment up two times, on a machine that may be busy
def test_the_quickstart_and_the_tutorial_after_it_work(checkout: Checkout, client: docker.DockerClient) -> None:
    assert "healthy" in followed("quickstart.md", checkout)
    assert client.api.containers(all=True, filters=environments.labelled(checkout.stack)) == []
    said = followed("tutorial-link-account.md", checkout)
    assert '{"status":"ok"}' in said
    assert "healthy" in said
    assert checkout.status() == ""


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
