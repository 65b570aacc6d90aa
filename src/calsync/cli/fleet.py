"""`calsync fleet`: the stop of all writes over the whole installation, and its release in stages."""

from __future__ import annotations

import json
from typing import Final

import click

from calsync.answers import fleet as words
from calsync.answers.fleet import FleetStatus
from calsync.answers.words import Desk
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import instant_text
from calsync.errors import UserError

_STAGES: Final = {"1": 0.01, "10": 0.1, "all": 1.0}


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(fleet)


@click.group()
def fleet() -> None:
    """Stop all writes to calendars, see what waits, release it in stages."""


@fleet.command()
@json_option
@pass_app
def show(app: App) -> int:
    """Say whether writes are stopped and why, and what each stage of a release would let go."""
    found = words.status(_desk(app))
    if app.as_json:
        click.echo(json.dumps(_row(found), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(found)))
    return ExitCode.FINE if found.stop is None else ExitCode.NEEDS_PERSON


@fleet.command()
@actor_options
@pass_app
def stop(app: App) -> int:
    """Write to no calendar, and mail no provider or client, until `fleet release`. Edits are recorded as ever."""
    if not app.note:
        raise UserError.of("say why", "--note", 'For example: --note "records of Monday look wrong"')
    stopped = words.stop(_desk(app), by=app.actor, because=app.note)
    click.echo("Stopped. `calsync fleet show` says what waits." if stopped else "Writes were stopped already.")
    return ExitCode.FINE


@fleet.command()
@click.argument("stage", type=click.Choice(list(_STAGES)))
@actor_options
@pass_app
def release(app: App, stage: str) -> int:
    """Let 1 or 10 percent of the calendars write again, or all of them, which ends the stop."""
    desk = _desk(app)
    words.release(desk, _STAGES[stage], by=app.actor, note=app.note)
    click.echo("\n".join(_lines(words.status(desk))))
    return ExitCode.FINE


def _desk(app: App) -> Desk:
    return Desk(app.books, app.settings, app.clock, app.ids)


def _row(found: FleetStatus) -> dict[str, object]:
    stop = None
    if found.stop is not None:
        at, because = instant_text(found.stop.at), found.stop.because
        stop = {"since": at, "because": because, "released": found.stop.released}
    stages = [{"share": one.share, "calendars": one.calendars, "writes": one.writes} for one in found.stages]
    return {"stopped": stop, "calendars": found.calendars, "mails_waiting": found.mails, "stages": stages}


def _lines(found: FleetStatus) -> list[str]:
    if found.stop is None:
        return [f"Writes go to all {found.calendars} calendars."]
    released = f"; released for {found.stop.released:.0%} of the calendars" if found.stop.released else ""
    return [
        f"Stopped since {instant_text(found.stop.at)}: {found.stop.because}{released}.",
        f"{found.mails} mails to providers and clients wait.",
        "`calsync fleet release` would let go:",
        *(
            f"  {name:>3}{' %' if name != 'all' else '  '}  {one.writes} writes to {one.calendars} calendars"
            for name, one in zip(_STAGES, found.stages, strict=True)
        ),
    ]
