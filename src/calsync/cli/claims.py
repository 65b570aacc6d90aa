"""`calsync claims`: may a session's claim be sent, with which date, and what became of those that were."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import click

from calsync.claims.answer import Answer
from calsync.claims.batch.checking import Form
from calsync.claims.filing import CloseReason, FiledLine, Frequency, close_recall, file_claims
from calsync.claims.gate import Gate, Question
from calsync.claims.proof import write_proof
from calsync.claims.reasons import ReasonCode, Verdict
from calsync.cli import claim_rulings
from calsync.cli.answer_text import answer_lines
from calsync.cli.claim_files import CLAIM_FILE, OUT_FILE, FileRequest, check_file, file_lines
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import show_rows
from calsync.cli.times import read_date
from calsync.records.json_rows import recall_row
from calsync.settings.private_files import write_private
from calsync.store import recalls as recall_store
from calsync.store import records
from calsync.store.recalls import RecallRow
from calsync.worker.refresh import refresh


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(claims)
    claim_rulings.register(claims)


@click.group()
def claims() -> None:
    """Check claims against what records and calendars say, and keep track of those that were sent."""


@claims.command()
@click.argument("asked", metavar="[ID[=DATE]]...", nargs=-1)
@click.option("--file", "file", metavar="FILE", type=CLAIM_FILE, help="A claim file: X12 837P, CSV or FHIR.")
@click.option("--as", "form", type=click.Choice([one.value for one in Form]), help="What FILE is; else by its name.")
@click.option("--write-cleared", metavar="OUT", type=OUT_FILE, help="Write the claims of FILE that may be sent.")
@click.option("--held", metavar="CSV", type=OUT_FILE, help="Write the others: why, who acts, since when, file by when.")
@click.option("--refresh", "read_now", is_flag=True, help="Read the calendars first that leave something unknown.")
@json_option
@pass_app
def check(  # noqa: PLR0913 - the options of one command
    app: App,
    /,
    *,
    asked: tuple[str, ...],
    read_now: bool,
    file: Path | None,
    form: str | None,
    write_cleared: Path | None,
    held: Path | None,
) -> int:
    """Say for each session whether its claim may be sent, and with which date; or for each line of a claim file.

    OUT and CSV are replaced; where nothing may be sent, or the file is refused, no OUT is left. Exit code 0: all
    cleared; 3: something is held or not billable; 1: the file is refused.
    """
    if (file is None) == (not asked):
        raise click.UsageError("name sessions, or a claim file with --file")
    if file is not None:
        request = FileRequest(file, None if form is None else Form(form), write_cleared, held, read_now=read_now)
        return check_file(app, request, lambda appointments: read_calendars(app, appointments))
    if form or write_cleared or held:
        raise click.UsageError("--as, --write-cleared and --held belong to --file")
    questions = [Question(*_read(one)) for one in asked]
    if read_now:
        read_calendars(app, [one.appointment for one in questions])
    answers = _gate(app).check(questions)
    show_rows(_rows(answers), _lines(answers), as_json=app.as_json, empty="")
    return ExitCode.FINE if all(one.verdict is Verdict.CLEARED for one in answers) else ExitCode.NEEDS_PERSON


@claims.command()
@click.option("--since", metavar="DATE", help="Sessions from this day on. Default: as far back as is mirrored.")
@json_option
@pass_app
def ready(app: App, since: str | None) -> int:
    """List the sessions whose claims may be sent and were not yet: the list to build a batch from."""
    now = app.clock.now()
    first = now - app.settings.sync.window_past
    if since is not None:
        first = datetime.combine(read_date(since, "--since"), time(), tzinfo=UTC)
    with app.database.reading() as conn:
        ids = records.completed_unfiled(conn, first, now)
    answers = [one for one in _gate(app).check([Question(one) for one in ids]) if one.verdict is Verdict.CLEARED]
    show_rows(_rows(answers), _lines(answers), as_json=app.as_json, empty="Nothing is ready.")
    return ExitCode.FINE


@claims.command()
@click.argument("filed_ids", metavar="[ID[=DATE]]...", nargs=-1)
@click.option("--file", "file", metavar="FILE", type=CLAIM_FILE, help="The claim file that was sent.")
@click.option("--batch", metavar="B", help="The batch that they went out in.")
@click.option("--claim", metavar="ID", help="The claim's own id.")
@click.option("--line", metavar="N", help="The line in that claim.")
@click.option("--control", metavar="ID", help="The payer's control number.")
@click.option(
    "--frequency",
    type=click.Choice([one.value for one in Frequency]),
    default=Frequency.ORIGINAL.value,
    show_default=True,
    help="1: original, 7: replacement, 8: void.",
)
@json_option
@actor_options
@pass_app
def filed(app: App, /, filed_ids: tuple[str, ...], file: Path | None, frequency: str, **told: str | None) -> int:
    """Take down that claims were sent, so that a later change is recalled: by session, or all of a file that was sent.

    Exit code 3: the gate had not cleared one of them.
    """
    if (file is None) == (not filed_ids):
        raise click.UsageError("name sessions, or the claim file that was sent with --file")
    if file is not None:
        lines = file_lines(app, file, told["batch"])
    else:
        lines = [
            FiledLine(appointment=key, date=day, frequency=Frequency(frequency), **told)
            for key, day in map(_read, filed_ids)
        ]
    made = file_claims(_gate(app), lines, by=app.actor, note=app.note)
    rows = [
        {
            "appointment": one.appointment,
            "filing": one.id,
            "date": one.date.isoformat(),
            "frequency": one.frequency,
            "against_gate": one.against_gate,
        }
        for one in made
    ]
    texts = (
        f"{one.appointment}: filed for {one.date.isoformat()}"
        + (", although the gate had not cleared it; see `calsync claims recalls list`" if one.against_gate else "")
        for one in made
    )
    show_rows(rows, texts, as_json=app.as_json, empty="Known already; nothing changed.")
    return ExitCode.NEEDS_PERSON if any(one.against_gate for one in made) else ExitCode.FINE


@claims.group()
def recalls() -> None:
    """Claims that were cleared or filed and turned out otherwise."""


@recalls.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only those that wait for billing.")
@click.option("--since", metavar="DATE", help="Only those found from this day on.")
@json_option
@pass_app
def list_(app: App, *, only_open: bool, since: str | None) -> int:
    """List recalls, the oldest on top."""
    first = None if since is None else datetime.combine(read_date(since, "--since"), time(), tzinfo=UTC)
    # A site that runs `sync` from a timer has no worker that would have done so.
    _gate(app).catch_up()
    with app.database.reading() as conn:
        found = recall_store.rows(conn, still_open=only_open, since=first)
    show_rows(map(recall_row, found), map(_recall_line, found), as_json=app.as_json, empty="No recalls.")
    return ExitCode.FINE


@recalls.command()
@click.argument("recall_id", metavar="ID")
@click.option("--reason", required=True, type=click.Choice([one.value for one in CloseReason]), help="How it ended.")
@json_option
@actor_options
@pass_app
def close(app: App, recall_id: str, reason: str) -> int:
    """Close a recall by a person's word; needs --note."""
    closed = close_recall(_gate(app), recall_id, CloseReason(reason), by=app.actor, note=app.note or "")
    show_rows([recall_row(closed)], [f"{closed.id}: closed as {reason}."], as_json=app.as_json, empty="")
    return ExitCode.FINE


@claims.command()
@click.argument("appointment", metavar="ID")
@click.option("-o", "--output", "file", metavar="FILE", required=True, type=click.Path(path_type=Path, dir_okay=False))
@pass_app
def proof(app: App, appointment: str, file: Path) -> int:
    """Write everything that an answer rests on into one HTML file: record, readings, edits, answers, audit chain."""
    write_private(file, write_proof(_gate(app), appointment))
    click.echo(f"Wrote {file}.")
    return ExitCode.FINE


# What another look at the calendar can mend (contract sheet of the claims, rule 8).
_WANT_A_READ = frozenset(
    {
        ReasonCode.NEVER_OBSERVED,
        ReasonCode.OBSERVATION_STALE,
        ReasonCode.CALENDAR_UNREACHABLE,
        ReasonCode.EVENT_DIFFERS,
        ReasonCode.CALENDARS_DISAGREE,
    }
)


def read_calendars(app: App, appointments: Iterable[str]) -> None:
    """Read the calendars of the providers whose sessions wait for a reading, within `claims.refresh_timeout`."""
    waiting = [
        one.answer.appointment
        for one in _gate(app).look(appointments)
        if one.answer.appointment and any(reason.code in _WANT_A_READ for reason in one.answer.reasons)
    ]
    with app.database.reading() as conn:
        providers = {one.provider for one in records.appointments_by_ids(conn, waiting).values()}
    wired = app.wired
    try:
        refresh(wired.worker, providers, app.settings.claims.refresh_timeout)
    finally:
        wired.opener.close()


def _gate(app: App) -> Gate:
    return Gate(app.database, app.settings, app.clock, app.ids)


def _read(text: str) -> tuple[str, date | None]:
    key, equals, day = text.partition("=")
    return key, read_date(day, text) if equals else None


def _rows(answers: list[Answer]) -> list[dict[str, Any]]:
    return [one.to_json() for one in answers]


def _lines(answers: list[Answer]) -> list[str]:
    return [line for one in answers for line in answer_lines(one)]


_NEXT_STEP = {
    "stop": "do not send the claim; if it was sent, say so with `calsync claims filed`",
    "review": "the filed claim is in question; the date is not known yet",
    "replace": "send a replacement (frequency 7)",
    "void": "void the filed claim (frequency 8)",
}


def _recall_line(one: RecallRow) -> str:
    dates = f"{one.old_date} -> {one.new_date}" if one.new_date is not None else f"{one.old_date}"
    step = f": {_NEXT_STEP[one.action]}" if one.is_open else ""
    return f"{one.id}  {one.appointment}  {dates}  {one.action}, {one.state}{step} ({', '.join(one.reasons)})"
