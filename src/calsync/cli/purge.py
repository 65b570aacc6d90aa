"""`calsync purge`: take away what is older than it is kept, or our events out of a provider's calendars."""

from __future__ import annotations

import click

from calsync.cli import passing_time
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options
from calsync.connector.errors import CalendarError
from calsync.errors import UserError
from calsync.store import calendars, retention
from calsync.store.calendars import CalendarRow
from calsync.store.known import known_provider
from calsync.worker.purging import purge as purge_calendar


def register(app: click.Group) -> None:
    """Add the command."""
    app.add_command(purge)


@click.command()
@click.option("--events", is_flag=True, help="The events that calsync wrote. Whatever else is there stays.")
@click.option("--provider", metavar="ID", help="Whose calendars.")
@click.option("--dry-run", is_flag=True, help="Count them, and take nothing out.")
@actor_options
@pass_app
def purge(app: App, provider: str | None, *, events: bool, dry_run: bool) -> int:
    """Take away what is older than it is kept: evidence of settled sessions, by claims.retention, and used-up links.

    With --events and --provider: take calsync's events out of a provider's calendars, and pause those calendars. An
    event goes only if it carries calsync's signed marker. `calsync calendars resume ID` writes them all again.
    """
    if not events and provider is None:
        return _forget(app, dry_run=dry_run)
    if not events or provider is None:
        raise UserError.of("say what to take out", "purge", "calsync purge --events --provider ID")
    wired = app.wired
    try:
        ended_well = True
        for row in _mirrors(app, provider):
            try:
                done = purge_calendar(wired.worker, row, by=app.actor, dry_run=dry_run)
            except CalendarError as problem:
                click.echo(f"{row.id}: cannot be reached ({type(problem).__name__}); ask again later", err=True)
                ended_well = False
                continue
            click.echo(f"{row.id}: {_say(done.found, done.left, dry_run=dry_run)}")
            ended_well = ended_well and (dry_run or not done.left)
    finally:
        wired.opener.close()
    return ExitCode.FINE if ended_well else ExitCode.FAILED


def _forget(app: App, *, dry_run: bool) -> int:
    now = app.clock.now()
    if dry_run:
        with app.database.reading() as conn:
            found = retention.count(conn, now - app.settings.claims.retention, now)
    else:
        found = passing_time.forget(app, now)
    told = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in found.items()) or "nothing"
    click.echo(f"{'Would be' if dry_run else 'Were'} taken away: {told}.")
    return ExitCode.FINE


def _mirrors(app: App, provider: str) -> list[CalendarRow]:
    with app.database.reading() as conn:
        known_provider(conn, provider)
        return [one for one in calendars.rows(conn) if one.provider == provider and one.mode == "mirror"]


def _say(found: int, left: int, *, dry_run: bool) -> str:
    if dry_run:
        return f"{found} events would be taken out"
    return f"{found - left} events taken out, paused" if not left else f"{left} of {found} events stayed; ask again"
