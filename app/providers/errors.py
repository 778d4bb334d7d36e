"""How a call to a provider fails."""

from __future__ import annotations

from collections.abc import Iterable


class ProviderError(Exception):
    """A call to a provider failed; the text is for the log and the person, and holds no secret."""


class UnavailableError(ProviderError):
    """The provider can't be reached, or fails itself: a later call, after `retry_after` seconds, may succeed."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RefusedError(ProviderError):
    """The provider refuses: the same call will never succeed.

    `code` is its error code (RFC 6749, section 5.2), or the HTTP status where it gives none.
    """

    def __init__(self, code: str, description: str | None = None) -> None:
        super().__init__(f"{code}: {description}" if description else code)
        self.code, self._description = code, description

    def without(self, secrets: Iterable[str]) -> RefusedError:
        """Return the same error, where the provider's words don't repeat what it was sent."""
        code, description = self.code, self._description
        for secret in secrets:
            code, description = code.replace(secret, "..."), description and description.replace(secret, "...")
        return RefusedError(code, description)


class InvalidIdTokenError(ProviderError):
    """The ID token isn't what it should be."""
