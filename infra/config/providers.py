"""`dashtam:providers` of the stack config: the providers whose accounts the service links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field

from infra.config.sections import Section
from infra.config.values import Days, FieldName, Filled, HttpsUrl, Issuer, Name, Scope, Title
from infra.naming import SANDBOX

NEEDED: Mapping[str, tuple[str, ...]] = {
    "oidc": ("issuer",),
    "oauth2": ("authorization_endpoint", "token_endpoint"),
}
"""What a provider without a preset must have, by its kind."""

RESERVED_REQUEST_PARAMETERS = (
    *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
    *("code_challenge", "code_challenge_method", "response_mode", "request", "request_uri"),
)
"""What the flow sets in an authorization request itself."""


def _not_own(parameters: dict[str, str]) -> dict[str, str]:
    own = [name for name in parameters if name in RESERVED_REQUEST_PARAMETERS]
    if own:
        raise ValueError(f"the flow itself sets {' and '.join(own)}; remove it")
    return parameters


Parameters = Annotated[dict[Filled, Filled], AfterValidator(_not_own)]


class ProviderSettings(Section):
    """A provider: one that the service has a preset for, or any other by its endpoints."""

    preset: Literal["schwab"] | None = None
    """A provider that the service has settings for; the rest here overrides them."""
    title: Title | None = None
    """Its name as people read it."""
    kind: Literal["oidc", "oauth2"] | None = None
    """OpenID Connect, or OAuth 2.0 alone."""
    issuer: Issuer | None = None
    """Its issuer identifier, as ID tokens and redirects give it."""
    discovery_url: HttpsUrl | None = None
    """Its metadata, which must name the issuer; the default is the issuer's `/.well-known/openid-configuration`."""
    authorization_endpoint: HttpsUrl | None = None
    """The authorization endpoint, to which the browser goes."""
    token_endpoint: HttpsUrl | None = None
    """The token endpoint, at which codes are exchanged."""
    revocation_endpoint: HttpsUrl | None = None
    """The revocation endpoint (RFC 7009)."""
    jwks_uri: HttpsUrl | None = None
    """The keys that ID tokens are signed with."""
    authorization_response_iss_parameter_supported: bool | None = None
    """Whether each redirect names the issuer (RFC 9207), as its metadata says; one provider may do without."""
    subject_field: FieldName | None = None
    """OAuth 2.0 alone: what identifies the account, a field's name or a JSON Pointer such as `/user/id`."""
    subject_url: HttpsUrl | None = None
    """OAuth 2.0 alone: where to ask for that field with the access token; the default is the token response itself."""
    scopes: tuple[Scope, ...] | None = None
    """The scopes that a link asks for."""
    authorization_parameters: Parameters | None = None
    """Parameters to add to the authorization request, such as `access_type: offline`; not those of the flow itself."""
    token_auth: Literal["client_secret_basic", "client_secret_post"] | None = None
    """How the service authenticates itself."""
    trust: Literal["environment", "public"] | None = None
    """Whose certificates to trust: the environment's own CA, or the public ones, which is the default."""
    redirect_uri: HttpsUrl | None = None
    """As registered there; the default is app.oauth_redirect_uri. Any path leads to the callback server."""
    response_mode: Literal["query", "form_post"] | None = None
    """How it sends the browser back: by an address, which is the default, or by a form that the browser posts, as Sign
    in with Apple does."""
    dead_grant_codes: tuple[Filled, ...] | None = None
    """Error codes of a refresh after which only a new link helps; the default is what RFC 6749 and well-known providers
    use."""
    link_lifetime: Days | None = None
    """When the provider ends a link, counted from the login, however often it is refreshed."""
    revoke_replaced: bool | None = None
    """Whether linking an account again revokes the tokens from before, which is the default; false where the provider
    then ends the new link too."""
    client_id_file: Filled
    """The file on this machine that holds the client's id; `~` is your home."""
    client_secret_file: Filled
    """The file on this machine that holds the client's secret."""

    def _faults(self) -> Iterator[str]:
        if self.preset and self.kind:
            yield "its preset says the kind; remove kind"
        if self.preset is None and self.kind is None:
            yield "it has neither a preset nor a kind; set preset: schwab, or kind: oidc or oauth2"
        needed = NEEDED[self.kind] if self.kind and not self.preset else ()
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            yield f"a provider of kind {self.kind} needs {' and '.join(missing)}; add it"
        if self.kind == "oidc" and self.scopes is not None and "openid" not in self.scopes:
            yield "the scopes of a provider of kind oidc need openid; add it"
        if self.authorization_response_iss_parameter_supported and self.issuer is None:
            yield "redirects that name the issuer need an issuer to compare with; add it"
        if self.discovery_url and self.issuer is None:
            yield "a discovery_url needs an issuer, which the metadata there must name; add it"
        if self.subject_url and not (self.subject_field or self.preset):
            yield "a subject_url needs a subject_field to look for there; add it"


def _not_the_sandbox(providers: dict[str, ProviderSettings]) -> dict[str, ProviderSettings]:
    if SANDBOX in providers:
        raise ValueError(f"{SANDBOX} is the environment's own provider, set by dashtam:sandbox; choose another name")
    return providers


def indistinguishable(providers: Mapping[str, ProviderSettings], redirect_uri: str) -> Iterator[str]:
    """Yield which providers' redirects arrive alike, and the remedy; `redirect_uri` is that of those without one."""
    by_path: dict[str, list[str]] = {}
    for name, one in providers.items():
        if not one.authorization_response_iss_parameter_supported:
            by_path.setdefault(unquote(urlsplit(one.redirect_uri or redirect_uri).path) or "/", []).append(name)
    for alike in by_path.values():
        if len(alike) > 1:
            yield (
                f"redirects of the providers {' and '.join(alike)} can't be distinguished, so one of them could get the"
                " other's codes; set authorization_response_iss_parameter_supported: true where the provider's metadata"
                " says so, and give every other provider but one a redirect_uri with a path of its own"
            )


Providers = Annotated[
    dict[Name, ProviderSettings],
    Field(json_schema_extra={"additionalProperties": False}),
    AfterValidator(_not_the_sandbox),
]
