from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cli.operations.status.document import describe, document
from tests.unit.cli.conftest import MakeContainer
from tests.unit.cli.operations.status.conftest import MakeOverview


def test_scripts_get_the_published_ports_alone(container: MakeContainer) -> None:
    described = describe(container(ports={"8000/tcp": [8001], "8182/tcp": []}))
    assert described["ports"] == {"8000/tcp": [8001]}
    assert (described["environment"], described["service"], described["health"]) == ("test", "app", "healthy")


@pytest.mark.parametrize(("drift", "told"), [(0, False), (3, True), (None, None)])
def test_scripts_get_each_environment(
    overview: MakeOverview, container: MakeContainer, drift: int | None, told: bool | None
) -> None:
    end = datetime(2027, 1, 2, tzinfo=UTC)
    given = document([overview(services=[container()], drift=drift, expiry=end, data={"v": 5})])
    assert given["services"][0]["image_reference"] == "dashtam/production:1"
    assert given["environments"] == [
        {
            "environment": "test",
            "owner": "me",
            "folder": "/home/me/dashtam",
            "state": "up",
            "only": [],
            "urls": {},
            "certificates_expire": "2027-01-02T00:00:00+00:00",
            "drift": told,
            "differences": drift,
            "data_bytes": {"v": 5},
        }
    ]
