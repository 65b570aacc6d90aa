"""What one change of records has to write, collected first: rows, their history, and the subjects that changed.

Used by `records` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Required, TypedDict

from sqlalchemy import Connection, insert

from calsync.domain.appointment import Appointment, Subject, SubjectKind
from calsync.store import subject_changes
from calsync.store.dialect import Upsert
from calsync.store.record_values import AppointmentFacts, appointment_columns, in_history
from calsync.store.schema_records import record_history


class Change(TypedDict, total=False):
    """Who changes a record, when, how and why.

    `actor` is `provider:ID`, `support:NAME`, `import` …; `action` a word such as "book", "reschedule", "cancel".
    `origin` (book, import, api, mapping) is kept from the first time. `completed_by`: who recorded attendance; left
    out, the one on the books stays as long as the status does. `pending_until`: when the open request lapses.
    """

    now: Required[datetime]
    actor: Required[str]
    action: Required[str]
    origin: str
    reason: str | None
    note: str | None
    completed_by: str | None
    pending_until: datetime | None


@dataclass(slots=True)
class Batch:
    """What a `put_` has to write, collected first so that it is written in the order that avoids deadlocks."""

    change: Change
    zones: Mapping[str, str] = field(default_factory=dict)  # of providers, now
    rows: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    subjects: set[tuple[str, Subject]] = field(default_factory=set)

    def add(self, kind: SubjectKind, before: dict[str, Any] | None, after: dict[str, Any]) -> None:
        """Note in the history what a record said before (None: it is new) and says now."""
        told = self.change
        self.history.append(
            {
                "kind": kind.value,
                "subject": after["id"],
                "at": told["now"],
                "actor": told["actor"],
                "action": told["action"],
                "before": in_history(before),
                "after": in_history(after),
                "reason": told.get("reason"),
                "note": told.get("note"),
            }
        )

    def write(self, conn: Connection, upsert: Upsert) -> None:
        """Write it all; nothing where nothing was added."""
        if self.rows:
            subject_changes.mark_many(conn, self.subjects, self.change["now"])
            upsert.run(conn, self.rows)
            conn.execute(_ADD_HISTORY, self.history)


def subject_of(appointment: Appointment) -> Subject:
    """What is mirrored for an appointment: itself, or the series that it belongs to."""
    if appointment.series is None:
        return Subject(SubjectKind.APPOINTMENT, appointment.id)
    return Subject(SubjectKind.SERIES, appointment.series)


def put(batch: Batch, one: Appointment, known: tuple[Appointment, AppointmentFacts] | None) -> None:
    """Make the appointment so, where it is not: its columns, its history, and the subjects that change with it."""
    change = batch.change
    before, facts = known if known is not None else (None, None)
    completed_by = change.get("completed_by")
    if completed_by is None and before is not None and facts is not None and before.status is one.status:
        completed_by = facts.completed_by
    pending_until = change.get("pending_until") if one.pending else None
    if pending_until is None and before is not None and facts is not None and before.pending == one.pending:
        pending_until = facts.pending_until
    if before is not None and facts is not None:
        same = replace(one, version=before.version) == before
        if same and (completed_by, pending_until) == (facts.completed_by, facts.pending_until):
            return
    columns = appointment_columns(one)
    batch.rows.append(
        {
            **columns,
            "pending_until": pending_until,
            "completed_by": completed_by,
            "provider_zone": _provider_zone(batch, one, known),
            "origin": facts.origin if facts else change.get("origin", "book"),
            "created_at": facts.created_at if facts else change["now"],
            "updated_at": change["now"],
        }
    )
    batch.add(SubjectKind.APPOINTMENT, appointment_columns(before) if before else None, columns)
    for state in (one, before):
        if state is not None:
            batch.subjects.add((state.provider, subject_of(state)))


def _provider_zone(batch: Batch, one: Appointment, known: tuple[Appointment, AppointmentFacts] | None) -> str | None:
    """Where the provider lived when this time was booked; of what is over only what was kept says that."""
    before, facts = known if known is not None else (None, None)
    kept = facts.provider_zone if facts is not None and before is not None and before.provider == one.provider else None
    is_as_booked = kept is not None and before is not None and before.span == one.span
    if is_as_booked or one.span.start_at <= batch.change["now"]:
        return kept
    return batch.zones.get(one.provider)


_ADD_HISTORY = insert(record_history)
