"""Tables of working times, busy times read from calendars, booking links, and what was answered to programs."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, text

from calsync.store.columns import Instant, Json
from calsync.store.schema import metadata

availability = Table(
    "availability",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("times", Json, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("updated_by", Text, nullable=False),
)

# Times only: nothing else of an event that is not ours is ever kept.
busy_times = Table(
    "busy_times",
    metadata,
    Column("calendar", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("start_at", Instant, nullable=False),
    Column("end_at", Instant, nullable=False),
    PrimaryKeyConstraint("calendar", "start_at", "end_at"),
    Index("ix_busy_times_provider_end_at", "provider", "end_at"),
)

busy_reads = Table(
    "busy_reads",
    metadata,
    Column("calendar", Text, primary_key=True),
    Column("read_at", Instant),  # when the last good read began
    Column("due", Boolean, nullable=False, server_default=text("true")),  # something changed since, or it failed
)

# The link itself stands in `action_links` by its hash; here it is kept sealed, so that it can be sent again.
booking_links = Table(
    "booking_links",
    metadata,
    Column("client", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Column("key_id", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_by", Text, nullable=False),
    PrimaryKeyConstraint("client", "provider"),
)

# What was answered to a request with an Idempotency-Key. `fingerprint` tells whether a repeat asks for the same.
api_answers = Table(
    "api_answers",
    metadata,
    Column("token", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Json, nullable=False),
    Column("at", Instant, nullable=False, index=True),
    PrimaryKeyConstraint("token", "key"),
)

# What the platform last said of an appointment over HTTP, and when it said that was so.
api_records = Table(
    "api_records",
    metadata,
    Column("appointment", Text, primary_key=True),
    Column("updated_at", Instant, nullable=False),
    Column("said", Json, nullable=False),
)
