from __future__ import annotations

import pytest

from cli.restart import NEEDS, in_order
from infra.naming import SERVICES
from tests.unit.cli.conftest import MakeContainer


def test_the_needs_of_every_service_are_known() -> None:
    assert set(NEEDS) == set(SERVICES)


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        (SERVICES, [{"postgres", "redis"}, {"sandbox"}, {"app"}, {"callback"}]),
        (("callback", "postgres"), [{"postgres"}, {"callback"}]),
        (("app",), [{"app"}]),
        ((), []),
    ],
)
def test_who_is_needed_comes_first(
    container: MakeContainer, services: tuple[str, ...], expected: list[set[str]]
) -> None:
    batches = in_order([container(component=service) for service in services])
    assert [{one.component for one in batch} for batch in batches] == expected
