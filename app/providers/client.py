"""A client of any OAuth 2.0 or OpenID Connect provider, by configuration alone."""

from __future__ import annotations

import asyncio
import ssl
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote_plus

import httpx2
from authlib.common.urls import add_params_to_uri  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import OAuth2ClientAuth  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]

from app.core.settings import AppSettings
from app.core.tls import client_context
from app.providers import config as configuration
from app.providers import subjects
from app.providers.calls import call, fetch, json_object, token_document
from app.providers.config import ProviderConfig
from app.providers.discovery import Metadata, MetadataSource
from app.providers.errors import ProviderError, RefusedError, UnavailableError
from app.providers.grants import Grant, read_grant
from app.providers.id_token import subject_of

DEADLINE = 8.0
"""Seconds for a whole call to a provider, however many requests it takes: the callback server waits 30 for the app."""

TIMEOUT = httpx2.Timeout(DEADLINE, connect=3.0)
"""Seconds within which a provider must not fall silent."""

UNSUPPORTED = "unsupported_token_type"
"""A provider's error code for tokens that it does not revoke (RFC 7009, section 2.2.1)."""


@dataclass(frozen=True)
class Challenge:
    """What ties an authorization response to its request."""

    state: str = field(repr=False)  # returned by the provider (RFC 6749, section 4.1.1)
    verifier: str = field(repr=False)  # of PKCE (RFC 7636)
    nonce: str = field(repr=False)  # comes back in the ID token (OpenID Connect Core 1.0, section 3.1.2.1)


class Provider:
    """A provider of the authorization code flow with PKCE (RFC 9700, section 2.1.1); each call raises `ProviderError`.

    `redirect_uri` is the environment's; the configuration may have another. `tls` verifies the provider. With
    `own_path` its redirects are known by their path alone.
    """

    def __init__(
        self, config: ProviderConfig, redirect_uri: str, tls: ssl.SSLContext, *, own_path: bool = False
    ) -> None:
        self._config = config
        self.name, self.title = config.name, config.title
        # Its grants are shown to nobody else, whatever the configuration names later.
        self.issuer = (config.issuer or str(config.token_endpoint)).rstrip("/")
        self.accepts_forms = config.response_mode != "query"  # an authorization response may be posted
        self.revokes_replaced = config.revoke_replaced  # it harms no other grant of the same account
        self._redirect_uri = config.redirect_uri or redirect_uri
        self._tls = tls
        self._source = MetadataSource(config, self._http)
        self._own_path = config.redirect_path(redirect_uri) if own_path else None
        self._auth = _client_auth(config)

    def ends_link(self, error: RefusedError) -> bool:
        """Return whether a refresh was refused for good: only a new link helps."""
        return error.code in self._config.dead_grant_codes

    async def authorization_url(self, challenge: Challenge) -> str:
        """Return where to send the browser."""
        config, metadata = self._config, await self._source.get()
        parameters = {
            "response_type": "code",
            "client_id": config.client_id,
            "redirect_uri": self._redirect_uri,
            "state": challenge.state,
            "code_challenge": create_s256_code_challenge(challenge.verifier),
            "code_challenge_method": "S256",
            **({"scope": " ".join(config.scopes)} if config.scopes else {}),
            **({"nonce": challenge.nonce} if config.kind == "oidc" else {}),
            # Access that outlasts the person's presence needs their consent (OpenID Connect Core 1.0, section 11).
            **({"prompt": "consent"} if "offline_access" in config.scopes else {}),
            **({"response_mode": "form_post"} if config.response_mode == "form_post" else {}),
            **config.authorization_parameters,
        }
        return str(add_params_to_uri(metadata.authorization_endpoint, parameters))

    async def accepts_issuer(self, issuer: str | None) -> bool:
        """Return whether an authorization response comes from here (RFC 9207, section 2.4); its `iss` may be None."""
        metadata = await self._source.get()
        if issuer is None:
            return not metadata.authorization_response_iss_parameter_supported
        return issuer == metadata.issuer

    def accepts_path(self, path: str) -> bool:
        """Return whether an authorization response may arrive at a path (RFC 9700, section 4.4.2)."""
        return self._own_path in (None, path)

    async def exchange(self, code: str, challenge: Challenge) -> Grant:
        """Exchange an authorization code; without an account in the answer, what it grants is revoked."""
        config, given = self._config, None
        form = {"code": code, "code_verifier": challenge.verifier}
        try:
            async with self._call() as (http, metadata):
                # First, for a code can be spent only once.
                keys = await self._keys(http, metadata) if config.kind == "oidc" else {}
                given, document = await self._tokens(
                    http, metadata, form, grant_type="authorization_code", redirect_uri=self._redirect_uri
                )
                if config.kind == "oidc":
                    expected = {"issuer": str(metadata.issuer), "client_id": config.client_id, "nonce": challenge.nonce}
                    subject = subject_of(document.get("id_token"), keys, **expected)
                else:
                    subject = await self._subject(http, document)
        except ProviderError:
            if given is not None:
                await self.revoke_grant(given)
            raise
        lifetime = config.link_lifetime
        return replace(
            given,
            # Without scopes in the answer they are the requested ones (RFC 6749, section 5.1).
            scopes=config.scopes if given.scopes is None else given.scopes,
            subject=subject,
            issuer=self.issuer,
            link_ends_at=None if lifetime is None else datetime.now(UTC) + timedelta(seconds=lifetime),
        )

    async def refresh(self, refresh_token: str) -> Grant:
        """Get a new access token; the grant's refresh token is a new one, or the same if the provider gives none."""
        async with self._call() as (http, metadata):
            form = {"refresh_token": refresh_token}
            given, _ = await self._tokens(http, metadata, form, grant_type="refresh_token")
        return replace(given, refresh_token=given.refresh_token or refresh_token, issuer=self.issuer)

    async def revoke_grant(self, grant: Grant) -> None:
        """Revoke a grant that can't be kept, as far as the provider allows."""
        if not self.revokes_replaced:
            return
        tokens = [(grant.refresh_token, "refresh_token"), (grant.access_token, "access_token")]
        with suppress(TimeoutError):
            async with asyncio.timeout(DEADLINE):
                for token, kind in tokens:
                    with suppress(ProviderError):
                        if token:
                            await self.revoke(token, kind)

    async def revoke(self, token: str, kind: str) -> None:
        """Revoke a token (RFC 7009) whose kind is `access_token` or `refresh_token`.

        The refresh token comes first: a provider may end the access tokens with it.
        """
        async with self._call() as (http, metadata):
            if metadata.revocation_endpoint is None:
                raise RefusedError(UNSUPPORTED, f"{self.title} offers no revocation")
            form = {"token": token, "token_type_hint": kind}
            try:
                await call(http, "POST", metadata.revocation_endpoint, data=form, auth=self._auth)
            except RefusedError as error:
                # Only refresh tokens must be revocable (RFC 7009, section 2): an access token then ends by itself.
                if (kind, error.code) != ("access_token", UNSUPPORTED):
                    raise error.without([token]) from None

    def _http(self) -> httpx2.AsyncClient:
        proxy = self._config.proxy
        return httpx2.AsyncClient(
            verify=self._tls,
            timeout=TIMEOUT,
            trust_env=False,
            proxy=proxy.get_secret_value() if proxy else None,
            headers={"Accept": "application/json"},
        )

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[tuple[httpx2.AsyncClient, Metadata]]:
        try:
            async with asyncio.timeout(DEADLINE), self._http() as http:
                yield http, await self._source.get()
        except TimeoutError:
            raise UnavailableError(f"{self.title} takes more than {DEADLINE:g} seconds") from None

    async def _tokens(
        self, http: httpx2.AsyncClient, metadata: Metadata, secrets: Mapping[str, str], **form: str
    ) -> tuple[Grant, Mapping[str, object]]:
        """Ask for tokens; return them, and the answer that they are in."""
        form.update(secrets)
        sent = [*secrets.values(), self._config.client_secret.get_secret_value()]
        try:
            document = token_document(await call(http, "POST", metadata.token_endpoint, data=form, auth=self._auth))
            return read_grant(document), document
        except RefusedError as error:
            raise error.without(sent) from None

    async def _keys(self, http: httpx2.AsyncClient, metadata: Metadata) -> dict[str, object]:
        if metadata.jwks_uri is None:
            raise UnavailableError(f"{self.title} names no signing keys")
        return await fetch(http, metadata.jwks_uri)

    async def _subject(self, http: httpx2.AsyncClient, document: Mapping[str, object]) -> str:
        config = self._config
        if config.subject_field is None:
            # Without an identifier each link is an account of its own.
            return str(uuid.uuid4())
        if config.subject_url is not None:
            token = str(document["access_token"])
            bearer = {"Authorization": f"Bearer {token}"}
            try:
                document = json_object(await call(http, "GET", config.subject_url, headers=bearer))
            except RefusedError as error:
                raise error.without([token]) from None
        try:
            return subjects.subject(subjects.find(document, config.subject_field))
        except ValueError:
            raise UnavailableError(f"{config.title} does not name the account") from None


def make_providers(settings: AppSettings) -> Mapping[str, Provider]:
    """Make the configured providers, by name, in the order of the configuration."""
    redirect_uri = settings.oauth_redirect_uri
    configs = configuration.parse(settings.providers.get_secret_value(), redirect_uri)
    contexts = {"environment": client_context(settings.tls_ca_file), "public": _public_context(configs)}
    without_issuer = configuration.without_issuer_parameter(configs)
    by_path = without_issuer if len(without_issuer) > 1 else []
    return {one.name: Provider(one, redirect_uri, contexts[one.trust], own_path=one in by_path) for one in configs}


def _public_context(configs: Iterable[ProviderConfig]) -> ssl.SSLContext:
    """Trust the public authorities, and those of the network that the environment is in, such as a proxy's."""
    context = ssl.create_default_context()
    for certificates in {one.ca_certificates for one in configs if one.trust == "public" and one.ca_certificates}:
        context.load_verify_locations(cadata=certificates)
    return context


def _client_auth(config: ProviderConfig) -> OAuth2ClientAuth:
    credentials = config.client_id, config.client_secret.get_secret_value()
    if config.token_auth == "client_secret_basic":  # noqa: S105 - a method, no secret
        # A colon would end the id, and a `%` begin an escape (RFC 6749, section 2.3.1).
        credentials = quote_plus(credentials[0]), quote_plus(credentials[1])
    return OAuth2ClientAuth(*credentials, config.token_auth)
