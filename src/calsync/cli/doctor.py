"""`calsync doctor`: tries out, live, what every pass over a calendar relies on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

import click

from calsync.cli.context import App, pass_app
from calsync.cli.doctor_house import examine
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import json_option
from calsync.connector.errors import CalendarError
from calsync.connector.protocol import Finding
from calsync.errors import NotFoundError, UserError
from calsync.store import calendars
from calsync.store.calendars import CalendarRow
from calsync.worker.wiring import Wired


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found about one calendar."""

    calendar: CalendarRow
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return all(finding.ok for finding in self.findings)


def register(app: click.Group) -> None:
    """Add the command."""
    app.add_command(doctor)


@click.command()
@click.option("--connection", metavar="ID", help="Only the calendars of this connection, or this calendar.")
@json_option
@pass_app
def doctor(app: App, connection: str | None) -> int:
    """Test the installation, and each calendar live: follow it, create an event, read it, refuse a stale write.

    Nothing is left behind. Ends with 1 when something does not hold.
    """
    house: list[Finding] = [] if connection is not None else list(examine(app))
    if house and not app.as_json:
        click.echo(f"calsync  {'fine' if all(one.ok for one in house) else 'FAILED'}")
        _show_findings(house)
    wired = app.wired
    found = []
    try:
        for row in _rows(app, connection):
            found.append(Diagnosis(row, tuple(_findings(wired, row))))
            if not app.as_json:
                _show(found[-1])
    finally:
        wired.opener.close()
    if app.as_json:
        told = {"house": [asdict(one) for one in house], "calendars": [_as_json(one) for one in found]}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    elif not found:
        click.echo("There are no calendars yet: name one in the config.")
    return ExitCode.FINE if all(one.ok for one in house) and all(one.ok for one in found) else ExitCode.FAILED


def _rows(app: App, connection: str | None) -> list[CalendarRow]:
    with app.database.reading() as conn:
        rows = calendars.rows(conn)
    if connection is None:
        return rows
    chosen = [row for row in rows if connection in (row.connection, row.id)]
    if not chosen:
        raise NotFoundError("connection", connection)
    return chosen


def _findings(wired: Wired, row: CalendarRow) -> Iterator[Finding]:
    try:
        calendar = wired.opener.open(row)
        if row.mode != "mirror":
            # Nothing is ever written into a calendar that is only read, not even a trial.
            times = len(list(calendar.busy(wired.worker.opener.rules(row.provider).window(wired.worker.clock.now()))))
            yield Finding("read busy times", ok=True, detail=f"{times} found")
            return
        yield from calendar.check()
    except UserError as failure:
        for problem in failure.problems:
            what = f"{problem.where}: {problem.what}"
            yield Finding("find the calendar", ok=False, detail=what, remedy=problem.remedy)
    except CalendarError as failure:
        yield Finding("find the calendar", ok=False, detail=f"{type(failure).__name__}: {failure}")


def _show(one: Diagnosis) -> None:
    row, word = one.calendar, "fine" if one.ok else "FAILED"
    click.echo(f"{row.id}  {row.provider}  {row.connector}  {word}")
    _show_findings(one.findings)


def _show_findings(findings: Iterable[Finding]) -> None:
    for finding in findings:
        detail = f": {finding.detail}" if finding.detail else ""
        click.echo(f"  {'ok    ' if finding.ok else 'FAILED'} {finding.what}{detail}")
        if finding.remedy and not finding.ok:
            click.echo(f"         {finding.remedy}.")


def _as_json(one: Diagnosis) -> dict[str, object]:
    row = one.calendar
    return {
        "id": row.id,
        "provider": row.provider,
        "connector": row.connector,
        "connection": row.connection,
        "ok": one.ok,
        "findings": [asdict(finding) for finding in one.findings],
    }
