"""Signals of a resident process: SIGTERM and SIGINT end it, SIGHUP has it read its configuration anew."""

from __future__ import annotations

import signal

import structlog

from calsync.cli.context import App
from calsync.cli.early import was_heard
from calsync.errors import CalsyncError, UserError
from calsync.store import calendars, work
from calsync.store.calendars import CalendarState
from calsync.store.credentials import Credentials

_log = structlog.get_logger(__name__)

_KEPT_OUT = (CalendarState.NEEDS_RECONNECT, CalendarState.READ_ONLY, CalendarState.UNREACHABLE)


class Signals:
    """Hears signals from now on, and a hang-up from before. `app` is the one at work; ending stops it at once."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.is_ending = False
        self._wants_reload = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._end())
        signal.signal(signal.SIGHUP, lambda *_: self.hang_up())
        if was_heard():
            # The configuration may have been read before it came.
            self.hang_up()

    def replacement(self) -> App | None:
        """The app to go on with, if a reload was asked for and the configuration is fine; what is wrong is logged."""
        if not self._wants_reload or self.is_ending:
            return None
        self._wants_reload = False
        try:
            after, kept = self.app.reloaded()
            # What could not start with it must not end what runs.
            with after.database.transaction() as conn:
                Credentials(lambda: after.keys, after.ids).require_own_keys(conn)
        except CalsyncError as problem:
            told = [str(one) for one in problem.problems] if isinstance(problem, UserError) else [str(problem)]
            _log.error("reload_refused", problems=told, still="the configuration as it was")
            return None
        if kept:
            _log.warning("reload_needs_restart", keys=kept, still="as they were")
        _log.info("reloaded", path=str(after.settings.path))
        _look_again(after)
        return after

    def take(self, app: App) -> None:
        """Go on with another app."""
        self.app = app
        if self.is_ending:
            app.stop.set()

    def hang_up(self) -> None:
        """Ask for the configuration to be read anew, as SIGHUP does."""
        self._wants_reload = True

    def _end(self) -> None:
        self.is_ending = True
        self.app.stop.set()


def _look_again(app: App) -> None:
    """Who reloads has mended what kept calendars out, such as a password in its file: none waits for its next try."""
    try:
        with app.database.transaction() as conn:
            for row in calendars.rows(conn):
                if row.state in _KEPT_OUT:
                    work.retry_now(conn, row.id, app.clock.now())
    except CalsyncError as problem:
        _log.warning("looked_again_later", because=type(problem).__name__)
