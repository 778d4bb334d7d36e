from __future__ import annotations

import asyncio
from unittest.mock import AsyncMock, Mock

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

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
async def test_no_failure_ends_it(failure: Exception, level: str) -> None:
    went_on = asyncio.Event()
    connections = Mock(spec=Connections)
    connections.settle = AsyncMock()

    async def due(_name: str, _limit: int) -> list[object]:
        if connections.due.call_count == 1:
            raise failure
        went_on.set()
        return []

    connections.due = Mock(side_effect=due)
    with capture_logs() as entries:
        async with asyncio.timeout(5), refreshing(connections, {"bank": Mock()}, period=0.001):
            await went_on.wait()
    assert [entry["log_level"] for entry in entries] == [level]
    assert "hush" not in str(entries)
