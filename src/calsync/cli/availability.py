"""`calsync availability` and `calsync slots`: when providers work, and which times are free."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import click

from calsync.booking.availability import set_availability
from calsync.booking.slots import Slot, SlotQuery, free_slots
from calsync.cli.appointment_changes import command_of
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import instant_text, show_rows
from calsync.cli.times import read_wall, show_span, show_wall
from calsync.domain.span import instant
from calsync.domain.time_text import read_day
from calsync.records.availability_file import availability_text, read_availability
from calsync.store import availability as books
from calsync.store.known import known_provider

_SET_HELP: Final = """Take a provider's working times from FILE.

\b
TOML:  every = "30m"          # a session may begin at each of these
       gap = "10m"            # stays free around sessions
       [weekly]
       monday = ["09:00-12:30", "13:30-17:00"]
       friday = [{ hours = "09:00-12:00", formats = ["video"] }]
       [dates]
       2026-12-24 = []        # a day off
       "2026-12-27/2026-12-31" = ["10:00-12:00"]
CSV:   day,start,end,formats  # monday,09:00,12:30,  or  2026-12-24,,,
"""


def register(app: click.Group) -> None:
    """Add the groups."""
    app.add_command(availability)
    app.add_command(slots)


@click.group()
def availability() -> None:
    """When providers work."""


@availability.command()
@click.option("--provider", required=True, metavar="ID")
@json_option
@pass_app
def show(app: App, provider: str) -> int:
    """Show a provider's working times, in the form in which `set` takes them."""
    with app.database.reading() as conn:
        row = known_provider(conn, provider)
        times = books.get(conn, provider)
    if app.as_json:
        told = None if times is None else times.as_json()
        click.echo(json.dumps({"provider": provider, "zone": row.zone, "times": told}, indent=2))
    elif times is None:
        click.echo(f"No working times of {provider} are known: no slots are offered. Set them with a file.")
    else:
        click.echo(f"# Working times of {provider}, by the clocks of {row.zone}.\n{availability_text(times)}", nl=False)
    return ExitCode.FINE


@availability.command("set", help=_SET_HELP)
@click.option("--provider", required=True, metavar="ID")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@actor_options
@pass_app
def set_(app: App, provider: str, file: Path) -> int:
    """Take a provider's working times from FILE."""
    with app.books.transaction() as conn:
        times = read_availability(file, books.get(conn, provider))
        changed = set_availability(conn, command_of(app), provider, times)
    if app.as_json:
        click.echo(json.dumps({"provider": provider, "changed": changed, "times": times.as_json()}, indent=2))
    else:
        click.echo(f"Working times of {provider} are set." if changed else "They were so already.")
    return ExitCode.FINE


@click.group()
def slots() -> None:
    """Times that clients can choose."""


@slots.command("list")
@click.option("--provider", required=True, metavar="ID")
@click.option("--from", "since", metavar="TIME", help="Date or time, by the provider's clocks. Default: now.")
@click.option("--to", "until", metavar="TIME", help="The same; a date counts to its end. Default: 14 days on.")
@click.option("--minutes", required=True, type=click.IntRange(1, 1440), help="How long the session is.")
@click.option("--format", "format_", metavar="WORD", help="Video, phone, office …")
@json_option
@pass_app
def list_(app: App, /, provider: str, since: str | None, until: str | None, **told: Any) -> int:
    """List the times that are free for a session."""
    command = command_of(app)
    with app.books.reading() as conn:
        row = known_provider(conn, provider)
        first = _moment(since, row.zone, "--from", command.now)
        last = _moment(until, row.zone, "--to", first + timedelta(days=14), end=True)
        query = SlotQuery(
            provider=provider,
            since=first,
            until=last,
            length=timedelta(minutes=told["minutes"]),
            format=told["format_"],
        )
        found = free_slots(conn, command, query)
    rows = [slot_row(one) for one in found.slots]
    show_rows(rows, (show_span(one.span) for one in found.slots), as_json=app.as_json, empty=f"{found.hint}.")
    return ExitCode.FINE


def slot_row(slot: Slot) -> dict[str, Any]:
    """A slot for programs."""
    span = slot.span
    return {
        "start": show_wall(span.start),
        "end": show_wall(span.end),
        "zone": slot.zone,
        "start_at": instant_text(slot.start_at),
        "end_at": instant_text(slot.end_at),
    }


def _moment(text: str | None, zone: str, option: str, default: datetime, *, end: bool = False) -> datetime:
    if text is None:
        return default
    try:
        day: date = read_day(text)
    except ValueError:
        return instant(read_wall(text, zone, option), zone)
    return instant(datetime.combine(day + timedelta(days=1 if end else 0), time()), zone)
