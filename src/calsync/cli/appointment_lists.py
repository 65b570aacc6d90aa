"""`calsync appointments list`, `show`, `history` and `explain`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, time, timedelta
from typing import Final

import click
from sqlalchemy import Connection

from calsync.booking.story import tell_story
from calsync.claims.gate import Gate
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import json_option
from calsync.cli.record_rows import appointment_line, appointment_row, history_row, show_rows
from calsync.cli.times import read_date, show_span
from calsync.domain.appointment import Appointment, AppointmentStatus, SubjectKind
from calsync.domain.span import instant
from calsync.store import clients, records
from calsync.store.known import known_appointment
from calsync.store.records import AppointmentFilter
from calsync.support.matters import load_matter
from calsync.support.tickets import Voice, ticket_text

_VOICES: Final = click.Choice([each.value for each in Voice])


def register(appointments: click.Group) -> None:
    """Add the commands to the group of appointments."""
    for command in (list_, show, history, explain):
        appointments.add_command(command)


@click.command("list")
@click.option("--provider", metavar="ID", help="Only this provider's.")
@click.option("--client", metavar="TEXT", help="A client's id, or part of the name.")
@click.option("--from", "since", metavar="DATE", help="First day.")
@click.option("--to", "until", metavar="DATE", help="Last day.")
@click.option("--status", type=click.Choice([status.value for status in AppointmentStatus]), help="Only these.")
@json_option
@pass_app
def list_(
    app: App, provider: str | None, client: str | None, since: str | None, until: str | None, status: str | None
) -> int:
    """List appointments: upcoming ones first, the next on top, then past ones, the last on top."""
    first = read_date(since, "--from") if since else None
    last = read_date(until, "--to") if until else None
    # A day more on both sides: the days are those of each session's own zone.
    wanted = AppointmentFilter(
        provider=provider,
        status=AppointmentStatus(status) if status else None,
        since=instant(datetime.combine(first, time()), "UTC") - timedelta(days=1) if first else None,
        until=instant(datetime.combine(last, time()), "UTC") + timedelta(days=2) if last else None,
    )
    now = app.clock.now()
    with app.database.reading() as conn:
        found = [
            one
            for one in _of_client(conn, wanted, client)
            if (first is None or one.span.local_date >= first) and (last is None or one.span.local_date <= last)
        ]
        upcoming = [one for one in found if one.span.end_at > now]
        past = [one for one in reversed(found) if one.span.end_at <= now]
        _show_all(conn, [*upcoming, *past], as_json=app.as_json)
    return ExitCode.FINE


@click.command()
@click.argument("appointment", metavar="ID")
@json_option
@pass_app
def show(app: App, appointment: str) -> int:
    """Show one appointment's record."""
    with app.database.reading() as conn:
        one = known_appointment(conn, appointment)
        client = clients.get(conn, one.client)
        facts = records.appointment_facts(conn, [one.id])[one.id]
    row = appointment_row(one, facts, client.name if client else "")
    if app.as_json:
        click.echo(json.dumps(row, indent=2, ensure_ascii=False))
        return ExitCode.FINE
    click.echo(f"{'time':15} {show_span(one.span)}")
    for name, value in row.items():
        if value is not None and value != "" and name not in ("start", "end", "zone", "start_at", "end_at"):
            click.echo(f"{name:15} {value}")
    return ExitCode.FINE


@click.command()
@click.argument("appointment", metavar="ID")
@json_option
@pass_app
def history(app: App, appointment: str) -> int:
    """Show every change of one appointment's record: when, who, what, why."""
    with app.database.reading() as conn:
        known_appointment(conn, appointment)
        rows = records.history(conn, SubjectKind.APPOINTMENT, appointment)
    lines = (
        f"{row.at:%Y-%m-%d %H:%M:%SZ}  {row.actor}  {row.action}"
        + (f"  because: {row.reason}" if row.reason else "")
        + (f"  note: {row.note}" if row.note else "")
        for row in rows
    )
    show_rows([history_row(row) for row in rows], lines, as_json=app.as_json, empty="No change is on record.")
    return ExitCode.FINE


@click.command()
@click.argument("appointment", metavar="ID")
@click.option("--voice", type=_VOICES, help="A text for a ticket instead, in words for that reader.")
@json_option
@pass_app
def explain(app: App, appointment: str, voice: str | None) -> int:
    """Tell one appointment's story: what is booked, what calendars show, what was edited, what its claim waits for."""
    with app.database.reading() as conn:
        one, story = known_appointment(conn, appointment), tell_story(conn, appointment, app.clock.now())
    matter = load_matter(Gate(app.database, app.settings, app.clock, app.ids), one)
    texts = {each.value: ticket_text(matter, each) for each in Voice if voice in (None, each)}
    if app.as_json:
        click.echo(json.dumps(asdict(story) | {"texts": texts}, indent=2))
    else:
        click.echo("\n".join(story.sentences) if voice is None else texts[voice])
    return ExitCode.FINE


def _of_client(conn: Connection, wanted: AppointmentFilter, client: str | None) -> list[Appointment]:
    if client is None:
        return list(records.appointments(conn, wanted))
    # An id need not be in the registry; a part of a name is looked up there.
    ids = {client, *(one.id for one in clients.search(conn, client))}
    found = [one for key in sorted(ids) for one in records.appointments(conn, _narrowed(wanted, key))]
    return sorted(found, key=lambda one: (one.span.start_at, one.id))


def _narrowed(wanted: AppointmentFilter, client: str) -> AppointmentFilter:
    return AppointmentFilter(
        provider=wanted.provider, client=client, status=wanted.status, since=wanted.since, until=wanted.until
    )


def _show_all(conn: Connection, found: list[Appointment], *, as_json: bool) -> None:
    names = {key: one.name for key, one in clients.by_ids(conn, {one.client for one in found}).items()}
    facts = records.appointment_facts(conn, [one.id for one in found])
    rows = [appointment_row(one, facts[one.id], names.get(one.client, "")) for one in found]
    lines = (appointment_line(row, one.span) for row, one in zip(rows, found, strict=True))
    show_rows(rows, lines, as_json=as_json, empty="No appointment is like that.")
