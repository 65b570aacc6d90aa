"""Tables of the platform's records: appointments, series and blocks, their history, and what to look at again."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, UniqueConstraint, text

from calsync.store.columns import Instant, Instants, Json, OriginalStartColumn, Wall
from calsync.store.schema import Counting, metadata

series = Table(
    "series",
    metadata,
    Column("id", Text, primary_key=True),
    Column("provider", Text, nullable=False, index=True),
    Column("client", Text, nullable=False),
    Column("start", Wall, nullable=False),
    Column("end", Wall, nullable=False),
    Column("zone", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("added", Instants, nullable=False),
    Column("excluded", Instants, nullable=False),
    Column("continues", Text),
    Column("cancelled", Boolean, nullable=False, server_default=text("false")),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("materialised_until", Instant, index=True),
    Column("defaults", Json),  # kind, code, payer, format, client_zone of occurrences made later
)

appointments = Table(
    "appointments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("client", Text, nullable=False, index=True),
    Column("start", Wall, nullable=False),
    Column("end", Wall, nullable=False),
    Column("zone", Text, nullable=False),
    Column("start_at", Instant, nullable=False),
    Column("end_at", Instant, nullable=False),
    Column("kind", Text, nullable=False, server_default="follow-up"),
    Column("status", Text, nullable=False, server_default="scheduled"),
    Column("series", Text),
    Column("original_start", OriginalStartColumn),
    Column("code", Text),
    Column("payer", Text, nullable=False, server_default="insurance"),
    Column("format", Text),
    Column("session", Text, index=True),
    Column("client_zone", Text),
    Column("pending", Text),
    Column("pending_until", Instant),
    Column("missing_since", Instant),  # a row that disappeared from its source
    Column("missing_answered_at", Instant),  # and a person has said what became of it: nobody is asked again
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("origin", Text, nullable=False, server_default="book"),  # book | import | api | mapping
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("completed_by", Text),  # the actor who recorded attendance; an import's default is `import`
    Column("provider_zone", Text),  # where the provider lived when this time was booked; None: not known then
    Index("ix_appointments_provider_end", "provider", "end_at"),
    Index("ix_appointments_start", "start_at"),
    UniqueConstraint("series", "original_start"),
)

blocks = Table(
    "blocks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("provider", Text, nullable=False, index=True),
    Column("start", Wall, nullable=False),
    Column("end", Wall, nullable=False),
    Column("zone", Text, nullable=False),
    Column("start_at", Instant, nullable=False),
    Column("end_at", Instant, nullable=False),
    Column("all_day", Boolean, nullable=False, server_default=text("false")),
    Column("title", Text, nullable=False, server_default=""),
    Column("cancelled", Boolean, nullable=False, server_default=text("false")),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("for_appointment", Text),
)

record_history = Table(
    "record_history",
    metadata,
    Column("seq", Counting, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),  # appointment | series | block
    Column("subject", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("before", Json),
    Column("after", Json),
    Column("reason", Text),
    Column("note", Text),
    Index("ix_record_history_subject", "kind", "subject"),
)

# What a file last said of an appointment: only what a later file says differently is a change by the platform.
import_rows = Table(
    "import_rows",
    metadata,
    Column("appointment", Text, primary_key=True),
    Column("said", Json, nullable=False),
    Column("at", Instant, nullable=False),
)

# A subject that one calendar's next pass must look at again; `revision` moves with each mark, so that a pass only takes
# away the mark that it saw.
subject_changes = Table(
    "subject_changes",
    metadata,
    Column("calendar", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    PrimaryKeyConstraint("calendar", "kind", "subject"),
)
