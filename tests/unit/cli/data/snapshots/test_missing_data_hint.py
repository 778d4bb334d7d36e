from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from cli.core.paths import ROOT
from cli.data.snapshots import missing_data_hint
from cli.data.snapshots.store import Store
from cli.environments import preflight
from infra.naming import Naming

DATA = ["postgres_dev_data", "redis_dev_data"]


def _store(folder: Path, *names: str) -> Store:
    for name in names:
        (folder / name).mkdir()
    return Store(folder)


@pytest.mark.parametrize(
    ("stack", "there", "taken", "told"),
    [
        ("dev", [], ["one"], "dev begins without data of postgres and redis. "),
        ("dev", DATA[:1], ["one"], "dev begins without data of redis. "),
        ("dev", DATA, ["one"], None),
        ("dev", [], [], None),
        ("test", [], ["one"], None),
    ],
    ids=["all gone", "one gone", "all there", "nothing kept", "kept in memory"],
)
def test_a_snapshot_is_named_where_data_is_gone(
    tmp_path: Path, stack: str, there: list[str], taken: list[str], told: str | None
) -> None:
    view, say = Mock(), Mock()
    view.volume_documents.return_value = [{"Name": name} for name in there]
    config = preflight.configuration(ROOT, stack)
    missing_data_hint.remind(_store(tmp_path, *taken), view, Naming(stack, "me"), config, say)
    if told is None:
        say.assert_not_called()
    else:
        [said] = say.call_args.args
        assert said.startswith(told)
        assert said.endswith("`./dashtam snapshot restore dev one`.")
