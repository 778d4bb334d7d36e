"""What each outcome of linking means to a person, on the callback's pages and on the app's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.pages import AGAIN, Page

if TYPE_CHECKING:
    from http import HTTPStatus

_NOT_LINKED = "The account was not linked"
_LATER = "Wait a minute, then start linking the account again."

_WORDS: dict[str, tuple[str, str, str]] = {
    "denied": (_NOT_LINKED, "The provider did not allow the link.", AGAIN),
    "unknown-state": (
        "This link has ended",
        "It was used already, it is older than ten minutes, or it was never started here.",
        "If the account is on Dashtam's page, nothing is left to do. Otherwise start linking it again.",
    ),
    "unknown-receipt": (
        "This link has ended",
        "It was used already, or it waited longer than a minute.",
        "If the account is on Dashtam's page, nothing is left to do. Otherwise start linking it again.",
    ),
    "wrong-issuer": (
        "The answer came from the wrong provider",
        "Another provider than the one you chose sent you back, so Dashtam did not trust its answer.",
        AGAIN,
    ),
    "wrong-session": (
        "This is not the browser that started",
        "The account can be linked only in the browser where you pressed Connect, so it was not linked.",
        "Start linking the account in this browser, and let it accept Dashtam's cookie.",
    ),
    "invalid-id-token": (
        _NOT_LINKED,
        "What the provider sent does not prove whose account it is, so Dashtam did not trust it.",
        "Start linking the account again. If it fails again, the provider's settings need a look.",
    ),
    "provider-refused": (_NOT_LINKED, "The provider refused to complete what it had allowed.", AGAIN),
    "provider-unavailable": (
        "The provider is not available",
        "The provider did not answer as it should, so nothing was changed.",
        "Wait a minute, then try again.",
    ),
    "unknown-provider": (
        "There is no such provider",
        "Dashtam does not know this provider.",
        "Choose one on Dashtam's page.",
    ),
    "unknown-connection": (
        "There is no such account",
        "It was disconnected already, or it was linked in another browser.",
        "Dashtam's page shows the accounts that are linked.",
    ),
    "not-refreshable": (
        "The account can't be refreshed",
        "The provider gave no lasting permission, or took it back.",
        "Connect the account again.",
    ),
    "too-many": ("Too many tries", "This was tried too often in a short time.", _LATER),
    "app-unavailable": (
        "Dashtam is not available",
        "Dashtam cannot be reached, so the account was not linked.",
        "Make sure that the app is running, then start linking the account again.",
    ),
    "app-failed": (
        "Something went wrong",
        "Dashtam gave an unexpected answer, so the account was not linked.",
        _LATER,
    ),
}


def page_of(kind: str, status: HTTPStatus, *, words: str = "", otherwise: tuple[str, str] = ("", "")) -> Page:
    """Put an outcome into words.

    Args:
        kind: The outcome.
        status: HTTP status.
        words: What the provider said about it.
        otherwise: Title and message of an outcome that is not known here.

    Returns:
        The page.
    """
    title, message, advice = _WORDS.get(kind, (*otherwise, AGAIN))
    if words:
        message = f"{message} It gave this reason:"
    return Page(status, title, message, quote=words, advice=advice)
