"""What comes with time, for the resident worker and for a site that runs `calsync sync` from a timer alike."""

from __future__ import annotations

from datetime import datetime, timedelta

from calsync.answers.adopting import adopt_drags
from calsync.answers.words import Desk
from calsync.booking import horizon
from calsync.booking.requests import expire_requests
from calsync.booking.rulebook import Rulebook
from calsync.cli.context import App
from calsync.store import audit, retention
from calsync.worker.clock_watch import ClockWatch


def extend_series(app: App, now: datetime) -> int:
    """Make the sessions of series as far ahead as they are mirrored; how many."""
    return horizon.extend_all(app.database, now, now + app.settings.sync.booked_ahead)


def end_requests(app: App, now: datetime) -> int:
    """Cancel the sessions of requests to clients that nobody answered in time; how many (GT-25)."""
    return expire_requests(app.database, Rulebook.of_settings(app.settings), now)


def forget(app: App, now: datetime) -> dict[str, int]:
    """Take away what is older than it is kept; how many rows, by table."""
    with app.database.transaction() as conn:
        done = retention.forget(conn, now - app.settings.claims.retention, now)
        if done:
            audit.append(conn, at=now, actor="system", what="retention-ended", subject="installation", detail=done)
    return done


def clock_watch(app: App) -> ClockWatch:
    """Whoever notices that the host's clock was set back."""
    sync = app.settings.sync
    longest = 2 * max(sync.poll_interval, sync.poll_interval_with_push) + timedelta(minutes=10)
    return ClockWatch(app.database, app.clock, longest)


def adopt(app: App, now: datetime) -> int:
    """Reschedule what was dragged, for practices that want that; how many edits."""
    return adopt_drags(Desk(app.database, app.settings, app.clock, app.ids), now)
