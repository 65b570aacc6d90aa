"""Tables of claims: what is to be assessed, answers given, claims filed, recalls, evidence and people's words."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, text

from calsync.store.columns import Instant, Json, Wall
from calsync.store.schema import metadata

claims_touched = Table(
    "claims_touched",
    metadata,
    Column("appointment", Text, primary_key=True),
    Column("revision", Integer, nullable=False, server_default=text("1")),
)

clearances = Table(
    "clearances",
    metadata,
    Column("id", Text, primary_key=True),
    Column("appointment", Text, nullable=False, index=True),
    Column("date", Text, nullable=False),
    Column("code", Text),
    Column("minutes", Integer),
    Column("fingerprint", Text, nullable=False),
    Column("answer", Json, nullable=False),
    Column("at", Instant, nullable=False),
    Column("issued_at", Instant),
    Column("ended_at", Instant),
)

# Which filed claims are a question: as text, because index and statement must say it in the same words.
IN_REVIEW = "state = 'review' AND ended_at IS NULL"
filings = Table(
    "filings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("appointment", Text, nullable=False, index=True),
    Column("date", Text, nullable=False),
    Column("code", Text),
    Column("frequency", Text, nullable=False, server_default="1"),
    Column("claim", Text),
    Column("line", Text),
    Column("batch", Text),
    Column("control", Text),  # the payer's control number
    Column("filed_at", Instant, nullable=False),
    Column("filed_by", Text, nullable=False),
    Column("against_gate", Boolean, nullable=False, server_default=text("false")),  # the gate had not cleared it
    Column("state", Text, nullable=False, server_default="filed"),  # filed | review | recalled | corrected | void
    Column("ended_at", Instant),
    Index("ix_filings_in_review", "appointment", sqlite_where=text(IN_REVIEW), postgresql_where=text(IN_REVIEW)),
)

recalls = Table(
    "recalls",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("appointment", Text, nullable=False, index=True),
    Column("clearance", Text),
    Column("filing", Text),
    Column("action", Text, nullable=False),  # stop | review | replace | void
    Column("old_date", Text),
    Column("new_date", Text),
    Column("old_code", Text),
    Column("new_code", Text),
    Column("reasons", Json, nullable=False),
    Column("evidence", Json, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("detected_at", Instant, nullable=False),
    Column("identified_at", Instant),
    Column("state", Text, nullable=False, server_default="open"),  # open | acknowledged | closed | withdrawn
    Column("closed_at", Instant),
    Column("closed_by", Text),
    Column("closed_because", Text),
    Column("former", Text),
)

session_evidence = Table(
    "session_evidence",
    metadata,
    Column("id", Text, primary_key=True),
    Column("appointment", Text, nullable=False, index=True),
    Column("source", Text, nullable=False),
    Column("who", Text),
    Column("start_at", Instant, nullable=False),
    Column("end_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
)

statements = Table(
    "statements",
    metadata,
    Column("id", Text, primary_key=True),
    Column("appointment", Text, nullable=False, index=True),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("saw", Json, nullable=False),
    Column("says", Text, nullable=False),
    Column("start", Wall),
    Column("end", Wall),
    Column("date", Text),
    Column("note", Text),
)

_UNANSWERED = text("answered_at IS NULL")
asks = Table(
    "asks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("appointment", Text, nullable=False, index=True),
    Column("about", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("next_at", Instant),
    Column("answered_at", Instant),
    Index("ix_asks_unanswered", "next_at", sqlite_where=_UNANSWERED, postgresql_where=_UNANSWERED),
)
