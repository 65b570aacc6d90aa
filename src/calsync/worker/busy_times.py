"""Keeping what calendars show as busy beside our own events: it blocks slots, and conflicts are reported (ALL-2).

A calendar of mode `busy` is only read for that. A provider's own calendar that we mirror into is read for it as well,
but only when its feed has named an event that is not ours, so that a quiet pass stays one request. Our own calendars
hold nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from calsync.connector.errors import CalendarError, CursorExpired
from calsync.connector.wrappers import Around
from calsync.domain.span import Window
from calsync.errors import UserError
from calsync.store import busy, calendars, copies, links, work
from calsync.store.calendars import CalendarRow
from calsync.store.work import Lease
from calsync.worker.context import PassResult, Rules, WorkerContext

_log = structlog.get_logger(__name__)

# What lies further back is kept as it was read, for the report.
_BACK: Final = timedelta(days=1)


@dataclass(slots=True)
class Strangers:
    """Whether a pass has met events that are not ours."""

    seen: bool = False

    def note(self) -> None:
        """One more was met."""
        self.seen = True


@dataclass(frozen=True, slots=True)
class _Nothing:
    """Nothing in a calendar that is only read is on our books."""

    def versions(self, remote_ids: Sequence[str]) -> dict[str, str]:
        """See `calsync.connector.protocol.Known`."""
        del remote_ids
        return {}


@dataclass(frozen=True, slots=True)
class BusyReading:
    """One calendar that is to be read for busy time, under its lease."""

    worker: WorkerContext
    row: CalendarRow
    lease: Lease
    rules: Rules

    def after_pass(
        self, calendar: Around, began_at: datetime, *, changed: bool, is_due: bool, first_and_alone: bool = False
    ) -> None:
        """Read a calendar that we mirror into, if what is not ours has changed, or was not read yet (`is_due`).

        `first_and_alone`: the pass was the calendar's first, listed all of it, and met nothing that is not ours.
        Whatever goes wrong is left to the next pass: sessions come before busy times.
        """
        if not (self.worker.reads_busy and calendar.traits.busy):
            return
        if not (changed or is_due) or not self._is_existing():
            return
        if first_and_alone:
            self._keep(began_at, [])
            return
        if changed and not is_due:
            with self.worker.database.transaction() as conn:
                busy.set_due(conn, self.row.id)
        try:
            self._read(calendar, began_at)
        except CalendarError as problem:
            _log.warning("busy_not_read", calendar=self.row.id, because=type(problem).__name__)

    def _is_existing(self) -> bool:
        if self.row.remote is not None:
            return self.row.placement == "existing"
        with self.worker.database.reading() as conn:
            row = calendars.get(conn, self.row.id)  # only this pass, the first one, has found out
        return row is not None and row.placement == "existing"

    def alone(self, *, full: bool) -> PassResult:
        """Read a calendar of mode `busy`; its feed says whether there is anything new. Raises connector errors."""
        began_at = self.worker.clock.now()
        calendar = self.worker.opener.open(self.row)
        if not calendar.traits.busy:
            raise UserError.of(
                "cannot be read for busy time", f"calendar {self.row.id}", "Take it out of the configuration"
            )
        before = calendar.counts.requests
        changed, cursor = self._follow(calendar, began_at)
        with self.worker.database.reading() as conn:
            is_due = busy.is_due(conn, self.row.id)
        if changed or full or is_due:
            self._read(calendar, began_at)
        return PassResult(
            calendar=self.row.id,
            requests=calendar.counts.requests - before,
            began_at=began_at,
            cursor=cursor,
            full=full,
        )

    def _follow(self, calendar: Around, began_at: datetime) -> tuple[bool, str | None]:
        try:
            return self._pages(calendar, self.row.cursor, began_at)
        except CursorExpired:
            return self._pages(calendar, None, began_at)

    def _pages(self, calendar: Around, cursor: str | None, began_at: datetime) -> tuple[bool, str | None]:
        changed, last = cursor is None, cursor
        for page in calendar.changes(cursor, self.rules.window(began_at), _Nothing()):
            changed = changed or bool(page.items)
            last = page.cursor or last
        return changed, last

    def _read(self, calendar: Around, began_at: datetime) -> None:
        window = Window(began_at - _BACK, began_at + self.rules.window_future)
        with self.worker.database.reading() as conn:
            ours = {remote_id for _, remote_id, _ in links.all_remote_ids(conn, self.row.id)}
            ours.update(copies.all_ids(conn, self.row.id))
        self._keep(began_at, [(span.start_at, span.end_at) for span in calendar.busy(window, ours)])

    def _keep(self, began_at: datetime, spans: Sequence[tuple[datetime, datetime]]) -> None:
        window = Window(began_at - _BACK, began_at + self.rules.window_future)
        with self.worker.database.transaction() as conn:
            if not work.hold_fence(conn, self.lease):
                return  # another worker reads it
            busy.replace(conn, self.row.id, self.row.provider, window, spans)
            busy.forget(conn, self.row.provider, began_at - self.rules.window_past)
            busy.note_read(conn, self.row.id, began_at)
