"""What many workers share."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Note which worker processes live."""
    op.create_table(
        "workers",
        sa.Column("owner", sa.Text(), primary_key=True),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("beat_at", sa.BigInteger(), nullable=False),
    )
