"""Tables."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import DateTime, Enum, ForeignKey, MetaData, String, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a name that follows from its columns, so that migrations can name it."""


class Base(DeclarativeBase):
    """Parent of all tables."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar = {datetime: DateTime(timezone=True), list[str]: ARRAY(Text)}


class ConnectionStatus(StrEnum):
    """State of a connection to a provider."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


class TokenKey(Base):
    """A data key that tokens are encrypted under, itself encrypted under a master key."""

    __tablename__ = "token_keys"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    master: Mapped[str] = mapped_column(String(64))  # the id of the master key
    wrapped: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())  # the youngest seals


class ProviderConnection(Base):
    """One person's authorised account at one provider."""

    __tablename__ = "provider_connections"
    __table_args__ = (UniqueConstraint("owner", "provider", "subject"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, server_default=func.gen_random_uuid())
    owner: Mapped[uuid.UUID]
    provider: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(255))
    status: Mapped[ConnectionStatus] = mapped_column(
        Enum(
            ConnectionStatus,
            name="status",
            native_enum=False,
            create_constraint=True,
            length=16,
            values_callable=lambda states: [state.value for state in states],
        ),
        index=True,
    )
    scopes: Mapped[list[str]]
    key_id: Mapped[str] = mapped_column(ForeignKey("token_keys.id"), index=True)  # the data key of the tokens
    access_token: Mapped[bytes]
    refresh_token: Mapped[bytes | None]  # None if the provider gave none
    expires_at: Mapped[datetime | None]  # when the access token ends; None if the provider gives none
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())  # of what the API shows
    refreshed_at: Mapped[datetime] = mapped_column(server_default=func.now())  # changes with its tokens
    claimed_until: Mapped[datetime | None]  # until when one process alone refreshes or disconnects it
    retry_at: Mapped[datetime | None]  # before when it is not refreshed without a request, because a refresh failed
    issuer: Mapped[str | None] = mapped_column(Text)  # who alone may get its tokens; None if older than this column
    link_ends_at: Mapped[datetime | None]  # when the provider ends the link, refreshed or not; None if it sets no end
