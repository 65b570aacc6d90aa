"""What an appointment file would change, as plain data: worked out before anything is written. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from calsync.domain.appointment import Appointment, AppointmentStatus, Series
from calsync.domain.series_slots import SeriesDefaults
from calsync.records.appointment_rows import TIMES, AppointmentRow, Said, apply_said


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What is on the books of everything that a file may touch.

    `appointments` holds those with an id of the file and all of the series that it names; `chains` the series by the
    name in the file, each with those that continue it, the one in force last. `said` is what a file last said, by id;
    `series_ids` are all that are taken.
    """

    providers: Collection[str]
    appointments: Mapping[str, Appointment] = field(default_factory=dict)
    chains: Mapping[str, tuple[Series, ...]] = field(default_factory=dict)
    defaults: Mapping[str, SeriesDefaults] = field(default_factory=dict)
    said: Mapping[str, Said] = field(default_factory=dict)
    series_ids: Collection[str] = ()

    def members_of(self, series: str) -> list[Appointment]:
        """The sessions of a series, by their slot."""
        members = [one for one in self.appointments.values() if one.series == series]
        return sorted(members, key=lambda one: one.span.start_at if one.original_start is None else one.original_start)


@dataclass(frozen=True, slots=True)
class Change:
    """One appointment as it was (None: new) and as it is to be. `renamed_from`: it had an id of our own until now."""

    before: Appointment | None
    after: Appointment
    action: str
    renamed_from: str | None = None


@dataclass(frozen=True, slots=True)
class SeriesChange:
    """One series as it was (None: new) and as it is to be, with what its later sessions have in common."""

    before: Series | None
    after: Series
    defaults: SeriesDefaults
    materialised_until: datetime | None = None


@dataclass(slots=True)
class Plan:
    """Everything that a file changes. Series stand before the sessions in them."""

    series: list[SeriesChange] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    said: dict[str, Said] = field(default_factory=dict)
    unchanged: int = 0
    missing: list[Appointment] = field(default_factory=list)

    def add_made(self, sessions: Iterable[Appointment]) -> None:
        """Note sessions that are made for slots that no row names."""
        self.changes += [Change(None, one, "materialised") for one in sessions]

    def add(self, before: Appointment | None, after: Appointment, renamed_from: str | None = None) -> None:
        """Note a change of one appointment, or that there is none."""
        if before == after and renamed_from is None:
            self.unchanged += 1
        else:
            self.changes.append(Change(before, after, action_of(before, after), renamed_from))

    def counts(self) -> dict[str, int]:
        """How many appointments meet which fate, by the word of the history."""
        found: dict[str, int] = {}
        for change in self.changes:
            found[change.action] = found.get(change.action, 0) + 1
        return found


def action_of(before: Appointment | None, after: Appointment) -> str:
    """The word of the history for a change."""
    if before is None:
        return "imported"
    if before.status is not after.status:
        return "reinstated" if after.status is AppointmentStatus.SCHEDULED else after.status.value
    return "rescheduled" if not before.span.same_time_as(after.span) else "changed"


def merge_row(row: AppointmentRow, last: Said | None, record: Appointment) -> Appointment:
    """Return the record with what the platform changed: what the file says otherwise than the last file did.

    What was changed here since then, and not by the platform, stays. Without an earlier file all that is said counts.
    """
    if last is None:
        return apply_said(row.said, record)
    changed = {name for name, value in row.said.items() if name not in last or last[name] != value}
    if changed & set(TIMES):
        changed |= set(TIMES)
    return apply_said({name: row.said[name] for name in row.said if name in changed}, record)


def remember(rows: Iterable[AppointmentRow], books: Books) -> dict[str, Said]:
    """Return what is to be kept of the rows for the next file; columns left out keep what was said before."""
    kept = {row.id: {**books.said.get(row.id, {}), **row.said} for row in rows}
    return {key: said for key, said in kept.items() if books.said.get(key) != said}
