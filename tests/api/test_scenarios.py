"""What the app does at a provider that behaves as some real ones do: the sandbox, under its special names."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx2

    from tests.api.person import Person


pytestmark = pytest.mark.usefixtures("sandbox")


def account(person: Person, connection: str) -> dict[str, Any]:
    found: dict[str, Any] = person.client.get(f"/api/v1/connections/{connection}").raise_for_status().json()
    return found


def refreshed(person: Person, connection: str) -> httpx2.Response:
    proof = {"X-CSRF-Token": person.proofs()["CSRF"]}
    return person.client.post(f"/api/v1/connections/{connection}/refresh", headers=proof)


@pytest.mark.parametrize("name", ["slow", "comma-scopes"])
def test_what_is_only_odd_is_linked_and_refreshed(person: Person, name: str) -> None:
    linked = account(person, person.link(name))
    assert (linked["status"], linked["scopes"]) == ("active", ["openid", "offline_access"])
    assert datetime.fromisoformat(linked["expires_at"]) > datetime.now(UTC)
    assert refreshed(person, linked["id"]).json()["scopes"] == linked["scopes"]


def test_what_answers_with_a_form_is_linked_once(person: Person) -> None:
    url, form = person.answer("form-post")
    assert form.keys() == {"state", "code", "iss"}
    assert person.client.post(url, data=form).url.path == "/"
    assert "form-post" in person.client.get("/").text
    again = person.client.post(url, data=form)
    assert (again.status_code, "This link has ended" in again.text) == (400, True)


def test_what_lasts_a_minute_is_active(person: Person) -> None:
    linked = account(person, person.link("short-lived"))
    assert linked["status"] == "active"
    assert datetime.fromisoformat(linked["expires_at"]) < datetime.now(UTC) + timedelta(seconds=90)


def test_what_can_not_be_renewed_stays(person: Person) -> None:
    connection = person.link("no-refresh")
    answer = refreshed(person, connection)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:dashtam:problem:not-refreshable")
    assert account(person, connection)["status"] == "active"


def test_what_was_taken_back_ends(person: Person) -> None:
    connection = person.link("revoked")
    assert refreshed(person, connection).status_code == 409
    assert account(person, connection)["status"] == "revoked"


def test_whoever_asks_to_wait_is_waited_for(person: Person) -> None:
    connection = person.link("throttled")
    answer = refreshed(person, connection)
    assert (answer.status_code, answer.headers["Retry-After"]) == (502, "30")
    assert "Try again in 30 s." in answer.json()["detail"]
    assert account(person, connection)["status"] == "active"


def test_a_failure_has_an_id(person: Person) -> None:
    page = person.client.get(person.allow("unavailable"))
    assert page.status_code == 502
    assert re.search(r"search for <code>[0-9a-f]{32}</code>", page.text)


def test_an_account_that_is_linked_again_is_one_and_can_be_refreshed(person: Person) -> None:
    connection = person.link("again-and-again")
    assert person.link("again-and-again") == connection
    assert refreshed(person, connection).status_code == 200
