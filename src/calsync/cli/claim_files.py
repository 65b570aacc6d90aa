"""Claim files on the command line: their answers, the file of what may be sent, and the work list of the rest."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import click

from calsync.claims.answer import Answer
from calsync.claims.batch.checking import Batch, Form, read_batch
from calsync.claims.batch.cleared import withdraw, write_cleared
from calsync.claims.batch.judging import CheckedClaim, CheckedLine, file_refused
from calsync.claims.batch.lines import FileRefused
from calsync.claims.filing import FiledLine, Frequency
from calsync.claims.gate import Gate
from calsync.claims.reasons import Verdict
from calsync.cli.answer_text import answer_lines
from calsync.cli.context import App
from calsync.cli.exit_codes import ExitCode
from calsync.cli.record_rows import instant_text
from calsync.errors import Problem, Refused, UserError
from calsync.reports.as_csv import safe_cell
from calsync.settings.private_files import open_private
from calsync.store.claim_spool import SpooledLine

CLAIM_FILE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)
OUT_FILE: Final = click.Path(path_type=Path, dir_okay=False, writable=True)

_COLUMNS: Final = (
    "claim", "line", "place", "appointment", "date_asked", "verdict", "reasons", "why", "waiting_on", "asked_at",
    "waiting_days", "next_step_at", "file_by",
)  # fmt: skip
_SHOWN: Final = 200

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FileRequest:
    """What is asked about a claim file."""

    path: Path
    form: Form | None = None
    cleared: Path | None = None
    held: Path | None = None
    read_now: bool = False


def check_file(app: App, request: FileRequest, read_calendars: Callable[[Iterable[str]], None]) -> int:
    """Answer every line of a file; write what was asked for."""
    _check_places(request)
    if request.cleared is not None:
        withdraw(request.cleared)
    gate = Gate(app.database, app.settings, app.clock, app.ids)
    try:
        with read_batch(gate, request.path, request.form) as batch:
            if request.read_now:
                read_calendars(batch.spool.appointments())
            return _answer(app, gate, batch, request)
    except FileRefused as refused:
        return _refused(app, request, file_refused(refused.code, refused.where))


def file_lines(app: App, path: Path, batch_name: str | None) -> list[FiledLine]:
    """The lines of a file that was sent, to be taken down as filed; Refused with every line that is about nothing."""
    gate = Gate(app.database, app.settings, app.clock, app.ids)
    try:
        with read_batch(gate, path) as batch:
            lines = [line for claim in batch.spool.claims() for line in claim]
            name = batch_name or batch.file.batch
    except FileRefused as refused:
        answer = file_refused(refused.code, refused.where)
        raise Refused([Problem(answer.sentence, path.name)], code=str(refused.code)) from None
    problems = [
        Problem("it cannot be told which session it is about", f"{path.name}, {line.place}", "File it by its session")
        for line in lines
        if line.appointment is None
    ]
    problems += [
        Problem("no date of service can be read", f"{path.name}, {line.place}", "File it by its session and date")
        for line in lines
        if line.appointment is not None and line.day is None
    ]
    if problems:
        raise Refused(problems, code="cannot-be-filed")
    return [_filed(line, name) for line in lines]


def _filed(line: SpooledLine, batch: str) -> FiledLine:
    assert line.appointment is not None
    assert line.day is not None
    return FiledLine(
        appointment=line.appointment,
        date=date.fromisoformat(line.day),
        frequency=Frequency(line.frequency),
        claim=line.claim_id,
        line=line.line,
        batch=batch,
        # The number in the file is that of the claim before; the payer gives this one a number of its own.
        control=None,
        code=line.code,
    )


def _check_places(request: FileRequest) -> None:
    places = [one.resolve() for one in (request.path, request.cleared, request.held) if one is not None]
    same = any(one.exists() and two.exists() and one.samefile(two) for one, two in combinations(places, 2))
    if same or len(set(places)) < len(places):
        raise click.UsageError("FILE, OUT and CSV must be different files")
    if request.cleared is not None and request.cleared.exists() and not request.cleared.is_file():
        # It is taken away before anything is answered: of all that is no file, the system itself may have need.
        raise click.UsageError(f"OUT must be a file, and {request.cleared} is none")


def _answer(app: App, gate: Gate, batch: Batch, request: FileRequest) -> int:
    told = Counter[str]()
    with _held_file(request.held) as write_held, _printer(as_json=app.as_json) as show:
        for claim in batch.check(gate, app.actor):
            for line in claim.lines:
                told[line.answer.verdict] += 1
                show(claim, line)
                if claim.verdict is not Verdict.CLEARED:
                    write_held(_held_row(line, app))
    written = request.cleared is not None and write_cleared(batch, request.cleared)
    if not app.as_json:
        _summary(batch, told, request, written=written)
    return ExitCode.FINE if batch.all_cleared else ExitCode.NEEDS_PERSON


def _refused(app: App, request: FileRequest, answer: Answer) -> int:
    """Say why the whole file is held; no line of it is told, because none may be believed."""
    with _held_file(request.held) as write:
        write(_row_of(answer) | {"place": request.path.name})
    if app.as_json:
        click.echo(json.dumps([answer.to_json() | _named(None, None, request.path.name)], indent=2))
    else:
        (reason,) = answer.reasons
        click.echo(f"{request.path.name}: {reason.text} [{reason.code}]", err=True)
        click.echo("Nothing in it may be sent.", err=True)
    return ExitCode.FAILED


@contextmanager
def _printer(*, as_json: bool) -> Iterator[Callable[[CheckedClaim, CheckedLine], None]]:
    """Prints answers as they come: a JSON list, or the lines for people that need somebody."""
    if as_json:
        with _json_list() as show:
            yield lambda claim, line: show(_json_row(claim, line))
        return
    count = 0

    def tell(claim: CheckedClaim, line: CheckedLine) -> None:
        nonlocal count
        if claim.verdict is Verdict.CLEARED and not line.answer.advisories:
            return
        count += 1
        if count <= _SHOWN:
            for text in _texts(claim, line):
                click.echo(text)
        elif count == _SHOWN + 1:
            click.echo("... and more; --held writes all of them, --json shows everything.")

    yield tell


@contextmanager
def _json_list() -> Iterator[Callable[[Row], None]]:
    begun = False

    def show(row: Row) -> None:
        nonlocal begun
        click.echo((",\n" if begun else "[\n") + json.dumps(row, ensure_ascii=False), nl=False)
        begun = True

    yield show
    click.echo("\n]" if begun else "[]")


@contextmanager
def _held_file(path: Path | None) -> Iterator[Callable[[Row], None]]:
    """Writes rows to the work list, safe to open in a spreadsheet; without a path nowhere."""
    if path is None:
        yield lambda _row: None
        return
    with _written(path):
        # Which session waits for whom is health data: nobody but this account reads it.
        target = open_private(path, newline="")
    writer = csv.writer(target, lineterminator="\n")

    def write(row: Row) -> None:
        with _written(path):
            writer.writerow([safe_cell(row.get(name)) for name in _COLUMNS])

    try:
        write({name: name for name in _COLUMNS})
        yield write
    finally:
        with _written(path):
            target.close()


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise UserError.of(f"it cannot be written ({problem.strerror})", where=path.name) from problem


def _json_row(claim: CheckedClaim, line: CheckedLine) -> Row:
    row = line.answer.to_json() | _named(line.line.claim_id, line.line.line, line.line.place)
    return row | {"for": line.purpose, "claim_verdict": str(claim.verdict)}


def _named(claim: str | None, line: str | None, place: str) -> Row:
    return {"claim": claim, "line": line, "place": place}


def _held_row(line: CheckedLine, app: App) -> Row:
    answer = line.answer
    row = _row_of(answer) | _named(line.line.claim_id, line.line.line, line.line.place)
    row |= {"appointment": line.line.appointment, "date_asked": line.line.day}
    if answer.verdict is Verdict.CLEARED:
        row["why"] = "It waits for the other lines of its claim."
    if answer.asked_at is not None:
        row["waiting_days"] = (app.clock.now() - answer.asked_at).days
    return row


def _row_of(answer: Answer) -> Row:
    return {
        "verdict": str(answer.verdict),
        "reasons": " ".join(str(one.code) for one in answer.reasons),
        "why": " ".join(one.text for one in answer.reasons),
        "waiting_on": answer.waiting_on,
        "asked_at": instant_text(answer.asked_at),
        "next_step_at": instant_text(answer.next_step_at),
        "file_by": None if answer.file_by is None else answer.file_by.isoformat(),
    }


def _texts(claim: CheckedClaim, line: CheckedLine) -> list[str]:
    first, *rest = answer_lines(line.answer)
    session, _, what = first.partition(": ")
    about = f" ({session})" if line.line.appointment is not None else ""
    waits = "; it waits for the rest of its claim" if _waits_for_others(claim, line) else ""
    purpose = f", {line.purpose}" if line.purpose != "original" else ""
    return [f"Claim {line.line.claim_id or '?'}, line {line.line.line or '?'}{about}{purpose}: {what}{waits}", *rest]


def _waits_for_others(claim: CheckedClaim, line: CheckedLine) -> bool:
    return line.answer.verdict is Verdict.CLEARED and claim.verdict is not Verdict.CLEARED


def _summary(batch: Batch, told: Counter[str], request: FileRequest, *, written: bool) -> None:
    lines = ", ".join(f"{told[one]} {one}" for one in Verdict if told[one])
    click.echo(f"{batch.claims} claims with {batch.lines} lines: {lines}. {batch.cleared} claims may be sent.")
    if written and request.cleared is not None:
        click.echo(f"Wrote {request.cleared} with {batch.cleared} claims.")
    elif request.cleared is not None:
        click.echo(f"Wrote no {request.cleared.name}: nothing may be sent.")
    if request.held is not None:
        click.echo(f"Wrote {request.held} with what is held.")
