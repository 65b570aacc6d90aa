"""`calsync connections`: the accounts through which calendars are reached, and where their logins are kept."""

from __future__ import annotations

import json
from typing import Any

import click

from calsync.cli.context import App, pass_app
from calsync.cli.doctor import doctor
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import show_rows
from calsync.connecting import going_live
from calsync.errors import NotFoundError, Problem, Refused
from calsync.store import calendars as calendar_store
from calsync.store import connections as books
from calsync.store.calendars import CalendarRow


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(connections)


@click.group()
def connections() -> None:
    """List, show, test and let go of the accounts behind calendars. `connect` makes them."""


@connections.command("list")
@json_option
@pass_app
def list_(app: App) -> int:
    """All connections; never their logins."""
    rows = _rows(app)
    lines = [f"{one['id']}  {one['provider']}  {one['login']}  {', '.join(one['calendars'])}" for one in rows]
    show_rows(rows, lines, as_json=app.as_json, empty="There are no connections yet: see `calsync connect --help`.")
    return ExitCode.FINE


@connections.command()
@click.argument("connection", metavar="ID")
@json_option
@pass_app
def show(app: App, connection: str) -> int:
    """One connection."""
    row = _find(app, connection)
    if app.as_json:
        click.echo(json.dumps(row, indent=2, ensure_ascii=False))
        return ExitCode.FINE
    for name, value in row.items():
        click.echo(f"{name}: {', '.join(value) if isinstance(value, list) else value}")
    return ExitCode.FINE


@connections.command()
@click.argument("connection", metavar="ID")
@json_option
@click.pass_context
def check(context: click.Context, connection: str) -> int:
    """Test it live, as `doctor` does."""
    return int(context.invoke(doctor, connection=connection))


@connections.command()
@click.argument("connection", metavar="ID")
@json_option
@actor_options
@pass_app
def remove(app: App, connection: str) -> int:
    """Let it go: the worker takes our events out of its calendars, and the login is forgotten. Bookings stand."""
    found = _find(app, connection)
    if found["source"] == "config":
        remedy = "Take the calendar's [[providers.calendars]] table out, then `calsync calendars remove ID`"
        raise Refused([Problem("the configuration names it", f"connection {connection}", remedy)])
    with app.books.transaction() as conn:
        for calendar in found["calendars"]:
            row = calendar_store.get(conn, calendar)
            if row is not None:
                going_live.let_go(conn, row, app.clock.now(), by=app.actor)
        if not found["calendars"]:
            books.remove(conn, connection)
    if app.as_json:
        click.echo(json.dumps({"id": connection, "leaving": found["calendars"]}))
    else:
        where = ", ".join(found["calendars"]) or "nothing: no calendar uses it"
        click.echo(f"{connection}: let go. The worker takes our events out of {where}.")
    return ExitCode.FINE


def _find(app: App, connection: str) -> dict[str, Any]:
    found = next((row for row in _rows(app) if row["id"] == connection), None)
    if found is None:
        raise NotFoundError("connection", connection)
    return found


def _rows(app: App) -> list[dict[str, Any]]:
    """Those on the books, and those that only the config knows."""
    with app.books.reading() as conn:
        kept = {row.id: row for row in books.rows(conn)}
        of: dict[str, list[CalendarRow]] = {}
        for row in calendar_store.rows(conn):
            of.setdefault(row.connection, []).append(row)
    rows = []
    for name in sorted({*kept, *of}):
        held, found = kept.get(name), of.get(name, [])
        first = found[0] if found else None
        rows.append(
            {
                "id": name,
                "provider": held.provider if held is not None else first.provider if first is not None else "",
                "connector": held.connector if held is not None else first.connector if first is not None else "",
                "source": first.source if first is not None else held.source if held is not None else "",
                "login": "kept encrypted" if held is not None and held.key_id is not None else "as the config says",
                "calendars": [row.id for row in found],
            }
        )
    return rows
