"""Calendars know how their titles name clients, so that a stricter rule reaches the events that stand."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; what is not known is put into force with the next start."""
    op.add_column("calendars", sa.Column("titles", sa.Text(), nullable=True))
