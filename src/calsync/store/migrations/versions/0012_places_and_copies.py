"""Calendars know where the configuration put them, and that their books went back to an older copy."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the columns; where a calendar was put is taken down with the next start."""
    op.add_column("calendars", sa.Column("declared", sa.Text(), nullable=True))
    op.add_column("calendars", sa.Column("books_restored_at", sa.BigInteger(), nullable=True))
