"""`calsync db`: bring the database to this program's form, and look at it."""

import json
import platform
from pathlib import Path

import click

from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.store import audit, backup, calendars, installation
from calsync.store import upgrade as store_upgrade


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(db)


@click.group()
def db() -> None:
    """Prepare and check the database."""


@db.command()
@json_option
@pass_app
def upgrade(app: App) -> int:
    """Make the tables, or bring older ones up to date. Safe to repeat."""
    store_upgrade.upgrade(app.database_url)
    if app.as_json:
        click.echo(json.dumps({"up_to_date": True}))
    else:
        click.echo("The database is up to date.")
    return ExitCode.FINE


@db.command()
@actor_options
@pass_app
def adopt(app: App) -> int:
    """Make a copied or moved database this machine's own. Only when the other copy will never run again."""
    with app.database.transaction() as conn:
        if not installation.adopt(conn, platform.node()):
            click.echo("The database is this machine's already.")
            return ExitCode.FINE
        audit.append(conn, at=app.clock.now(), actor=app.actor, what="adopted", subject="installation", detail={})
    click.echo("This machine's database from now on. Never start the other copy again.")
    return ExitCode.FINE


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@actor_options
@pass_app
def restore(app: App, file: Path) -> int:
    """Go back to a copy that `calsync backup` made. What was there is kept beside it.

    The next passes compare every calendar with it: events that are there are found again, none is doubled.
    """
    place = store_upgrade.sqlite_place(app.database_url)
    aside = place.with_name(f"{place.name}.before-restore-{app.clock.now():%Y%m%dT%H%M%SZ}")
    backup.restore(app.database_url, file, aside, app.clock.now())
    with app.database.transaction() as conn:
        detail = {"file": file.name}
        audit.append(conn, at=app.clock.now(), actor=app.actor, what="restored", subject="installation", detail=detail)
    click.echo(f"Restored from {file}. What was there is kept as {aside}." if aside.exists() else "Restored.")
    return ExitCode.FINE


@db.command()
@actor_options
@pass_app
def restored(app: App) -> int:
    """Say that pg_restore has put an older copy in place. `calsync db restore` says so by itself.

    No claim is cleared on what the copy knows of a calendar until that calendar has been compared with it in full.
    """
    with app.database.transaction() as conn:
        now = app.clock.now()
        calendars.books_restored(conn, now)
        audit.append(conn, at=now, actor=app.actor, what="restored", subject="installation", detail={})
    click.echo("Every calendar is compared in full by its next pass; until then no claim rests on earlier readings.")
    return ExitCode.FINE


@db.command()
@json_option
@pass_app
def check(app: App) -> int:
    """Say whether the tables are those of this program."""
    state = store_upgrade.check(app.database_url)
    if app.as_json:
        click.echo(json.dumps({"current": state.current, "head": state.head, "up_to_date": state.is_current}))
    else:
        click.echo("The database is up to date." if state.is_current else "Run `calsync db upgrade` first.")
    return ExitCode.FINE if state.is_current else ExitCode.FAILED
