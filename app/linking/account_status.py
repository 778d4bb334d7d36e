"""An account's status as its owner reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.linking.schemas import ConnectionInfo

WARNING = timedelta(days=2)
"""How long before its end the page warns of it."""


@dataclass(frozen=True)
class AccountStatus:
    """An account's status for people: a word, its CSS class, and what to do if something is wrong.

    `ended` says that its access has ended, though nobody took it back.
    """

    word: str
    css_class: str
    hint: str = ""
    ended: bool = False


def account_status(connection: ConnectionInfo, now: datetime) -> AccountStatus:
    """Describe an account's status; access that ended and was not renewed is not shown as active."""
    title, again = connection.title, "Connect the account again to go on using it."
    if connection.status != "active":
        return AccountStatus(
            connection.status.capitalize(), connection.status, f"{title} gives no access any more. {again}"
        )
    if connection.expires_at is None or connection.expires_at > now:
        if connection.link_ends_at is None or connection.link_ends_at > now + WARNING:
            return AccountStatus("Active", "active")
        return AccountStatus(
            "Ends soon", "expired", f"{title} ends this link soon, however often it is refreshed. {again}"
        )
    hint = (
        f"{title} has not renewed the access yet, and Dashtam goes on trying. If it lasts, connect the account again."
    )
    return AccountStatus("Not renewed", "expired", hint, ended=True)
