from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from cli.machine.findings import Finding
from cli.main import app
from cli.operations import checks

FINE = Finding("config of dev", ok=True, detail="valid")
HOSTILE = Finding(
    "dashtam-dev-app",
    ok=False,
    detail="unhealthy [bold]x",
    cause="It is running. The last health check said: [/x] [red]no route",
    remedy="./dashtam logs dev app; repair [/dev/null]",
)


@pytest.mark.parametrize(("found", "status"), [([FINE], 0), ([FINE, HOSTILE], 2)])
def test_what_was_found_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch, found: list[Finding], status: int) -> None:
    monkeypatch.setattr(checks, "look", lambda: found)
    done = CliRunner().invoke(app, ["doctor"], catch_exceptions=False)
    assert done.exit_code == status
    assert "ok   config of dev: valid" in done.output
    for one in found:
        assert f"{one.check}: {one.detail}" in done.output
    told = [text for one in found if not one.ok for text in (one.cause, one.remedy)]
    assert [text for text in told if text not in done.output] == []


def test_for_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "look", lambda: [FINE, HOSTILE])
    done = CliRunner().invoke(app, ["doctor", "--json"])
    assert [one["detail"] for one in json.loads(done.output)["findings"]] == [FINE.detail, HOSTILE.detail]
