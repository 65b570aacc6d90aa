"""The fleet's brakes and what operating needs."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """How far the stop of all writes is released, and since when the shares are counted anew."""
    op.add_column("installation", sa.Column("writes_released", sa.Float(), nullable=False, server_default=sa.text("0")))
    op.add_column("installation", sa.Column("shares_counted_from", sa.BigInteger(), nullable=True))
    op.create_index("ix_calendars_state_since", "calendars", ["state", "state_since"])
