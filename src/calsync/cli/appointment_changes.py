"""`calsync appointments book`, `cancel`, `reschedule`, `complete` and `no-show`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import click
from sqlalchemy import Connection

from calsync.booking.commands import (
    Attested,
    Booking,
    Cancellation,
    Command,
    Move,
    Outcome,
    Rulebook,
    book,
    cancel,
    complete,
    complete_day,
    record_no_show,
    reschedule,
)
from calsync.booking.rules import Scope
from calsync.cli.amounts import read_amount
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import show_outcome
from calsync.cli.times import read_date, read_span, read_zone
from calsync.domain.appointment import AppointmentKind
from calsync.domain.span import Span
from calsync.records.attendance_file import read_attendance
from calsync.records.values import Payer, read_id
from calsync.store.known import known_appointment, known_provider


def register(appointments: click.Group) -> None:
    """Add the commands to the group of appointments."""
    for one in (book_, cancel_, reschedule_, complete_, no_show):
        appointments.add_command(one)


def command_of(app: App, reason: str | None = None) -> Command:
    """Who asks, when and why."""
    rulebook = Rulebook.of_settings(app.settings)
    return Command(actor=app.actor, now=app.clock.now(), reason=reason, note=app.note, rulebook=rulebook)


def booking_options(command: Any) -> Any:
    """What a booking needs to know, single or series."""
    for option in reversed(
        (
            click.option("--provider", required=True, metavar="ID"),
            click.option("--client", required=True, metavar="ID"),
            click.option("--start", required=True, metavar="TIME", help="Wall time in --zone, or with an offset."),
            click.option("--end", metavar="TIME"),
            click.option("--minutes", type=click.IntRange(1, 1440)),
            click.option("--zone", metavar="ZONE", help="IANA name. Default: the provider's."),
            click.option("--kind", type=click.Choice([kind.value for kind in AppointmentKind]), default="follow-up"),
            click.option("--code", metavar="CODE", help="Billing code."),
            click.option("--format", "format_", metavar="WORD", help="Video, phone, office …"),
            click.option("--payer", type=click.Choice([payer.value for payer in Payer]), default="insurance"),
            click.option("--id", "key", metavar="ID", help="Default: a new one."),
        )
    ):
        command = option(command)
    return command


def booking_of(conn: Connection, app: App, told: dict[str, Any], prefix: str) -> Booking:
    """The booking that the options describe."""
    provider = known_provider(conn, told["provider"])
    zone = read_zone(told["zone"]) if told["zone"] else provider.zone
    return Booking(
        id=_id(told["key"], "--id") if told["key"] else app.ids.new_id(prefix),
        provider=provider.id,
        client=_id(told["client"], "--client"),
        span=read_span(told["start"], told["end"], told["minutes"], zone),
        kind=AppointmentKind(told["kind"]),
        code=told["code"],
        format=told["format_"],
        payer=told["payer"],
    )


@click.command("book")
@booking_options
@click.option("--package", metavar="ID", help="The client's package whose credit it uses.")
@click.option("--paid", metavar="AMOUNT", help="What the client has paid for it, such as 120.00.")
@json_option
@actor_options
@pass_app
def book_(app: App, /, **told: Any) -> int:
    """Book a session."""
    paid = str(read_amount(told["paid"], "--paid")) if told["paid"] is not None else None
    with app.books.transaction() as conn:
        booking = replace(booking_of(conn, app, told, "a"), package=told["package"], paid=paid)
        outcome = book(conn, command_of(app), booking)
    show_outcome(outcome, "Booked", as_json=app.as_json)
    return ExitCode.FINE


def cancel_options(command: Any) -> Any:
    """What is said with a cancellation."""
    for option in reversed(
        (
            click.option("--reason", metavar="R", help="Why: a code of the practice's list, or words of your own."),
            click.option("--answer", "answers", multiple=True, metavar="ID=TEXT", help="To a question of the reason."),
            click.option("--waive-fee", is_flag=True, help="The client owes no fee; needs --note."),
            click.option("--refund", type=click.Choice(["yes", "no"]), help="Whether to refund the payment."),
            click.option("--client-aware", is_flag=True, help="The client knows of it."),
            click.option("--block", is_flag=True, help="Block the old time as out of office."),
            click.option("--suggest-others", is_flag=True, help="Have support suggest other providers to the client."),
        )
    ):
        command = option(command)
    return command


def cancellation_of(told: dict[str, Any], scope: Scope | None) -> Cancellation:
    """The cancellation that the options describe."""
    return Cancellation(
        scope=scope,
        waive_fee=told["waive_fee"],
        refund=None if told["refund"] is None else told["refund"] == "yes",
        client_aware=told["client_aware"],
        suggest_others=told["suggest_others"],
        block=told["block"],
        answers=read_answers(told["answers"]),
    )


def read_answers(answers: tuple[str, ...]) -> dict[str, str]:
    """The answers that `--answer ID=TEXT` gives, by id."""
    found = dict(one.partition("=")[::2] for one in answers)
    if wrong := [one for one in answers if "=" not in one]:
        raise click.UsageError(f"--answer: {wrong[0]!r} is not ID=TEXT")
    return found


@click.command("cancel")
@click.argument("appointment", metavar="ID")
@cancel_options
@click.option("--scope", type=click.Choice(["this", "all-upcoming"]), help="For a session of a series.")
@json_option
@actor_options
@pass_app
def cancel_(app: App, /, appointment: str, scope: Literal["this", "all-upcoming"] | None, **told: Any) -> int:
    """Cancel a session, or all upcoming ones of its series."""
    with app.books.transaction() as conn:
        outcome = cancel(conn, command_of(app, told["reason"]), appointment, cancellation_of(told, scope))
    show_outcome(outcome, "Cancelled", as_json=app.as_json)
    return ExitCode.NEEDS_PERSON if outcome.refused else ExitCode.FINE


def move_options(command: Any) -> Any:
    """Where a session goes."""
    for option in reversed(
        (
            click.option("--start", required=True, metavar="TIME", help="Wall time in its zone, or with an offset."),
            click.option("--end", metavar="TIME"),
            click.option("--minutes", type=click.IntRange(1, 1440), help="Default: as long as it is now."),
            click.option("--reason", metavar="R", help="Why: a code of the practice's list, or words of your own."),
            click.option("--answer", "answers", multiple=True, metavar="ID=TEXT", help="To a question of the reason."),
            click.option("--cadence", metavar="RRULE", help="Another rhythm; with this-and-following."),
            click.option(
                "--moved", type=click.Choice(["keep", "reset"]), default="keep", help="Sessions moved on their own."
            ),
            click.option("--format", "format_", metavar="WORD"),
        )
    ):
        command = option(command)
    return command


@click.command("reschedule")
@click.argument("appointment", metavar="ID")
@move_options
@click.option("--scope", type=click.Choice(["this", "this-and-following"]), help="For a session of a series.")
@json_option
@actor_options
@pass_app
def reschedule_(app: App, /, appointment: str, **told: Any) -> int:
    """Move a session, or it and all that follow, to another time."""
    with app.books.transaction() as conn:
        outcome = move(conn, app, appointment, told)
    show_outcome(outcome, "Moved", as_json=app.as_json)
    return ExitCode.FINE


def move(conn: Connection, app: App, appointment: str, told: dict[str, Any]) -> Outcome:
    """Carry out a move as the options describe it."""
    one = known_appointment(conn, appointment)
    span = read_span(told["start"], told["end"], told["minutes"], one.span.zone, one.span)
    command = command_of(app, told["reason"])
    wish = Move(
        span=span,
        scope=told["scope"],
        cadence=told["cadence"],
        moved=told["moved"],
        format=told["format_"],
        horizon=command.now + app.settings.sync.booked_ahead,
        answers=read_answers(told["answers"]),
    )
    return reschedule(conn, command, appointment, wish)


@click.command("complete")
@click.argument("appointments", metavar="[ID]…", nargs=-1)
@click.option("--start", metavar="TIME", help="When it really began.")
@click.option("--end", metavar="TIME", help="When it really ended.")
@click.option("--provider", metavar="ID", help="With --day: all of a provider's sessions of a day, as booked.")
@click.option("--day", metavar="DATE")
@click.option("--file", "file", type=click.Path(path_type=Path), help="CSV or JSON lines: id, start, end.")
@json_option
@actor_options
@pass_app
def complete_(app: App, /, appointments: tuple[str, ...], **told: Any) -> int:
    """Record that sessions took place: by id, by provider and day, or by file."""
    ways = [bool(appointments), bool(told["provider"] or told["day"]), told["file"] is not None]
    if sum(ways) != 1:
        raise click.UsageError("give ids, or --provider with --day, or --file")
    with app.books.transaction() as conn:
        outcome = _complete(conn, app, appointments, told)
    show_outcome(outcome, "Recorded as held", as_json=app.as_json)
    return ExitCode.NEEDS_PERSON if outcome.refused else ExitCode.FINE


def _complete(conn: Connection, app: App, appointments: tuple[str, ...], told: dict[str, Any]) -> Outcome:
    command = command_of(app)
    if told["provider"] or told["day"]:
        if not (told["provider"] and told["day"]) or told["start"] or told["end"]:
            raise click.UsageError("a whole day needs --provider and --day, and takes no times")
        return complete_day(conn, command, told["provider"], read_date(told["day"], "--day"))
    if told["file"] is not None:
        return complete(conn, command, Attested(read_attendance(conn, told["file"])))
    return complete(conn, command, Attested({key: _attested(conn, key, appointments, told) for key in appointments}))


def _attested(conn: Connection, key: str, appointments: tuple[str, ...], told: dict[str, Any]) -> Span | None:
    if told["start"] is None and told["end"] is None:
        return None
    if len(appointments) > 1 or told["start"] is None:
        raise click.UsageError("--start and --end are for one session, and --end needs --start")
    one = known_appointment(conn, key)
    return read_span(told["start"], told["end"], None, one.span.zone, one.span)


@click.command("no-show")
@click.argument("appointment", metavar="ID")
@click.option("--waive-fee", is_flag=True, help="The client owes no fee; needs --note.")
@json_option
@actor_options
@pass_app
def no_show(app: App, appointment: str, *, waive_fee: bool) -> int:
    """Record that the client did not come."""
    with app.books.transaction() as conn:
        outcome = record_no_show(conn, command_of(app), appointment, waive_fee=waive_fee)
    show_outcome(outcome, "Recorded as a no-show", as_json=app.as_json)
    return ExitCode.FINE


def _id(text: str, option: str) -> str:
    try:
        return read_id(text)
    except ValueError as problem:
        raise click.UsageError(f"{option}: {problem}") from problem
