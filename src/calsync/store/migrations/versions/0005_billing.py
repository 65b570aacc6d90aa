"""Claim batches, webhooks, records from elsewhere."""

import sqlalchemy as sa
from alembic import op

from calsync.store.columns import Instant, Json, Wall

revision = "0005"
down_revision = "0004"

_COUNTING = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "claims_map",
        sa.Column("claim", sa.Text, nullable=False),
        sa.Column("line", sa.Text, nullable=False, server_default=""),
        sa.Column("appointment", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("claim", "line", "appointment", name="pk_claims_map"),
    )
    op.create_index("ix_claims_map_appointment", "claims_map", ["appointment"])
    op.create_index("ix_filings_claim", "filings", ["claim"])
    op.create_table(
        "claim_decisions",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("appointment", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("says", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("start", Wall, nullable=False),
        sa.Column("end", Wall, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_claim_decisions"),
    )
    op.create_index("ix_claim_decisions_appointment", "claim_decisions", ["appointment"])
    op.create_table(
        "claim_verdicts",
        sa.Column("appointment", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("appointment", name="pk_claim_verdicts"),
    )
    _webhooks()
    op.create_table(
        "record_sources",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("watermark", sa.Text),
        sa.Column("read_at", Instant),
        sa.Column("compared_at", Instant),
        sa.Column("stopped_at", Instant),
        sa.Column("stopped_because", sa.Text),
        sa.Column("last_error", sa.Text),
        sa.Column("allowed", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("name", name="pk_record_sources"),
    )


def _webhooks() -> None:
    op.create_table(
        "webhook_events",
        sa.Column("seq", _COUNTING, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("fanned_out", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("seq", name="pk_webhook_events"),
        sa.UniqueConstraint("id", name="uq_webhook_events_id"),
    )
    op.create_index("ix_webhook_events_fanned_out", "webhook_events", ["fanned_out", "seq"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("event", _COUNTING, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="due"),
        sa.Column("due_at", Instant, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("last_at", Instant),
        sa.Column("last_error", sa.Text),
        sa.PrimaryKeyConstraint("endpoint", "event", name="pk_webhook_deliveries"),
    )
    op.create_index("ix_webhook_deliveries_work", "webhook_deliveries", ["endpoint", "state", "due_at"])
    op.create_index("ix_webhook_deliveries_order", "webhook_deliveries", ["endpoint", "subject", "event"])
