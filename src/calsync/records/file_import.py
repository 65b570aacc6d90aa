"""Appointments from a CSV or JSON lines file: an upsert by id, whole or not at all, and nothing where nothing is new.

Read first (strictly), planned second (purely), written last, in one transaction. The file is a platform's word: a row
that says something new of a known appointment changes it (R-34). Called by the CLI and the drop folder.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from calsync.domain.span import instant
from calsync.errors import Problem, Refused
from calsync.records.appointment_rows import COLUMNS, AppointmentRow, new_appointment, read_appointment_rows
from calsync.records.brake import FEWEST, changed_of, is_flood
from calsync.records.findings import Findings
from calsync.records.import_plan import Books, Plan, merge_row, remember
from calsync.records.import_store import Progress, Stamp, load_books, write_plan
from calsync.records.rows import Row, read_rows
from calsync.records.series_family import Family
from calsync.records.series_rows import plan_series
from calsync.records.turns import opened_for_rows
from calsync.store import audit, import_rows, record_changes, record_sources, records
from calsync.store.database import Database

MOST_MISSING: Final = 0.2
"""Share of the known rows of a period beyond which their absence is a broken export, not news (R-24)."""

FEWEST_MISSING: Final = 2
"""One row alone is never a broken export."""

_LOOKED_BACK: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Period:
    """Dates, both inclusive, for which a file is the full list. Each session counts by the date in its own zone."""

    since: date
    until: date

    def covers(self, day: date) -> bool:
        """Whether a local date lies in it."""
        return self.since <= day <= self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """One file to import. `configured` are the providers of the configuration; `complete` makes it a full list.

    `max_share_changed`: part of the known sessions that it may change; None where a person has looked; fewer than
    `fewest_changed` are never too many.
    """

    path: Path
    actor: str
    now: datetime
    window_future: timedelta
    configured: Collection[str] = ()
    note: str | None = None
    complete: Period | None = None
    dry_run: bool = False
    max_share_changed: float | None = None
    fewest_changed: int = FEWEST
    progress: Progress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What an import did, or (dry run) would do.

    `rows` were read; `changes` are (appointment, word of the history); `missing` are known rows of the period that the
    file lacks, which are kept and asked about; `newly_missing` those of them that the last file still had.
    """

    rows: int
    unchanged: int
    counts: dict[str, int] = field(default_factory=dict)
    changes: tuple[tuple[str, str], ...] = ()
    series: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    newly_missing: tuple[str, ...] = ()

    @property
    def changed_anything(self) -> bool:
        """Whether any record is other than before."""
        return bool(self.changes or self.series or self.newly_missing)


def import_appointments(database: Database, request: ImportRequest) -> ImportResult:
    """Import a file. `Refused` (code `import-refused`, or `import-stampede`) with every reason, and nothing written."""
    findings = Findings(request.path.name)
    rows = read_rows(request.path, COLUMNS, findings)
    sound = read_appointment_rows(rows, findings)
    with opened_for_rows(database, dry_run=request.dry_run) as conn:
        books = load_books(conn, [row.id for row in sound], {row.series for row in sound}, request.configured)
        find_unknown_providers(rows, books.providers, findings)
        plan = plan_import(sound, books, findings, now=request.now, horizon=request.now + request.window_future)
        findings.refuse()
        _brake(conn, plan, request)
        absent = _absent(conn, sound, request)
        result = _result(plan, len(sound), absent, _missing_among(conn, absent))
        if not request.dry_run:
            stamp = Stamp(request.now, request.actor, request.note)
            write_plan(conn, plan, stamp, request.progress)
            _mark(conn, [row.id for row in sound], result.newly_missing, request.now)
            _audit(conn, result, request)
    return result


def find_unknown_providers(rows: Iterable[Row], known: Collection[str], findings: Findings) -> None:
    """Note every row of a provider that is neither in the configuration nor in the database."""
    for row in rows:
        provider = row.cells["provider"]
        if provider and provider not in known:
            findings.add(
                row.number,
                f"there is no provider {provider[:128]!r}",
                column="provider",
                remedy="Add it with `calsync providers add`, or to the configuration, and import again",
            )


def plan_import(
    rows: Sequence[AppointmentRow], books: Books, findings: Findings, *, now: datetime, horizon: datetime
) -> Plan:
    """Return what the rows change, given what is on the books. Pure; what does not fit goes to the findings."""
    plan = Plan()
    families: dict[str, list[AppointmentRow]] = {}
    ruled = {row.series for row in rows if row.rule} | set(books.chains)
    for row in rows:
        if row.series is not None and row.series in ruled:
            families.setdefault(row.series, []).append(row)
        else:
            _plan_single(row, books, plan, findings)
    for name, members in families.items():
        family = Family(name=name, rows=members, books=books, now=now, horizon=horizon, plan=plan, findings=findings)
        plan_series(family)
    plan.said = remember(rows, books)
    return plan


def _plan_single(row: AppointmentRow, books: Books, plan: Plan, findings: Findings) -> None:
    known = books.appointments.get(row.id)
    if known is None:
        plan.add(None, new_appointment(row))
        return
    if known.series is not None and "series" in row.said:
        findings.add(
            row.number,
            f"belongs to series {known.series} already",
            column="series",
            remedy="Name that series; a session cannot leave it but by being cancelled",
        )
    elif known.series is not None and known.provider != row.said["provider"]:
        findings.add(row.number, "another provider than the rest of its series", column="provider")
    else:
        plan.add(known, merge_row(row, books.said.get(row.id), known))


def _absent(conn: Connection, rows: Sequence[AppointmentRow], request: ImportRequest) -> list[str]:
    period = request.complete
    if period is None:
        return []
    # A day more on both sides: which sessions lie in the period is for each one's own zone to say.
    start = instant(datetime.combine(period.since - timedelta(days=1), time()), "UTC")
    end = instant(datetime.combine(period.until + timedelta(days=2), time()), "UTC")
    known = [key for key, day in import_rows.of_files_between(conn, start, end).items() if period.covers(day)]
    listed = {row.id for row in rows}
    absent = [key for key in known if key not in listed]
    if len(absent) >= FEWEST_MISSING and len(absent) > MOST_MISSING * len(known):
        raise Refused(
            [
                Problem(
                    f"{len(absent)} of {len(known)} known appointments of the period are not in the file",
                    request.path.name,
                    "More than a fifth missing looks like a broken export: nothing was imported. Check the file and "
                    "the period; leave out --complete to import just what it holds",
                )
            ],
            code="import-stampede",
        )
    return absent


def _brake(conn: Connection, plan: Plan, request: ImportRequest) -> None:
    """Refuse a file that changes too much of what is known, unless a person has looked (R-14)."""
    changed, known = len(changed_of(plan)), record_sources.count_since(conn, request.now - _LOOKED_BACK)
    if request.max_share_changed is not None and is_flood(
        changed, known, request.max_share_changed, request.fewest_changed
    ):
        what = f"it would change {changed} of {known} known sessions"
        remedy = (
            "Nothing was imported. Look with `calsync appointments import FILE --dry-run`; if it is right, import it "
            "with --many-changes"
        )
        raise Refused([Problem(what, request.path.name, remedy)], code="import-flood")


def _result(plan: Plan, rows: int, absent: Sequence[str], marked: Collection[str]) -> ImportResult:
    return ImportResult(
        rows=rows,
        unchanged=plan.unchanged,
        counts=plan.counts(),
        changes=tuple((change.after.id, change.action) for change in plan.changes),
        series=tuple(change.after.id for change in plan.series),
        missing=tuple(absent),
        newly_missing=tuple(key for key in absent if key not in marked),
    )


def _missing_among(conn: Connection, ids: Iterable[str]) -> set[str]:
    facts = records.appointment_facts(conn, ids).values()
    return {one.id for one in facts if one.missing_since is not None}


def _mark(conn: Connection, listed: Sequence[str], missing: Sequence[str], now: datetime) -> None:
    record_changes.found_again(conn, listed)
    record_changes.set_missing(conn, missing, now)


def _audit(conn: Connection, result: ImportResult, request: ImportRequest) -> None:
    if not result.changed_anything:
        return
    detail = {
        "file": request.path.name,
        "rows": result.rows,
        "counts": result.counts,
        "missing": list(result.newly_missing),
        "note": request.note or "",
    }
    audit.append(
        conn, at=request.now, actor=request.actor, what="appointments-imported", subject="import", detail=detail
    )
