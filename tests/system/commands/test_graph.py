from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from infra.naming import SERVICES, Naming
from tests.system.running import succeed
from tests.unit.docs.pages import DOCS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.checkout import Checkout


def _texts(svg: str) -> set[str]:
    root = ET.fromstring(svg)  # noqa: S314 - it is our own
    return {text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")}


def test_the_picture_shows_what_is_there(checkout: Checkout, tmp_path: Path) -> None:
    naming, outputs = Naming(checkout.stack, ""), checkout.outputs()
    file = tmp_path / "picture.svg"
    succeed(checkout.dashtam("graph", checkout.stack, "--output", str(file)))
    shown = _texts(file.read_text())
    assert {*SERVICES, *outputs["volumes"].values(), naming.network} <= shown
    for service in SERVICES:
        assert naming.container(service) in shown
        assert any(text.startswith(f"127.0.0.1:{outputs['ports'][service]} ") for text in shown)


def test_mermaid_says_who_uses_whom(checkout: Checkout, tmp_path: Path) -> None:
    file = tmp_path / "picture.mmd"
    succeed(checkout.dashtam("graph", checkout.stack, "-o", str(file)))
    lines = {line.strip() for line in file.read_text().splitlines()}
    assert {"app --> postgres", "app --> redis", "app --> sandbox", "callback --> app"} <= lines
    assert {"sandbox --> redis", "sandbox -.-> callback"} <= lines
    assert file.read_text() == succeed(checkout.dashtam("graph", checkout.stack, "--format", "mermaid"))


def test_the_architecture_page_shows_the_same_connections(checkout: Checkout) -> None:
    drawn = succeed(checkout.dashtam("graph", checkout.stack, "--format", "mermaid"))
    assert _connections(drawn) == _connections((DOCS / "concepts/architecture.md").read_text())


def _connections(mermaid: str) -> set[str]:
    return set(re.findall(r"^\s*(\w+ (?:-->|-\.->|---) \w+)$", mermaid, re.MULTILINE))
