"""Who gave a connection's tokens, and when the provider ends the link.

Revision: 0004, after 0003. Of older rows neither is known; the next renewal sets the issuer.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CONNECTIONS = "provider_connections"


def upgrade() -> None:
    """Go to this revision."""
    op.add_column(CONNECTIONS, sa.Column("issuer", sa.Text(), nullable=True))
    op.add_column(CONNECTIONS, sa.Column("link_ends_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Go back to the revision before."""
    for column in ("issuer", "link_ends_at"):
        op.drop_column(CONNECTIONS, column)
