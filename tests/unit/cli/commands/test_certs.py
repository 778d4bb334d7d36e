from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from cli import certificates, clone, recorded
from cli.certificates import Certificate
from cli.commands import certs
from cli.errors import UserError
from cli.main import app

NOW = datetime.now(UTC)
LEAF = Certificate(
    service="app",
    subject="CN=app [bold]",
    names=("app", "localhost"),
    issuer="CN=CA",
    serial="ff",
    fingerprint="ff:cd:b0:07",
    begins=NOW - timedelta(days=1),
    ends=NOW + timedelta(days=10, hours=12),
    source="served",
    trouble="",
)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Certificate]:
    certificates_found = [LEAF]
    monkeypatch.setattr(certs, "require_configured", Mock())
    monkeypatch.setattr(clone, "current", Mock())
    monkeypatch.setattr(recorded, "read", Mock())
    monkeypatch.setattr(certificates, "certificates", lambda _state: certificates_found)
    return certificates_found


def test_what_a_certificate_says_is_shown_as_it_is(found: list[Certificate]) -> None:
    done = CliRunner().invoke(app, ["certs", "test"], catch_exceptions=False)
    assert done.exit_code == 0
    for told in (found[0].fingerprint, found[0].subject, "app, localhost", "10 days", "served, and verifies"):
        assert told in done.stdout


def test_scripts_are_told_what_clients_refuse(found: list[Certificate]) -> None:
    found.append(replace(LEAF, source="recorded", trouble="certificate has expired"))
    done = CliRunner().invoke(app, ["certs", "test", "--json"], catch_exceptions=False)
    assert done.exit_code == 1
    assert [(one["trouble"], one["days_left"]) for one in json.loads(done.output)] == [
        ("", 10),
        ("certificate has expired", 10),
    ]


def test_an_environment_that_is_down_has_none(found: list[Certificate]) -> None:
    found.clear()
    with pytest.raises(UserError, match="test is not up"):
        CliRunner().invoke(app, ["certs", "test"], catch_exceptions=False)
