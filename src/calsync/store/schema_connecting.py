"""The table of attempts to connect a calendar: what a provider has chosen and agreed to, before anything is written."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, Text, text

from calsync.store.columns import Instant, Json
from calsync.store.schema import metadata

connect_attempts = Table(
    "connect_attempts",
    metadata,
    Column("link", Text, primary_key=True),  # hash of the link under which the provider acts
    Column("provider", Text, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("connector", Text, nullable=False, server_default=""),
    Column("placement", Text, nullable=False, server_default="dedicated"),
    Column("keys", Json, nullable=False),  # the connector's keys of the calendar
    Column("choices", Json, nullable=False),  # calendars of the account, as pairs of address and name
    Column("state_hash", Text),  # of the text that ties a return from a consent page to this attempt
    Column("sealed", Text),  # before the return: the verifier; after it: the login
    Column("stage", Text, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("updated_at", Instant, nullable=False),
)
