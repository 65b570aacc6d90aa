"""Working times and what two clients may not both take."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Nothing to change so far."""
