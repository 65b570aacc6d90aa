"""The fleet's brakes and what operating needs."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Nothing to change so far."""
