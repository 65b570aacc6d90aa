"""The day sheet (P-5): one page for a provider's day, on which completion, acknowledgement and evidence come together.

"All as booked" is one tap and speaks for no session of which a calendar shows something else. The link stays good for
the day: what was said is closed, so handing the page in again does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi.responses import Response
from sqlalchemy import Connection

from calsync.answers.edits import settle_drift
from calsync.answers.records import take_off
from calsync.answers.words import Answer, Desk, Given, Word
from calsync.booking.commands import Attested, complete, record_no_show
from calsync.domain.appointment import AppointmentStatus
from calsync.domain.drift import Drift, Phase, Resolution
from calsync.domain.span import Span, wall_time
from calsync.domain.time_text import read_time
from calsync.notices import wording
from calsync.notices.day_sheet import DayRow, DaySheet, read_sheet
from calsync.store import audit
from calsync.web.edit_answers import read_times
from calsync.web.visit import STALE, UNSENT, Unclear, Visit, state_mark

_NOTE = "on the day sheet"
_STATES = {
    AppointmentStatus.COMPLETED: "took place",
    AppointmentStatus.NO_SHOW: "client did not come",
    AppointmentStatus.SCHEDULED: "booked",
}


@dataclass(frozen=True, slots=True)
class FillsDaySheet:
    """What a link of kind `day-sheet` shows and does."""

    def show(self, visit: Visit) -> Response | None:
        """Every session of the day, with what is still to be said."""
        with visit.site.database.reading() as conn:
            sheet = _sheet(conn, visit)
            if sheet is None:
                return None
            return visit.show(
                "day-sheet",
                day=wording.long_day(sheet.day),
                rows=[_row_words(row, sheet.zone, visit) for row in sheet.rows],
                others=[_row_words(row, sheet.zone, visit) for row in sheet.others],
                plain=len(_plain(sheet)),
                open=len(sheet.open_rows),
                given=dict(visit.given),
            )

    def act(self, visit: Visit) -> Response | None:
        """Note what was said; rows that nobody said anything about stay open."""
        with visit.site.database.transaction() as conn:
            sheet = _sheet(conn, visit)
            if sheet is None:
                return None
            step = {"all": _all_as_booked, "rows": _rows}.get(visit.given.get("do", ""))
            if step is None:
                raise Unclear("Please choose what became of a session. Nothing was changed.")
            count = step(conn, visit, sheet)
            if count == 0:
                return None
            after = _sheet(conn, visit)
        left = len(after.open_rows) if after is not None else 0
        text = "Nothing else is needed from you." if left == 0 else f"{left} still to do: open the page again for them."
        return visit.told(f"{count} {'session' if count == 1 else 'sessions'} noted", text)


def _all_as_booked(conn: Connection, visit: Visit, sheet: DaySheet) -> int:
    plain = _plain(sheet)
    sessions = [row for row in plain if _is_as_shown(visit, row)]
    if not sessions:
        if plain:
            raise _not_as_shown(visit, plain)
        return 0
    complete(conn, visit.command(note=_NOTE), Attested({row.appointment.id: None for row in sessions}))
    _note(conn, visit, len(sessions))
    return len(sessions)


def _rows(conn: Connection, visit: Visit, sheet: DaySheet) -> int:
    count = 0
    for row in sheet.open_rows:
        said = visit.given.get(f"row.{row.appointment.id}", "")
        step = _STEPS.get(said)
        if step is not None:
            if not _is_as_shown(visit, row):
                raise _not_as_shown(visit, [row])
            step(conn, visit, row, sheet.zone)
            count += 1
    if count == 0:
        raise Unclear("Please choose what became of a session. Nothing was changed.")
    _note(conn, visit, count)
    return count


def _as_booked(conn: Connection, visit: Visit, row: DayRow, _zone: str) -> None:
    # A word given with the conflict in sight answers it.
    for drift in row.drifts:
        ahead = drift.phase is Phase.UPCOMING and drift.resolution is Resolution.OPEN and not row.has_begun
        _settle(conn, visit, drift, Word(answer=Answer.RESTORE if ahead else Answer.STANDS, by=visit.link.recipient))
    _complete(conn, visit, row, None)


def _at_another_time(conn: Connection, visit: Visit, row: DayRow, zone: str) -> None:
    number = row.appointment.id
    day, clock, end = (visit.given.get(f"{name}.{number}", "").strip() for name in ("day", "time", "end"))
    start, until = read_times(day, clock, end, zone)
    for drift in row.drifts:
        word = Word(answer=Answer.TOOK_PLACE, by=visit.link.recipient, note=_NOTE, start=start, end=until)
        _settle(conn, visit, drift, word)
    if row.drifts:
        _complete(conn, visit, row, None)
        return
    here = row.appointment.span.zone
    begun = read_time(start, here)
    span = row.appointment.span.starting(begun) if until is None else Span(begun, read_time(until, here), here)
    _complete(conn, visit, row, span)


def _as_seen(conn: Connection, visit: Visit, row: DayRow, _zone: str) -> None:
    """It took place when the calendar showed it."""
    for drift in row.drifts:
        seen = drift.observed.span if drift.observed is not None else None
        if seen is None or seen.all_day:
            raise Unclear("The calendar shows no time for one of the sessions. Nothing was changed.")
        start, end = (at.isoformat() for at in (seen.start_at, seen.end_at))
        word = Word(answer=Answer.TOOK_PLACE, by=visit.link.recipient, note=_NOTE, start=start, end=end)
        _settle(conn, visit, drift, word)
    _complete(conn, visit, row, None)


def _not_at_all(conn: Connection, visit: Visit, row: DayRow, _zone: str) -> None:
    word = Word(answer=Answer.DID_NOT_TAKE_PLACE, by=visit.link.recipient, note=_NOTE)
    for drift in row.drifts:
        _settle(conn, visit, drift, word)
    if not row.drifts:
        take_off(conn, Given(_desk(visit), word, visit.now), [row.appointment.id])


def _missed(conn: Connection, visit: Visit, row: DayRow, _zone: str) -> None:
    for drift in row.drifts:
        _settle(conn, visit, drift, Word(answer=Answer.STANDS, by=visit.link.recipient))
    record_no_show(conn, visit.command(note=_NOTE), row.appointment.id)


_STEPS = {
    "booked": _as_booked,
    "seen": _as_seen,
    "other": _at_another_time,
    "none": _not_at_all,
    "missed": _missed,
}


def _complete(conn: Connection, visit: Visit, row: DayRow, span: Span | None) -> None:
    if visit.site.settings.records.is_elsewhere:
        # Who keeps the records says what took place; a person's word about an edit is kept as a statement.
        return
    if row.has_begun and row.appointment.status is AppointmentStatus.SCHEDULED:
        complete(conn, visit.command(note=_NOTE), Attested({row.appointment.id: span}))


def _settle(conn: Connection, visit: Visit, drift: Drift, word: Word) -> None:
    settle_drift(conn, _desk(visit), drift.id, Word(**{**_fields(word), "note": word.note or _NOTE}))


def _fields(word: Word) -> dict[str, Any]:
    return {name: getattr(word, name) for name in ("answer", "by", "note", "start", "end")}


def _desk(visit: Visit) -> Desk:
    site = visit.site
    return Desk(site.database, site.settings, site.clock, site.ids)


def _note(conn: Connection, visit: Visit, count: int) -> None:
    detail = {"day": visit.link.payload.get("day"), "sessions": count}
    audit.append(
        conn,
        at=visit.now,
        actor=visit.link.recipient,
        what="day-sheet-filled",
        subject=visit.link.recipient,
        detail=detail,
    )


def _sheet(conn: Connection, visit: Visit) -> DaySheet | None:
    try:
        day = date.fromisoformat(str(visit.link.payload.get("day")))
    except ValueError:
        return None
    return read_sheet(conn, visit.site.settings, visit.person, day, visit.now)


def _plain(sheet: DaySheet) -> list[DayRow]:
    """The open rows for which "all as booked" may speak."""
    return [row for row in sheet.open_rows if row.has_begun and not row.in_conflict]


def _state(row: DayRow) -> str:
    return state_mark([row.appointment], row.drifts, has_begun=row.has_begun)


def _is_as_shown(visit: Visit, row: DayRow) -> bool:
    return visit.given.get(f"state.{row.appointment.id}") == _state(row)


def _not_as_shown(visit: Visit, rows: list[DayRow]) -> Unclear:
    """Why nothing can be said about these: the page was older than they are, or what it showed did not come along."""
    was_sent = any(f"state.{row.appointment.id}" in visit.given for row in rows)
    return Unclear(STALE if was_sent else UNSENT)


def _row_words(row: DayRow, zone: str, visit: Visit) -> dict[str, Any]:
    one = row.appointment
    start = wall_time(one.span.start_at, zone)
    seen = next((drift.observed.span for drift in row.drifts if drift.observed is not None), None)
    return {
        "number": one.id,
        "when": f"{wording.clock(start)}-{wording.clock(wall_time(one.span.end_at, zone))}",
        "long": wording.long_span(one.span, zone),
        "seen": _seen(row, seen, zone),
        "state": _STATES.get(one.status, str(one.status)),
        "state_mark": _state(row),
        "is_plain": row.is_open and row.has_begun and not row.in_conflict,
        "is_open": row.is_open,
        "has_begun": row.has_begun,
        "is_own": not visit.site.settings.records.is_elsewhere,
        "conflict": row.in_conflict,
        "day": start.date().isoformat(),
        "said": visit.given.get(f"row.{one.id}", ""),
        "seen_at": "" if seen is None or seen.all_day else wording.short_span(seen, zone),
        "time": visit.given.get(f"time.{one.id}", ""),
    }


def _seen(row: DayRow, seen: Span | None, zone: str) -> str:
    if not row.in_conflict:
        return ""
    return (
        "your calendar does not show it" if seen is None else f"your calendar showed {wording.short_span(seen, zone)}"
    )
