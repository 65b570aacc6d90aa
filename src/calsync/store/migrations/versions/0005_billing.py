"""Claim batches, webhooks, records from elsewhere."""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Nothing to change so far."""
