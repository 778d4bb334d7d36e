from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from docker.errors import DockerException

from cli.core.errors import UsageError, UserError
from cli.engine.container import ContainerView
from cli.engine.inventory import EngineView
from cli.environments import clone, states, targets
from cli.environments.clone import Clone, current, find
from cli.images import source
from cli.machine import findings
from cli.machine.findings import Finding
from cli.operations import checks
from tests.unit.cli.conftest import MakeContainer

NOW = datetime(2026, 1, 15, tzinfo=UTC)
VALID = """\
config:
  dashtam:postgres: {database: d, user: u}
  dashtam:app: {oauth_redirect_uri: "https://127.0.0.1:8182"}
"""


@pytest.mark.parametrize(
    ("begins", "ends", "ok", "words", "remedy"),
    [
        (-1, 365, True, "", "./dashtam up test"),
        (-1, 9, True, "", "./dashtam up test"),
        (-1, 7, False, "expire in 7 days", "./dashtam up test"),
        (-30, -1, False, "have expired", "./dashtam up test"),
        (1, 365, False, "not valid yet", "./dashtam certs test --renew"),
    ],
)
def test_certificates(begins: int, ends: int, ok: bool, words: str, remedy: str) -> None:
    finding = checks.certificate_finding("test", NOW + timedelta(days=begins), NOW + timedelta(days=ends), NOW)
    assert (finding.check, finding.ok) == ("certificates of test", ok)
    assert words in finding.cause
    assert remedy in finding.remedy


@pytest.mark.parametrize(("mode", "ok"), [(0o600, True), (0o400, True), (0o640, False), (0o604, False)])
def test_the_passphrase_is_private(tmp_path: Path, mode: int, ok: bool) -> None:
    clone = Clone("me", tmp_path, tmp_path / "my data")
    clone.home.mkdir()
    clone.passphrase_file.touch()
    clone.passphrase_file.chmod(mode)
    finding = checks.passphrase_finding(clone)
    assert finding.ok is ok
    assert finding.remedy == f"chmod 600 '{clone.passphrase_file}'"


def test_a_passphrase_that_is_lost(tmp_path: Path) -> None:
    finding = checks.passphrase_finding(Clone("me", tmp_path, tmp_path))
    assert not finding.ok
    assert "missing" in finding.detail


def test_a_passphrase_that_is_in_another_home(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_home: Path
) -> None:
    state = current(repository).state_folder / ".pulumi/stacks/dashtam/dev.json"
    state.parent.mkdir(parents=True)
    state.touch()
    monkeypatch.setenv("DASHTAM_DATA_HOME", str(tmp_path / "another"))
    here = find(repository)
    assert here is not None
    finding = checks.passphrase_finding(here)
    assert not finding.ok
    assert f"are kept in {data_home}" in finding.detail
    assert f"DASHTAM_DATA_HOME={data_home}" in finding.remedy


@pytest.mark.parametrize(
    ("content", "ok", "words"),
    [
        (VALID, True, ""),
        (VALID.replace("{database: d", "{port: 99999, database: d"), False, "99999"),
        ("config: [", False, ""),
        ("", False, "dashtam:postgres"),
    ],
)
def test_configs(tmp_path: Path, content: str, ok: bool, words: str) -> None:
    (tmp_path / "Pulumi.mine.yaml").write_text(content)
    [finding] = checks.config_findings(tmp_path)
    assert (finding.check, finding.ok) == ("config of mine", ok)
    assert words in finding.cause


@pytest.mark.parametrize(
    ("changes", "ok_and_words"),
    [
        ({}, (True, "")),
        ({"health": "unhealthy", "checks": ((1, "no route"),)}, (False, "no route")),
        ({"state": "exited", "health": "", "checks": ()}, (False, "It is exited.")),
    ],
)
def test_services(
    monkeypatch: pytest.MonkeyPatch,
    container: MakeContainer,
    tmp_path: Path,
    changes: dict[str, object],
    ok_and_words: tuple[bool, str],
) -> None:
    installer = container(component="files", state="exited", health="")

    def found(_: EngineView, stack: str | None = None, owner: str | None = None) -> list[ContainerView]:
        assert (stack, owner) == (None, "me")
        return [container(**changes), installer]

    monkeypatch.setattr(EngineView, "containers", found)
    [finding] = checks.service_findings(Mock(), Clone("me", tmp_path, tmp_path))
    assert finding.ok is ok_and_words[0]
    assert ok_and_words[1] in finding.cause


@pytest.fixture
def small_world(monkeypatch: pytest.MonkeyPatch, repository: Path) -> None:
    """A clone whose checks don't leave the process: no engine, and nothing of this machine."""
    here = current(repository)
    (repository / "Pulumi.dev.yaml").write_text(VALID)
    monkeypatch.setattr(checks, "ROOT", repository)
    monkeypatch.setattr(clone, "find", lambda: here)
    monkeypatch.setattr(findings, "findings", lambda: [Finding("machine", ok=True, detail="fine")])
    monkeypatch.setattr(checks, "connect", Mock(side_effect=UserError("no engine")))


@pytest.mark.usefixtures("data_home", "small_world")
def test_without_an_engine_there_is_nothing_to_look_at() -> None:
    assert [(one.check, one.ok) for one in checks.look()] == [
        ("machine", True),
        ("config of dev", True),
        ("passphrase", True),
    ]


@pytest.mark.usefixtures("data_home", "small_world")
@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (UsageError("there is no such source"), "there is no such source"),
        (DockerException("credentials store error"), "The Docker engine refused."),
        (PermissionError(13, "Permission denied", "/x"), "/x can't be used: Permission denied."),
    ],
)
def test_a_check_that_meets_an_error_has_that_for_its_result(
    monkeypatch: pytest.MonkeyPatch, error: Exception, detail: str
) -> None:
    monkeypatch.setattr(checks, "connect", Mock())
    monkeypatch.setattr(targets, "view", Mock(side_effect=error))
    monkeypatch.setattr(source, "explain", Mock(side_effect=error))
    monkeypatch.setattr(states, "read", Mock(side_effect=error))
    bad = [one for one in checks.look() if not one.ok]
    assert {one.check: one.detail for one in bad} == dict.fromkeys(("base images", "services", "state of dev"), detail)


@pytest.mark.usefixtures("data_home", "small_world")
def test_a_mistake_in_a_check_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "read", Mock(side_effect=KeyError("x")))
    with pytest.raises(KeyError):
        checks.look()


def test_ports_that_other_computers_reach_are_stated(tmp_path: Path) -> None:
    exposed = "  dashtam:network: {bind_address: 0.0.0.0}\n  dashtam:redis: {port: 6379}\n"
    (tmp_path / "Pulumi.dev.yaml").write_text(VALID + exposed)
    found = checks.config_finding(tmp_path, "dev")
    assert (found.ok, found.detail) == (True, "valid; its ports are reachable from the network, on 0.0.0.0")
