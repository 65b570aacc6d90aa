"""The review queue and its people."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Accounts, their sessions, notes; and a way to what one person was sent."""
    op.create_table(
        "users",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_users")),
    )
    op.create_table(
        "user_sessions",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_user_sessions")),
    )
    op.create_index("ix_user_sessions_user_name", "user_sessions", ["user_name"])
    op.create_index("ix_user_sessions_seen_at", "user_sessions", ["seen_at"])
    op.create_table(
        "support_notes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("appointment", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_notes")),
    )
    op.create_index("ix_support_notes_appointment", "support_notes", ["appointment"])
    unanswered = sa.text("resolution IN ('open', 'reverted') AND resolved_by IS NULL")
    op.create_index(
        "ix_drifts_unanswered", "drifts", ["detected_at"], sqlite_where=unanswered, postgresql_where=unanswered
    )
    op.create_index("ix_outbox_recipient", "outbox", ["recipient", "created_at"])
    op.create_index("ix_action_links_recipient", "action_links", ["recipient", "created_at"])
