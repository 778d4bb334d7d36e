from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.pool import QueuePool

from app.core.database import create_engine
from infra.config.sections import POOL

if TYPE_CHECKING:
    from app.core.settings import AppSettings


def test_its_pool_is_the_one_that_the_config_counts_connections_by(app_settings: AppSettings) -> None:
    pool = create_engine(app_settings).pool
    assert isinstance(pool, QueuePool)
    assert pool.size() + pool._max_overflow == POOL
