"""The report that comes by mail: once for each day, week or month that is over, whoever asks how often."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from calsync.claims.gate import Gate
from calsync.reports.as_text import report_text
from calsync.reports.build import Report, Scope
from calsync.store import installation, outbox
from calsync.support.reporting import make_report

_MORNING: Final = time(6)
_WELL: Final = ("active", "paused")


def owe_report(gate: Gate, now: datetime) -> bool:
    """Owe support the report of the period that ended last, from its next morning on; True if it was not owed before.

    May be called as often as anybody likes, by several processes: each period is told once, and none that was over
    before the books began.
    """
    period = last_period(gate.settings.report.mail, now)
    if period is None:
        return False
    since, until = period
    key = f"report:{since.isoformat()}:{until.isoformat()}"
    with gate.database.reading() as conn:
        begun = installation.created_at(conn)
        if begun is None or begun >= _midnight(until) or outbox.get(conn, key) is not None:
            return False
    made = make_report(gate, Scope(_midnight(since), _midnight(until), None, now))
    payload = _payload(made, since, until, gate.settings.web.public_url)
    with gate.database.transaction() as conn:
        return outbox.put(conn, key, "report", "support", payload, now=now, due_at=now)


def last_period(often: str, now: datetime) -> tuple[date, date] | None:
    """The first day of the last full period, and the day after it; None for "never". It ends at six in the morning."""
    today = (now.astimezone(UTC) - timedelta(hours=_MORNING.hour)).date()
    if often == "daily":
        return today - timedelta(days=1), today
    if often == "weekly":
        until = today - timedelta(days=today.weekday())
        return until - timedelta(days=7), until
    if often == "monthly":
        until = today.replace(day=1)
        return (until - timedelta(days=1)).replace(day=1), until
    return None


def _payload(made: Report, since: date, until: date, public_url: str | None) -> dict[str, object]:
    last = until - timedelta(days=1)
    address = f"/support/report?since={since.isoformat()}&until={last.isoformat()}"
    return {
        "since": f"{since:%a %d %b}",
        "until": f"{last:%a %d %b %Y}",
        "open": made.open,
        "held": made.held,
        "in_trouble": sum(count for state, count in made.calendars.items() if state not in _WELL),
        "lines": report_text(made),
        "url": f"{public_url.rstrip('/')}{address}" if public_url else None,
    }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
