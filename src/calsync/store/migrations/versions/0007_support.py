"""The review queue and its people."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Nothing to change so far."""
