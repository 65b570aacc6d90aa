"""`calsync appointments ask-to-reschedule`, `respond`, `confirm` and `paid`."""

from __future__ import annotations

import click

from calsync.booking.charges import record_payment
from calsync.booking.command import Outcome
from calsync.booking.commands import Ask, ask_to_reschedule, confirm, respond
from calsync.booking.requests import find_request, new_token
from calsync.cli.amounts import read_amount
from calsync.cli.appointment_changes import command_of, read_answers
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import instant_text, show_outcome
from calsync.cli.times import read_wall
from calsync.store.known import known_appointment


def register(appointments: click.Group) -> None:
    """Add the commands to the group of appointments."""
    for one in (ask_, respond_, confirm_, paid):
        appointments.add_command(one)


@click.command("ask-to-reschedule")
@click.argument("appointment", metavar="ID")
@click.option("--reason", metavar="R", help="Why: a code of the practice's list, or words of your own.")
@click.option("--answer", "answers", multiple=True, metavar="ID=TEXT", help="To a question of the reason.")
@click.option("--block", is_flag=True, help="Block the old time as out of office.")
@json_option
@actor_options
@pass_app
def ask_(app: App, appointment: str, reason: str | None, answers: tuple[str, ...], *, block: bool) -> int:
    """Ask the client to choose another time. The session stands until the answer, and is cancelled without one."""
    token = new_token(app.ids)
    ask = Ask(token=token, block=block, answers=read_answers(answers))
    with app.books.transaction() as conn:
        outcome = ask_to_reschedule(conn, command_of(app, reason), appointment, ask)
        until = instant_text(find_request(conn, token).expires_at)
    show_outcome(outcome, "Asked the client about", as_json=app.as_json, more={"token": token, "expires_at": until})
    if not app.as_json:
        click.echo(f"  answer until {until}, with: calsync appointments respond {token} --start TIME")
    return ExitCode.FINE


@click.command("respond")
@click.argument("token", metavar="TOKEN")
@click.option("--start", required=True, metavar="TIME", help="Wall time in the session's zone, or with an offset.")
@json_option
@actor_options
@pass_app
def respond_(app: App, token: str, start: str) -> int:
    """Answer a request to choose another time, as the client."""
    with app.books.transaction() as conn:
        one = known_appointment(conn, find_request(conn, token).appointment)
        outcome = respond(conn, token, read_wall(start, one.span.zone, "--start"), command_of(app))
    show_outcome(outcome, "Moved", as_json=app.as_json)
    return ExitCode.FINE


@click.command("confirm")
@click.argument("appointment", metavar="ID")
@json_option
@actor_options
@pass_app
def confirm_(app: App, appointment: str) -> int:
    """Confirm a booking, as its provider."""
    with app.books.transaction() as conn:
        outcome = confirm(conn, command_of(app), appointment)
    show_outcome(outcome, "Confirmed", as_json=app.as_json)
    return ExitCode.FINE


@click.command()
@click.argument("appointment", metavar="ID")
@click.option("--amount", metavar="AMOUNT", help="Such as 120.00.")
@json_option
@actor_options
@pass_app
def paid(app: App, appointment: str, amount: str | None) -> int:
    """Record that the client has paid for a session. calsync moves no money."""
    told = str(read_amount(amount, "--amount")) if amount is not None else ""
    with app.books.transaction() as conn:
        done = record_payment(conn, command_of(app), appointment, told)
    show_outcome(Outcome(appointments=(appointment,)) if done else Outcome(), "Recorded as paid", as_json=app.as_json)
    return ExitCode.FINE
