"""What each outcome of linking says to a person, on the callback's pages and on the app's."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from app.http.pages import LINK_AGAIN, Page

Step = Literal["link", "refresh", "disconnect"]
"""What was tried."""

_NOT_LINKED = "The account was not linked"
_DOWN = "The provider is not available"
_LATER = "Wait a minute, then start linking the account again."

_WORDS: dict[str, tuple[str, str, str]] = {
    "denied": (_NOT_LINKED, "The provider did not allow the link.", LINK_AGAIN),
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
        LINK_AGAIN,
    ),
    "wrong-response-mode": (
        _NOT_LINKED,
        "The provider's answer came as a form, which its settings don't allow.",
        "The provider's settings need a look.",
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
    "provider-refused": (
        _NOT_LINKED,
        "The provider refused the link, though nobody said no.",
        "Start linking the account again. If it fails again, the provider's settings need a look.",
    ),
    "provider-unavailable": (
        _DOWN,
        "The provider did not answer as it should, so the account was not linked.",
        _LATER,
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
    "linked-again": (
        "The account was linked again",
        "It was linked again while it was being disconnected, so it stays linked.",
        "To end that link too, disconnect the account again.",
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

_AT_A_STEP: dict[tuple[Step, str], tuple[str, str, str]] = {
    ("refresh", "provider-refused"): (
        "The account was not refreshed",
        "The provider refused to renew the access, so nothing was changed.",
        "Try again in a while. If it fails again, connect the account again.",
    ),
    ("refresh", "provider-unavailable"): (
        _DOWN,
        "The provider did not answer as it should, so the account was not refreshed. It stays linked.",
        "Wait a minute, then press Refresh again.",
    ),
    ("disconnect", "provider-refused"): (
        "The account was not disconnected",
        "The provider refused to revoke the access, so the account stays linked.",
        "Try again in a while, or let Dashtam forget the account, and revoke its access there yourself.",
    ),
    ("disconnect", "provider-unavailable"): (
        _DOWN,
        "The provider did not answer as it should, so the access is not revoked and the account stays linked.",
        "Wait a minute, then try again. Or let Dashtam forget the account, and revoke its access there yourself.",
    ),
}


def page_of(
    kind: str, status: HTTPStatus, *, step: Step = "link", words: str = "", otherwise: tuple[str, str] = ("", "")
) -> Page:
    """Return an outcome's page: `words` quotes the provider, `otherwise` is title and message of an unknown kind."""
    known = _AT_A_STEP.get((step, kind)) or _WORDS.get(kind)
    title, message, advice = known or (*otherwise, LINK_AGAIN)
    return Page(status, title, message, quote=words, advice=advice)
