"""`calsync series`: book, list, show, cancel and reschedule series."""

from __future__ import annotations

import json
from typing import Any

import click

from calsync.booking.commands import book_series, cancel_series
from calsync.booking.rules import refuse
from calsync.cli.appointment_changes import (
    booking_of,
    booking_options,
    cancel_options,
    cancellation_of,
    command_of,
    move,
    move_options,
)
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import appointment_line, appointment_row, series_row, show_outcome, show_rows
from calsync.cli.times import show_span
from calsync.domain.appointment import AppointmentStatus, Series
from calsync.store import records
from calsync.store.known import known_series


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(series)


@click.group()
def series() -> None:
    """Recurring sessions."""


@series.command("book")
@booking_options
@click.option("--rule", required=True, metavar="RRULE", help="Such as FREQ=WEEKLY;BYDAY=TU.")
@json_option
@actor_options
@pass_app
def book_(app: App, /, rule: str, **told: Any) -> int:
    """Book a series; --start is its first session."""
    with app.books.transaction() as conn:
        command = command_of(app)
        horizon = command.now + app.settings.sync.booked_ahead
        outcome = book_series(conn, command, booking_of(conn, app, told, "s"), rule, horizon)
    show_outcome(outcome, f"Booked series {outcome.series[0]}", as_json=app.as_json)
    return ExitCode.FINE


@series.command("list")
@click.option("--provider", metavar="ID")
@json_option
@pass_app
def list_(app: App, provider: str | None) -> int:
    """List series."""
    with app.database.reading() as conn:
        found = records.all_series(conn, provider)
    lines = (_line(one) for one in found)
    show_rows([series_row(one) for one in found], lines, as_json=app.as_json, empty="There are no series.")
    return ExitCode.FINE


@series.command()
@click.argument("series_id", metavar="ID")
@json_option
@pass_app
def show(app: App, series_id: str) -> int:
    """Show a series and its sessions."""
    with app.database.reading() as conn:
        one = known_series(conn, series_id)
        members = records.appointments_of_series(conn, series_id)
    rows = [appointment_row(member) for member in members]
    if app.as_json:
        click.echo(json.dumps(series_row(one) | {"appointments": rows}, indent=2))
        return ExitCode.FINE
    click.echo(_line(one))
    for row, member in zip(rows, members, strict=True):
        click.echo(f"  {appointment_line(row, member.span)}")
    return ExitCode.FINE


@series.command()
@click.argument("series_id", metavar="ID")
@cancel_options
@json_option
@actor_options
@pass_app
def cancel(app: App, /, series_id: str, **told: Any) -> int:
    """Cancel all upcoming sessions of a series; past ones stay."""
    with app.books.transaction() as conn:
        wish = cancellation_of(told, "all-upcoming")
        outcome = cancel_series(conn, command_of(app, told["reason"]), series_id, wish)
    show_outcome(outcome, "Cancelled", as_json=app.as_json)
    return ExitCode.NEEDS_PERSON if outcome.refused else ExitCode.FINE


@series.command()
@click.argument("series_id", metavar="ID")
@move_options
@json_option
@actor_options
@pass_app
def reschedule(app: App, /, series_id: str, **told: Any) -> int:
    """Move a series from its next session on; --start is where that one goes."""
    with app.books.transaction() as conn:
        known_series(conn, series_id)
        now = app.clock.now()
        upcoming = [
            one.id
            for one in records.appointments_of_series(conn, series_id)
            if one.status is AppointmentStatus.SCHEDULED and one.span.start_at > now
        ]
        if not upcoming:
            what = f"series {series_id} has no upcoming session"
            raise refuse("nothing-upcoming", what, "Past sessions stay as they are: book a new series")
        outcome = move(conn, app, upcoming[0], told | {"scope": "this-and-following"})
    show_outcome(outcome, "Moved", as_json=app.as_json)
    return ExitCode.FINE


def _line(one: Series) -> str:
    ended = "  cancelled" if one.cancelled else ""
    continues = f"  continues {one.continues}" if one.continues else ""
    return f"{one.id}  {show_span(one.span)}  {one.rule}  {one.provider}  {one.client}{continues}{ended}"
