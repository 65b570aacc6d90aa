"""Records read from another platform's database: what changed since the last reading, and everything each night.

The platform's word is taken like an import's, row by row: a bad row is told and left, the others go on. A row that has
gone is asked about, never taken for a cancellation (R-24). A reading that would change too much changes nothing, and a
person must look first (R-14); the claims of the sessions in it wait.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from calsync.errors import Problem
from calsync.records.brake import changed_of, doubted_of, is_flood
from calsync.records.file_import import FEWEST_MISSING, MOST_MISSING, find_unknown_providers, plan_import
from calsync.records.import_plan import Plan
from calsync.records.import_store import Stamp, load_books, write_plan
from calsync.records.rows import Row
from calsync.records.sql_reading import Reading, read_table
from calsync.records.turns import opened_for_rows
from calsync.records.values import is_id
from calsync.settings.model import Settings
from calsync.settings.records import CONSTANT, Records
from calsync.store import audit, claims, outbox, record_changes, record_sources, records
from calsync.store.database import Database
from calsync.store.foreign_records import ForeignTable, SourceUnavailable
from calsync.store.record_sources import SourceRow

SOURCE: Final = record_sources.SQL_TABLE
ORIGIN: Final = record_sources.OF_SQL_TABLE
ACTOR: Final = "import"
_SHOWN: Final = 20
_UNREAD_FOR: Final = timedelta(hours=1)
"""How long a table may not be readable before support is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullResult:
    """What one reading did. `missing` are known rows that the platform has lost, `problems` what could not be read.

    `stopped`: why nothing was changed, and nothing will be until a person looks.
    """

    rows: int = 0
    changed: int = 0
    unchanged: int = 0
    full: bool = False
    missing: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    stopped: str | None = None


@dataclass(frozen=True, slots=True)
class SqlMapping:
    """The mapped table of an installation. `url` is its address with the password."""

    database: Database
    settings: Settings
    url: str

    @property
    def keys(self) -> Records:
        """What is configured."""
        return self.settings.records

    @property
    def table(self) -> ForeignTable:
        """What is read."""
        names = tuple(one for one in self.keys.columns.values() if not one.startswith(CONSTANT))
        return ForeignTable(self.url, self.keys.table or "", names, self.keys.updated_at)

    def pull(self, now: datetime, *, full: bool | None = None) -> PullResult:
        """Read what changed, or everything; `full` None: everything when the night's comparison is due.

        Raises SourceUnavailable; a source that is stopped is not read.
        """
        with self.database.reading() as conn:
            source = record_sources.get(conn, SOURCE)
        if source.stopped_at is not None:
            return PullResult(stopped=source.stopped_because)
        is_full = full if full is not None else self._comparison_is_due(source, now)
        is_full = is_full or self.keys.updated_at is None or source.watermark is None
        try:
            reading = read_table(self.table, self.keys, source.watermark, now, full=is_full)
        except SourceUnavailable as problem:
            self._note_unread(str(problem.problems[0].what), now)
            raise
        with opened_for_rows(self.database) as conn:
            if record_sources.get(conn, SOURCE) != source:
                # Another process has read since, or a person has stopped or released it: this may be older news.
                return PullResult(rows=len(reading.rows))
            return self._take(conn, reading, now, full=is_full)

    def release(self, now: datetime, *, by: str, note: str) -> None:
        """A person has looked: go on, and let the next reading pass the brake."""
        with self.database.transaction() as conn:
            source = record_sources.get(conn, SOURCE)
            record_sources.put(conn, source, stopped_at=None, stopped_because=None, allowed=1)
            detail = {"because": source.stopped_because, "note": note}
            audit.append(conn, at=now, actor=by, what="records-released", subject=f"source:{SOURCE}", detail=detail)

    def _note_unread(self, problem: str, now: datetime) -> None:
        """Keep why the table could not be read, and tell support, once, where that has lasted."""
        with self.database.transaction() as conn:
            source = record_sources.put(conn, record_sources.get(conn, SOURCE), last_error=problem)
            if source.read_at is None or now - source.read_at < _UNREAD_FOR:
                return
            told = {"because": problem, "since": f"{source.read_at:%Y-%m-%d %H:%M} UTC"}
            key = f"records-unread:{SOURCE}:{source.read_at.isoformat()}"
            outbox.put(conn, key, "records-unread", "support", told, now=now, due_at=now)

    def _comparison_is_due(self, source: SourceRow, now: datetime) -> bool:
        latest = datetime.combine(now.date(), self.keys.compare_at, tzinfo=now.tzinfo)
        latest = latest if latest <= now else latest - timedelta(days=1)
        return source.compared_at is None or source.compared_at < latest

    def _take(self, conn: Connection, reading: Reading, now: datetime, *, full: bool) -> PullResult:
        source = record_sources.get(conn, SOURCE)
        horizon = now + self.settings.sync.booked_ahead
        unclear = reading.unclear()
        clear = [one for one in reading.rows if one.id not in unclear]
        configured = {provider.id for provider in self.settings.providers}
        books = load_books(conn, [row.id for row in clear], set(), configured)
        # Nothing new is taken on from before the window; what is known is followed wherever it goes.
        oldest = now - self.settings.sync.window_past
        sound = [row for row in clear if row.id in books.appointments or row.span.start_at >= oldest]
        as_rows = [Row(row.number, {"provider": row.said["provider"] or ""}) for row in sound]
        find_unknown_providers(as_rows, books.providers, reading.findings)
        unclear = reading.unclear()
        sound = [row for row in sound if row.id not in unclear]
        plan = plan_import(sound, books, reading.findings, now=now, horizon=horizon)
        # A known session whose row cannot be taken may be anything by now: its claim waits.
        unclear = {key for key in reading.unclear() if is_id(key)}
        plan.said = {key: said for key, said in plan.said.items() if key not in unclear}
        absent = self._absent(conn, reading.ids.values(), now) if full else []
        why = self._too_much(conn, plan, absent, now) if not source.allowed else None
        if why is not None:
            return self._stop(conn, source, {*doubted_of(plan), *absent, *unclear}, why, now)
        if source.read_at is not None:
            # What their rows said counts once it was read after their end.
            claims.touch(conn, record_sources.completed_between(conn, ORIGIN, source.read_at, now))
        problems = reading.findings.problems()
        listed = [row.id for row in sound if row.id not in unclear]
        self._write(conn, plan, listed, {*absent, *unclear}, now)
        told = None if not problems else f"{len(problems)} problems, the first: {problems[0]}"
        record_sources.put(
            conn,
            source,
            watermark=reading.mark,
            read_at=now,
            compared_at=now if full else source.compared_at,
            last_error=told,
            allowed=0,
        )
        return PullResult(
            rows=len(reading.rows),
            changed=len(plan.changes),
            unchanged=plan.unchanged,
            full=full,
            missing=tuple(absent),
            problems=problems,
        )

    def _write(self, conn: Connection, plan: Plan, listed: list[str], absent: set[str], now: datetime) -> None:
        write_plan(conn, plan, Stamp(now, ACTOR, origin=ORIGIN))
        facts = records.appointment_facts(conn, listed)
        record_changes.found_again(conn, listed)
        record_changes.set_origin(conn, [key for key, one in facts.items() if one.origin != ORIGIN], ORIGIN)
        lost = self._newly_lost(conn, absent)
        record_changes.set_missing(conn, lost, now)
        if plan.changes or lost:
            detail = {"source": SOURCE, "counts": plan.counts(), "missing": lost[:_SHOWN], "lost": len(lost)}
            audit.append(conn, at=now, actor=ACTOR, what="appointments-imported", subject="import", detail=detail)

    @staticmethod
    def _newly_lost(conn: Connection, among: set[str]) -> list[str]:
        """Those that are on the books, and whose row was there and clear until now."""
        facts = records.appointment_facts(conn, among)
        return sorted(key for key, one in facts.items() if one.missing_since is None)

    def _absent(self, conn: Connection, present: Iterable[str], now: datetime) -> list[str]:
        """Known sessions of the platform, within what is mirrored, that its table does not have any more."""
        since, until = now - self.settings.sync.window_past, now + self.settings.sync.window_future
        listed = set(present)
        return [one for one in record_sources.known_between(conn, ORIGIN, since, until) if one not in listed]

    def _too_much(self, conn: Connection, plan: Plan, absent: list[str], now: datetime) -> str | None:
        since = now - self.settings.sync.window_past
        known = record_sources.count_since(conn, since)
        changed = len(changed_of(plan))
        if is_flood(changed, known, self.settings.fleet.max_share_changed):
            return f"one reading would change {changed} of {known} known sessions"
        if len(absent) >= FEWEST_MISSING and len(absent) > MOST_MISSING * known:
            return f"{len(absent)} of {known} known sessions are not in the platform's table any more"
        return None

    def _stop(self, conn: Connection, source: SourceRow, among: set[str], why: str, now: datetime) -> PullResult:
        """Change nothing; the claims of the sessions in question wait until a person has looked."""
        touched = self._newly_lost(conn, among)
        record_changes.set_missing(conn, touched, now)
        record_sources.put(conn, source, stopped_at=now, stopped_because=why, read_at=now)
        detail = {"because": why, "sessions": touched[:_SHOWN]}
        audit.append(conn, at=now, actor="system", what="records-stopped", subject=f"source:{SOURCE}", detail=detail)
        key = f"records-stopped:{SOURCE}:{now.isoformat()}"
        outbox.put(conn, key, "records-stopped", "support", {"because": why}, now=now, due_at=now)
        return PullResult(full=True, stopped=why)
