"""Practices' policies: fees, refunds, credits, counts, pauses."""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Nothing to change so far."""
