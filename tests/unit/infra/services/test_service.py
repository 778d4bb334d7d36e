from __future__ import annotations

from infra.config.sections import HealthSettings
from infra.services.health import paced
from infra.services.service import healthcheck


def test_a_check_may_take_its_pause_and_its_time() -> None:
    settings = HealthSettings(start_interval="250ms", interval="10s", timeout="3s", retries=4, wait="2m")
    check = healthcheck("true", settings)
    assert (check.interval, check.timeout, check.retries, check.start_period) == ("250ms", "12.75s", 4, "2m0s")
    assert check.tests == ["CMD-SHELL", paced("true", 9.75)]
