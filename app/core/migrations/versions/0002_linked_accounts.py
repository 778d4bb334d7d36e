"""Accounts that were linked: their owner and their sealed tokens.

Revision: 0002, after 0001. Nothing could be linked before, so the older rows hold nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CONNECTIONS = "provider_connections"
STATUS = "ck_provider_connections_status"


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "token_keys",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("master", sa.String(64), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.clock_timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token_keys")),
    )
    op.execute(sa.text("DELETE FROM provider_connections"))
    op.add_column(CONNECTIONS, sa.Column("owner", sa.Uuid(), nullable=False))
    op.add_column(CONNECTIONS, sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False))
    op.add_column(CONNECTIONS, sa.Column("key_id", sa.String(32), nullable=False))
    op.add_column(CONNECTIONS, sa.Column("access_token", sa.LargeBinary(), nullable=False))
    op.add_column(CONNECTIONS, sa.Column("refresh_token", sa.LargeBinary(), nullable=True))
    op.add_column(CONNECTIONS, sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        op.f("fk_provider_connections_key_id_token_keys"), CONNECTIONS, "token_keys", ["key_id"], ["id"]
    )
    op.create_index(op.f("ix_provider_connections_key_id"), CONNECTIONS, ["key_id"])
    op.drop_constraint(op.f("uq_provider_connections_provider_subject"), CONNECTIONS)
    op.create_unique_constraint(
        op.f("uq_provider_connections_owner_provider_subject"), CONNECTIONS, ["owner", "provider", "subject"]
    )
    op.drop_constraint(op.f(STATUS), CONNECTIONS)
    op.create_check_constraint(op.f(STATUS), CONNECTIONS, "status IN ('active', 'expired', 'revoked')")


def downgrade() -> None:
    """Go back to the revision before, without what it can't hold."""
    op.execute(sa.text("DELETE FROM provider_connections"))
    op.drop_constraint(op.f(STATUS), CONNECTIONS)
    op.create_check_constraint(op.f(STATUS), CONNECTIONS, "status IN ('pending', 'active', 'expired', 'revoked')")
    op.drop_constraint(op.f("uq_provider_connections_owner_provider_subject"), CONNECTIONS)
    op.create_unique_constraint(op.f("uq_provider_connections_provider_subject"), CONNECTIONS, ["provider", "subject"])
    op.drop_index(op.f("ix_provider_connections_key_id"), CONNECTIONS)
    op.drop_constraint(op.f("fk_provider_connections_key_id_token_keys"), CONNECTIONS)
    for column in ("owner", "scopes", "key_id", "access_token", "refresh_token", "expires_at"):
        op.drop_column(CONNECTIONS, column)
    op.drop_table("token_keys")
