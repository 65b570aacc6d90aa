"""`calsync report`: how records and calendars compared over a period."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import click

from calsync.claims.gate import Gate
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import json_option
from calsync.cli.times import read_date
from calsync.reports.as_csv import report_csv
from calsync.reports.as_html import report_html
from calsync.reports.as_json import report_data
from calsync.reports.as_text import report_text
from calsync.reports.build import Report, Scope
from calsync.settings.private_files import write_private
from calsync.store.known import known_provider
from calsync.support.reporting import make_report

LONG = 2000


def register(app: click.Group) -> None:
    """Add the command."""
    app.add_command(report)


@click.command()
@click.option("--since", metavar="DATE", help="First day. Default: as far back as is mirrored.")
@click.option("--until", metavar="DATE", help="Last day. Default: as far ahead as is mirrored.")
@click.option("--provider", metavar="ID", help="Only this provider's.")
@click.option(
    "--format", "form", type=click.Choice(["text", "html", "csv", "json"]), default=None, help="Default: text."
)
@click.option("-o", "--output", "file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@pass_app
def report(
    app: App, since: str | None, until: str | None, provider: str | None, form: str | None, file: Path | None
) -> int:
    """Say what is in step, which edits were made and what became of them, which claims wait and for whom."""
    made = _make(app, _scope(app, since, until, provider))
    text = _write(made, form or ("json" if app.as_json else "text"))
    if file is None:
        click.echo(text, nl=False)
    else:
        write_private(file, text)
        click.echo(f"Wrote {file}.", err=True)
    return ExitCode.FINE


def _scope(app: App, since: str | None, until: str | None, provider: str | None) -> Scope:
    now = app.clock.now()
    first = _midnight(read_date(since, "--since")) if since else now - app.settings.sync.window_past
    last = (
        _midnight(read_date(until, "--until")) + timedelta(days=1) if until else now + app.settings.sync.window_future
    )
    if last <= first:
        raise click.UsageError("--until lies before --since")
    if provider is not None:
        with app.database.reading() as conn:
            known_provider(conn, provider)
    return Scope(first, last, provider, now)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _make(app: App, scope: Scope) -> Report:
    gate = Gate(app.database, app.settings, app.clock, app.ids)
    with ExitStack() as until_done:

        def begun(sessions: int) -> Callable[[int], None]:
            # A bar is for whoever waits at a terminal, and waits long enough to wonder.
            bar = click.progressbar(length=sessions, label="Claims", file=sys.stderr, hidden=sessions < LONG)
            return until_done.enter_context(bar).update

        return make_report(gate, scope, begun)


def _write(made: Report, form: str) -> str:
    if form == "json":
        return json.dumps(report_data(made), indent=2, ensure_ascii=False) + "\n"
    return {"csv": report_csv, "html": report_html}.get(form, report_text)(made)
