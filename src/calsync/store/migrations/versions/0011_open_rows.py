"""What is open is found without reading what is settled."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Index questions without an answer, stops without a release, and filed claims that are in question."""
    unanswered, standing = sa.text("answered_at IS NULL"), sa.text("released_at IS NULL")
    op.create_index("ix_asks_unanswered", "asks", ["next_at"], sqlite_where=unanswered, postgresql_where=unanswered)
    op.create_index("ix_stops_standing", "stops", ["started_at"], sqlite_where=standing, postgresql_where=standing)
    in_review = sa.text("state = 'review' AND ended_at IS NULL")
    op.create_index(
        "ix_filings_in_review", "filings", ["appointment"], sqlite_where=in_review, postgresql_where=in_review
    )
