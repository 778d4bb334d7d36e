"""Answers to an authorization that is really under way, through the real callback and app: what each is worth."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx2

    from tests.api.person import Person

    Change = Callable[[dict[str, str]], Mapping[str, str | list[str]]]
    Made = Callable[[], Person]

pytestmark = pytest.mark.usefixtures("sandbox")

ENDED = "This link has ended"
INCOMPLETE = "This link is not complete"
NOT_LINKED = "The account was not linked"
WRONG = "The answer came from the wrong provider"
DOWN = "The provider is not available"
FOREIGN = "This is not the browser that started"
HOME = "Your accounts"


def error(code: str, words: str) -> Change:
    return lambda given: {"state": given["state"], "iss": given["iss"], "error": code, "error_description": words}


def other(text: str) -> str:
    """Return a near match: the same but for its last character."""
    return text[:-1] + ("A" if text[-1] != "A" else "B")


SPENT = [
    ("another issuer", lambda given: given | {"iss": "https://evil.test"}, 400, WRONG),
    ("a longer issuer", lambda given: given | {"iss": given["iss"] + "/"}, 400, WRONG),
    ("an issuer in capitals", lambda given: given | {"iss": given["iss"].upper()}, 400, WRONG),
    ("no issuer", lambda given: {"state": given["state"], "code": given["code"]}, 400, WRONG),
    (
        "an error of another issuer",
        lambda given: {**error("access_denied", "x")(given), "iss": "https://e"},
        400,
        WRONG,
    ),
    ("a denial", error("access_denied", "not today"), 400, NOT_LINKED),
    ("a provider that is overloaded", error("temporarily_unavailable", "later"), 502, DOWN),
    ("a provider that fails", error("server_error", "ouch"), 502, DOWN),
    ("a scope that is none", error("invalid_scope", "no such scope"), 502, NOT_LINKED),
    ("a client that may not", error("unauthorized_client", "who?"), 502, NOT_LINKED),
    ("a made-up code", lambda given: given | {"code": "made-up"}, 502, NOT_LINKED),
    ("a near match of the code", lambda given: given | {"code": other(given["code"])}, 502, NOT_LINKED),
]
"""What ends the authorization: it can't be tried again."""

UNSPENT = [
    ("a near match of the state", lambda given: given | {"state": other(given["state"])}, ENDED),
    ("a state in other letters", lambda given: given | {"state": given["state"].swapcase()}, ENDED),
    ("a longer state", lambda given: given | {"state": given["state"] + " "}, ENDED),
    ("a code and an error", lambda given: given | {"error": "access_denied"}, INCOMPLETE),
    ("neither code nor error", lambda given: {"state": given["state"], "iss": given["iss"]}, INCOMPLETE),
    ("two states", lambda given: given | {"state": [given["state"], "other"]}, INCOMPLETE),
    ("two codes", lambda given: given | {"code": [given["code"], "other"]}, INCOMPLETE),
    ("two issuers", lambda given: given | {"iss": [given["iss"], "https://evil.test"]}, INCOMPLETE),
    ("a code without end", lambda given: given | {"code": "c" * 5000}, INCOMPLETE),
]
"""What leaves the authorization as it is: the right answer still counts."""


def ids(cases: list[tuple[str, Change, int, str]] | list[tuple[str, Change, str]]) -> list[str]:
    return [case[0] for case in cases]


def somebody() -> str:
    return f"live-{uuid.uuid4().hex[:8]}"


def title(page: httpx2.Response) -> str:
    (found,) = re.findall(r"<h1>(.*?)</h1>", page.text)
    return str(found)


def visit(person: Person, url: httpx2.URL, change: Change | None = None) -> httpx2.Response:
    """Open the callback as the provider's answer, or a changed one, would make the browser do."""
    return person.client.get(url.copy_with(params=change(dict(url.params)) if change else url.params))


def accounts(person: Person) -> int:
    return len(person.client.get("/api/v1/connections").raise_for_status().json()["items"])


@pytest.mark.parametrize(("_name", "change", "status", "says"), SPENT, ids=ids(SPENT))
def test_a_wrong_answer_ends_it(person: Person, _name: str, change: Change, status: int, says: str) -> None:
    answer = person.allow(somebody())
    page = visit(person, answer, change)
    assert (page.status_code, title(page)) == (status, says)
    words = change(dict(answer.params)).get("error_description")
    assert words is None or (f": {words}</blockquote>" in page.text) == (says != WRONG)
    again = visit(person, answer)
    assert (again.status_code, title(again)) == (400, ENDED)
    assert accounts(person) == 0


@pytest.mark.parametrize(("_name", "change", "says"), UNSPENT, ids=ids(UNSPENT))
def test_an_answer_that_is_none_changes_nothing(person: Person, _name: str, change: Change, says: str) -> None:
    answer = person.allow(somebody())
    page = visit(person, answer, change)
    assert (page.status_code, title(page)) == (400, says)
    assert accounts(person) == 0
    assert title(visit(person, answer)) == HOME
    assert accounts(person) == 1


def test_the_same_answer_twice(person: Person) -> None:
    answer = person.allow(somebody())
    assert title(visit(person, answer)) == HOME
    again = visit(person, answer)
    assert (again.status_code, title(again)) == (400, ENDED)
    assert accounts(person) == 1


def test_the_same_receipt_twice(person: Person) -> None:
    linked = visit(person, person.allow(somebody()))
    (finish,) = [step.url for step in linked.history if step.url.path == "/finish"]
    again = person.client.get(finish)
    assert (again.status_code, title(again)) == (400, ENDED)
    assert accounts(person) == 1


def test_a_used_code_with_another_live_state(person: Person) -> None:
    first = person.allow(somebody())
    visit(person, first)
    page = visit(person, person.allow(somebody()), lambda given: given | {"code": first.params["code"]})
    assert (page.status_code, title(page)) == (502, NOT_LINKED)
    assert accounts(person) == 1


def test_another_persons_code_with_the_own_state(new_person: Made) -> None:
    victim, thief = new_person(), new_person()
    stolen = victim.allow(somebody()).params["code"]
    page = visit(thief, thief.allow(somebody()), lambda given: given | {"code": stolen})
    assert (page.status_code, title(page)) == (502, NOT_LINKED)
    assert accounts(thief) == accounts(victim) == 0


def test_another_session(new_person: Made) -> None:
    started, foreign = new_person(), new_person()
    answer = started.allow(somebody())
    page = visit(foreign, answer)
    assert (page.status_code, title(page)) == (403, FOREIGN)
    assert title(visit(started, answer)) == ENDED
    assert accounts(started) == accounts(foreign) == 0


def test_no_session(new_person: Made) -> None:
    started, ahead = new_person(), new_person()
    answer = started.allow(somebody())
    ahead.client.cookies.clear()
    page = visit(ahead, answer)
    assert (page.status_code, title(page)) == (403, FOREIGN)
    # What opened the link ahead of the person spent no receipt.
    assert title(started.client.get(page.url)) == HOME
    assert accounts(started) == 1
