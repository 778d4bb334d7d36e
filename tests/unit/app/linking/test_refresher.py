from __future__ import annotations

import asyncio
from unittest.mock import AsyncMock, Mock

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from app.linking import refresher
from app.linking.connections import Connections
from app.linking.refresher import refreshing


@pytest.mark.parametrize(
    ("failure", "level"),
    [
        (RuntimeError("hush"), "error"),
        (KeyError("hush"), "error"),
        (ConnectionRefusedError("hush"), "warning"),
        (OperationalError("SELECT", {}, Exception("hush")), "error"),
    ],
)
async def test_no_failure_ends_it(failure: Exception, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresher, "PERIOD", 0.001)
    went_on = asyncio.Event()
    connections = Mock(spec=Connections, repository=Mock())
    connections.settle = AsyncMock()

    async def due(_name: str, _limit: int) -> list[object]:
        if connections.repository.due.call_count == 1:
            raise failure
        went_on.set()
        return []

    connections.repository.due = Mock(side_effect=due)
    with capture_logs() as entries:
        async with asyncio.timeout(5), refreshing(connections, {"bank": Mock()}):
            await went_on.wait()
    assert [entry["log_level"] for entry in entries] == [level]
    assert "hush" not in str(entries)
