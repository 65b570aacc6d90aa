"""A session keeps where its provider lived when its time was booked: the profile may say something else later."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the column; of sessions booked before, it is not known."""
    op.add_column("appointments", sa.Column("provider_zone", sa.Text(), nullable=True))
