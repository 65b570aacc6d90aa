"""A session keeps that a person has answered for its row, which disappeared: no later listing asks again."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column; of what was answered before, the next full listing asks once more."""
    op.add_column("appointments", sa.Column("missing_answered_at", sa.BigInteger(), nullable=True))
