"""What is told of providers and connections: never a token."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel


class ProviderInfo(BaseModel):
    """A provider that accounts can be linked at.

    Attributes:
        name: Short name.
        title: Name for people.
    """

    name: str
    title: str


class ConnectionInfo(BaseModel):
    """A linked account.

    Attributes:
        id: Key.
        provider: Short name of the provider.
        title: The provider's name for people.
        subject: The provider's own identifier of the account.
        status: Where the connection stands.
        scopes: What the provider allowed.
        created_at: When it was made.
        updated_at: When it last changed.
        expires_at: When the access ends unless it is refreshed; None if the provider doesn't say.
    """

    id: UUID
    provider: str
    title: str
    subject: str
    status: Literal["active", "expired", "revoked"]
    scopes: list[str]
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None


class ConnectionPage(BaseModel):
    """Some of a person's connections.

    Attributes:
        items: The connections, the youngest first.
        next: Where the next page starts; None if this is the last.
    """

    items: list[ConnectionInfo]
    next: str | None = None
