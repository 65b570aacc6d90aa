"""A provider's day on one page (P-5): every session, what its calendar showed instead, and what is still to be said.

Edits of sessions on other days that wait for an answer stand below it, so that nothing is asked in a second place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from calsync.domain.appointment import Appointment, AppointmentStatus
from calsync.domain.drift import Drift
from calsync.domain.span import instant
from calsync.notices.answer_links import DAY_SHEET, AnswerLinks
from calsync.notices.facts import DaySheetFacts, ToldSession
from calsync.notices.gather import waits_for_answer
from calsync.settings.model import Settings
from calsync.settings.practice import Practice
from calsync.store import drifts, news_rows, providers, records
from calsync.store.outbox import OutboxItem
from calsync.store.records import AppointmentFilter

KIND = "day-sheet"
"""The message that mails it."""

LIFE = timedelta(days=14)
"""How long a day's page can be used."""


@dataclass(frozen=True, slots=True)
class DayRow:
    """One session on the page. `drifts`: edits of it that nobody has answered; `is_open`: something is to be said."""

    appointment: Appointment
    drifts: tuple[Drift, ...]
    has_begun: bool
    is_open: bool

    @property
    def in_conflict(self) -> bool:
        """Whether a calendar shows something else, so that "all as booked" must not speak for it."""
        return bool(self.drifts)


@dataclass(frozen=True, slots=True)
class DaySheet:
    """The day's sessions by start, and those of other days that wait for an answer."""

    provider: str
    zone: str
    day: date
    rows: tuple[DayRow, ...]
    others: tuple[DayRow, ...]

    @property
    def open_rows(self) -> tuple[DayRow, ...]:
        """Those of all of them about which something is to be said."""
        return tuple(row for row in (*self.rows, *self.others) if row.is_open)


def read_sheet(conn: Connection, settings: Settings, provider: str, day: date, now: datetime) -> DaySheet | None:
    """The page's content as of now; None for a provider who is not on the books."""
    known = providers.get(conn, provider)
    if known is None:
        return None
    midnight = instant(datetime.combine(day, time()), "UTC")
    around = AppointmentFilter(
        provider=provider, since=midnight - timedelta(days=2), until=midnight + timedelta(days=3)
    )
    todays = [one for one in records.appointments(conn, around) if one.span.local_date == day]
    todays = [one for one in todays if one.status.shows_in_calendars]
    asked = _asked(conn, settings, known.practice, provider)
    elsewhere = sorted(set(asked) - {one.id for one in todays})
    others = records.appointments_by_ids(conn, elsewhere).values()
    unrecorded = set(
        news_rows.ended_unrecorded(conn, provider, midnight - timedelta(days=2), min(now, midnight + timedelta(days=3)))
    )
    return DaySheet(
        provider=provider,
        zone=known.zone,
        day=day,
        rows=tuple(_row(one, asked.get(one.id, ()), unrecorded, now) for one in todays),
        others=tuple(
            _row(one, asked[one.id], set(), now) for one in sorted(others, key=lambda each: each.span.start_at)
        ),
    )


def tell_sheet(
    conn: Connection, settings: Settings, links: AnswerLinks, item: OutboxItem, now: datetime
) -> DaySheetFacts | None:
    """What the evening's mail says; None if nothing is open, or the practice does not want it."""
    provider = item.recipient.removeprefix("provider:")
    known = providers.get(conn, provider)
    practice = settings.practices.get(known.practice if known is not None else "", Practice())
    day = date.fromisoformat(str(item.payload["day"]))
    sheet = read_sheet(conn, settings, provider, day, now) if practice.mail.day_sheet else None
    if sheet is None or not sheet.open_rows:
        return None
    payload = {"day": day.isoformat()}
    return DaySheetFacts(
        day=day,
        sessions=len(sheet.rows),
        open=tuple(_told(row, sheet.zone) for row in sheet.open_rows if row.has_begun),
        asked=tuple(_told(row, sheet.zone) for row in sheet.open_rows if not row.has_begun),
        url=links.make(conn, DAY_SHEET, item.recipient, payload, now=now, expires_at=now + LIFE),
    )


def _told(row: DayRow, zone: str) -> ToldSession:
    return ToldSession(row.appointment.id, row.appointment.span, zone)


def _row(one: Appointment, found: Iterable[Drift], unrecorded: set[str], now: datetime) -> DayRow:
    edits = tuple(found)
    is_open = bool(edits) or (one.id in unrecorded and one.status is AppointmentStatus.SCHEDULED)
    return DayRow(one, edits, one.span.start_at <= now, is_open)


def _asked(conn: Connection, settings: Settings, practice: str, provider: str) -> dict[str, list[Drift]]:
    """Unanswered edits of the provider's sessions, by appointment; none where the practice only observes."""
    if practice not in settings.practices or settings.mode_for(practice) == "observe":
        return {}
    found: dict[str, list[Drift]] = {}
    waiting = news_rows.unanswered(conn, provider)
    for number, those in drifts.of_appointments(conn, waiting.values()).items():
        unanswered = [one for one in those if one.id in waiting and waits_for_answer(one)]
        if unanswered:
            found[number] = unanswered
    return found
