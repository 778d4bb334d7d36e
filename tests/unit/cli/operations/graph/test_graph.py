from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from cli.operations.graph import mermaid, model, svg
from cli.operations.graph.model import Graph

PUBLISHED = {"app": (8000, 8001), "callback": (8182, 443), "sandbox": (8282, 8283), "redis": (6379, 6380)}


def _document(component: str, *variables: str, health: str = "healthy", volume: str = "") -> dict[str, Any]:
    inner, outer = PUBLISHED.get(component, (5432, 0))
    bound = {f"{inner}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(outer)}] if outer else None}
    mounts = [{"Type": "volume", "Source": f"{component}-files", "Target": "/run/secrets", "ReadOnly": True}]
    mounts += [{"Type": "volume", "Source": volume, "Target": "/data"}] if volume else []
    told = {"Status": health, "FailingStreak": 5, "Log": []}
    return {
        "Id": f"id-{component}",
        "Name": f"/dashtam-test-{component}",
        "Config": {"Labels": {"dashtam.component": component}, "Image": "sha256:x", "Env": list(variables)},
        "State": {"Status": "running", "ExitCode": 0, "StartedAt": "", "Health": told},
        "HostConfig": {"PortBindings": bound, "Mounts": mounts},
        "NetworkSettings": {"Ports": bound},
    }


@pytest.fixture
def graph() -> Graph:
    documents = [
        _document("sandbox", "REDIRECT_URI=https://127.0.0.1", "ISSUER=https://localhost:8283", health="unhealthy"),
        _document("callback", "APP_URL=https://app:8000", "PUBLIC_URL=https://localhost:8001"),
        _document(
            "app",
            *("DATABASE_HOST=postgres", "REDIS_HOST=redis", "PROVIDERS_FILE=/run/secrets/providers.json"),
            *("ODD=http://[", "DEBUG=true", "X=http://nowhere:1"),
        ),
        _document("redis"),
        _document("postgres", volume='data "one" <1> #2'),
        _document("app-files"),
    ]
    return model.build("test", documents, {"Name": "net", "Internal": True}, {"app": "dashtam/production:1"})


def test_who_uses_whom(graph: Graph) -> None:
    assert [one.name for one in graph.services] == ["postgres", "redis", "app", "callback", "sandbox"]
    assert {(use.source, use.target, use.by, use.browser) for use in graph.uses} == {
        ("app", "postgres", "DATABASE_HOST", False),
        ("app", "redis", "REDIS_HOST", False),
        ("app", "sandbox", "PROVIDERS_FILE", False),
        ("callback", "app", "APP_URL", False),
        ("sandbox", "callback", "REDIRECT_URI", True),
    }
    assert graph.ranks == {"callback": 0, "app": 1, "sandbox": 2, "redis": 2, "postgres": 2}


def test_without_a_sandbox_nothing_uses_one() -> None:
    documents = [_document("app", "PROVIDERS_FILE=/run/secrets/providers.json", "DATABASE_HOST=postgres")]
    documents.append(_document("postgres"))
    graph = model.build("test", documents, {"Name": "net", "Internal": False}, {})
    assert [(use.source, use.target) for use in graph.uses] == [("app", "postgres")]


def test_services_that_use_each_other_end_the_ranking() -> None:
    documents = [_document("app", "A=redis"), _document("redis", "A=app")]
    graph = model.build("test", documents, {"Name": "net", "Internal": False}, {})
    assert set(graph.ranks) == {"app", "redis"}
    assert svg.render(graph)


def test_what_a_service_is(graph: Graph) -> None:
    postgres, _, app, *_, sandbox = graph.services
    assert (app.image, app.ports, app.reads) == ("dashtam/production:1", ("127.0.0.1:8001 → 8000",), ("app-files",))
    assert (postgres.ports, postgres.keeps) == ((), ('data "one" <1> #2',))
    assert (app.state, sandbox.state) == ("healthy", "unhealthy")


def test_mermaid_has_each_part_and_quotes_what_it_must(graph: Graph) -> None:
    lines = mermaid.render(graph).splitlines()
    assert lines[:2] == ["flowchart LR", '  subgraph network["net (internal)"]']
    assert '    app["app<br>healthy<br>dashtam/production:1<br>127.0.0.1:8001 → 8000"]' in lines
    assert '  volume0[("data #quot;one#quot; <1> #35;2")]' in lines
    assert {"  app --> postgres", "  sandbox -.-> callback", "  postgres --- volume0"} <= set(lines)


def test_the_svg_says_what_it_shows_to_those_who_do_not_see_it(graph: Graph) -> None:
    root = ET.fromstring(svg.render(graph))  # noqa: S314 - it is our own
    space = {"svg": "http://www.w3.org/2000/svg"}
    assert root.get("role") == "img"
    named = [root.find(f"svg:{tag}", space) for tag in ("title", "desc")]
    assert [one.get("id") for one in named if one is not None] == (root.get("aria-labelledby") or "").split()
    described = "".join(named[1].itertext()) if named[1] is not None else ""
    for told in ("sandbox is unhealthy", "app connects to redis", "sandbox sends browsers to callback", "8001 → 8000"):
        assert told in described
    shown = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"postgres", 'data "one" <1> #2', "net, internal: no way out", "127.0.0.1:8001 → 8000"} <= set(shown)


def test_no_box_covers_another(graph: Graph) -> None:
    boxes = list(svg.place(graph).values())
    for index, one in enumerate(boxes):
        for other in boxes[index + 1 :]:
            apart_x = one.x + one.width <= other.x or other.x + other.width <= one.x
            apart_y = one.y + one.height <= other.y or other.y + other.height <= one.y
            assert apart_x or apart_y
