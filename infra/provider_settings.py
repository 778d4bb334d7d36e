"""`dashtam:providers` of the stack config: whose accounts the service links, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from infra.config_values import Filled, HttpsUrl, Name
from infra.section import Section

SANDBOX = "sandbox"
"""The name of the provider that the environment brings along itself."""

NEEDED: Mapping[str, tuple[str, ...]] = {
    "oidc": ("issuer",),
    "oauth2": ("authorization_endpoint", "token_endpoint"),
}
"""What a provider without a preset must say, by its kind."""


class ProviderSettings(Section):
    """A provider: one that the service knows by a preset, or any other by its endpoints."""

    preset: Literal["schwab"] | None = None
    """What the service knows of the provider already; the rest here overrides it."""
    title: Filled | None = None
    """Its name as people read it."""
    kind: Literal["oidc", "oauth2"] | None = None
    """OpenID Connect, or OAuth 2.0 alone."""
    issuer: HttpsUrl | None = None
    """Its issuer identifier, as ID tokens and redirects give it."""
    discovery_url: HttpsUrl | None = None
    """Its metadata; with an issuer the default is what OpenID Connect Discovery says."""
    authorization_endpoint: HttpsUrl | None = None
    """Where the browser goes."""
    token_endpoint: HttpsUrl | None = None
    """Where codes are exchanged."""
    revocation_endpoint: HttpsUrl | None = None
    """Where tokens are revoked."""
    jwks_uri: HttpsUrl | None = None
    """The keys that ID tokens are signed with."""
    subject_field: Filled | None = None
    """OAuth 2.0 alone: the field of the token response that tells whose account it is."""
    scopes: tuple[Filled, ...] | None = None
    """What to ask for."""
    token_auth: Literal["client_secret_basic", "client_secret_post"] | None = None
    """How the service authenticates itself."""
    trust: Literal["environment", "public"] | None = None
    """Whose certificates to trust: the environment's own CA, or the public ones, which is the default."""
    redirect_uri: HttpsUrl | None = None
    """As registered there; the default is app.oauth_redirect_uri."""
    client_id_file: Filled
    """The file on this machine that holds the client's id; `~` is your home."""
    client_secret_file: Filled
    """The file on this machine that holds the client's secret."""

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.preset is None and self.kind is None:
            raise ValueError("it has neither a preset nor a kind; set preset: schwab, or kind: oidc or oauth2")
        needed = NEEDED[self.kind] if self.kind and not self.preset else ()
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            raise ValueError(f"a provider of kind {self.kind} needs {' and '.join(missing)}; add it")
        return self


def _not_the_sandbox(providers: dict[str, ProviderSettings]) -> dict[str, ProviderSettings]:
    if SANDBOX in providers:
        raise ValueError(f"{SANDBOX} is the environment's own provider, set by dashtam:sandbox; choose another name")
    return providers


Providers = Annotated[dict[Name, ProviderSettings], AfterValidator(_not_the_sandbox)]
