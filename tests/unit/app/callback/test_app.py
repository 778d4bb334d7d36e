from __future__ import annotations

import functools
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx2
import pytest
from starlette.testclient import TestClient

from app.callback.app import create_callback
from app.callback.delivery import PATH
from app.core import logs
from app.core.settings import CallbackSettings
from app.http.middleware import BODY_LIMIT, HEADERS
from app.http.pages import POLICY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Respond = Callable[[httpx2.Request], httpx2.Response]
    NewClient = Callable[..., TestClient]

PUBLIC = "https://localhost:8000"
RECEIPT = "r" * 43
ONWARD = f"{PUBLIC}/finish?receipt={RECEIPT}"
SCRIPT = "<script>alert(1)</script>"


def problem(kind: str, status: int = 400, detail: str = "A <detail>.") -> httpx2.Response:
    content = {"type": f"urn:dashtam:problem:{kind}", "title": "A <title>", "status": status, "detail": detail}
    return httpx2.Response(status, json=content, headers={"Content-Type": "application/problem+json"})


def going_on_at(url: object) -> httpx2.Response:
    return httpx2.Response(200, json={"continue_url": url})


class App:
    """Stands for the app: remembers what it was sent, answers as told."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        self.ids: list[str] = []
        self.answer: httpx2.Response | Exception = problem("unknown-state")

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        assert (request.method, str(request.url)) == ("POST", f"https://app:8000{PATH}")
        self.sent.append(json.loads(request.content))
        self.ids.append(request.headers["X-Request-ID"])
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture(scope="module")
def servers(tls_files: dict[str, str]) -> Iterator[NewClient]:
    """Servers that all tests share, one for each value of debug."""
    values = {name.lower(): value for name, value in tls_files.items()}
    with ExitStack() as open_clients:

        @functools.cache
        def make(*, debug: bool = False) -> TestClient:
            given = {"app_url": "https://app:8000", "public_url": PUBLIC, "debug": debug, **values}
            server = create_callback(CallbackSettings.model_validate(given))
            client = TestClient(
                server, base_url="https://callback:8182", raise_server_exceptions=False, follow_redirects=False
            )
            return open_clients.enter_context(client)

        yield make


@pytest.fixture
def new_client(servers: NewClient, app: App, answer_requests: Callable[[App], None]) -> NewClient:
    answer_requests(app)
    return servers


@pytest.fixture
def client(new_client: NewClient) -> TestClient:
    return new_client()


def test_health(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 200), ("HEAD", "/", 200), ("GET", "/?x=1", 400), ("GET", "/?state=", 400), ("GET", "/x", 404)],
)
def test_an_address_without_parameters_says_what_it_is_for(
    client: TestClient, app: App, method: str, path: str, status: int
) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    assert ("<h1>The callback server</h1>" in response.text) is (method == "GET" and status == 200)
    assert (f'href="{PUBLIC}/"' in response.text) is (method == "GET")
    assert app.sent == []


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("state=s&code=c&scope=x", {"state": "s", "code": "c"}),
        ("state=s&code=c&iss=https%3A%2F%2Fp.test", {"state": "s", "code": "c", "iss": "https://p.test"}),
    ],
)
def test_hands_the_redirect_on_and_the_person_too(
    client: TestClient, app: App, query: str, sent: dict[str, str]
) -> None:
    app.answer = going_on_at(ONWARD)
    response = client.get(f"/?{query}")
    assert app.sent == [sent]
    assert (response.status_code, response.headers["Location"]) == (303, ONWARD)
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    "url",
    [
        "",
        None,
        7,
        "/finish?receipt=" + RECEIPT,
        f"//localhost:8000/finish?receipt={RECEIPT}",
        f"http://localhost:8000/finish?receipt={RECEIPT}",
        f"https://localhost:80000/finish?receipt={RECEIPT}",
        f"https://localhost:8000.evil.test/finish?receipt={RECEIPT}",
        f"https://localhost:8000@evil.test/finish?receipt={RECEIPT}",
        f"https://evil.test/{ONWARD}",
        f"https://LOCALHOST:8000/finish?receipt={RECEIPT}",
        f"{PUBLIC}/finish/../x?receipt={RECEIPT}",
        f"{PUBLIC}//evil.test/finish?receipt={RECEIPT}",
        f"{PUBLIC}/elsewhere?receipt={RECEIPT}",
        f"{ONWARD}&next=https://evil.test",
        f"{ONWARD}#x",
        f"{ONWARD}\n",
        f" {ONWARD}",
        f"{PUBLIC}/finish?receipt=short",
        f"{PUBLIC}/finish?receipt={'r' * 257}",
    ],
)
def test_sends_a_person_nowhere_but_to_the_end_of_linking(client: TestClient, app: App, url: object) -> None:
    app.answer = going_on_at(url)
    response = client.get("/?state=s&code=c")
    assert response.status_code == 502
    assert "Location" not in response.headers
    assert "Something went wrong" in response.text
    assert "evil" not in response.text


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (problem("denied"), 400, "The provider did not allow the link"),
        (problem("unknown-state"), 400, "It was used already, it is older than ten minutes"),
        (problem("wrong-issuer"), 400, "Another provider than the one you chose"),
        (problem("provider-unavailable", 502), 502, "so the account was not linked"),
        (problem("provider-refused", 502), 502, "The provider refused the link, though nobody said no"),
        (problem("something-new", 409), 400, "A &lt;detail&gt;."),
        (httpx2.Response(429, json={"type": "about:blank"}), 429, "tried too often"),
    ],
)
def test_puts_a_refusal_into_words(
    client: TestClient, app: App, answer: httpx2.Response, status: int, says: str
) -> None:
    app.answer = answer
    response = client.get("/?state=s&code=c")
    assert response.status_code == status
    assert response.headers["Content-Security-Policy"] == POLICY
    assert says in response.text
    assert f'href="{PUBLIC}/"' in response.text
    assert response.headers["X-Request-ID"] in response.text


def test_shows_the_provider_s_words_as_text(client: TestClient, app: App) -> None:
    app.answer = problem("denied", detail=f"access_denied: {SCRIPT}")
    sent = {"state": "s", "error": "access_denied", "error_description": SCRIPT}
    response = client.get("/", params=sent)
    assert app.sent == [sent]
    assert response.status_code == 400
    assert "<figcaption>The provider gave this reason:</figcaption>" in response.text
    assert "<blockquote>access_denied: &lt;script&gt;alert(1)&lt;/script&gt;</blockquote>" in response.text
    assert "<script" not in response.text


def test_shows_no_words_of_whoever_made_up_a_link(client: TestClient) -> None:
    response = client.get("/", params={"state": "made-up", "error": "e", "error_description": "Call 555-0100"})
    assert response.status_code == 400
    assert "555-0100" not in response.text
    assert "This link has ended" in response.text


@pytest.mark.parametrize("path", ["/", "/callback", "/my-bank"])
def test_an_error_without_a_state_is_shown_with_its_words(client: TestClient, app: App, path: str) -> None:
    query = {"error": "invalid_scope", "error_description": f"{SCRIPT}no\nsuch scope{'!' * 3000}"[:2000]}
    response = client.get(path, params=query)
    assert (response.status_code, app.sent) == (400, [])
    assert "It gives no state." in response.text
    assert "<figcaption>The address gave this reason:</figcaption>" in response.text
    assert "invalid_scope: &lt;script&gt;alert(1)&lt;/script&gt;nosuch scope!!!" in response.text
    assert "<script" not in response.text
    assert response.text.count("!") < 300


def test_passes_on_where_a_redirect_arrived(client: TestClient, app: App) -> None:
    client.get("/my-bank?state=s&code=c")
    client.get("/?state=s&code=c")
    assert app.sent == [{"state": "s", "code": "c", "path": "/my-bank"}, {"state": "s", "code": "c"}]


def test_a_path_has_a_longest_length(client: TestClient, app: App) -> None:
    response = client.get(f"/{'x' * 1024}?state=s&code=c")
    assert (response.status_code, app.sent) == (400, [])
    assert "Its path is longer than 1024 characters." in response.text


@pytest.mark.parametrize("debug", [True, False])
def test_a_reason_is_shown_in_debug(new_client: NewClient, app: App, *, debug: bool) -> None:
    app.answer = problem("wrong-issuer", detail="<b>the issuer</b>")
    response = new_client(debug=debug).get("/?state=s&code=c")
    assert ("&lt;b&gt;the issuer&lt;/b&gt;" in response.text) == debug
    assert ("debug is on" in response.text) == debug


@pytest.mark.parametrize("given", ["0123456789abcdef", "a-request_id-1", "7c9e6679-7425-40de-944b-e07fc1f90ae7"])
def test_passes_the_request_id_on(client: TestClient, app: App, given: str) -> None:
    response = client.get("/?state=s&code=c", headers={"X-Request-ID": given})
    assert app.ids == [given] == [response.headers["X-Request-ID"]]


def test_makes_a_request_id(client: TestClient, app: App) -> None:
    first, second = (client.get("/?state=s&code=c").headers["X-Request-ID"] for _ in range(2))
    assert app.ids == [first, second]
    assert first != second


def test_an_incomplete_redirect_never_reaches_the_app(client: TestClient, app: App) -> None:
    response = client.get("/?code=c")
    assert app.sent == []
    assert response.status_code == 400
    assert "It gives no state." in response.text
    assert "start linking the account again" in response.text


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        (httpx2.ConnectError("refused"), "Dashtam is not available"),
        (httpx2.ReadTimeout("slow"), "Dashtam is not available"),
        (httpx2.Response(500, json={}, headers={"Content-Type": "application/problem+json"}), "Something went wrong"),
        (httpx2.Response(400, text="no problem details"), "Something went wrong"),
        (httpx2.Response(200, json={}), "Something went wrong"),
        (httpx2.Response(200, text="no JSON"), "Something went wrong"),
        (httpx2.Response(200, json=["a", "list"]), "Something went wrong"),
        (httpx2.Response(302, headers={"Location": "https://evil.test"}), "Something went wrong"),
    ],
)
def test_never_claims_success(client: TestClient, app: App, answer: httpx2.Response | Exception, title: str) -> None:
    app.answer = answer
    response = client.get("/?state=s&code=c")
    assert response.status_code == 502
    assert title in response.text


def test_an_unexpected_failure_shows_no_detail(client: TestClient, app: App) -> None:
    app.answer = RuntimeError("inside")
    response = client.get("/?state=s&code=c")
    assert response.status_code == 500
    assert "inside" not in response.text
    assert {name: response.headers[name] for name in HEADERS} == {**HEADERS, "Content-Security-Policy": POLICY}
    assert response.headers["X-Request-ID"] in response.text


FORM = {"state": "s", "code": "c", "iss": "https://p.test", "user": '{"name": {}}', "id_token": "a.b.c"}


@pytest.mark.parametrize(("path", "sent"), [("/", {}), ("/apple", {"path": "/apple"})])
def test_takes_a_form_that_the_browser_posts(client: TestClient, app: App, path: str, sent: dict[str, str]) -> None:
    app.answer = going_on_at(ONWARD)
    response = client.post(path, data=FORM)
    known = {"state": "s", "code": "c", "iss": "https://p.test"}
    assert app.sent == [{**known, **sent, "response_mode": "form_post"}]
    assert (response.status_code, response.headers["Location"]) == (303, ONWARD)
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("code=c", "It gives no state."),
        ("state=s&state=t&code=c", "It gives state more than once."),
        ("state=s&code=c&error=e", "It must give either a code or an error."),
        (f"state=s&code={'c' * 4097}", "Its code is longer than 4096 characters."),
        ("", "It gives no state."),
        (b"\xff\x00%zz=&&=", "It gives no state."),
    ],
)
def test_a_form_is_held_to_what_a_query_is(client: TestClient, app: App, form: str | bytes, reason: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
    response = client.post("/?state=s&code=c", content=form, headers=headers)
    assert (response.status_code, app.sent) == (400, [])
    assert reason in response.text


@pytest.mark.parametrize("kind", ["", "application/json", "multipart/form-data; boundary=x", "text/plain"])
def test_takes_no_other_body(client: TestClient, app: App, kind: str) -> None:
    response = client.post("/", content="state=s&code=c", headers={"Content-Type": kind})
    assert (response.status_code, app.sent) == (415, [])
    assert "A provider posts application/x-www-form-urlencoded here." in response.text


@pytest.mark.parametrize("chunked", [True, False])
def test_a_form_has_a_largest_size(client: TestClient, app: App, *, chunked: bool) -> None:
    text = "state=s&code=c&user=".ljust(BODY_LIMIT + 1, "x").encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = client.post("/", content=iter([text]) if chunked else text, headers=headers)
    assert (response.status_code, app.sent) == (413, [])
    assert f"larger than {BODY_LIMIT} bytes" in response.text


def test_a_form_is_no_page(client: TestClient, app: App) -> None:
    assert client.post("/nowhere", data={"a": "b"}).status_code == 404
    assert app.sent == []


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("PUT", "/", 405)])
def test_other_addresses(client: TestClient, method: str, path: str, status: int) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    assert "There is nothing at this address." in response.text


@pytest.mark.parametrize("path", ["/", "/my-broker"])
def test_who_only_looks_at_a_redirect_spends_nothing(client: TestClient, app: App, path: str) -> None:
    answer = client.head(path, params={"state": "s", "code": "c"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")
    assert app.sent == []


@pytest.mark.parametrize(
    "path", ["/", "/health", "/static/style.css", "/static/nothing", "/nowhere", "/?state=s&code=c"]
)
def test_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert {name for name in HEADERS if name not in headers} == set()
    assert "default-src 'none'" in headers["Content-Security-Policy"]


SECRETS = {"state": "quiet-state", "code": "hush-code"}
OUTCOMES: list[httpx2.Response | Exception] = [
    going_on_at(ONWARD),
    going_on_at("https://evil.test/?token=hush-token"),
    problem("unknown-state", detail="hush-detail"),
    httpx2.Response(500, text="hush-body"),
    httpx2.ConnectError("https://app:8000/?code=hush-code"),
    RuntimeError("unexpected"),
]


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.usefixtures("restored_logging")
def test_never_logs_what_is_secret(
    client: TestClient, app: App, capsys: pytest.CaptureFixture[str], *, debug: bool
) -> None:
    logs.configure(debug=debug)
    for app.answer in OUTCOMES:
        client.get("/", params=SECRETS)
        client.post("/", data=SECRETS)
        client.post("/", data={**SECRETS, "error": "both"})
    lines = capsys.readouterr().out
    # The log is there: what is looked for could be in it.
    for event in ("The app refused the redirect", "The app cannot be reached", "The app gave an unexpected answer"):
        assert event in lines
    assert [secret for secret in (*SECRETS.values(), RECEIPT, "hush") if secret in lines] == []
