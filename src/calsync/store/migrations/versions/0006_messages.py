"""Mails and the pages behind their links."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Nothing to change so far."""
