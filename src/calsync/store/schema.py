"""Tables of people, calendars, links, drifts and writes; those of the other rooms stand in `schema_*`.

Only `providers` and `clients` hold texts that name people. Event JSON never holds a title that a person typed.
"""

from __future__ import annotations

from sqlalchemy import BigInteger as Big
from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from calsync.store.columns import AppearanceColumn, EventColumn, Instant, Instants, Json, OriginalStartColumn

# Rows that are only ever added outgrow 32 bits on PostgreSQL; SQLite counts by itself in INTEGER columns only.
Counting = Big().with_variant(Integer, "sqlite")

# Which calendars a worker may claim, and the only ones in its index: text, so that index and statements say the same.
CLAIMABLE = "state NOT IN ('stopped', 'paused')"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# --- the installation and its people -------------------------------------------------------------------------------

installation = Table(
    "installation",
    metadata,
    Column("one", Integer, primary_key=True),  # always 1
    Column("id", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("writes_stopped_at", Instant),  # the fleet's stop that survives a restart
    Column("writes_stopped_because", Text),
    Column("writes_released", Float, nullable=False, server_default=text("0")),  # the part of calendars that may write
    Column("shares_counted_from", Instant),  # what a person released is not counted again
    Column("key_check", Text),  # sealed by the key in use: opens only with the key file of this installation
)

providers = Table(
    "providers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("email", Text, nullable=False, server_default=""),
    Column("zone", Text, nullable=False),
    Column("practice", Text, nullable=False, server_default="default"),
    Column("source", Text, nullable=False, server_default="database"),  # config | database
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    Column("calendars", Text),  # "none": a person declared that there is no calendar
    Column("calendars_reason", Text),
    Column("calendars_since", Text),  # ISO date
    Column("calendars_declared_by", Text),
)

clients = Table(
    "clients",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("email", Text, nullable=False, server_default=""),
    Column("zone", Text),
)

# --- calendars: what they are, and the work on them ----------------------------------------------------------------

connections = Table(
    "connections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("provider", Text, nullable=False, index=True),
    Column("connector", Text, nullable=False),
    Column("source", Text, nullable=False, server_default="config"),
    Column("settings", Json, nullable=False),
    Column("key_id", Text),  # which key encrypted `credential`
    Column("credential", LargeBinary),
    Column("created_at", Instant),
)

calendars = Table(
    "calendars",
    metadata,
    Column("id", Text, primary_key=True),
    Column("provider", Text, nullable=False, index=True),
    Column("connection", Text, nullable=False, server_default=""),
    Column("connector", Text, nullable=False),
    Column("mode", Text, nullable=False, server_default="mirror"),
    Column("placement", Text, nullable=False, server_default="dedicated"),
    Column("source", Text, nullable=False, server_default="config"),
    Column("remote", Text),  # the service's address of it, once opened
    Column("making_since", Instant),  # intent to make a dedicated calendar
    Column("state", Text, nullable=False, server_default="active"),
    Column("state_since", Instant),
    Column("last_error", Text),
    Column("cursor", Text),
    Column("last_read_at", Instant),
    Column("inventory_at", Instant),  # last full comparison of versions
    Column("removed_at", Instant),
    Column("titles", Text),  # how titles name clients in events, as last put into force
    Column("declared", Text),  # whose the config says it is, and where, when it was put on the books
    Column("books_restored_at", Instant),  # these books went back to an older copy; until the next full comparison
    Column("due_at", Instant, nullable=False),  # from here on: its work, about which the row is the truth (DESIGN 10)
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("generation", Big, nullable=False, server_default=text("1")),
    Column("done_generation", Big, nullable=False, server_default=text("0")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("not_before", Instant),
    Column("lease_owner", Text),
    Column("lease_until", Instant),
    Column("fence", Big, nullable=False, server_default=text("0")),
    Index("ix_calendars_state_since", "state", "state_since"),
    Index("ix_calendars_work", "priority", "due_at", sqlite_where=text(CLAIMABLE), postgresql_where=text(CLAIMABLE)),
    # Each pass changes an indexed column: leave room in the pages and clean up early.
    postgresql_with={"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.02},
)

# --- links, writes, drifts -----------------------------------------------------------------------------------------

links = Table(
    "links",
    metadata,
    Column("id", Text, primary_key=True),
    Column("calendar", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("generation", Integer, nullable=False, server_default=text("1")),
    Column("remote_id", Text, nullable=False),
    Column("uid", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="active"),
    Column("version", Text),
    Column("baseline", EventColumn),
    Column("baseline_hash", Text),
    Column("observed", EventColumn),
    Column("absent", Boolean, nullable=False, server_default=text("false")),
    Column("unreadable", Boolean, nullable=False, server_default=text("false")),
    Column("confirmed_at", Instant),
    Column("linked_at", Instant),
    Column("read_after", Instant),  # a read by id is owed from then on
    Column("last_end", Instant),  # end of the last expected occurrence; NULL: endless
    Column("ended_at", Instant),  # when the link retired, or its calendar was removed
    UniqueConstraint("calendar", "subject_kind", "subject", "generation"),
    Index("ix_links_calendar_remote_id", "calendar", "remote_id", unique=True),
    Index("ix_links_calendar_read_after", "calendar", "read_after"),
    Index("ix_links_calendar_last_end", "calendar", "last_end"),
    Index("ix_links_subject", "subject_kind", "subject"),
)

link_copies = Table(
    "link_copies",
    metadata,
    Column("link", Text, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("event", EventColumn, nullable=False),
    PrimaryKeyConstraint("link", "remote_id"),
)

owed_writes = Table(
    "owed_writes",
    metadata,
    Column("id", Text, primary_key=True),  # the idempotency key
    Column("calendar", Text, nullable=False),
    Column("link", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("target", EventColumn),
    Column("content", Text),
    Column("version", Text),
    Column("cause", Text, nullable=False),
    Column("reverts", Instants, nullable=False),  # original starts
    Column("not_before", Instant, nullable=False),
    Column("state", Text, nullable=False, server_default="owed"),  # owed | sent | done | superseded | rejected
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("settled_at", Instant),
    Column("reason", Text),
    Index("ix_owed_writes_work", "calendar", "state", "not_before"),
)

edits = Table(
    "edits",
    metadata,
    Column("id", Text, primary_key=True),
    Column("link", Text, nullable=False, index=True),
    Column("calendar", Text, nullable=False),
    Column("provider", Text, nullable=False, index=True),
    Column("version", Text),
    Column("detected_at", Instant, nullable=False),
    Column("unseen_at", Instant),  # the last reading before: the edit is no older than that
    Column("scope", Text, nullable=False),
    Column("mixed", Boolean, nullable=False, server_default=text("false")),
    Column("assigned", Text),
    Column("snoozed_until", Instant),
    Column("waiting_for", Text),
)

drifts = Table(
    "drifts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("edit", Text, nullable=False, index=True),
    Column("link", Text, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("provider", Text, nullable=False, index=True),
    Column("appointment", Text, index=True),
    Column("block", Text),
    Column("series", Text),
    Column("original_start", OriginalStartColumn, nullable=False),
    Column("episode", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("expected", AppearanceColumn),
    Column("observed", AppearanceColumn),
    Column("history", Json, nullable=False),
    Column("scope", Text, nullable=False),
    Column("mixed", Boolean, nullable=False, server_default=text("false")),
    Column("disposition", Text, nullable=False),
    Column("resolution", Text, nullable=False, server_default="open"),
    Column("accepted", Boolean, nullable=False, server_default=text("false")),
    Column("copy_id", Text),
    Column("detected_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("reverted_at", Instant),
    Column("resolved_at", Instant),
    Column("resolved_by", Text),
    Column("note", Text),
    UniqueConstraint("link", "original_start", "episode"),
    Index("ix_drifts_calendar_resolution", "calendar", "resolution"),
    Index("ix_drifts_detected_at", "detected_at"),
)

holds = Table(
    "holds",
    metadata,
    Column("appointment", Text, nullable=False),
    Column("drift", Text, nullable=False, index=True),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    PrimaryKeyConstraint("appointment", "drift"),
)

observations = Table(
    "observations",
    metadata,
    Column("seq", Counting, primary_key=True, autoincrement=True),
    Column("calendar", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("appointment", Text, nullable=False),
    Column("read_at", Instant, nullable=False),  # when the request began
    Column("seen", AppearanceColumn),  # the appearance; NULL: it was not there
    Column("version", Text),
    Column("drift", Text),  # the drift that recorded exactly this difference
    Column("after_end", Boolean, nullable=False, server_default=text("false")),
    Column("linked_at", Instant),  # the link's, at that time
    Column("written_at", Instant),  # last confirmed write of the event before the read
    Index("ix_observations_appointment", "appointment", "calendar", "read_at"),
)

_STANDING = text("released_at IS NULL")
stops = Table(
    "stops",
    metadata,
    Column("id", Text, primary_key=True),
    Column("calendar", Text, nullable=False, index=True),
    Column("started_at", Instant, nullable=False),
    Column("kind", Text, nullable=False),  # stampede | pause | lost
    Column("evidence", Json, nullable=False),
    Column("touched", Json, nullable=False),  # appointment ids that vanished or changed in it
    Column("released_at", Instant),
    Column("released_as", Text),
    Column("released_by", Text),
    Column("handled_at", Instant),  # when the pass that the release allowed was recorded
    Index("ix_stops_standing", "started_at", sqlite_where=_STANDING, postgresql_where=_STANDING),
)
