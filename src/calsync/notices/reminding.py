"""What mails itself with time: reminders of sessions, the evening's day sheet, and questions that nobody answers.

Each is put on the books under a key of its own, so that asking again, in a second process or after days of standing
still, puts nothing there twice; whether there is still something to tell is decided when the mail goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from sqlalchemy import Connection

from calsync.domain.appointment import Appointment
from calsync.domain.drift import Drift
from calsync.domain.span import instant, wall_time
from calsync.notices import day_sheet, schedule
from calsync.notices.filing_limit import last_moment
from calsync.notices.gather import REMINDS, waits_for_answer
from calsync.settings.model import Settings
from calsync.settings.practice import Practice
from calsync.store import asks, drifts, news_rows, outbox, providers, records
from calsync.store.asks import AskRow
from calsync.store.database import Database

_LOOK_BACK: Final = timedelta(hours=30)
_AFTER_THE_LAST: Final = timedelta(minutes=10)
_LATEST: Final = time(21, 30)


@dataclass(frozen=True, slots=True)
class Reminding:
    """An installation's reminders. Each method is a timer's: idempotent, and safe in several processes at once."""

    database: Database
    settings: Settings

    def remind_clients(self, now: datetime) -> int:
        """Owe a reminder of each of the book's own sessions that is near enough; how many are new."""
        longest = max(one.mail.reminder for one in self.settings.practices.values())
        with self.database.transaction() as conn:
            near = news_rows.to_remind(conn, now, now + longest)
            practices = {
                one.id: one.practice for one in providers.by_ids(conn, {each.provider for each in near}).values()
            }
            facts = records.appointment_facts(conn, [one.id for one in near])
            due = [
                one
                for one in near
                if self._is_near(one, practices.get(one.provider, ""), now, facts[one.id].updated_at)
            ]
            return sum(_owe_reminder(conn, one, now) for one in due)

    def owe_day_sheets(self, now: datetime) -> int:
        """Owe the evening's page to each provider of whom something may be open; how many are new."""
        new = 0
        with self.database.transaction() as conn:
            for provider in news_rows.providers_with_ends(conn, now - _LOOK_BACK, now):
                known = providers.get(conn, provider)
                new += known is not None and _owe_sheet(conn, provider, known.zone, now)
        return new

    def escalate(self, now: datetime) -> int:
        """Take the next step of each question whose time has come; how many steps were taken (R-18)."""
        with self.database.transaction() as conn:
            due = [one for one in asks.due(conn, now) if one.who == "provider"]
            for ask in due:
                _step(conn, ask, self.settings, now)
        return len(due)

    def _is_near(self, one: Appointment, practice: str, now: datetime, changed_at: datetime) -> bool:
        lead = self.settings.practices.get(practice, Practice()).mail.reminder
        begins = one.span.start_at - lead
        # Whoever was told of the session later than that needs no second mail.
        return bool(lead) and begins <= now and changed_at < begins


def _owe_reminder(conn: Connection, one: Appointment, now: datetime) -> bool:
    payload = {"appointments": [one.id]}
    key = news_rows.reminder_key(one)
    return outbox.put(conn, key, news_rows.REMINDER, f"client:{one.client}", payload, now=now, due_at=now)


def _owe_sheet(conn: Connection, provider: str, zone: str, now: datetime) -> bool:
    today = wall_time(now, zone).date()
    evening = schedule.Day.of(now, zone).evening
    if now < evening - schedule.BURST:
        return False
    midnight = instant(datetime.combine(today, time()), zone)
    last = news_rows.last_end(conn, provider, midnight, midnight + timedelta(days=1))
    latest = instant(datetime.combine(today, _LATEST), zone)
    due = max(evening, min(last + _AFTER_THE_LAST, latest)) if last is not None else evening
    key, payload = f"day-sheet/{provider}/{today}", {"day": today.isoformat()}
    # As if it had come up ten minutes before, so that it leaves together with what waits for the evening.
    told = {"now": min(now, due - schedule.BURST), "due_at": due}
    return outbox.put(conn, key, day_sheet.KIND, f"provider:{provider}", payload, **told)


def _step(conn: Connection, ask: AskRow, settings: Settings, now: datetime) -> None:
    """Take every step whose time has come; none is taken twice, for each has a key of its own."""
    drift = drifts.get(conn, ask.about)
    known = providers.get(conn, drift.provider) if drift is not None else None
    if drift is None or known is None or not _waits(conn, drift):
        asks.set_next(conn, ask.id, None)
        return
    due = schedule.steps(ask.at, last_moment(conn, settings, drift, known))
    if now < due.remind_at:
        # The same evening: the day sheet asks.
        _owe_sheet(conn, drift.provider, known.zone, now)
    if ask.at < due.remind_at <= now < due.billing_at:
        _owe(conn, REMINDS, f"provider:{drift.provider}", drift.edit, now)
    if due.support_at <= now:
        _owe(conn, "question-unanswered", "support", drift.edit, now)
    if due.billing_at <= now:
        _owe(conn, "question-unanswered", "billing", drift.edit, now)
    asks.set_next(conn, ask.id, due.after(now))


def _owe(conn: Connection, kind: str, recipient: str, edit: str, now: datetime) -> None:
    outbox.put(conn, f"{kind}/{edit}/{recipient}", kind, recipient, {"edit": edit}, now=now, due_at=now)


def _waits(conn: Connection, drift: Drift) -> bool:
    told = drifts.answers(conn, [drift.id]).get(drift.id)
    return waits_for_answer(drift) and (told is None or told.resolved_by is None)
