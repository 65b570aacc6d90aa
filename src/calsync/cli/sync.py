"""`calsync sync`: one pass over each calendar in scope, now, and what it came to."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import click

from calsync.cli import passing_time
from calsync.cli.calendar_words import say_why
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import json_option
from calsync.errors import NotFoundError
from calsync.store import calendars, providers
from calsync.store.calendars import CalendarRow
from calsync.worker.context import PassResult, WorkerContext
from calsync.worker.dispatch import run_now
from calsync.worker.leased_run import Request, run_leased
from calsync.worker.wiring import Wired

# Nothing is read or written while a person has not released these.
AT_REST = frozenset({"stopped", "paused"})


@dataclass(frozen=True, slots=True)
class Scope:
    """Which calendars; both empty means all."""

    calendars: tuple[str, ...]
    providers: tuple[str, ...]


def register(app: click.Group) -> None:
    """Add the command."""
    app.add_command(sync)


@click.command()
@click.option("--calendar", "calendars_", multiple=True, metavar="ID", help="Only this calendar. May be repeated.")
@click.option("--provider", "providers_", multiple=True, metavar="ID", help="Only this provider's. May be repeated.")
@click.option("--dry-run", is_flag=True, help="Show what would be done; write nothing anywhere.")
@click.option("--full", is_flag=True, help="Compare everything, not only what the service says has changed.")
@json_option
@pass_app
def sync(app: App, calendars_: tuple[str, ...], providers_: tuple[str, ...], dry_run: bool, full: bool) -> int:
    """Bring calendars and records into step, once. Ends with 3 when something needs a person."""
    wired = app.wired
    if not dry_run:
        # A site that runs `sync` from a timer has no worker that would have done so.
        now = app.clock.now()
        if not app.clock_is_fixed:
            passing_time.clock_watch(app).look(now)
        for comes_with_time in (passing_time.extend_series, passing_time.end_requests, passing_time.adopt):
            comes_with_time(app, now)
    try:
        results = run_all(app, wired, Scope(calendars_, providers_), Request(full=full, dry_run=dry_run))
    finally:
        wired.opener.close()
    answer = as_json(results, dry_run=dry_run)
    click.echo(json.dumps(answer, indent=2) if app.as_json else as_text(answer))
    return ExitCode.NEEDS_PERSON if answer["needs_person"] else ExitCode.FINE


def run_all(app: App, wired: Wired, scope: Scope, request: Request) -> list[PassResult]:
    """Run every calendar in scope, one after the other; one that cannot be run stops no other."""
    rows = find_rows(wired.worker, scope)
    with click.progressbar(rows, label="Calendars", file=sys.stderr, hidden=app.as_json or len(rows) < 5) as bar:
        return [_run_one(wired.worker, row, request) for row in bar]


def find_rows(worker: WorkerContext, scope: Scope) -> list[CalendarRow]:
    """The calendars in scope; none for a provider without any. Raises NotFoundError for an id not on the books."""
    with worker.database.reading() as conn:
        rows = calendars.rows(conn)
        strangers = [key for key in scope.providers if providers.get(conn, key) is None]
    if strangers:
        raise NotFoundError("provider", strangers[0])
    by_id = {row.id: row for row in rows}
    known_providers = {row.provider for row in rows}
    for calendar in scope.calendars:
        if calendar not in by_id and calendar not in known_providers:
            raise NotFoundError("calendar", calendar)
    if not scope.calendars and not scope.providers:
        return rows
    return [
        row
        for row in rows
        if row.id in scope.calendars or row.provider in scope.calendars or row.provider in scope.providers
    ]


def _run_one(worker: WorkerContext, row: CalendarRow, request: Request) -> PassResult:
    if row.state in AT_REST:
        return PassResult(calendar=row.id, state=row.state, error=row.last_error)
    run = partial(run_now, worker, row.id, partial(run_leased, worker, request=request))
    result = run()
    if result is None:
        return PassResult(calendar=row.id, state=row.state, error="in-use-by-another-worker")
    echo = run() if result.written and result.error is None else None
    return result if echo is None else _together(result, echo)


def _together(result: PassResult, echo: PassResult) -> PassResult:
    """A pass that wrote, and the look behind it that takes our own writes out of the feed: the next run is quiet."""
    return replace(
        echo,
        requests=result.requests + echo.requests,
        read=result.read + echo.read,
        drifts=result.drifts + echo.drifts,
        written=result.written + echo.written,
    )


def as_json(results: list[PassResult], *, dry_run: bool) -> dict[str, Any]:
    """The answer of `sync --json` (face.md, Data)."""
    answer: dict[str, Any] = {
        "calendars": [
            {
                "id": result.calendar,
                "requests": result.requests,
                "read": result.read,
                "drifts": result.drifts,
                "written": result.written,
                "owed": result.owed,
                "state": result.state,
                "error": result.error,
            }
            for result in results
        ],
        "drifts": sum(result.drifts for result in results),
        "written": sum(result.written for result in results),
    }
    answer["needs_person"] = bool(answer["drifts"]) or any(
        result.state != "active" or (result.error or "").startswith("fault") for result in results
    )
    if dry_run:
        answer["plan"] = [dict(step) for result in results for step in result.plan]
    return answer


def as_text(answer: dict[str, Any]) -> str:
    """The same for people: a line for each calendar, and what to do next."""
    lines = [_line(row) for row in answer["calendars"]] or ["There are no calendars yet: name one in the config."]
    if "plan" in answer:
        steps = answer["plan"]
        lines.append(f"Would do {len(steps)} things; nothing was written." if steps else "Nothing to do.")
        lines += [f"  {step['action']} {step.get('appointment') or '-'} in {step['calendar']}" for step in steps]
    elif answer["needs_person"]:
        lines.append("Something needs a person: see `calsync drifts list --open` and `calsync calendars list`.")
    return "\n".join(lines)


def _line(row: dict[str, Any]) -> str:
    parts = [f"{row['id']}: {row['state']}", f"{row['drifts']} edits found", f"{row['written']} written"]
    if row["owed"]:
        parts.append(f"{row['owed']} still to be written")
    if row["error"]:
        parts.append(say_why(str(row["error"])))
    return ", ".join(parts)
