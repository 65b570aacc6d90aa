"""The calendars' part of a case: which links count for a session, and what their readings say of its record now.

Pure; called by `casebook`. The links that count are those of mirror calendars that were alive when the session ended
(R-23, R-24); what a reading showed is stored as it was seen, and compared here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from calsync.claims.case import NextRead, Observation, ReadResult
from calsync.domain.event import Appearance
from calsync.domain.span import Span
from calsync.store.gate_values import CalendarRow, DriftRow, LinkRow, ObservationRow, RecordRow, StopRow

_FAILING = frozenset({"needs-reconnect", "unreachable"})
_AT_REST = frozenset({"stopped", "paused"})
_ACCEPTED = frozenset({"acknowledged", "record-corrected", "ignored"})


@dataclass(frozen=True, slots=True)
class CalendarRows:
    """What the books hold about one appointment's calendars. `calendars` are all that its links or provider name."""

    record: RecordRow
    calendars: dict[str, CalendarRow]
    links: Sequence[LinkRow]
    observations: Sequence[ObservationRow]
    drifts: Sequence[DriftRow]
    stops: dict[str, list[StopRow]]


def calendars_of_case(
    rows: CalendarRows, span: Span, *, now: datetime, window_past: timedelta
) -> tuple[tuple[Observation, ...], tuple[NextRead, ...]]:
    """The case's observations and next reads: one of either at least for every calendar that must agree."""
    observations: list[Observation] = []
    next_reads: list[NextRead] = []
    for link in _counting(rows, now):
        calendar = rows.calendars[link.calendar]
        readings = [_reading(rows, span, one) for one in rows.observations if one.calendar == calendar.id]
        if _is_doubted(calendar):
            readings = []
        never = Observation(calendar=calendar.id, result=ReadResult.NEVER, removed=calendar.removed_at is not None)
        observations += readings or [never]
        observations += _standing(rows, calendar)
        next_reads += _next_read(calendar, link, now)
    for calendar in _unlinked(rows, now, window_past):
        observations += [Observation(calendar=calendar.id, result=ReadResult.NEVER), *_standing(rows, calendar)]
        next_reads += _next_read(calendar, None, now)
    return tuple(observations), tuple(next_reads)


def _counting(rows: CalendarRows, now: datetime) -> list[LinkRow]:
    """The latest link per mirror calendar among those alive at the session's end.

    Links made only after it count where there is no other: whether they prove anything is the gate's question (R-20).
    """
    end = min(rows.record.end_at, now)
    alive = [link for link in rows.links if _is_mirror(rows, link) and not _ended(rows, link, end)]
    in_time = [link for link in alive if link.linked_at is None or link.linked_at <= end]
    return list({link.calendar: link for link in in_time or alive}.values())


def _is_mirror(rows: CalendarRows, link: LinkRow) -> bool:
    calendar = rows.calendars.get(link.calendar)
    return calendar is not None and calendar.mode == "mirror"


def _ended(rows: CalendarRows, link: LinkRow, end: datetime) -> bool:
    removed_at = rows.calendars[link.calendar].removed_at
    return any(at is not None and at <= end for at in (link.ended_at, removed_at))


def _unlinked(rows: CalendarRows, now: datetime, window_past: timedelta) -> list[CalendarRow]:
    """Mirror calendars of the provider that should show the session and have no link for it yet."""
    linked = {link.calendar for link in rows.links}
    inside = rows.record.end_at > now - window_past
    return [
        calendar
        for calendar in rows.calendars.values()
        if calendar.provider == rows.record.provider
        and calendar.mode == "mirror"
        and calendar.removed_at is None
        and calendar.id not in linked
        and (inside or not linked)
    ]


def _is_doubted(calendar: CalendarRow) -> bool:
    """Whether its readings are those of an older copy of the books, and edits may have been seen since."""
    return calendar.books_restored_at is not None and calendar.removed_at is None


def _reading(rows: CalendarRows, span: Span, row: ObservationRow) -> Observation:
    return Observation(
        calendar=row.calendar,
        result=_result(row.seen, span),
        read_at=row.read_at,
        drift=_explained_by(rows.drifts, span, row),
        confirmed_at=row.linked_at,
        written_at=row.written_at,
        version=row.version,
        removed=rows.calendars[row.calendar].removed_at is not None,
    )


def _result(seen: Appearance | None, span: Span) -> ReadResult:
    if seen is None:
        return ReadResult.ABSENT
    return ReadResult.AGREES if not seen.cancelled and seen.span.same_time_as(span) else ReadResult.DIFFERS


def _explained_by(drifts: Iterable[DriftRow], span: Span, row: ObservationRow) -> str | None:
    """The drift that recorded exactly what was seen; an answer given to another state of the record does not count."""
    fitting = [one for one in drifts if one.calendar == row.calendar and _same(one.observed, row.seen)]
    fitting = [one for one in fitting if one.resolution not in _ACCEPTED or _was_booked(one, span)]
    # An edit that was put back when it was answered is no agreement to what was seen: its event wants another look.
    fitting = [one for one in fitting if one.resolution != "acknowledged" or one.accepted]
    known = next((one.id for one in fitting if one.id == row.drift), None)
    return known or (fitting[-1].id if fitting else None)


def _was_booked(drift: DriftRow, span: Span) -> bool:
    return drift.expected is not None and drift.expected.span.same_time_as(span)


def _same(one: Appearance | None, other: Appearance | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.cancelled == other.cancelled and one.span.same_time_as(other.span)


def _standing(rows: CalendarRows, calendar: CalendarRow) -> list[Observation]:
    """What stands between the calendar and a reading: it cannot be read, or it was stopped."""
    if calendar.state in _FAILING:
        return [Observation(calendar=calendar.id, result=ReadResult.FAILED, read_at=calendar.state_since)]
    stops = rows.stops.get(calendar.id, [])
    if not stops and calendar.state in _AT_REST:
        touched = False if calendar.state == "paused" else None
        return [_stopped(calendar.id, calendar.state_since, touched=touched)]
    return [_stopped(calendar.id, one.started_at, touched=_touched(rows.record, one)) for one in stops]


def _touched(record: RecordRow, stop: StopRow) -> bool | None:
    if stop.kind == "pause":
        return False
    return None if stop.kind == "lost" else record.id in stop.touched


def _stopped(calendar: str, since: datetime | None, *, touched: bool | None) -> Observation:
    return Observation(calendar=calendar, result=ReadResult.STOPPED, read_at=since, touched=touched)


def _next_read(calendar: CalendarRow, link: LinkRow | None, now: datetime) -> list[NextRead]:
    if calendar.state in _AT_REST or calendar.removed_at is not None:
        return []
    due_at = calendar.due_at
    if link is not None and link.read_after is not None and link.read_after > now:
        due_at = link.read_after
    if calendar.not_before is not None:
        due_at = max(due_at, calendar.not_before)
    # What is overdue comes next.
    return [NextRead(calendar=calendar.id, due_at=max(due_at, now))]
