"""When connections got their tokens, who is at them, and when to try again.

Revision: 0003, after 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CONNECTIONS = "provider_connections"


def upgrade() -> None:
    """Go to this revision."""
    moment = sa.DateTime(timezone=True)
    op.add_column(CONNECTIONS, sa.Column("refreshed_at", moment, server_default=sa.func.now(), nullable=False))
    op.add_column(CONNECTIONS, sa.Column("claimed_until", moment, nullable=True))
    op.add_column(CONNECTIONS, sa.Column("retry_at", moment, nullable=True))
    op.execute(sa.text("UPDATE provider_connections SET refreshed_at = updated_at"))


def downgrade() -> None:
    """Go back to the revision before."""
    for column in ("refreshed_at", "claimed_until", "retry_at"):
        op.drop_column(CONNECTIONS, column)
