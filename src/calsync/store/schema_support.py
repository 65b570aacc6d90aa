"""Tables of the support pages: people with accounts, their sessions at the pages, and what they noted."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, text

from calsync.store.columns import Instant
from calsync.store.schema import drifts, metadata
from calsync.store.schema_effects import action_links, outbox

users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),  # support | billing | admin
    Column("password", Text, nullable=False),  # the hash with its parameters, as PHC text
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("removed_at", Instant),
    Column("last_seen_at", Instant),
)

user_sessions = Table(
    "user_sessions",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("user_name", Text, nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False, index=True),
    Column("ended_at", Instant),
)

support_notes = Table(
    "support_notes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("appointment", Text, nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("how", Text, nullable=False),  # call | note
    Column("text", Text, nullable=False),
)

# Which drifts the review queue holds: as text, because index and statements must say it in the same words.
UNANSWERED = "resolution IN ('open', 'reverted') AND resolved_by IS NULL"

Index("ix_drifts_unanswered", drifts.c.detected_at, sqlite_where=text(UNANSWERED), postgresql_where=text(UNANSWERED))

# The timeline asks what one person was sent, among all mails and links of the installation.
Index("ix_outbox_recipient", outbox.c.recipient, outbox.c.created_at)
Index("ix_action_links_recipient", action_links.c.recipient, action_links.c.created_at)
