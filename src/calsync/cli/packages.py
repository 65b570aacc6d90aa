"""`calsync packages`: sessions that clients bought in advance, and how many of them are left."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click
from sqlalchemy import Connection

from calsync.booking.commands import add_package
from calsync.cli.appointment_changes import command_of
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import instant_text, show_rows
from calsync.errors import NotFoundError
from calsync.records.values import read_id
from calsync.store import packages as store
from calsync.store.packages import Package


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(packages)


@click.group()
def packages() -> None:
    """Sessions that clients bought in advance."""


@packages.command()
@click.option("--client", required=True, metavar="ID")
@click.option("--sessions", required=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--id", "key", metavar="ID", help="Default: a new one.")
@json_option
@actor_options
@pass_app
def add(app: App, client: str, sessions: int, key: str | None) -> int:
    """Put a package on the books."""
    with app.books.transaction() as conn:
        wanted = _id(key, "--id") if key else app.ids.new_id("p")
        package = add_package(conn, command_of(app), wanted, _id(client, "--client"), sessions)
        row = _row(conn, package)
    click.echo(json.dumps(row, indent=2) if app.as_json else f"Added: {package.id}")
    return ExitCode.FINE


@packages.command("list")
@click.option("--client", metavar="ID", help="Only this client's.")
@json_option
@pass_app
def list_(app: App, client: str | None) -> int:
    """List packages and what is left of them."""
    with app.database.reading() as conn:
        rows = [_row(conn, one) for one in store.rows(conn, client)]
    lines = (f"{row['id']}  client {row['client']}  {row['left']} of {row['sessions']} left" for row in rows)
    show_rows(rows, lines, as_json=app.as_json, empty="There are no packages.")
    return ExitCode.FINE


@packages.command()
@click.argument("package", metavar="ID")
@json_option
@pass_app
def show(app: App, package: str) -> int:
    """Show one package and every use of it."""
    with app.database.reading() as conn:
        found = next((one for one in store.rows(conn) if one.id == package), None)
        if found is None:
            raise NotFoundError("package", package)
        row = _row(conn, found)
        uses = [asdict(one) | {"at": instant_text(one.at)} for one in store.history(conn, package)]
    if app.as_json:
        click.echo(json.dumps(row | {"history": uses}, indent=2))
        return ExitCode.FINE
    click.echo(f"{row['id']}  client {row['client']}  {row['left']} of {row['sessions']} left")
    for use in uses:
        click.echo(f"  {use['at']}  {'used' if use['change'] < 0 else 'given back'}  {use['appointment']}")
    return ExitCode.FINE


def _row(conn: Connection, one: Package) -> dict[str, Any]:
    return asdict(one) | {"at": instant_text(one.at), "left": store.credits_left(conn, one)}


def _id(text: str, option: str) -> str:
    try:
        return read_id(text)
    except ValueError as problem:
        raise click.UsageError(f"{option}: {problem}") from problem
