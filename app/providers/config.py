"""The configuration of providers: one JSON list, in a file because it holds client secrets."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, Field, SecretStr, TypeAdapter, ValidationError, model_validator

from app.core.errors import ServiceError

HttpsUrl = Annotated[str, Field(pattern=r"^https://[^\s?#]+$", max_length=2048)]
"""Not normalized: an issuer is compared character by character (RFC 9207, section 2.4)."""


def _whole(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname or parts.port == 0:
        raise ValueError("it names no host and port")
    return url


EndpointUrl = Annotated[str, Field(pattern=r"^https://[^\s#]+$", max_length=2048), AfterValidator(_whole)]
"""An endpoint's address may have a query, but no fragment (RFC 6749, section 3.1)."""

SCOPE = r"^[\x21\x23-\x5b\x5d-\x7e]+$"
"""As RFC 6749, section 3.3, has it."""

Scope = Annotated[str, Field(pattern=SCOPE)]

RESERVED_REQUEST_PARAMETERS = frozenset(
    {
        *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method", "response_mode", "request", "request_uri"),
    }
)
"""What the flow sets in an authorization request itself, and what would set these in another way (RFC 9101)."""


DEAD_GRANT_CODES = ("invalid_grant", "bad_refresh_token", "invalid_refresh_token", "interaction_required")
"""Error codes of a refresh that only a new link helps against: of RFC 6749, GitHub, Slack and Microsoft."""


def _not_own(name: str) -> str:
    if name in RESERVED_REQUEST_PARAMETERS:
        raise ValueError(f"{name} is set by the flow itself")
    return name


def _sendable(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not (text.isascii() and text.isprintable()):
        raise ValueError("it has characters that no client secret has (RFC 6749, appendix A.2)")
    return secret


def _certificates(text: str) -> str:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as error:
        raise ValueError("it holds no readable certificate") from error
    return text


class ProviderConfig(BaseModel, extra="forbid", frozen=True, hide_input_in_errors=True):
    """One provider; `docs/reference/config.md` describes each field."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    title: Annotated[str, Field(min_length=1, max_length=100)]
    kind: Literal["oidc", "oauth2"]
    issuer: HttpsUrl | None = None
    discovery_url: EndpointUrl | None = None
    authorization_endpoint: EndpointUrl | None = None
    token_endpoint: EndpointUrl | None = None
    revocation_endpoint: EndpointUrl | None = None
    jwks_uri: EndpointUrl | None = None
    authorization_response_iss_parameter_supported: bool | None = None
    subject_field: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    subject_url: EndpointUrl | None = None
    scopes: tuple[Scope, ...] = ()
    authorization_parameters: dict[Annotated[str, AfterValidator(_not_own)], str] = Field(default_factory=dict)
    client_id: Annotated[str, Field(pattern=r"^[\x20-\x7e]+$")]
    client_secret: Annotated[SecretStr, Field(min_length=1), AfterValidator(_sendable)]
    token_auth: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"  # noqa: S105 - a method, no secret
    trust: Literal["environment", "public"] = "public"
    redirect_uri: EndpointUrl | None = None
    response_mode: Literal["query", "form_post", "any"] = "query"  # form_post is asked for, any is not
    dead_grant_codes: tuple[Annotated[str, Field(min_length=1)], ...] = DEAD_GRANT_CODES
    link_lifetime: Annotated[int, Field(gt=0)] | None = None  # seconds
    revoke_replaced: bool = True
    ca_certificates: Annotated[str, AfterValidator(_certificates)] | None = None  # in PEM, besides the public ones
    proxy: Annotated[SecretStr, Field(min_length=1)] | None = None  # an HTTP proxy's URL, with its credentials

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        if self.kind == "oidc" and not (self.issuer and "openid" in self.scopes):
            raise ValueError("kind oidc needs an issuer, and openid among its scopes")
        if self.kind == "oauth2" and not (self.authorization_endpoint and self.token_endpoint):
            raise ValueError("kind oauth2 needs authorization_endpoint and token_endpoint")
        if self.authorization_response_iss_parameter_supported and not self.issuer:
            raise ValueError("authorization_response_iss_parameter_supported needs an issuer to compare with")
        if self.discovery_url and not self.issuer:
            # Else it could claim to be another provider (RFC 8414, section 3.3).
            raise ValueError("discovery_url needs an issuer, which the metadata there must name")
        if self.subject_url and not self.subject_field:
            raise ValueError("subject_url needs a subject_field to look for there")
        return self

    def redirect_path(self, otherwise: str) -> str:
        """Return the path that its redirects arrive at; `otherwise` is the redirect URI where it has none."""
        return unquote(urlsplit(self.redirect_uri or otherwise).path) or "/"

    @property
    def metadata_url(self) -> str | None:
        """Where the provider describes itself (OpenID Connect Discovery 1.0, section 4); None for `oauth2`."""
        if self.kind == "oauth2":
            return self.discovery_url
        return self.discovery_url or f"{(self.issuer or '').rstrip('/')}/.well-known/openid-configuration"


PRESETS: Mapping[str, Mapping[str, object]] = {
    # Schwab's developer portal, "Authenticate with OAuth": authorization code, client secret by HTTP Basic.
    "schwab": {
        "name": "schwab",
        "title": "Charles Schwab",
        "kind": "oauth2",
        "authorization_endpoint": "https://api.schwabapi.com/v1/oauth/authorize",
        "token_endpoint": "https://api.schwabapi.com/v1/oauth/token",
        # The customer who logged in, whichever of their accounts they allow; tokens alone name nobody.
        "subject_url": "https://api.schwabapi.com/trader/v1/userPreference",
        "subject_field": "/streamerInfo/0/schwabClientCustomerId",
        "scopes": ("readonly",),
        "token_auth": "client_secret_basic",
        # The first has the second in its description; neither is one of RFC 6749.
        "dead_grant_codes": ("invalid_grant", "unsupported_token_type", "refresh_token_authentication_error"),
        "link_lifetime": 7 * 24 * 60 * 60,
        "trust": "public",
    },
}
"""The fields of each preset; an entry's own fields override them."""

_LIST = TypeAdapter(tuple[ProviderConfig, ...])


def parse(text: str, redirect_uri: str = "") -> tuple[ProviderConfig, ...]:
    """Read a JSON list of objects, each completed by its `preset`; an error names entry and field, never a value.

    `redirect_uri` is that of the providers that have none of their own.
    """
    try:
        entries = json.loads(text)
        providers = _LIST.validate_python([_completed(entry) for entry in entries])
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_url=False)]
        raise ServiceError(f"PROVIDERS is not valid: {'; '.join(faults)}") from None
    except (ValueError, TypeError, AttributeError):
        raise ServiceError("PROVIDERS is not a JSON list of objects") from None
    names = [one.name for one in providers]
    if len(set(names)) < len(names):
        raise ServiceError(f"PROVIDERS names a provider twice: {', '.join(names)}")
    _check_distinguishable(providers, redirect_uri)
    return providers


def without_issuer_parameter(providers: Iterable[ProviderConfig]) -> list[ProviderConfig]:
    """Return the providers whose redirects don't name their issuer (RFC 9207); of several, each needs its own path."""
    return [one for one in providers if not one.authorization_response_iss_parameter_supported]


def _check_distinguishable(providers: Iterable[ProviderConfig], redirect_uri: str) -> None:
    """Refuse what a mix-up needs (RFC 9700, section 4.4): two providers whose redirects are alike."""
    by_path: dict[str, list[str]] = {}
    for one in without_issuer_parameter(providers):
        by_path.setdefault(one.redirect_path(redirect_uri), []).append(one.name)
    for path, alike in by_path.items():
        if len(alike) > 1:
            raise ServiceError(
                f"PROVIDERS: redirects of {', '.join(alike)} can't be told apart: all arrive at {path}. Give each a"
                " redirect_uri with a path of its own, or set authorization_response_iss_parameter_supported: true"
                " where the provider's metadata says so"
            )


def _completed(entry: dict[str, object]) -> dict[str, object]:
    preset = entry.get("preset")
    if preset is None:
        return entry
    if preset not in PRESETS:
        raise ServiceError(f"PROVIDERS: there is no preset {preset!r}; there are: {', '.join(PRESETS)}")
    return {**PRESETS[str(preset)], **{key: value for key, value in entry.items() if key != "preset"}}
