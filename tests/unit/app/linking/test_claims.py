from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.linking.claims import MAX_BACKOFF, MIN_BACKOFF, back_off

MOMENTS = st.timedeltas(min_value=-timedelta(days=1), max_value=timedelta(days=400))


@given(MOMENTS, MOMENTS)
def test_a_wait_is_within_limits_and_never_gets_shorter(one: timedelta, other: timedelta) -> None:
    shorter, longer = back_off(min(one, other)), back_off(max(one, other))
    assert MIN_BACKOFF <= shorter <= longer <= MAX_BACKOFF


@given(st.timedeltas(min_value=MIN_BACKOFF, max_value=timedelta(days=1)))
def test_what_fails_is_tried_few_times(outage: timedelta) -> None:
    overdue, tries = timedelta(0), 0
    while overdue < outage:
        overdue, tries = overdue + back_off(overdue), tries + 1
    assert tries <= 7 + outage / MAX_BACKOFF
