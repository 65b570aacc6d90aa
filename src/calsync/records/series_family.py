"""The rows of one series in a file, with everything that is needed to judge them. Called by the series planners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from calsync.domain.appointment import Appointment, Series
from calsync.domain.series_slots import occurrence_id
from calsync.records.appointment_rows import AppointmentRow, new_appointment
from calsync.records.findings import Findings
from calsync.records.import_plan import Books, Plan, merge_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """All rows of the file that name one series. `now` and `horizon` say which of its sessions are made."""

    name: str
    rows: Sequence[AppointmentRow]
    books: Books
    now: datetime
    horizon: datetime
    plan: Plan
    findings: Findings

    @property
    def chain(self) -> tuple[Series, ...]:
        """The series on the books under that name, with those that continue it; the one in force last."""
        return self.books.chains.get(self.name, ())

    @property
    def rule_row(self) -> AppointmentRow | None:
        """The row that says the rule, if any does."""
        return next((row for row in self.rows if row.rule), None)

    def record_of(self, row: AppointmentRow) -> Appointment:
        """What the row makes of its appointment, but for its place in the series."""
        known = self.books.appointments.get(row.id)
        return new_appointment(row) if known is None else merge_row(row, self.books.said.get(row.id), known)

    def note(self, row: AppointmentRow, session: Appointment) -> None:
        """Add to the plan what becomes of a row's appointment."""
        self.plan.add(self.books.appointments.get(row.id), session)

    def refuse(self, row: AppointmentRow, what: str, column: str, remedy: str = "") -> None:
        """Note what is wrong with a row."""
        self.findings.add(row.number, what, column=column, remedy=remedy)


def is_ours(session: Appointment, zone: str) -> bool:
    """Whether calsync made the session for its slot, so that it has no id of the platform's yet."""
    name, at, _ = session.id.rpartition("@")
    return (
        bool(at)
        and session.original_start is not None
        and session.id == occurrence_id(name, session.original_start, zone)
    )
