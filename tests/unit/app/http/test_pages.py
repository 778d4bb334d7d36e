from __future__ import annotations

from html.parser import HTMLParser
from http import HTTPStatus

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from app.http.pages import POLICY, Page, render, static


class Reader(HTMLParser):
    """Collects the elements and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.quotes: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag == "blockquote":
            self.quotes.append("")

    def handle_data(self, data: str) -> None:
        if self.quotes and self.elements[-1] == "blockquote":
            self.quotes[-1] += data


def html_of(quote: str) -> str:
    page = Page(HTTPStatus.BAD_REQUEST, "A title", "A message", quote=quote)
    return bytes(render(page, home="https://app:8000/").body).decode()


PLAIN = Reader(html_of("plain"))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_words_of_others_stay_text(words: str) -> None:
    reader = Reader(html_of(words))
    assert reader.elements == PLAIN.elements
    assert reader.attributes == PLAIN.attributes
    assert reader.quotes[0].startswith(words)


def test_markup_is_escaped() -> None:
    html = html_of("<script>alert(1)</script>")
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_has_neither_script_nor_inline_style() -> None:
    assert {"script", "style"}.isdisjoint(PLAIN.elements)
    assert not any(name.startswith("on") or name == "style" for name in PLAIN.attributes)


def test_response() -> None:
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        response = render(Page(HTTPStatus.BAD_GATEWAY, "A title", "A message"), home="/")
    assert response.status_code == 502
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Content-Security-Policy"] == POLICY
    assert b"blockquote" not in response.body
    assert b"<code>r-1</code>" in response.body


def test_the_policy_allows_no_script_and_only_own_styles() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in POLICY.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["style-src"] == "'self'"
    assert "script-src" not in rules
    assert "unsafe" not in POLICY


@pytest.mark.parametrize(("name", "kind"), [("style.css", "text/css; charset=utf-8"), ("icon.svg", "image/svg+xml")])
def test_look(name: str, kind: str) -> None:
    assert static(name).headers["Content-Type"] == kind


@pytest.mark.parametrize("name", ["", "page.html", "../page.html", "..", "__init__.py"])
def test_no_other_file_is_served(name: str) -> None:
    with pytest.raises(HTTPException):
        static(name)


def test_the_way_back_is_named() -> None:
    assert '<a class="button" href="https://app:8000/">Back to Dashtam</a>' in html_of("")
