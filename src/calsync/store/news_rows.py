"""What mails about sessions ask of the books beside the records themselves. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Text, bindparam, cast, exists, func, literal, select, type_coerce

from calsync.domain.appointment import Appointment, AppointmentStatus
from calsync.store.columns import to_micros
from calsync.store.record_values import APPOINTMENT, appointment_of
from calsync.store.rows import chunks
from calsync.store.schema import calendars, drifts
from calsync.store.schema_effects import outbox
from calsync.store.schema_records import appointments, record_history

REMINDER: Final = "appointment-reminder"
"""The kind of message that reminds a client of a session."""


def last_change(conn: Connection, series: str, members: Iterable[str]) -> int:
    """A number that rises with every change of the series or of one of these members."""
    newest = conn.execute(_NEWEST, {"the_kind": "series", "subjects": [series]}).scalar_one() or 0
    for part in chunks(sorted(set(members))):
        found = conn.execute(_NEWEST, {"the_kind": "appointment", "subjects": part}).scalar_one() or 0
        newest = max(newest, found)
    return int(newest)


def has_mirror(conn: Connection, provider: str) -> bool:
    """Whether sessions show in a calendar of the provider's (R-30)."""
    return bool(conn.execute(_MIRRORED, {"the_provider": provider}).scalar_one())


def to_remind(conn: Connection, since: datetime, until: datetime) -> list[Appointment]:
    """The book's own sessions that start from `since` to before `until` and have no reminder yet, by start."""
    return [appointment_of(row) for row in conn.execute(_TO_REMIND, {"since": since, "until": until})]


def reminder_key(one: Appointment) -> str:
    """The key of a session's reminder: another start is another reminder."""
    return f"{REMINDER}/{one.id}/{to_micros(one.span.start_at)}"


def ended_unrecorded(conn: Connection, provider: str, since: datetime, until: datetime) -> list[str]:
    """Ids of the book's own sessions that ended in that time and of which nobody has said that they took place."""
    bound = {"the_provider": provider, "since": since, "until": until}
    return [str(one) for one in conn.execute(_UNRECORDED, bound).scalars()]


def last_end(conn: Connection, provider: str, since: datetime, until: datetime) -> datetime | None:
    """When the last of the provider's sessions in that time ends; None without any."""
    found = conn.execute(_LAST_END, {"the_provider": provider, "since": since, "until": until}).scalar_one()
    return found if isinstance(found, datetime) else None


def unanswered(conn: Connection, provider: str) -> dict[str, str]:
    """Drifts of the provider's sessions that nobody has answered, with their sessions."""
    return {str(row.id): str(row.appointment) for row in conn.execute(_UNANSWERED, {"the_provider": provider})}


def providers_with_ends(conn: Connection, since: datetime, until: datetime) -> list[str]:
    """Providers of whom something may be open from sessions that ended from `since` to before `until`, by id."""
    found: set[str] = set()
    for statement in (_PROVIDERS_UNRECORDED, _PROVIDERS_EDITED):
        found |= {str(one) for one in conn.execute(statement, {"since": since, "until": until}).scalars()}
    return sorted(found)


_a = appointments.c
_h = record_history.c
_SUBJECTS: Any = bindparam("subjects", expanding=True)
_NEWEST = select(func.max(_h.seq)).where(_h.kind == bindparam("the_kind"), _h.subject.in_(_SUBJECTS))
_MIRRORED = select(
    exists().where(
        calendars.c.provider == bindparam("the_provider"),
        calendars.c.mode == "mirror",
        calendars.c.removed_at.is_(None),
    )
)
_SCHEDULED = _a.status == AppointmentStatus.SCHEDULED.value
_OWN = _a.origin == "book"
_REMINDED = exists().where(
    outbox.c.key
    == literal(f"{REMINDER}/").concat(_a.id).concat("/").concat(cast(type_coerce(_a.start_at, BigInteger), Text))
)
_TO_REMIND = (
    select(*APPOINTMENT)
    .where(
        ~_REMINDED,
        _SCHEDULED,
        _OWN,
        _a.start_at >= bindparam("since", type_=_a.start_at.type),
        _a.start_at < bindparam("until", type_=_a.start_at.type),
    )
    .order_by(_a.start_at, _a.id)
)
_ENDED = (
    _a.end_at >= bindparam("since", type_=_a.end_at.type),
    _a.end_at < bindparam("until", type_=_a.end_at.type),
)
_UNRECORDED = (
    select(_a.id)
    .where(_a.provider == bindparam("the_provider"), _SCHEDULED, _OWN, *_ENDED)
    .order_by(_a.start_at, _a.id)
)
_LAST_END = select(func.max(_a.end_at)).where(_a.provider == bindparam("the_provider"), _SCHEDULED, *_ENDED)
_d = drifts.c
_WAITS = (_d.resolution.in_(("open", "reverted")), _d.resolved_by.is_(None), _d.appointment.is_not(None))
_UNANSWERED = select(_d.id, _d.appointment).where(_d.provider == bindparam("the_provider"), *_WAITS)
_PROVIDERS_UNRECORDED = select(_a.provider).where(_SCHEDULED, _OWN, *_ENDED).distinct()
_PROVIDERS_EDITED = select(_a.provider).join(drifts, _d.appointment == _a.id).where(*_WAITS, *_ENDED).distinct()
