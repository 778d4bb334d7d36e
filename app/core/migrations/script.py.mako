"""${message}.

Revision: ${up_revision}, after ${down_revision or "nothing"}.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = "${up_revision}"
down_revision = "${down_revision}"
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Go to this revision."""
    ${upgrades if "op." in upgrades else "raise NotImplementedError"}


def downgrade() -> None:
    """Go back to the revision before."""
    ${downgrades if "op." in downgrades else "raise NotImplementedError"}
