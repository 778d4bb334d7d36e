"""What every provider can do, and how it fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Grant:
    """What a provider gave for a code or a refresh token."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime | None
    scopes: Sequence[str] | None
    subject: str | None


@dataclass(frozen=True)
class Challenge:
    """What ties an authorization response to its request."""

    state: str = field(repr=False)
    verifier: str = field(repr=False)
    nonce: str = field(repr=False)


class ProviderError(Exception):
    """A provider did not do what was asked; the text is for the log and the person, and holds no secret."""


class UnavailableError(ProviderError):
    """The provider can't be reached, or fails itself: the same may do later."""


class RefusedError(ProviderError):
    """The provider refuses: the same will never do."""

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
        """Return where to send the browser."""

    async def accepts_issuer(self, issuer: str | None) -> bool:
        """Return whether an authorization response comes from this provider (RFC 9207, section 2.4)."""

    async def exchange(self, code: str, challenge: Challenge) -> Grant:
        """Exchange a code."""

    async def refresh(self, refresh_token: str) -> Grant:
        """Get a new access token."""

    async def revoke(self, token: str, kind: str) -> None:
        """Make a token worthless (RFC 7009).

        The refresh token comes first: a provider may end the access tokens with it.
        """
