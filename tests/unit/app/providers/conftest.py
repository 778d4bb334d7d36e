"""An authorization server's back channel, answered in this process and changed by each test."""

from __future__ import annotations

import asyncio
import ssl
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from app.providers.client import Challenge, Provider
from app.providers.config import ProviderConfig

ISSUER = "https://issuer.example"
CHALLENGE = Challenge(state="the-state", verifier="v" * 43, nonce="the-nonce")
KEY, OTHER_KEY = (RSAKey.generate_key(2048, {"kid": "one"}) for _ in range(2))


def id_token(key: RSAKey | ECKey | OKPKey | OctKey = KEY, algorithm: str = "RS256", **changes: object) -> str:
    # Some are made when tests are collected: none may have expired, and be refused for that, when its test runs.
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": "dashtam",
        "sub": "account-1",
        "nonce": "the-nonce",
        "iat": now,
        "exp": now + 86_400,
    }
    kept = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # the name EdDSA is deprecated, and in use
        return jwt.encode({"alg": algorithm, "kid": "one"}, kept, key, algorithms=[algorithm])


@dataclass
class Pause:
    """A request that is not answered yet."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class BackChannel:
    """What the server answers with, by path, where it pauses first, and what it was asked."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[httpx2.Request] = field(default_factory=list)
    pauses: dict[str, Pause] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.answers = {
            "/.well-known/openid-configuration": {
                "issuer": ISSUER,
                "authorization_endpoint": f"{ISSUER}/auth",
                "token_endpoint": f"{ISSUER}/token",
                "revocation_endpoint": f"{ISSUER}/revoke",
                "jwks_uri": f"{ISSUER}/jwks",
                "authorization_response_iss_parameter_supported": True,
            },
            "/jwks": {"keys": [KEY.as_dict(private=False)]},
            "/token": self.tokens(),
            "/revoke": httpx2.Response(200),
        }

    @staticmethod
    def tokens(**changes: object) -> dict[str, Any]:
        given = {
            "access_token": "an-access-token",
            "refresh_token": "a-refresh-token",
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "openid offline_access",
            "id_token": id_token(),
        }
        return {name: value for name, value in {**given, **changes}.items() if value is not None}

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        if pause := self.pauses.get(request.url.path):
            pause.reached.set()
            await pause.over.wait()
        answer = self.answers.get(request.url.path, httpx2.Response(404))
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx2.Response) else httpx2.Response(200, json=answer)

    def form(self, path: str) -> dict[str, str]:
        """What the last request to a path sent."""
        [*_, last] = [one for one in self.asked if one.url.path == path]
        return {name: values[0] for name, values in parse_qs(last.content.decode()).items()}


@pytest.fixture
def back_channel() -> BackChannel:
    return BackChannel()


@pytest.fixture(scope="session")
def tls() -> ssl.SSLContext:
    """A context that no connection is made with; to load the system's CAs takes longer than most tests."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.fixture
def provider(
    back_channel: BackChannel, tls: ssl.SSLContext, answer_requests: Callable[[BackChannel], None]
) -> Callable[..., Provider]:
    """Make a provider; its configuration differs from a complete one by the arguments."""

    answer_requests(back_channel)

    def make(**changes: object) -> Provider:
        given: dict[str, object] = {
            "name": "sandbox",
            "title": "Sandbox",
            "kind": "oidc",
            "issuer": ISSUER,
            "scopes": ("openid", "offline_access"),
            "client_id": "dashtam",
            "client_secret": "a-secret",
        }
        config = ProviderConfig.model_validate({**given, **changes})
        return Provider(config, "https://127.0.0.1:8182", tls)

    return make
