"""Somebody at the app and at its provider without a browser, who presses what the pages have."""

from __future__ import annotations

import html
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import httpx2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Endpoints

SESSION = "/api/v1/session"
COOKIE = "__Host-dashtam-"

TIMEOUT = 60.0
"""Seconds for an answer: a busy machine is slow, not wrong."""


@dataclass(frozen=True)
class Person:
    """A person with a session at the app.

    Args:
        client: With cookies of its own, at the app's origin; it follows redirects.
    """

    client: httpx2.Client

    def proofs(self) -> dict[str, str]:
        """Return what a program that acts for this person brings: the session's cookie, and the token for changes."""
        token = self.client.get(SESSION).raise_for_status().json()["csrf_token"]
        [cookie] = [cookie.value for cookie in self.client.cookies.jar if cookie.name.startswith(COOKIE)]
        return {"SESSION": cookie or "", "CSRF": token}

    def link(self, name: str) -> str:
        """Link the sandbox's account of a name.

        Args:
            name: Who logs in there.

        Returns:
            The connection's id.
        """
        home = self.client.get(self.allow(name)).raise_for_status()
        (connection,) = re.findall(rf'data-connection="([^"]+)">(?:(?!</li>).)*?{re.escape(name)}', home.text, re.S)
        return str(connection)

    def allow(self, name: str) -> httpx2.URL:
        """Walk as far as the provider's answer.

        Args:
            name: Who logs in there.

        Returns:
            Where the provider sends the browser: the callback, with a live state and a code. Nobody was there yet.
        """
        url, form = self.answer(name)
        assert not form
        return url

    def answer(self, name: str) -> tuple[httpx2.URL, dict[str, str]]:
        """Walk as far as the provider's answer, and return where it sends the browser, and the form to post there."""
        leaving = self._press(self.client.get("/"), "/connect/sandbox")
        (onward,) = re.findall(r'content="0; url=([^"]+)"', leaving.text)
        page = self.client.get(html.unescape(onward))
        if "/switch" in page.text:
            page = self._press(page, "/switch")
        answer = self._post(self._press(page, "/login", name=name), "/allow", follow=False)
        while answer.next_request is not None and "code" not in answer.next_request.url.params:
            answer = self.client.send(answer.next_request, follow_redirects=False)
        if answer.next_request is not None:
            return answer.next_request.url, {}
        (action,) = re.findall(r'<form method="post" action="([^"]+)">', answer.raise_for_status().text)
        fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"/>', answer.text)
        return httpx2.URL(html.unescape(action)), {field: html.unescape(value) for field, value in fields}

    def _press(self, page: httpx2.Response, action: str, **fields: str) -> httpx2.Response:
        return self._post(page, action, follow=True, **fields).raise_for_status()

    def _post(self, page: httpx2.Response, action: str, *, follow: bool, **fields: str) -> httpx2.Response:
        page.raise_for_status()
        (path,) = re.findall(rf'action="([^"]*{re.escape(action)})"', page.text)
        tokens = re.findall(r'name="csrf_token" value="([^"]+)"', page.text)
        data = {**({"csrf_token": tokens[0]} if tokens else {}), **fields}
        origin = {"Origin": str(page.url.copy_with(raw_path=b"/")).rstrip("/")}
        return self.client.post(urljoin(str(page.url), path), data=data, headers=origin, follow_redirects=follow)


@contextmanager
def visiting(endpoints: Endpoints) -> Iterator[Person]:
    """Yield a person with a browser of their own, at the origin that the app's pages belong to."""
    with httpx2.Client(
        base_url=endpoints.app_url, verify=endpoints.tls(), trust_env=False, follow_redirects=True, timeout=TIMEOUT
    ) as client:
        client.headers["Accept"] = "text/html"
        client.base_url = client.get("/").url.copy_with(raw_path=b"/")
        yield Person(client)
