"""`calsync emergency`: who has sessions when, with names and addresses, when pages and platform cannot be reached."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import click
from sqlalchemy import Connection

from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.errors import Problem, Refused
from calsync.store import audit, clients, records
from calsync.store.known import known_provider
from calsync.store.records import AppointmentFilter


def register(app: click.Group) -> None:
    """Add the command."""
    app.add_command(emergency)


@click.command()
@click.option("--provider", metavar="ID", help="Only this provider's sessions.")
@click.option("--days", type=click.IntRange(1, 60), default=7, show_default=True, help="How far ahead.")
@json_option
@actor_options
@pass_app
def emergency(app: App, provider: str | None, days: int) -> int:
    """Print the coming sessions with clients' names and addresses; needs --note, which says why.

    It reads the books directly: no page, no login and no worker is needed. Who asked, and why, stands in the log of
    decisions before anything is shown.
    """
    if not (app.note or "").strip():
        problem = Problem("say why", "--note", 'For example --note "the platform is down, clients must be called"')
        raise Refused([problem], code="note-needed")
    now = app.clock.now()
    with app.database.transaction() as conn:
        if provider is not None:
            known_provider(conn, provider)
        detail = {"note": app.note, "days": days}
        subject = "installation" if provider is None else f"provider:{provider}"
        audit.append(conn, at=now, actor=app.actor, what="emergency-access", subject=subject, detail=detail)
    with app.database.reading() as conn:
        until = now + timedelta(days=days)
        rows = _rows(conn, AppointmentFilter(provider=provider, since=now, until=until))
    if app.as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return ExitCode.FINE
    for one in rows:
        click.echo(f"{one['start']} {one['zone']}  {one['provider']}  {one['client']}  {one['name']}  {one['email']}")
    if not rows:
        click.echo("There is no session in that time.")
    return ExitCode.FINE


def _rows(conn: Connection, wanted: AppointmentFilter) -> list[dict[str, Any]]:
    people = {one.id: one for one in clients.rows(conn)}
    found = []
    for one in records.appointments(conn, wanted):
        person = people.get(one.client)
        found.append(
            {
                "start": f"{one.span.start:%Y-%m-%d %H:%M}",
                "zone": one.span.zone,
                "provider": one.provider,
                "appointment": one.id,
                "status": one.status.value,
                "client": one.client,
                "name": person.name if person is not None else "",
                "email": person.email if person is not None else "",
            }
        )
    return found
