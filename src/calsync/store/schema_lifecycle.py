"""Tables of what practices' rules lead to: payments, fees, refunds, credits, requests, counted changes, confirmations.

Amounts are texts with two decimals, such as `75.00`: neither database rounds them.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, text

from calsync.store.columns import Instant, Json
from calsync.store.schema import metadata

# That a client has paid for a session; it goes with the session wherever that is moved to.
payments = Table(
    "payments",
    metadata,
    Column("appointment", Text, primary_key=True),
    Column("amount", Text, nullable=False, server_default=""),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
)

# `id` is the idempotency key: one fee of a kind for each session, however often it is asked for.
fees = Table(
    "fees",
    metadata,
    Column("id", Text, primary_key=True),
    Column("appointment", Text, nullable=False, index=True),
    Column("provider", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("kind", Text, nullable=False),  # late-cancellation | no-show
    Column("amount", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("state", Text, nullable=False),  # owed | waived
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("note", Text),
    Column("changed_at", Instant),
    Column("changed_by", Text),
    Column("because", Text),
)

refunds = Table(
    "refunds",
    metadata,
    Column("id", Text, primary_key=True),  # the idempotency key
    Column("appointment", Text, nullable=False, index=True),
    Column("decision", Text, nullable=False),  # yes | no
    Column("amount", Text, nullable=False, server_default=""),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("note", Text),
)

packages = Table(
    "packages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("client", Text, nullable=False, index=True),
    Column("sessions", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
)

credit_changes = Table(
    "credit_changes",
    metadata,
    Column("id", Text, primary_key=True),  # the idempotency key: one use and one return for each session
    Column("package", Text, nullable=False, index=True),
    Column("appointment", Text, nullable=False, index=True),
    Column("change", Integer, nullable=False),  # -1 used, 1 given back
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("appointment", Text, nullable=False, index=True),
    Column("state", Text, nullable=False, server_default="open"),  # open | answered | expired | withdrawn
    Column("asked_at", Instant, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("reason", Text),
    Column("expires_at", Instant, nullable=False),
    Column("block", Text),
    Column("closed_at", Instant),
    Column("closed_by", Text),
    Index("ix_requests_work", "state", "expires_at"),
)

# One row for each session that a command cancelled, moved or asked about, with what the practice wants to know of it.
plan_changes = Table(
    "plan_changes",
    metadata,
    Column("id", Text, primary_key=True),  # the appointment and its version
    Column("appointment", Text, nullable=False, index=True),
    Column("provider", Text, nullable=False),
    Column("act", Text, nullable=False),  # cancel | reschedule | ask-to-reschedule
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text),
    Column("caused_by", Text, nullable=False),
    Column("late", Boolean, nullable=False, server_default=text("false")),
    Column("client_aware", Boolean, nullable=False, server_default=text("false")),
    Column("suggest_others", Boolean, nullable=False, server_default=text("false")),
    Column("answers", Json, nullable=False),
    Index("ix_plan_changes_provider_at", "provider", "at"),
)

confirmations = Table(
    "confirmations",
    metadata,
    Column("appointment", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("confirmed_by", Text),
    Column("ended_at", Instant),  # nothing to confirm any more: it was cancelled
    Index("ix_confirmations_provider_due_at", "provider", "due_at"),
)
