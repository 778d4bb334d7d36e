"""Why an account is not linked, refreshed or disconnected."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import ClassVar

from app.providers.errors import InvalidIdTokenError, ProviderError, RefusedError, UnavailableError


class LinkingError(Exception):
    """It can't be done, for a reason that is part of the flow; `detail` gives reason and way out, and holds no secret.

    The problem's type is `urn:dashtam:problem:<kind>`.
    """

    kind: ClassVar[str]
    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    title: ClassVar[str]
    explanation: ClassVar[str] = ""
    retry_after: float | None = None
    """Seconds after which it may succeed, where that is known."""

    def __init__(self, detail: str = "") -> None:
        self.detail = detail or self.explanation
        super().__init__(f"{self.kind}: {self.detail}")


class UnknownProviderError(LinkingError):
    """There is no such provider."""

    kind, status, title = "unknown-provider", HTTPStatus.NOT_FOUND, "Unknown provider"
    explanation = "No provider of this name is configured."


class UnknownConnectionError(LinkingError):
    """There is no such connection, or it is somebody else's."""

    kind, status, title = "unknown-connection", HTTPStatus.NOT_FOUND, "Unknown connection"
    explanation = "There is no such connection."


class UnknownStateError(LinkingError):
    """No authorization with this state is in progress."""

    kind, title = "unknown-state", "Unknown state"
    explanation = "No link with this state was started, or it has ended. Start linking the account again."


class WrongIssuerError(LinkingError):
    """Another issuer answered than the one of the authorization request."""

    kind, title = "wrong-issuer", "Wrong issuer"
    explanation = "The answer does not come from the provider that was asked. Start linking the account again."


class WrongResponseModeError(LinkingError):
    """The answer came as a form from a provider whose configuration doesn't say so."""

    kind, title = "wrong-response-mode", "Wrong response mode"
    explanation = "The answer came as a form. If the provider answers so, set response_mode: form_post for it."


class DeniedError(LinkingError):
    """The person, or the provider, denied the link."""

    kind, title = "denied", "Not allowed"
    explanation = "The provider did not allow the link."


class UnknownReceiptError(LinkingError):
    """No answered authorization has this receipt."""

    kind, title = "unknown-receipt", "Unknown receipt"
    explanation = "This link was finished already, or has ended. Start linking the account again."


class WrongSessionError(LinkingError):
    """Another browser came back than the one that started."""

    kind, status, title = "wrong-session", HTTPStatus.FORBIDDEN, "Wrong session"
    explanation = "This link was started in another browser. Start it again in this one."


class ProviderRefusedError(LinkingError):
    """The provider refuses to exchange, refresh or revoke."""

    kind, status, title = "provider-refused", HTTPStatus.BAD_GATEWAY, "The provider refused"


class ProviderUnavailableError(LinkingError):
    """The provider can't be reached."""

    kind, status, title = "provider-unavailable", HTTPStatus.BAD_GATEWAY, "The provider is not available"


class InvalidTokenError(LinkingError):
    """The provider's ID token isn't what it should be."""

    kind, status, title = "invalid-id-token", HTTPStatus.BAD_GATEWAY, "The provider's answer is not valid"


class NotRefreshableError(LinkingError):
    """The connection can't be refreshed; only linking again helps."""

    kind, status, title = "not-refreshable", HTTPStatus.CONFLICT, "Not refreshable"
    explanation = "The provider gave no way to renew this connection, or took it back. Link the account again."


class LinkedAgainError(LinkingError):
    """The connection was linked again while its tokens before were revoked."""

    kind, status, title = "linked-again", HTTPStatus.CONFLICT, "Linked again"
    explanation = "The account was linked again meanwhile, and stays linked. Disconnect it again to end that link too."


_TEMPORARY = frozenset({"server_error", "temporarily_unavailable"})


def authorization_error(error: str, description: str | None) -> LinkingError:
    """Return what an authorization response's error means (RFC 6749, section 4.1.2.1); the detail repeats its words."""
    words = f"{error}: {description}" if description else error
    if error == "access_denied":
        return DeniedError(words)
    return ProviderUnavailableError(words) if error in _TEMPORARY else ProviderRefusedError(words)


@contextmanager
def provider_call() -> Iterator[None]:
    """Raise each `ProviderError` of a call to a provider as a `LinkingError`."""
    try:
        yield
    except InvalidIdTokenError as error:
        raise InvalidTokenError(f"{error}. Start linking the account again.") from error
    except RefusedError as error:
        raise ProviderRefusedError(f"It gave this reason: {error}") from error
    except ProviderError as error:
        wait = error.retry_after if isinstance(error, UnavailableError) else None
        unavailable = ProviderUnavailableError(f"{error}. Try again in {f'{wait:.0f} s' if wait else 'a while'}.")
        unavailable.retry_after = wait
        raise unavailable from error
