from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.providers.client import Provider
from app.providers.errors import ProviderError, RefusedError, UnavailableError
from app.providers.grants import MAX_TOKEN_LIFETIME, Grant, read_grant
from tests.unit.app.providers.conftest import CHALLENGE, ISSUER, BackChannel

GIVEN = {"access_token": "a", "token_type": "Bearer"}
FIELDS = {**BackChannel.tokens(), "error": "invalid_grant", "error_description": "used", "expires_at": 5, "account": 1}

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
ODD = ANYTHING | st.sampled_from([10**15, -1, 0, "3600", "tomorrow", "a\0b", "\ud800", "a" * 300, float("inf")])
ANSWERS = ANYTHING | st.fixed_dictionaries({}, optional={name: st.just(right) | ODD for name, right in FIELDS.items()})


@pytest.mark.parametrize(
    ("said", "scopes"),
    [
        ({}, None),
        ({"scope": None}, None),
        ({"scope": ""}, None),
        ({"scope": " "}, None),
        ({"scope": "a b"}, ("a", "b")),
        ({"scope": ["a", "b"]}, ("a", "b")),
        ({"scope": "repo,user:email"}, ("repo", "user:email")),
        ({"scope": "repo, gist a"}, ("repo", "gist", "a")),
        ({"scope": ["a b", "c,d", "a"]}, ("a", "b", "c", "d")),
        ({"scope": ["a", 2, None]}, ("a",)),
        ({"scope": "a b\0c"}, ("a",)),
        ({"scope": ","}, None),
        ({"scope": 5}, None),
        ({"scope": {"a": "b"}}, None),
    ],
)
def test_scopes_are_told_or_not(said: dict[str, Any], scopes: tuple[str, ...] | None) -> None:
    assert read_grant({**GIVEN, **said}).scopes == scopes


@pytest.mark.parametrize("lifetime", [3600, "3600", 3600.0, 3600.9, " 3600 ", "3600.0"])
def test_an_end_is_reckoned_from_now(lifetime: object) -> None:
    end = read_grant({**GIVEN, "expires_in": lifetime}).expires_at
    assert end is not None
    assert abs(end - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "lifetime",
    [
        *(None, 0, -1, "0", "-5", "", "soon", "NaN", True, False, [], {}, [3600], {"seconds": 3600}),
        *(MAX_TOKEN_LIFETIME + 1, 9223372036854775, 10**400, "9" * 5000, float("nan"), float("inf"), float("-inf")),
    ],
)
def test_an_odd_end_is_unknown(lifetime: object) -> None:
    assert read_grant({**GIVEN, "expires_in": lifetime}).expires_at is None


@pytest.mark.parametrize("said", [{}, {"expires_at": "tomorrow"}])
def test_an_end_may_be_unknown(said: dict[str, Any]) -> None:
    assert read_grant({**GIVEN, **said}).expires_at is None


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER", "BearerToken", "", None])
def test_the_type_is_taken_for_what_it_can_be(kind: object) -> None:
    assert read_grant({"access_token": "a", "token_type": kind}).access_token == "a"
    assert read_grant({"access_token": "a"}).access_token == "a"


@pytest.mark.parametrize(
    "said",
    [{}, {"refresh_token": None}, {"refresh_token": ""}, {"refresh_token": 7}, {"refresh_token": "a\nb"}],
)
def test_there_may_be_no_refresh_token(said: dict[str, Any]) -> None:
    assert read_grant({**GIVEN, **said}).refresh_token is None


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"access_token": None}, "access_token"),
        ({"access_token": ""}, "access_token"),
        ({"access_token": "a\nb"}, "access_token"),
        ({"token_type": "mac"}, "token_type"),
        ({"token_type": "DPoP"}, "token_type"),
        ({"token_type": 5}, "token_type"),
        ({"access_token": 5, "token_type": "mac"}, "access_token, token_type"),
    ],
)
def test_what_is_not_right_is_named_without_its_value(said: dict[str, Any], named: str) -> None:
    with pytest.raises(UnavailableError) as raised:
        read_grant({**GIVEN, **said})
    assert str(raised.value) == f"the provider's answer for tokens is not valid: {named}"


def test_an_error_without_tokens_is_a_refusal_in_whatever_words() -> None:
    with pytest.raises(RefusedError, match="40029: invalid code"):
        read_grant({"errcode": 40029, "errmsg": "invalid code"})
    assert read_grant({**GIVEN, "errcode": 0, "errmsg": "ok", "message": "fine"}).access_token


def test_an_error_comes_before_tokens() -> None:
    with pytest.raises(RefusedError, match="invalid_grant: used"):
        read_grant({**GIVEN, "error": "invalid_grant", "error_description": "used"})


@pytest.mark.parametrize(("kind", "status"), [("oidc", 200), ("oauth2", 200), ("oidc", 400)])
@given(answer=ANSWERS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_answer_gives_a_grant_or_a_declared_error(
    provider: Callable[..., Provider], back_channel: BackChannel, kind: str, status: int, answer: object
) -> None:
    endpoints = {f"{name}_endpoint": f"{ISSUER}/{name}" for name in ("authorization", "token")}
    one = provider(kind=kind, **endpoints, subject_field="account")
    back_channel.answers["/token"] = httpx2.Response(status, content=json.dumps(answer))
    for asking in (one.exchange("the-code", CHALLENGE), one.refresh("a-refresh-token")):
        with suppress(ProviderError):
            given = await asking
            assert isinstance(given, Grant)
            texts = (given.access_token, given.refresh_token or "-", given.subject or "-", *(given.scopes or ()))
            assert all(text.encode() and "\0" not in text for text in texts)
