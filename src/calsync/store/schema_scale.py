"""Tables of what many workers share."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from calsync.store.columns import Instant
from calsync.store.schema import metadata

# A worker process that lives says so every few seconds; the leases of one that fell silent are free.
workers = Table(
    "workers",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("began_at", Instant, nullable=False),
    Column("beat_at", Instant, nullable=False),
)
