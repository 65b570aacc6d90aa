"""Tables of the billing side: what claim files mean, billing's rulings, webhooks, and records from elsewhere."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table, Text, text

from calsync.store.columns import Instant, Json, Wall
from calsync.store.schema import Counting, metadata

# Which appointment a line of a claim stands for, as the practice's billing system knows it. No line: any line.
from calsync.store.schema_claims import filings

# Which appointment a line of a claim stands for, as the practice's billing system knows it. No line: any line.
claims_map = Table(
    "claims_map",
    metadata,
    Column("claim", Text, nullable=False),
    Column("line", Text, nullable=False, server_default=""),
    Column("appointment", Text, nullable=False, index=True),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("claim", "line", "appointment"),
)

# Corrections name the claim that was filed.
Index("ix_filings_claim", filings.c.claim)

# A person's ruling on one case; it holds as long as the record's times are those of `start`, `end` and `zone`.
claim_decisions = Table(
    "claim_decisions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("appointment", Text, nullable=False, index=True),
    Column("about", Text, nullable=False),
    Column("says", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("note", Text, nullable=False),
    Column("start", Wall, nullable=False),
    Column("end", Wall, nullable=False),
    Column("zone", Text, nullable=False),
)

# The verdict that webhooks last told of a claim, so that only a change of it is told.
claim_verdicts = Table(
    "claim_verdicts",
    metadata,
    Column("appointment", Text, primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("reasons", Text, nullable=False, server_default=""),
)

# What may be told to other programs, in the order in which it came about.
webhook_events = Table(
    "webhook_events",
    metadata,
    Column("seq", Counting, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),  # names the effect: the same one is one event
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False),  # what it is ordered by: appointment:ID or calendar:ID
    Column("payload", Json, nullable=False),  # ids, dates and codes only
    Column("at", Instant, nullable=False),
    Column("fanned_out", Integer, nullable=False, server_default=text("0")),
    Index("ix_webhook_events_fanned_out", "fanned_out", "seq"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("endpoint", Text, nullable=False),
    Column("event", Counting, nullable=False),
    Column("subject", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="due"),  # due | delivered | failed
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("last_at", Instant),
    Column("last_error", Text),
    PrimaryKeyConstraint("endpoint", "event"),
    Index("ix_webhook_deliveries_work", "endpoint", "state", "due_at"),
    Index("ix_webhook_deliveries_order", "endpoint", "subject", "event"),
)

# Where records are read from, and how far they have been.
record_sources = Table(
    "record_sources",
    metadata,
    Column("name", Text, primary_key=True),
    Column("watermark", Text),  # the last change seen, as the source writes it
    Column("read_at", Instant),
    Column("compared_at", Instant),  # the last full comparison
    Column("stopped_at", Instant),  # a brake stands until a person releases it
    Column("stopped_because", Text),
    Column("last_error", Text),
    Column("allowed", Integer, nullable=False, server_default=text("0")),  # a person let the next reading pass
)
