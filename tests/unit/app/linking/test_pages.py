from __future__ import annotations

import datetime
import uuid
from html.parser import HTMLParser
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from app.linking import errors
from app.linking.outcomes import page_of
from app.linking.pages import MAX_RECEIPT, PER_PAGE, POLICY
from app.linking.schemas import ConnectionPage
from app.providers.errors import RefusedError
from tests.unit.app.browsing import HTML, PUBLIC, SCRIPT, connection, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    from app.core.settings import AppSettings
    from tests.unit.app.browsing import Browser, FakeFlow

ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
CHANGES = ["/connect/sandbox", f"/connections/{ID}/refresh", f"/connections/{ID}/disconnect"]
AFTER = f"1764378600000000.{'0' * 32}"
STEPS = ("start", "finish", "refresh", "disconnect")


class Outline(HTMLParser):
    """What a screen reader would find in a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.buttons: list[str] = []
        """What can be pressed, links that look like buttons among it."""
        self._in: str | None = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "button" or "button" in str(dict(attrs).get("class")).split():
            self.buttons.append("")
            self._in = tag

    def handle_endtag(self, tag: str) -> None:
        self._in = None if tag == self._in else self._in

    def handle_data(self, data: str) -> None:
        if self._in:
            self.buttons[-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def outcomes(kind: str) -> float:
    return REGISTRY.get_sample_value("dashtam_linking_outcomes_total", {"outcome": kind}) or 0


def test_a_first_visit(browser: Browser, flow: FakeFlow) -> None:
    response = browser.get("/", headers=HTML)
    assert response.status_code == 200
    assert response.headers["Content-Security-Policy"] == POLICY
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert "No account is linked yet." in response.text
    assert Outline(response.text).buttons == ["Connect Sandbox"]
    assert [call[2:] for call in flow.asked("connections")] == [(PER_PAGE, None)]


def test_the_policy_lets_forms_come_back_here_only() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in POLICY.split(";"))
    assert rules["form-action"] == "'self'"
    assert rules["default-src"] == "'none'"
    assert "script-src" not in rules
    assert "unsafe" not in POLICY


def test_nothing_is_offered(browser: Browser, flow: FakeFlow) -> None:
    flow.offered = []
    assert "No provider is set up." in browser.get("/").text


@pytest.mark.parametrize(
    ("status", "buttons"),
    [
        ("active", ["Refresh", "Disconnect"]),
        ("expired", ["Connect again", "Refresh", "Disconnect"]),
        ("revoked", ["Connect again", "Disconnect"]),
    ],
)
def test_each_state_has_its_buttons(browser: Browser, flow: FakeFlow, status: str, buttons: list[str]) -> None:
    flow.page = ConnectionPage(items=[connection(status=status)])
    response = browser.get("/")
    names = [f"{verb} Sandbox, account alice" for verb in buttons]
    assert Outline(response.text).buttons == [*names, "Connect Sandbox"]
    assert f'<span class="status {status}">{status.capitalize()}</span>' in response.text
    assert ("gives no access any more" in response.text) == (status != "active")


def test_access_that_ended_is_not_shown_as_if_it_were_there(browser: Browser, flow: FakeFlow) -> None:
    ended = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=3)
    flow.page = ConnectionPage(items=[connection(expires_at=ended)])
    text = browser.get("/").text
    assert '<span class="status expired">Not renewed</span>' in text
    assert "<dt>Access ended</dt>" in text
    assert ">3 days ago <" in text
    assert "Dashtam goes on trying" in text
    names = [f"{verb} Sandbox, account alice" for verb in ("Connect again", "Refresh", "Disconnect")]
    assert Outline(text).buttons == [*names, "Connect Sandbox"]


def test_a_provider_that_is_gone_is_not_offered_again(browser: Browser, flow: FakeFlow) -> None:
    flow.page = ConnectionPage(items=[connection(status="expired", provider="gone", title="Gone")])
    assert "Connect again" not in browser.get("/").text


def test_tells_when_access_ends(browser: Browser, flow: FakeFlow) -> None:
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1, minutes=30)
    flow.page = ConnectionPage(items=[connection(expires_at=ends), connection(expires_at=None, scopes=[])])
    text = browser.get("/").text
    assert f'>in 1 hour <span class="exact">{ends:%-d %B %Y, %H:%M} UTC</span></time>' in text
    assert "<dd>not known</dd>" in text
    assert text.count("<dt>Allowed</dt>") == 1


def test_more_accounts_than_fit(browser: Browser, flow: FakeFlow) -> None:
    flow.page = ConnectionPage(items=[connection()], next="a&b=c")
    assert '<a href="/?after=a%26b%3Dc">Older accounts</a>' in browser.get("/").text
    browser.get("/", params={"after": AFTER})
    assert flow.asked("connections")[-1][-1] == AFTER


def test_behind_the_oldest_account(browser: Browser, flow: FakeFlow) -> None:
    text = browser.get(f"/?after={AFTER}").text
    assert flow.asked("connections")[-1][-1] == AFTER
    assert "There are no older accounts." in text
    assert "No account is linked yet." not in text
    assert '<a href="/">Newest accounts</a>' in text


def test_a_fault_of_the_code_is_not_an_invalid_request(browser: Browser, flow: FakeFlow) -> None:
    flow.error = ValueError("inside")
    assert browser.get(f"/?after={AFTER}", headers=HTML).status_code == 500


def test_words_of_others_stay_text(browser: Browser, flow: FakeFlow) -> None:
    item = connection(subject=SCRIPT, title=SCRIPT, scopes=[SCRIPT])
    flow.page = ConnectionPage(items=[item], next='"><script>')
    text = browser.get("/").text
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_can_be_used_without_seeing_it(browser: Browser, flow: FakeFlow) -> None:
    flow.page = ConnectionPage(items=[connection()])
    outline = Outline(browser.get("/").text)
    tags = {tag for tag, _ in outline.elements}
    assert {"header", "main", "footer", "h1", "h2", "h3"} <= tags
    assert tags.isdisjoint({"script", "style"})
    assert outline.all("html") == [{"lang": "en"}]
    ids = {attributes.get("id") for _, attributes in outline.elements}
    assert all(section["aria-labelledby"] in ids for section in outline.all("section"))
    assert all("alt" in image for image in outline.all("img"))
    assert outline.all("a")[0]["href"] == "#main"
    assert any(region.get("aria-live") == "polite" for region in outline.all("div"))
    assert not any(name == "style" or name.startswith("on") for _, found in outline.elements for name in found)


def test_connect_goes_on_to_the_provider(browser: Browser, flow: FakeFlow) -> None:
    flow.url = "https://provider.test/auth?state=s&scope=openid%20email"
    response = browser.press("/connect/sandbox")
    assert response.status_code == 200
    session = browser.get("/api/session").json()
    assert flow.asked("start") == [("start", "sandbox", uuid.UUID(session["owner"]), session["id"])]
    outline = Outline(response.text)
    (refresh,) = (meta for meta in outline.all("meta") if meta.get("http-equiv") == "refresh")
    assert refresh["content"] == f"0; url={flow.url}"
    assert flow.url in [link["href"] for link in outline.all("a")]
    assert "form-action 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["Referrer-Policy"] == "no-referrer"


def test_finish_links_and_tells_it_once(browser: Browser, flow: FakeFlow) -> None:
    session = browser.get("/api/session").json()
    response = browser.get("/finish?receipt=r", headers=HTML)
    assert (response.status_code, response.headers["Location"]) == (303, "/")
    assert flow.asked("finish") == [("finish", "r", session["id"])]
    first = browser.get("/").text
    assert '<p class="notice good">Sandbox is linked.</p>' in first
    assert "<title>Sandbox is linked - Dashtam</title>" in first
    assert "Sandbox is linked." not in browser.get("/").text


def test_refresh(browser: Browser, flow: FakeFlow) -> None:
    response = browser.press(f"/connections/{ID}/refresh")
    assert (response.status_code, response.headers["Location"]) == (303, "/")
    owner = uuid.UUID(browser.get("/api/session").json()["owner"])
    assert flow.asked("refresh") == [("refresh", owner, uuid.UUID(ID))]
    assert "Sandbox is refreshed." in browser.get("/").text


@pytest.mark.parametrize(("query", "forget"), [("", False), ("?forget=true", True)])
@pytest.mark.parametrize(
    ("revokes", "notice"),
    [
        (True, '"notice good">Sandbox is disconnected, and its access is revoked.<'),
        (False, '"notice bad">Sandbox is disconnected here, but its access is not revoked. Revoke it at Sandbox.<'),
    ],
)
def test_disconnect_tells_what_became_of_the_access(
    browser: Browser, flow: FakeFlow, query: str, *, forget: bool, revokes: bool, notice: str
) -> None:
    flow.revokes = revokes
    response = browser.press(f"/connections/{ID}/disconnect{query}")
    assert (response.status_code, response.headers["Location"]) == (303, "/")
    owner = uuid.UUID(browser.get("/api/session").json()["owner"])
    assert flow.asked("disconnect") == [("disconnect", owner, uuid.UUID(ID), forget)]
    assert notice in browser.get("/").text


@pytest.mark.parametrize(("query", "verb"), [("", "Disconnect"), ("?forget=true", "Forget")])
def test_disconnect_asks_first(browser: Browser, flow: FakeFlow, query: str, verb: str) -> None:
    response = browser.get(f"/connections/{ID}/disconnect{query}", headers=HTML)
    assert response.status_code == 200
    assert response.headers["Content-Security-Policy"] == POLICY
    assert response.headers["Referrer-Policy"] == "same-origin"
    outline = Outline(response.text)
    assert outline.buttons == [f"{verb} Sandbox, account alice", "Keep it linked"]
    assert [form["action"] for form in outline.all("form")] == [f"/connections/{ID}/disconnect{query}"]
    assert flow.asked("disconnect") == []


def test_only_what_is_there_can_be_asked_about(browser: Browser, flow: FakeFlow) -> None:
    flow.error = refusal("unknown-connection", 404, "d")
    response = browser.get(f"/connections/{ID}/disconnect", headers=HTML)
    assert response.status_code == 404
    assert "There is no such account" in response.text


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("no token", {"data": {}}),
    ("an empty token", {"data": {"csrf_token": ""}}),
    ("a wrong token", {"data": {"csrf_token": "x" * 43}}),
    ("a token that is no ASCII", {"data": {"csrf_token": "é"}}),
    ("a wrong token in the header", {"headers": {"X-CSRF-Token": "x"}}),
    ("another site's page", {"origin": "https://evil.test"}),
    ("a page of the same name over HTTP", {"origin": "http://app:8000"}),
    ("a near match of the origin", {"origin": "https://app:8000.evil.test"}),
    ("another port of the same host", {"origin": "https://app:8001"}),
    ("a page that hides its origin", {"origin": "null"}),
    ("no session", {"forget": True}),
    ("two tokens", {"twice": True}),
    ("a body of another type", {"json": True}),
]


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("attack", [case for _, case in REFUSED], ids=[name for name, _ in REFUSED])
def test_refuses_what_no_page_of_ours_sent(browser: Browser, flow: FakeFlow, path: str, attack: dict[str, Any]) -> None:
    token = browser.csrf()
    data: dict[str, Any] = attack.get("data", {"csrf_token": token})
    headers = {**HTML, "Origin": attack.get("origin", PUBLIC), **attack.get("headers", {})}
    if "forget" in attack:
        browser.cookies.clear()
    if "twice" in attack:
        data = {"csrf_token": [token, token]}
    as_json = "json" in attack
    response = browser.post(path, headers=headers, data=None if as_json else data, json=data if as_json else None)
    assert response.status_code == 403
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "This request was refused" in response.text
    assert flow.asked(*STEPS) == []


@pytest.mark.parametrize(("path", "status"), [*zip(CHANGES, (405, 405, 200), strict=True)])
def test_a_link_changes_nothing(browser: Browser, flow: FakeFlow, path: str, status: int) -> None:
    response = browser.get(path, headers=HTML)
    assert response.status_code == status
    assert flow.asked(*STEPS) == []


@pytest.mark.parametrize(
    "query",
    ["", "?receipt=", "?receipt=a&receipt=b", "?receipt=" + "r" * (MAX_RECEIPT + 1), "?other=r"],
    ids=["none", "empty", "twice", "too long", "other name"],
)
def test_a_malformed_receipt_is_refused(browser: Browser, flow: FakeFlow, query: str) -> None:
    browser.get("/")
    response = browser.get(f"/finish{query}", headers=HTML)
    assert response.status_code == 400
    assert "This link has ended" in response.text
    assert flow.asked("finish") == []


def test_a_receipt_is_not_spent_without_a_session(browser: Browser, flow: FakeFlow) -> None:
    response = browser.get("/finish?receipt=r", headers=HTML)
    assert response.status_code == 403
    assert "This is not the browser that started" in response.text
    assert flow.asked("finish") == []


def test_a_tampered_cookie_is_no_session(browser: Browser, flow: FakeFlow) -> None:
    browser.get("/")
    (cookie,) = browser.cookies.jar
    assert cookie.value
    browser.cookies.clear()
    payload, _, signature = cookie.value.partition(".")
    browser.cookies.set(cookie.name, f"{payload[:-4]}AAAA.{signature}", domain="app.local", path="/")
    assert browser.get("/finish?receipt=r", headers=HTML).status_code == 403
    assert flow.asked("finish") == []


def test_a_receipt_of_another_session_is_told_with_the_own_one(
    new_browser: Callable[[], Browser], flow: FakeFlow
) -> None:
    mine, other = new_browser(), new_browser()
    sessions = [client.get("/api/session").json()["id"] for client in (mine, other)]
    assert sessions[0] != sessions[1]
    flow.error = refusal("wrong-session", 403, "d")
    response = other.get("/finish?receipt=of-mine", headers=HTML)
    assert flow.asked("finish") == [("finish", "of-mine", sessions[1])]
    assert response.status_code == 403
    assert "This is not the browser that started" in response.text


@pytest.mark.parametrize(
    ("kind", "status", "says"),
    [
        ("unknown-provider", 404, "There is no such provider"),
        ("unknown-connection", 404, "There is no such account"),
        ("unknown-receipt", 400, "This link has ended"),
        ("wrong-session", 403, "This is not the browser that started"),
        ("invalid-id-token", 502, "does not prove whose account it is"),
        ("not-refreshable", 409, "The account can&#39;t be refreshed"),
        ("linked-again", 409, "The account was linked again"),
    ],
)
@pytest.mark.parametrize("path", [*CHANGES, "/finish"])
def test_each_refusal_has_its_page(
    browser: Browser, flow: FakeFlow, path: str, kind: str, status: int, says: str
) -> None:
    token, before = browser.csrf(), outcomes(kind)
    flow.error = refusal(kind, status, SCRIPT)
    if path == "/finish":
        response = browser.get("/finish?receipt=r", headers=HTML)
    else:
        response = browser.post(path, data={"csrf_token": token}, headers=HTML)
    assert response.status_code == status
    assert says in response.text
    assert "<script" not in response.text
    assert '<a class="button" href="/">Back to Dashtam</a>' in response.text
    assert response.headers["X-Request-ID"] in response.text
    assert outcomes(kind) == before + 1


FAILURES = {
    "provider-refused": (
        "The account was not linked",
        "The account was not refreshed",
        "The account was not disconnected",
    ),
    "provider-unavailable": (
        "so the account was not linked",
        "so the account was not refreshed",
        "so the access is not",
    ),
}


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_provider_s_failure_is_told_of_the_step(browser: Browser, flow: FakeFlow, kind: str, step: int) -> None:
    token = browser.csrf()
    flow.error = refusal(kind, 502, "d")
    flow.error.__cause__ = RefusedError("invalid_scope", SCRIPT)
    text = browser.post(CHANGES[step], data={"csrf_token": token}, headers=HTML).text
    assert [words in text for words in FAILURES[kind]] == [place == step for place in range(3)]
    assert "<blockquote>invalid_scope: &lt;script&gt;alert(1)&lt;/script&gt;</blockquote>" in text
    assert (f'href="{CHANGES[2]}?forget=true">Forget the account</a>' in text) == (step == 2)


@pytest.mark.parametrize("path", ["/connections/no-uuid/refresh", "/?after=x", f"/?after={AFTER}0"])
def test_an_invalid_request_has_a_page(browser: Browser, flow: FakeFlow, path: str) -> None:
    response = browser.get(path, headers=HTML) if "?" in path else browser.press(path)
    assert response.status_code == 422
    assert "This request is not complete" in response.text
    assert flow.asked("refresh") == []


@pytest.mark.parametrize("path", ["/", "/api/v1/connections"])
@pytest.mark.parametrize(
    "after", ["x", "1", "1.2", "é.0", f"{10**17}.{'0' * 32}", f"-1.{'0' * 32}", f"1.{'g' * 32}", f"{AFTER}\n"]
)
def test_other_positions_are_refused(browser: Browser, flow: FakeFlow, path: str, after: str) -> None:
    assert browser.get(path, params={"after": after}).status_code == 422
    assert flow.asked("connections") == []


@pytest.mark.parametrize(("path", "status"), [("/static/style.css", 200), ("/static/none", 404)])
def test_static(browser: Browser, path: str, status: int) -> None:
    response = browser.get(path, headers=HTML)
    assert response.status_code == status
    assert "Set-Cookie" not in response.headers


def test_a_link_that_ends_soon_can_be_renewed_by_hand(browser: Browser, flow: FakeFlow) -> None:
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=20, minutes=1)
    flow.page = ConnectionPage(items=[connection(link_ends_at=ends)])
    text = browser.get("/").text
    assert '<span class="status expired">Ends soon</span>' in text
    assert "<dt>Link ends</dt><dd><time" in text
    assert ">in 20 hours <" in text
    assert "<dt>Access ends</dt>" in text
    assert "Connect again Sandbox, account alice" in Outline(text).buttons


def test_the_log_has_the_reason_under_the_id_that_the_page_shows(browser: Browser, flow: FakeFlow) -> None:
    browser.get("/", headers=HTML)
    flow.error = refusal("provider-refused", 502, "It gave this reason: invalid_client")
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as entries:
        page = browser.get(f"/finish?receipt={'r' * 43}", headers=HTML)
    [entry] = [one for one in entries if one.get("kind") == "provider-refused"]
    assert (entry["reason"], entry["step"]) == ("It gave this reason: invalid_client", "link")
    assert f"<code>{entry['request_id']}</code>" in page.text


@pytest.mark.parametrize(
    ("method", "path", "step"),
    [
        ("POST", "/api/v1/providers/sandbox/connections", "link"),
        ("POST", f"/api/v1/connections/{ID}/refresh", "refresh"),
        ("DELETE", f"/api/v1/connections/{ID}", "disconnect"),
    ],
)
def test_the_log_has_the_step_of_a_program_s_request(
    browser: Browser, flow: FakeFlow, method: str, path: str, step: str
) -> None:
    headers = {"X-CSRF-Token": browser.csrf(), "Origin": PUBLIC}
    flow.error = refusal("provider-refused", 502, "d")
    with capture_logs() as entries:
        assert browser.request(method, path, headers=headers).status_code == 502
    assert [one["step"] for one in entries if one.get("kind") == "provider-refused"] == [step]


def test_each_refusal_has_words_for_its_page() -> None:
    kinds = {one.kind for one in vars(errors).values() if isinstance(one, type) and hasattr(one, "kind")}
    assert len(kinds) > 10
    assert not [kind for kind in kinds if not page_of(kind, HTTPStatus.BAD_REQUEST).title]


@pytest.mark.parametrize("debug", [True, False])
def test_the_page_has_the_reason_in_debug(
    browser: Browser, flow: FakeFlow, web_app: FastAPI, app_settings: AppSettings, *, debug: bool
) -> None:
    web_app.state.settings = app_settings.model_copy(update={"debug": debug})
    browser.get("/", headers=HTML)
    flow.error = refusal("invalid-id-token", 502, f"{SCRIPT} the clocks differ")
    page = browser.get(f"/finish?receipt={'r' * 43}", headers=HTML)
    assert ("&lt;script&gt;alert(1)&lt;/script&gt; the clocks differ" in page.text) == debug
    assert SCRIPT not in page.text


def test_a_refusal_says_when_to_try_again(browser: Browser, flow: FakeFlow) -> None:
    throttled = refusal("provider-unavailable", 502, "d")
    throttled.retry_after = 29.2
    csrf = browser.csrf()
    flow.error = throttled
    answer = browser.post("/connect/sandbox", data={"csrf_token": csrf}, headers={**HTML, "Origin": PUBLIC})
    assert answer.headers["Retry-After"] == "30"
