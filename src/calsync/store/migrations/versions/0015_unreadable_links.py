"""A link keeps that its event was there and nobody could understand it: until then it is never taken for as it was."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the column, and fill it from what the drifts say; what they do not tell is seen with the next look."""
    op.add_column("links", sa.Column("unreadable", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    links = sa.table("links", sa.column("id"), sa.column("unreadable"))
    drifts = sa.table("drifts", *map(sa.column, ("link", "kind", "resolution", "accepted")))
    told = sa.exists().where(
        drifts.c.link == links.c.id,
        drifts.c.kind == "unreadable",
        sa.or_(drifts.c.resolution == "open", drifts.c.accepted == sa.true()),
    )
    op.execute(links.update().where(told).values(unreadable=sa.true()))
