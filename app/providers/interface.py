"""What every provider can do, and how it fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Grant:
    """What a provider gave for a code or a refresh token.

    Args:
        access_token: Secret.
        refresh_token: Secret; None if there is none.
        expires_at: When the access token ends; None if the provider doesn't say.
        scopes: What was allowed; None at a refresh that doesn't tell them again: they are as before.
        subject: The provider's identifier of the account; None where it isn't told again, as at a refresh.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime | None
    scopes: Sequence[str] | None
    subject: str | None


@dataclass(frozen=True)
class Challenge:
    """What ties an authorization response to its request.

    Args:
        state: Returned by the provider (RFC 6749, section 4.1.1).
        verifier: The PKCE code verifier (RFC 7636).
        nonce: Comes back in the ID token (OpenID Connect Core 1.0, section 3.1.2.1).
    """

    state: str = field(repr=False)
    verifier: str = field(repr=False)
    nonce: str = field(repr=False)


class ProviderError(Exception):
    """A provider did not do what was asked; the text is for the log and the person, and holds no secret."""


class UnavailableError(ProviderError):
    """The provider can't be reached, or fails itself: the same may do later."""


class RefusedError(ProviderError):
    """The provider refuses: the same will never do.

    Args:
        code: Its error code (RFC 6749, section 5.2), or the HTTP status where it gives none.
        description: Its explanation.
    """

    def __init__(self, code: str, description: str | None = None) -> None:
        super().__init__(f"{code}: {description}" if description else code)
        self.code = code


class InvalidIdTokenError(ProviderError):
    """The ID token isn't what it should be."""


class Provider(Protocol):
    """A provider."""

    @property
    def name(self) -> str:
        """Its short name."""

    @property
    def title(self) -> str:
        """Its name for people."""

    async def authorization_url(self, challenge: Challenge) -> str:
        """Return where to send the browser.

        Args:
            challenge: What ties the response to this request.

        Returns:
            An absolute URL.

        Raises:
            UnavailableError: The provider's metadata can't be had.
        """

    async def accepts_issuer(self, issuer: str | None) -> bool:
        """Return whether an authorization response comes from this provider (RFC 9207, section 2.4).

        Args:
            issuer: The response's `iss`; None if it has none.

        Raises:
            UnavailableError: The provider's metadata can't be had.
        """

    async def exchange(self, code: str, challenge: Challenge) -> Grant:
        """Exchange a code.

        Args:
            code: The authorization code.
            challenge: What the authorization request was tied to.

        Returns:
            The tokens.

        Raises:
            ProviderError: It could not be exchanged.
        """

    async def refresh(self, refresh_token: str) -> Grant:
        """Get a new access token.

        Args:
            refresh_token: The refresh token.

        Returns:
            The tokens; the refresh token may be a new one.

        Raises:
            ProviderError: It could not be refreshed.
        """

    async def revoke(self, token: str, kind: str) -> None:
        """Make a token worthless (RFC 7009).

        The refresh token comes first: a provider may end the access tokens with it.

        Args:
            token: The token.
            kind: `access_token` or `refresh_token`.

        Raises:
            RefusedError: The provider will not revoke it, or offers no revocation.
            UnavailableError: It can't at the moment.
        """
