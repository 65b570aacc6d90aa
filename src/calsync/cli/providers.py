"""`calsync providers`: list, show, add, import, pause and resume."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from calsync.booking import commands
from calsync.cli.appointment_changes import command_of
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import show_rows
from calsync.cli.times import read_date, read_zone
from calsync.records.people import Deed, add_provider
from calsync.records.people_files import PeopleRequest, import_providers
from calsync.records.values import read_email, read_id
from calsync.store import calendars
from calsync.store import providers as store
from calsync.store.known import known_provider
from calsync.store.providers import ProviderRow


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(providers)


@click.group()
def providers() -> None:
    """The people whose calendars are kept in step."""


@providers.command("list")
@json_option
@pass_app
def list_(app: App) -> int:
    """List providers."""
    with app.books.reading() as conn:
        found = store.rows(conn)
    lines = (
        f"{one.id}  {one.name}  {one.zone}  practice {one.practice}  in the {one.source}" + ("  paused" * one.paused)
        for one in found
    )
    show_rows([_row(one) for one in found], lines, as_json=app.as_json, empty="There are no providers.")
    return ExitCode.FINE


@providers.command()
@click.argument("provider", metavar="ID")
@json_option
@pass_app
def show(app: App, provider: str) -> int:
    """Show one provider and their calendars."""
    with app.books.reading() as conn:
        one = known_provider(conn, provider)
        found = [row for row in calendars.rows(conn) if row.provider == provider]
    row = _row(one) | {
        "linked": [{"id": each.id, "connector": each.connector, "state": each.state.value} for each in found]
    }
    if app.as_json:
        click.echo(json.dumps(row, indent=2, ensure_ascii=False))
        return ExitCode.FINE
    for name, value in row.items():
        if name != "linked" and value not in (None, ""):
            click.echo(f"{name:22} {value}")
    for each in found:
        click.echo(f"{'calendar':22} {each.id} ({each.connector}, {each.state.value})")
    return ExitCode.FINE


@providers.command()
@click.argument("provider", metavar="ID")
@click.option("--name", required=True)
@click.option("--email", required=True)
@click.option("--zone", required=True, help="IANA name, such as Europe/Berlin.")
@click.option("--practice", default="default")
@click.option("--calendars", "calendars_", type=click.Choice(["none"]), help="Declare that there is no calendar.")
@click.option("--because", metavar="TEXT", help="Why there is none.")
@click.option("--since", metavar="DATE", help="From which day on.")
@json_option
@actor_options
@pass_app
def add(app: App, /, provider: str, **told: Any) -> int:
    """Add a provider to the database. One without calendars must be declared so, with a reason and a day."""
    declared = [told["calendars_"], told["because"], told["since"]]
    if any(declared) and not all(declared):
        raise click.UsageError("--calendars none, --because and --since go together")
    if told["practice"] not in app.settings.practices:
        known = ", ".join(sorted(app.settings.practices))
        raise click.UsageError(f"--practice: there is no practice {told['practice']!r}; known: {known}")
    row = ProviderRow(
        id=_valid(read_id, provider, "ID"),
        name=told["name"],
        email=_valid(read_email, told["email"], "--email"),
        zone=read_zone(told["zone"]),
        practice=told["practice"],
        calendars=told["calendars_"],
        calendars_reason=told["because"],
        calendars_since=read_date(told["since"], "--since") if told["since"] else None,
        calendars_declared_by=app.actor if told["calendars_"] else None,
    )
    with app.books.transaction() as conn:
        add_provider(conn, _deed(app), row)
    return _told(app, row.id, f"Added: {row.id}")


@providers.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change; write nothing.")
@click.option("--partial", is_flag=True, help="Take the good rows, and name the others.")
@json_option
@actor_options
@pass_app
def import_(app: App, file: Path, *, dry_run: bool, partial: bool) -> int:
    """Take providers from a CSV or JSON lines file: id, name, email, zone, practice, calendars."""
    request = PeopleRequest(
        path=file,
        actor=app.actor,
        now=app.clock.now(),
        configured={each.id for each in app.settings.providers},
        practices=set(app.settings.practices),
        dry_run=dry_run,
        partial=partial,
    )
    result = import_providers(app.database, request)
    if app.as_json:
        click.echo(json.dumps({"rows": result.rows, "changed": result.changed, "refused": result.refused}, indent=2))
    else:
        verb = "would be new or changed" if dry_run else "new or changed"
        click.echo(f"{result.rows} rows read, {len(result.changed)} {verb}.")
        for problem in result.refused:
            click.echo(f"left out: {problem}", err=True)
    return ExitCode.NEEDS_PERSON if result.refused else ExitCode.FINE


@providers.command()
@click.argument("provider", metavar="ID")
@json_option
@click.option("--reason", metavar="TEXT", help="Why.")
@actor_options
@pass_app
def pause(app: App, provider: str, reason: str | None) -> int:
    """Take no more bookings; sessions that are booked stay."""
    with app.books.transaction() as conn:
        changed = commands.pause(conn, command_of(app, reason), provider)
    return _told(app, provider, f"{provider}: paused" if changed else f"{provider}: paused already")


@providers.command()
@click.argument("provider", metavar="ID")
@json_option
@click.option("--reason", metavar="TEXT", help="Why.")
@actor_options
@pass_app
def resume(app: App, provider: str, reason: str | None) -> int:
    """Take bookings again."""
    with app.books.transaction() as conn:
        changed = commands.resume(conn, command_of(app, reason), provider)
    return _told(app, provider, f"{provider}: taking bookings{'' if changed else ' already'}")


def _told(app: App, provider: str, sentence: str) -> int:
    if app.as_json:
        with app.database.reading() as conn:
            one = store.get(conn, provider)
        click.echo(json.dumps(_row(one) if one is not None else {}, indent=2, ensure_ascii=False))
    else:
        click.echo(sentence)
    return ExitCode.FINE


def _deed(app: App) -> Deed:
    return Deed(app.actor, app.clock.now(), app.note)


def _valid(read: Any, text: str, option: str) -> str:
    try:
        return str(read(text))
    except ValueError as problem:
        raise click.UsageError(f"{option}: {problem}") from problem


def _row(one: ProviderRow) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "email": one.email,
        "zone": one.zone,
        "practice": one.practice,
        "source": one.source,
        "paused": one.paused,
        "calendars": one.calendars,
        "calendars_reason": one.calendars_reason,
        "calendars_since": one.calendars_since.isoformat() if one.calendars_since else None,
        "calendars_declared_by": one.calendars_declared_by,
    }
