"""`calsync drifts`: what people changed in calendars, and the answers to it."""

from __future__ import annotations

import json
from datetime import datetime

import click

from calsync.answers.edits import Settled, resolve_drift, resolve_edit
from calsync.answers.words import Answer, Desk, Word
from calsync.cli.context import App, pass_app
from calsync.cli.drift_rows import drift_line, drift_row
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import show_rows
from calsync.domain.drift import Drift
from calsync.errors import NotFoundError
from calsync.store import drifts as drift_store
from calsync.store.drifts import DriftFilter


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(drifts)


@click.group()
def drifts() -> None:
    """List, show and settle edits that people made in calendars."""


@drifts.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only those that are not settled.")
@click.option("--provider", metavar="ID", help="Only this provider's.")
@click.option("--appointment", metavar="ID", help="Only of this session.")
@click.option("--edit", metavar="ID", help="Only what was done in one go.")
@click.option("--calendar", metavar="ID", help="Only in this calendar.")
@json_option
@pass_app
def list_(
    app: App, *, only_open: bool, provider: str | None, appointment: str | None, edit: str | None, calendar: str | None
) -> int:
    """List edits, the first one seen on top; settled ones too, unless --open."""
    wanted = DriftFilter(open=only_open, provider=provider, appointment=appointment, edit=edit, calendar=calendar)
    with app.database.reading() as conn:
        found = sorted(drift_store.rows(conn, wanted), key=_first_seen)
    rows, lines = [drift_row(one) for one in found], map(drift_line, found)
    show_rows(rows, lines, as_json=app.as_json, empty="No open edits." if only_open else "No edits.")
    return ExitCode.FINE


def _first_seen(one: Drift) -> tuple[datetime, bool, datetime, str]:
    # What was seen at once stands in the order of the sessions.
    known = one.expected or one.observed
    return one.detected_at, known is None, known.span.start_at if known else one.detected_at, one.id


@drifts.command()
@click.argument("drift_id", metavar="ID")
@json_option
@pass_app
def show(app: App, drift_id: str) -> int:
    """Show one edit with everything that is known about it."""
    with app.database.reading() as conn:
        one = drift_store.get(conn, drift_id)
        answer = drift_store.answers(conn, [drift_id]).get(drift_id)
    if one is None:
        raise NotFoundError("drift", drift_id)
    row = drift_row(one, answer)
    if app.as_json:
        click.echo(json.dumps(row, indent=2, ensure_ascii=False))
        return ExitCode.FINE
    click.echo(drift_line(one))
    for name, value in row.items():
        if value not in (None, [], ""):
            click.echo(f"  {name}: {value}")
    return ExitCode.FINE


@drifts.command()
@click.argument("drift_id", metavar="[ID]", required=False)
@click.option("--edit", "edit_id", metavar="EID", help="Everything that was done in one go, instead of one drift.")
@click.option(
    "--as",
    "answer",
    required=True,
    type=click.Choice([one.value for one in Answer]),
    help="restore: write the event again; stands: it was or is as booked; took-place: at --start; "
    "did-not-take-place; reschedule: do it properly, to --start or where it was dragged; dismiss: it means nothing.",
)
@click.option("--start", metavar="TIME", help="When it took place, or where it goes: wall time in the session's zone.")
@click.option("--end", metavar="TIME", help="Until when. Default: as long as booked.")
@click.option("--reason", metavar="R", help="For reschedule, as for any other one. Default: the note.")
@json_option
@actor_options
@pass_app
def resolve(app: App, /, drift_id: str | None, edit_id: str | None, answer: str, **told: str | None) -> int:
    """Settle an edit by a person's word. Only `restore` writes to the calendar by itself."""
    if (drift_id is None) == (edit_id is None):
        raise click.UsageError("name one drift, or --edit with an edit's id")
    if told["end"] is not None and told["start"] is None:
        raise click.UsageError("--end needs --start")
    desk = Desk(app.database, app.settings, app.clock, app.ids)
    word = Word(answer=Answer(answer), by=app.actor, note=app.note, **told)
    settled = resolve_edit(desk, edit_id, word) if edit_id is not None else resolve_drift(desk, drift_id or "", word)
    _tell(app, settled, word)
    return ExitCode.NEEDS_PERSON if settled.waiting and edit_id is not None else ExitCode.FINE


def _tell(app: App, settled: Settled, word: Word) -> None:
    if app.as_json:
        row = {"edit": settled.edit, "answered": list(settled.answered), "waiting": list(settled.waiting)}
        click.echo(json.dumps(row | {"as": word.answer.value, "by": word.by}, indent=2))
        return
    click.echo(f"Settled as {word.answer.value}: {', '.join(settled.answered)}.")
    if word.answer is Answer.RESTORE:
        click.echo("The event is written again with the calendar's next pass (`calsync sync` does it now).")
    if settled.waiting:
        click.echo(f"Still waiting for an answer from the same edit: {', '.join(settled.waiting)}.")
