"""Why an account is not linked, refreshed or disconnected."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar


class LinkingError(Exception):
    """It can't be done, for a reason that is part of the flow; holds nothing secret."""

    def __init__(self, kind: str, status: HTTPStatus, title: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.status = status
        self.title = title
        self.detail = detail


class _KnownError(LinkingError):
    name: ClassVar[str]
    code: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    short: ClassVar[str]
    explanation: ClassVar[str] = ""

    def __init__(self, detail: str = "") -> None:
        super().__init__(self.name, self.code, self.short, detail or self.explanation)


class UnknownProviderError(_KnownError):
    """There is no such provider."""

    name, code, short = "unknown-provider", HTTPStatus.NOT_FOUND, "Unknown provider"
    explanation = "No provider of this name is configured."


class UnknownConnectionError(_KnownError):
    """There is no such connection, or it is somebody else's."""

    name, code, short = "unknown-connection", HTTPStatus.NOT_FOUND, "Unknown connection"
    explanation = "There is no such connection."


class UnknownStateError(_KnownError):
    """No authorization with this state is under way."""

    name, short = "unknown-state", "Unknown state"
    explanation = "No link with this state was started, or it has ended. Start linking the account again."


class WrongIssuerError(_KnownError):
    """Another issuer answered than the one that was asked."""

    name, short = "wrong-issuer", "Wrong issuer"
    explanation = "The answer does not come from the provider that was asked. Start linking the account again."


class DeniedError(_KnownError):
    """The person, or the provider, said no."""

    name, short = "denied", "Not allowed"
    explanation = "The provider did not allow the link."


class UnknownReceiptError(_KnownError):
    """No answered authorization has this receipt."""

    name, short = "unknown-receipt", "Unknown receipt"
    explanation = "This link was finished already, or has ended. Start linking the account again."


class WrongSessionError(_KnownError):
    """Another browser came back than the one that started."""

    name, code, short = "wrong-session", HTTPStatus.FORBIDDEN, "Wrong session"
    explanation = "This link was started in another browser. Start it again in this one."


class ProviderRefusedError(_KnownError):
    """The provider refuses to exchange, refresh or revoke."""

    name, code, short = "provider-refused", HTTPStatus.BAD_GATEWAY, "The provider refused"


class ProviderUnavailableError(_KnownError):
    """The provider can't be reached."""

    name, code, short = "provider-unavailable", HTTPStatus.BAD_GATEWAY, "The provider is not available"


class InvalidTokenError(_KnownError):
    """The provider's ID token isn't what it should be."""

    name, code, short = "invalid-id-token", HTTPStatus.BAD_GATEWAY, "The provider's answer is not valid"


class NotRefreshableError(_KnownError):
    """The connection can't be refreshed; only linking again helps."""

    name, code, short = "not-refreshable", HTTPStatus.CONFLICT, "Not refreshable"
    explanation = "The provider gave no way to renew this connection, or took it back. Link the account again."


_LATER = frozenset({"server_error", "temporarily_unavailable"})


def refusal(error: str, description: str | None) -> LinkingError:
    """Return what an authorization response's error means (RFC 6749, section 4.1.2.1)."""
    words = f"{error}: {description}" if description else error
    if error == "access_denied":
        return DeniedError(words)
    return ProviderUnavailableError(words) if error in _LATER else ProviderRefusedError(words)
