"""The sandbox provider as a person's browser and as the app meet it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import httpx2

ISSUER = "https://localhost:8282"
REDIRECT = "https://127.0.0.1:8182"
CLIENT = "dashtam"
SECRET = "the client's secret/+%"


@dataclass(frozen=True)
class Running:
    """A server that runs.

    Args:
        process: Its process.
        port: Where it listens.
        tls: A client context that trusts its certificate alone.
    """

    process: subprocess.Popen[str]
    port: int
    tls: ssl.SSLContext

    @property
    def url(self) -> str:
        """Its address here, which isn't its issuer."""
        return f"https://localhost:{self.port}"

    def client(self, **options: Any) -> httpx2.Client:  # noqa: ANN401 - options of the library
        """Return a client with cookies of its own."""
        return httpx2.Client(base_url=self.url, verify=self.tls, trust_env=False, **options)


@dataclass(frozen=True)
class Authorization:
    """One authorization as the app asks for it."""

    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def parameters(self, change: Mapping[str, str | None] | None = None) -> dict[str, str]:
        """Return the request's parameters, changed; None leaves one out."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        asked: dict[str, str | None] = {
            "client_id": CLIENT,
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": "openid offline_access",
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **(change or {}),
        }
        return {name: value for name, value in asked.items() if value is not None}


class Person:
    """Somebody with a browser who follows redirects as far as the callback server.

    Args:
        running: The server.
    """

    def __init__(self, running: Running) -> None:
        self._browser = running.client()

    def leaves(self) -> None:
        """Close the browser."""
        self._browser.close()

    def opens(self, authorization: Authorization, change: Mapping[str, str | None] | None = None) -> httpx2.Response:
        """Go where the app redirects to."""
        return self.follows(self._browser.get(f"/auth?{urlencode(authorization.parameters(change))}"))

    def submits(self, page: httpx2.Response, button: str, **fields: str) -> httpx2.Response:
        """Press a button of a page."""
        (path,) = re.findall(
            r'<form method="post" action="([^"]+)">(?:(?!</form>).)*<button[^>]*>' + button, page.text, re.S
        )
        return self.follows(self._browser.post(path, data=fields))

    def follows(self, response: httpx2.Response) -> httpx2.Response:
        """Follow redirects within the provider."""
        while response.is_redirect and not response.headers["location"].startswith(REDIRECT):
            response = self._browser.get(response.headers["location"])
        return response

    def links(self, authorization: Authorization, name: str = "ada") -> dict[str, str]:
        """Log in, allow, and return what the callback server would get."""
        consent = self.submits(self.opens(authorization), "Log in", name=name)
        return returned(self.submits(consent, "Allow"))


def returned(response: httpx2.Response) -> dict[str, str]:
    """Return the parameters that a redirect brings to the callback server."""
    assert response.status_code == 303
    address = urlsplit(response.headers["location"])
    assert f"{address.scheme}://{address.netloc}" == REDIRECT
    return {name: value for name, (value,) in parse_qs(address.query).items()}


def posted(page: httpx2.Response) -> dict[str, str]:
    """Return the parameters that a form which posts itself brings to the callback server."""
    assert page.status_code == 200
    assert re.findall(r'<form method="post" action="([^"]+)">', page.text) == [REDIRECT]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"/>', page.text))


def exchange(running: Running, form: Mapping[str, str], secret: str = SECRET, path: str = "/token") -> httpx2.Response:
    """Ask for something as the app does, with its secret encoded as RFC 6749, 2.3.1, has it."""
    with running.client() as app:
        return app.post(path, data=dict(form), auth=(CLIENT, quote_plus(secret)))


def redeem(
    running: Running, authorization: Authorization, code: str, change: Mapping[str, str] | None = None
) -> httpx2.Response:
    """Exchange a code."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    return exchange(running, {**form, "code_verifier": authorization.verifier, **(change or {})})


def refresh(running: Running, token: str) -> httpx2.Response:
    """Ask for new tokens."""
    return exchange(running, {"grant_type": "refresh_token", "refresh_token": token})


def revoke(running: Running, token: str) -> httpx2.Response:
    """Take a token back."""
    return exchange(running, {"token": token}, path="/token/revocation")


def claims(token: str) -> dict[str, Any]:
    """Return the claims of an ID token, unverified."""
    part = token.split(".")[1]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded
