"""Any OAuth 2.0 or OpenID Connect provider, by configuration alone."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]

from app.providers.config import ProviderConfig
from app.providers.id_token import subject_of
from app.providers.interface import Challenge, Grant, RefusedError, UnavailableError
from app.providers.metadata import Metadata, MetadataSource, fetch

TIMEOUT = httpx2.Timeout(10.0, connect=3.0)
"""Seconds for a provider to answer."""


class OAuthProvider:
    """A provider of the authorization code flow with PKCE (RFC 9700, section 2.1.1).

    Args:
        config: Its configuration.
        redirect_uri: Where it sends the browser back to, as registered there.
        tls: Verifies it.
        transport: How to reach it, where that is not the network.
    """

    def __init__(
        self,
        config: ProviderConfig,
        redirect_uri: str,
        tls: ssl.SSLContext,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._config = config
        self._redirect_uri = config.redirect_uri or redirect_uri
        self._source = MetadataSource(config, self._http)
        self._options: dict[str, Any] = {
            "verify": tls,
            "timeout": TIMEOUT,
            "trust_env": False,
            **({"transport": transport} if transport else {}),
        }

    @property
    def name(self) -> str:
        """Its short name."""
        return self._config.name

    @property
    def title(self) -> str:
        """Its name for people."""
        return self._config.title

    async def authorization_url(self, challenge: Challenge) -> str:
        """Return where to send the browser; see `Provider`."""
        metadata = await self._source.get()
        nonce = {"nonce": challenge.nonce} if self._config.kind == "oidc" else {}
        # Without this a provider may leave the refresh token out (OpenID Connect Core 1.0, section 11).
        consent = {"prompt": "consent"} if "offline_access" in self._config.scopes else {}
        async with self._client() as client:
            url, _ = client.create_authorization_url(
                metadata.authorization_endpoint,
                state=challenge.state,
                code_verifier=challenge.verifier,
                **nonce,
                **consent,
            )
        return str(url)

    async def accepts_issuer(self, issuer: str | None) -> bool:
        """Return whether an authorization response comes from this provider; see `Provider`."""
        metadata = await self._source.get()
        if issuer is None:
            return not metadata.authorization_response_iss_parameter_supported
        return issuer == metadata.issuer

    async def exchange(self, code: str, challenge: Challenge) -> Grant:
        """Exchange a code; see `Provider`."""
        metadata = await self._source.get()
        async with self._client() as client:
            token = await client.fetch_token(
                metadata.token_endpoint,
                grant_type="authorization_code",
                code=code,
                code_verifier=challenge.verifier,
                redirect_uri=self._redirect_uri,
            )
        grant = self._grant(token)
        return replace(grant, subject=await self._subject(token, metadata, challenge))

    async def refresh(self, refresh_token: str) -> Grant:
        """Get a new access token; see `Provider`."""
        metadata = await self._source.get()
        async with self._client(scope=None) as client:
            token = await client.refresh_token(metadata.token_endpoint, refresh_token=refresh_token)
        return self._grant(token)

    async def revoke(self, token: str, kind: str) -> None:
        """Make a token worthless; see `Provider`."""
        metadata = await self._source.get()
        if metadata.revocation_endpoint is None:
            return
        async with self._client() as client:
            answer = await client.revoke_token(metadata.revocation_endpoint, token=token, token_type_hint=kind)
            answer.raise_for_status()

    def _http(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(**self._options)

    @asynccontextmanager
    async def _client(self, **changes: object) -> AsyncIterator[AsyncOAuth2Client]:
        config = self._config
        settings: dict[str, object] = {
            "client_id": config.client_id,
            "client_secret": config.client_secret.get_secret_value(),
            "token_endpoint_auth_method": config.token_auth,
            "revocation_endpoint_auth_method": config.token_auth,
            "redirect_uri": self._redirect_uri,
            "scope": " ".join(config.scopes) or None,
            "code_challenge_method": "S256",
            **changes,
        }
        try:
            async with AsyncOAuth2Client(**settings, **self._options) as client:
                yield client
        except OAuthError as error:
            raise RefusedError(str(error.error), error.description) from None
        except httpx2.HTTPStatusError as error:
            raise UnavailableError(f"{config.title} answers with {error.response.status_code}") from None
        except httpx2.HTTPError as error:
            raise UnavailableError(f"{config.title} can't be reached: {type(error).__name__}") from None
        except ValueError:
            raise UnavailableError(f"{config.title} gives no JSON object for tokens") from None

    async def _subject(self, token: Mapping[str, object], metadata: Metadata, challenge: Challenge) -> str:
        config = self._config
        if config.kind == "oauth2":
            # Without an identifier each link is an account of its own.
            return str(token.get(config.subject_field or "") or uuid.uuid4())
        if metadata.jwks_uri is None or metadata.issuer is None:
            raise UnavailableError(f"{config.title} names no signing keys")
        async with self._http() as http:
            keys = await fetch(http, metadata.jwks_uri)
        return subject_of(
            token.get("id_token"), keys, issuer=metadata.issuer, client_id=config.client_id, nonce=challenge.nonce
        )

    def _grant(self, token: Mapping[str, Any]) -> Grant:
        access = token.get("access_token")
        if not isinstance(access, str) or str(token.get("token_type", "")).lower() != "bearer":
            raise UnavailableError(f"{self.title} gives no bearer token")
        expires = token.get("expires_at")
        scope = token.get("scope")
        return Grant(
            access_token=access,
            refresh_token=token.get("refresh_token"),
            expires_at=datetime.fromtimestamp(float(expires), UTC) if expires is not None else None,
            scopes=tuple(scope.split()) if isinstance(scope, str) else self._config.scopes,
            subject=None,
        )
