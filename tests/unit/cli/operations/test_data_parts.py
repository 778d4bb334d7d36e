from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from cli.core.errors import UserError
from cli.core.paths import ROOT
from cli.data.snapshots import store
from cli.engine.inventory import EngineView
from cli.environments import states
from cli.environments.clone import Clone
from cli.environments.handle import EnvironmentHandle
from cli.operations import data_parts
from cli.operations.data_parts import NoPersistentDataError
from infra.naming import Naming

CONFIG = """config:
  dashtam:postgres: {{database: d, user: u, storage: {postgres}}}
  dashtam:redis: {{storage: {redis}, persistence: {persistence}}}
  dashtam:app: {{oauth_redirect_uri: "https://127.0.0.1:8182"}}
  dashtam:images: {{source: debian}}
"""


def _parts(root: Path, postgres: str, redis: str, *volumes: str, owner: str = "me") -> list[str]:
    persistence = "aof" if redis == "volume" else "none"
    (root / "Pulumi.dev.yaml").write_text(CONFIG.format(postgres=postgres, redis=redis, persistence=persistence))
    _, found = data_parts.parts_by_config(_dev(root, *volumes, owner=owner))
    return [one.volume for one in found]


def _dev(root: Path, *volumes: str, owner: str = "me") -> EnvironmentHandle:
    client, labels = Mock(), Naming("dev", owner).labels("files")
    client.api.volumes.return_value = {"Volumes": [{"Name": one, "Labels": labels} for one in volumes]}
    return EnvironmentHandle("dev", Clone("me", root, root / "home"), EngineView(client))


BOTH = ["postgres_dev_data", "redis_dev_data"]


@pytest.mark.parametrize(
    ("postgres", "redis", "there", "found"),
    [
        ("volume", "volume", [], BOTH),
        ("volume", "tmpfs", [], BOTH[:1]),
        ("tmpfs", "tmpfs", BOTH, BOTH),
        ("tmpfs", "volume", BOTH, BOTH),
        ("volume", "tmpfs", BOTH, BOTH),
        ("tmpfs", "tmpfs", BOTH[:1], BOTH[:1]),
    ],
)
def test_what_is_there_counts_whatever_the_config_has_become(
    tmp_path: Path, postgres: str, redis: str, there: list[str], found: list[str]
) -> None:
    assert _parts(tmp_path, postgres, redis, *there) == found


def test_another_clones_volume_is_no_part(tmp_path: Path) -> None:
    with pytest.raises(NoPersistentDataError):
        _parts(tmp_path, "tmpfs", "tmpfs", *BOTH, owner="another")


def test_memory_keeps_nothing(tmp_path: Path) -> None:
    with pytest.raises(NoPersistentDataError, match="in memory"):
        _parts(tmp_path, "tmpfs", "tmpfs")


OUTPUTS = {
    "database": {"name": "d", "user": "u"},
    "images": {"postgres": "postgres:17", "redis": "redis:8"},
}


@pytest.fixture
def invalid(tmp_path: Path) -> Path:
    """A checkout with an environment whose config is not valid."""
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {dashtam:postgres: {database: 5}}\n")
    return tmp_path


@pytest.mark.parametrize("there", [BOTH, BOTH[:1]])
def test_where_the_config_is_not_valid_the_state_counts(
    invalid: Path, monkeypatch: pytest.MonkeyPatch, there: list[str]
) -> None:
    monkeypatch.setattr(states, "read", Mock(return_value=Mock(outputs=OUTPUTS)))
    database, found = data_parts.parts_by_config_or_state(_dev(invalid, *there))
    assert (database.name, database.user) == ("d", "u")
    assert [(one.volume, one.image) for one in found] == [*zip(there, ("postgres:17", "redis:8"), strict=False)]


@pytest.mark.parametrize(("recorded", "there"), [({}, BOTH), (OUTPUTS, BOTH[1:])], ids=["no state", "no database"])
def test_where_the_state_has_nothing_either_the_config_is_named(
    invalid: Path, monkeypatch: pytest.MonkeyPatch, recorded: dict[str, object], there: list[str]
) -> None:
    monkeypatch.setattr(states, "read", Mock(return_value=Mock(outputs=recorded)))
    with pytest.raises(UserError, match="is not valid"):
        data_parts.parts_by_config_or_state(_dev(invalid, *there))


@pytest.mark.parametrize(
    ("stack", "there", "names", "begin"),
    [
        ("dev", [], ["one"], "dev starts without its data of postgres and redis. "),
        ("dev", BOTH[:1], ["one"], "dev starts without its data of redis. "),
        ("dev", BOTH, ["one"], ""),
        ("dev", [], [], ""),
        ("test", [], ["one"], ""),
    ],
    ids=["all missing", "one missing", "all there", "no snapshot", "in memory"],
)
def test_the_last_snapshot_is_named_where_data_is_missing(
    tmp_path: Path, stack: str, there: list[str], names: list[str], begin: str
) -> None:
    clone = Clone("me", ROOT, tmp_path)
    for name in names:
        store.of(clone, stack).path(name).mkdir(parents=True)
    view = Mock()
    view.volume_documents.return_value = [{"Name": name} for name in there]
    hint = data_parts.missing_data_hint(EnvironmentHandle(stack, clone, view))
    assert hint.startswith(begin)
    assert hint.endswith("`./dashtam snapshot restore dev one`." if begin else "")
    assert bool(hint) is bool(begin)
