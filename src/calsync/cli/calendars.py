"""`calsync calendars`: how each calendar stands, and a person's word on those that need one."""

from __future__ import annotations

import json
from typing import Any, Literal

import click

from calsync.answers import calendars as words
from calsync.answers.words import Desk
from calsync.cli.calendar_words import say_why
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import instant_text, show_rows
from calsync.store import calendars as calendar_store
from calsync.store import stops
from calsync.store.calendars import CalendarRow, CalendarState
from calsync.store.known import known_calendar

_AT_REST = (CalendarState.STOPPED, CalendarState.PAUSED)


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(calendars)


@click.group()
def calendars() -> None:
    """List and show calendars; pause, resume and remove them."""


@calendars.command("list")
@json_option
@pass_app
def list_(app: App) -> int:
    """List calendars with their state."""
    with app.books.reading() as conn:
        found = calendar_store.rows(conn)
        counts = calendar_store.link_counts(conn)
    rows = [calendar_row(one, counts.get(one.id, 0)) for one in found]
    show_rows(rows, map(_line, rows), as_json=app.as_json, empty="There are no calendars yet: name one in the config.")
    return ExitCode.FINE


@calendars.command()
@click.argument("calendar", metavar="ID")
@json_option
@pass_app
def show(app: App, calendar: str) -> int:
    """Show one calendar, and why it was stopped if it was."""
    with app.books.reading() as conn:
        one = known_calendar(conn, calendar)
        row = calendar_row(one, calendar_store.link_count(conn, calendar))
        stop = stops.standing(conn, calendar)
    row |= {"state_since": instant_text(one.state_since), "attempts": one.attempts}
    if stop is not None:
        row["stop"] = {
            "id": stop.id,
            "kind": stop.kind,
            "started_at": instant_text(stop.started_at),
            "evidence": stop.evidence,
            "touched": list(stop.touched),
        }
    if app.as_json:
        click.echo(json.dumps(row, indent=2, ensure_ascii=False))
        return ExitCode.FINE
    click.echo(_line(row))
    for name, value in row.items():
        if value is not None and name != "stop":
            click.echo(f"  {name}: {value}")
    if stop is not None and stop.kind == "lost":
        click.echo("  The service does not have this calendar any more.")
        click.echo(f"  `calsync calendars resume {calendar}`: look for it again.")
        click.echo(f"  `calsync calendars resume {calendar} --as restore`: make it again, and write all events.")
    elif stop is not None and stop.kind != "pause":
        evidence = stop.evidence
        click.echo(f"  {evidence.get('changed')} of {evidence.get('upcoming')} events vanished or changed at once.")
        click.echo(f"  `calsync calendars resume {calendar} --as edits`: people did it; each change is recorded.")
        click.echo(f"  `calsync calendars resume {calendar} --as restore`: nobody meant it; events are written again.")
    return ExitCode.FINE


@calendars.command()
@click.argument("calendar", metavar="ID")
@json_option
@actor_options
@pass_app
def pause(app: App, calendar: str) -> int:
    """Read and write nothing there until it is resumed."""
    changed = words.pause(_desk(app), calendar, by=app.actor, note=app.note)
    return _told(app, calendar, "paused" if changed else "was paused already")


@calendars.command()
@click.argument("calendar", metavar="ID")
@click.option(
    "--as",
    "as_",
    type=click.Choice(["edits", "restore"]),
    help="After a mass change: edits (people did it) or restore (write the events again; a lost calendar, too).",
)
@json_option
@actor_options
@pass_app
def resume(app: App, calendar: str, as_: Literal["edits", "restore"] | None) -> int:
    """Work on it again."""
    changed = words.resume(_desk(app), calendar, by=app.actor, as_=as_, note=app.note)
    return _told(app, calendar, "resumed" if changed else "was not paused")


@calendars.command()
@click.argument("calendar", metavar="ID")
@json_option
@actor_options
@pass_app
def remove(app: App, calendar: str) -> int:
    """Take it off the books. Events in it stay; past sessions go on counting what it showed."""
    words.remove(_desk(app), calendar, by=app.actor, note=app.note)
    return _told(app, calendar, "removed; the events in it stay")


def calendar_row(one: CalendarRow, links: int) -> dict[str, Any]:
    """One row of `calendars list --json` (face.md, Data)."""
    due_at = one.due_at if one.not_before is None else max(one.due_at, one.not_before)
    return {
        "id": one.id,
        "provider": one.provider,
        "connector": one.connector,
        "mode": one.mode,
        "placement": one.placement,
        "state": one.state.value,
        "last_read_at": instant_text(one.last_read_at),
        "next_pass_at": None if one.state in _AT_REST else instant_text(due_at),
        "links": links,
        "last_error": one.last_error,
    }


def _line(row: dict[str, Any]) -> str:
    read = f"last read {row['last_read_at']}" if row["last_read_at"] else "never read"
    error = f": {say_why(row['last_error'])}" if row["last_error"] else ""
    return f"{row['id']}  {row['provider']}  {row['connector']}  {row['state']}{error}  {row['links']} events  {read}"


def _desk(app: App) -> Desk:
    return Desk(app.books, app.settings, app.clock, app.ids)


def _told(app: App, calendar: str, what: str) -> int:
    with app.database.reading() as conn:
        one = calendar_store.get(conn, calendar)
    assert one is not None
    if app.as_json:
        with app.database.reading() as conn:
            click.echo(json.dumps(calendar_row(one, calendar_store.link_count(conn, calendar)), indent=2))
    else:
        click.echo(f"{calendar}: {what}.")
    return ExitCode.FINE
