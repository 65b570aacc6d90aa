"""Tables of what leaves the books and who may come in: messages, tokens, links, push channels, budgets, the log."""

from __future__ import annotations

from sqlalchemy import BigInteger as Big
from sqlalchemy import Column, Float, Index, Integer, Table, Text, text

from calsync.store.columns import Instant, Json
from calsync.store.schema import metadata

outbox = Table(
    "outbox",
    metadata,
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("recipient", Text, nullable=False),  # provider:ID, client:ID, support, billing
    Column("payload", Json, nullable=False),  # ids only
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("state", Text, nullable=False, server_default="due"),  # due | sending | sent | merged | failed
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("repeats", Integer, nullable=False, server_default=text("0")),  # after a dialogue with an unknown end (I7)
    Column("message_id", Text),
    Column("sent_at", Instant),
    Column("last_error", Text),
    Index("ix_outbox_work", "state", "due_at"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hash", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("revoked_at", Instant),
    Column("last_used_at", Instant),
)

action_links = Table(
    "action_links",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("payload", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("opened_at", Instant),
    Column("used_at", Instant),
    Column("revoked_at", Instant),
)

watches = Table(
    "watches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("service", Text, nullable=False),
    Column("calendar", Text, nullable=False, index=True),
    Column("resource", Text, nullable=False, server_default=""),
    Column("secret_hash", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("last_push_at", Instant),
)

budgets = Table(
    "budgets",
    metadata,
    Column("key", Text, primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("refilled_at", Instant, nullable=False),
    Column("blocked_until", Instant),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Big, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Json, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("ix_audit_subject", "subject"),
)

# One row: the end of the chain. Locked by whoever appends, so that two writers never fork it.
audit_head = Table(
    "audit_head",
    metadata,
    Column("one", Integer, primary_key=True),
    Column("seq", Big, nullable=False),
    Column("hash", Text, nullable=False),
)
