"""Consents in the browser."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Nothing to change so far."""
