"""`calsync appointments import`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.times import read_date
from calsync.records.brake import FEWEST_BY_HAND
from calsync.records.file_import import ImportRequest, ImportResult, Period, import_appointments

SHOWN = 20
LONG = 1000


def register(appointments: click.Group) -> None:
    """Add the commands to the group of appointments."""
    appointments.add_command(import_)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change; write nothing.")
@click.option("--complete", is_flag=True, help="The file is the full list from --since to --until.")
@click.option("--since", metavar="DATE", help="First day of a complete list.")
@click.option("--until", metavar="DATE", help="Last day of a complete list.")
@click.option("--many-changes", is_flag=True, help="It does change that many known sessions; somebody has looked.")
@json_option
@actor_options
@pass_app
def import_(app: App, /, file: Path, *, dry_run: bool, many_changes: bool, **days: Any) -> int:
    """Take appointments from a CSV or JSON lines file. The same file again changes nothing.

    One bad row, and nothing is imported; nor is a file that moves or cancels more than [fleet] max_share_changed of
    all known sessions. With --complete, known appointments that the file lacks are listed and asked about, never
    cancelled.
    """
    period = _period(**days)
    request = ImportRequest(
        path=file,
        actor=app.actor,
        now=app.clock.now(),
        window_future=app.settings.sync.booked_ahead,
        configured={provider.id for provider in app.settings.providers},
        note=app.note,
        complete=period,
        dry_run=dry_run,
        max_share_changed=None if dry_run or many_changes else app.settings.fleet.max_share_changed,
        fewest_changed=FEWEST_BY_HAND,
        progress=_show_progress,
    )
    # A dry run writes nothing anywhere, not even what the configuration says of providers and calendars.
    result = import_appointments(app.database if dry_run else app.books, request)
    if app.as_json:
        click.echo(json.dumps(asdict(result) | {"dry_run": dry_run}, indent=2))
    else:
        _tell(result, dry_run=dry_run)
    return ExitCode.NEEDS_PERSON if result.missing else ExitCode.FINE


def _show_progress(done: int, total: int) -> None:
    terminal = sys.stderr
    if terminal.isatty() and total > LONG:
        click.echo(f"\r{done} of {total} appointments written", err=True, nl=done == total)


def _period(since: str | None, until: str | None, *, complete: bool) -> Period | None:
    if not complete and (since or until):
        raise click.UsageError("--since and --until say for which days a file is --complete; give all three")
    if not complete:
        return None
    if not since or not until:
        raise click.UsageError("--complete needs --since and --until: for which days is the file the full list?")
    period = Period(read_date(since, "--since"), read_date(until, "--until"))
    if period.until < period.since:
        raise click.UsageError("--until lies before --since")
    return period


def _tell(result: ImportResult, *, dry_run: bool) -> None:
    if not result.counts and not result.series:
        click.echo(f"{result.rows} rows read; nothing new.")
    else:
        verb = "Would change" if dry_run else "Changed"
        counts = ", ".join(f"{count} {word}" for word, count in sorted(result.counts.items()))
        click.echo(f"{result.rows} rows read. {verb}: {counts or 'series only'}; {result.unchanged} unchanged.")
    if dry_run:
        for key, action in result.changes[:SHOWN]:
            click.echo(f"  {key}: {action}")
        if len(result.changes) > SHOWN:
            click.echo(f"  … and {len(result.changes) - SHOWN} more (--json shows all)")
    if result.missing:
        click.echo(f"Not in the file, though it is said to be complete: {len(result.missing)}. They stay as they are;")
        click.echo("their claims wait. Cancel those that are off, or import them again:")
        for key in result.missing:
            click.echo(f"  {key}")
