"""`calsync clients`: list, show and import."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import show_rows
from calsync.records.people_files import PeopleRequest, import_clients
from calsync.store import clients as store
from calsync.store.known import known_client


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(clients)


@click.group()
def clients() -> None:
    """The people whom sessions are for."""


@clients.command("list")
@json_option
@pass_app
def list_(app: App) -> int:
    """List clients."""
    with app.database.reading() as conn:
        found = store.rows(conn)
    lines = (f"{one.id}  {one.name}  {one.email}" for one in found)
    show_rows([asdict(one) for one in found], lines, as_json=app.as_json, empty="There are no clients.")
    return ExitCode.FINE


@clients.command()
@click.argument("client", metavar="ID")
@json_option
@pass_app
def show(app: App, client: str) -> int:
    """Show one client."""
    with app.database.reading() as conn:
        one = known_client(conn, client)
    if app.as_json:
        click.echo(json.dumps(asdict(one), indent=2, ensure_ascii=False))
    else:
        for name, value in asdict(one).items():
            click.echo(f"{name:6} {value or ''}".rstrip())
    return ExitCode.FINE


@clients.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@actor_options
@pass_app
def import_(app: App, file: Path) -> int:
    """Take clients from a CSV or JSON lines file: id, name, email, zone."""
    request = PeopleRequest(path=file, actor=app.actor, now=app.clock.now())
    result = import_clients(app.database, request)
    if app.as_json:
        click.echo(json.dumps({"rows": result.rows, "changed": result.changed}, indent=2))
    else:
        click.echo(f"{result.rows} rows read, {len(result.changed)} new or changed.")
    return ExitCode.FINE
