from __future__ import annotations

from unittest.mock import Mock

import pytest

from cli import recorded
from cli.drift import mend
from cli.drift.compare import Difference
from cli.recorded import VOLUME, Recorded, Resource

VOLUMES = [
    Resource(VOLUME, name, name, inputs={"name": name, "labels": [{"label": "dashtam.stack", "value": "test"}]})
    for name in ("lost", "lost-files", "there")
]


def _change(changed: str, kind: str = "container", resource: str = "dashtam-test-app", now: str = "b") -> Difference:
    return Difference(kind, resource, changed, "a", now)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Difference]:
    differing: list[Difference] = []
    monkeypatch.setattr(recorded, "read", Mock(return_value=Recorded(VOLUMES)))
    monkeypatch.setattr(mend, "differences", Mock(return_value=differing))
    return differing


@pytest.mark.parametrize(
    ("changes", "refresh", "removed"),
    [
        ([], False, False),
        ([_change("memory")], True, False),
        ([_change("label x", "volume")], True, False),
        ([_change("memory"), _change("NanoCpus")], True, True),
        ([_change("network net")], True, True),
    ],
)
def test_what_a_refresh_does_not_see_is_made_anew(
    found: list[Difference], changes: list[Difference], refresh: bool, removed: bool
) -> None:
    found.extend(changes)
    view, say = Mock(), Mock()
    assert mend.prepare(view, Mock(), "test", say) is refresh
    assert view.remove_container.called is removed
    assert say.called is removed
    view.make_volume.assert_not_called()


def test_what_is_gone_already_is_let_go(found: list[Difference]) -> None:
    found.append(_change("network net"))
    view = Mock()
    view.container_document.return_value = None
    assert mend.prepare(view, Mock(), "test", Mock())
    view.remove_container.assert_not_called()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("lost", "The volume lost is gone with what it held; making an empty one."),
        ("lost-files", "The volume lost-files is gone; making it again."),
    ],
)
def test_a_lost_volume_is_made_again_with_its_labels_and_told(found: list[Difference], name: str, told: str) -> None:
    found.append(_change("volume", "volume", name, "gone"))
    view, say = Mock(), Mock()
    assert mend.prepare(view, Mock(), "test", say)
    view.make_volume.assert_called_once_with(name, {"dashtam.stack": "test"})
    say.assert_called_once_with(told)
