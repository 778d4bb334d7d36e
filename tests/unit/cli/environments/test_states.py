from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from cli.core.errors import UserError
from cli.environments import states
from cli.environments.clone import Clone
from cli.pulumi import stack_state

RESOURCES: list[dict[str, Any]] = [
    {
        "urn": "urn:pulumi:t::dashtam::pulumi:pulumi:Stack::dashtam-t",
        "type": "pulumi:pulumi:Stack",
        "outputs": {"a": 1},
    },
    {
        "urn": "urn:pulumi:t::dashtam::x$tls:index/selfSignedCert:SelfSignedCert::ca",
        "type": stack_state.AUTHORITY,
        "id": "1",
        "outputs": {"validityEndTime": "2027-11-23T22:29:55.292472208Z"},
    },
    {
        "urn": "urn:pulumi:t::dashtam::x$tls:index/locallySignedCert:LocallySignedCert::app-certificate",
        "type": stack_state.CERTIFICATE,
        "id": "2",
        "inputs": {"x": 1},
        "outputs": {"validityEndTime": "2027-11-22T00:00:00Z"},
    },
]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone("me", tmp_path, tmp_path / "home")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"PULUMI_CREDENTIALS_PATH": str(tmp_path)}


def _write(folder: Path, document: object) -> None:
    file = folder / ".pulumi/stacks/dashtam/t.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(document))


@pytest.mark.parametrize("own", [True, False])
def test_a_file_backend_is_read_directly(clone: Clone, environ: dict[str, str], own: bool, tmp_path: Path) -> None:
    folder = clone.home / "state" if own else tmp_path / "another place"
    _write(folder, {"version": 4, "checkpoint": {"latest": {"resources": RESOURCES}}})
    state = states.read(clone, "t", environ if own else {**environ, "PULUMI_BACKEND_URL": folder.as_uri()})
    assert state.outputs == {"a": 1}
    assert [(one.name, one.id, one.inputs) for one in state.of(stack_state.CERTIFICATE)] == [
        ("app-certificate", "2", {"x": 1})
    ]
    assert state.expiry == datetime(2027, 11, 22, tzinfo=UTC)


def test_one_that_was_compressed_is_read_too(clone: Clone, environ: dict[str, str]) -> None:
    document = {"version": 4, "checkpoint": {"latest": {"resources": RESOURCES}}}
    _write(clone.home / "state", document)
    file = clone.home / "state/.pulumi/stacks/dashtam/t.json"
    file.with_name("t.json.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    assert states.read(clone, "t", environ).outputs == {"a": 1}


def test_one_of_a_login_is_read_where_pulumi_has_it(clone: Clone, environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text('{"current": "file://./of the login"}')
    _write(tmp_path / "of the login", {"checkpoint": {"latest": {"resources": RESOURCES}}})
    assert states.read(clone, "t", environ).outputs == {"a": 1}


@pytest.mark.parametrize("document", [None, {"checkpoint": {"latest": None}}, {"checkpoint": {"latest": {}}}])
def test_where_nothing_is_up_nothing_is_recorded(clone: Clone, environ: dict[str, str], document: object) -> None:
    if document:
        _write(clone.home / "state", document)
    state = states.read(clone, "t", environ)
    assert (list(state.resources), state.outputs, state.expiry) == ([], {}, None)


DAMAGED = [b"", b"{", b"[]", b"\xff", b'{"checkpoint": 3}']
# Without the time of now, which would be in the names of tests: workers must agree on these.
GZIPPED = [gzip.compress(one, mtime=0) for one in DAMAGED]
SHORTENED = [gzip.compress(b"{}" * 99, mtime=0)[:-9], gzip.compress(b"{}", mtime=0)[:12]]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *(("t.json", one) for one in DAMAGED),
        *(("t.json.gz", one) for one in (*GZIPPED, b"", b"no gzip", *SHORTENED)),
    ],
)
def test_a_damaged_one_is_an_error_that_names_the_copies_of_it(
    clone: Clone, environ: dict[str, str], name: str, content: bytes
) -> None:
    file = clone.home / "state/.pulumi/stacks/dashtam" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(UserError, match="is damaged") as raised:
        states.read(clone, "t", environ)
    assert str(file) in raised.value.message
    assert f"cp {file}.bak {file}" in raised.value.remedy
    assert f"{clone.home}/state/.pulumi/backups/dashtam/t" in raised.value.remedy


@pytest.mark.parametrize("known", [True, False])
def test_any_other_backend_is_asked_through_pulumi(
    clone: Clone, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    (Path(environ["PULUMI_CREDENTIALS_PATH"]) / "credentials.json").write_text('{"current": "https://api.example"}')
    pulumi = Mock()
    pulumi.return_value.stacks.return_value = {"t"} if known else set()
    pulumi.return_value.deployment.return_value = {"resources": RESOURCES}
    monkeypatch.setattr("cli.machine.setup.prepare", Mock(return_value={"X": "1"}))
    monkeypatch.setattr("cli.pulumi.process.Pulumi", pulumi)
    assert len(states.read(clone, "t", environ).resources) == (3 if known else 0)
    assert pulumi.call_args[0][0]["X"] == "1"
