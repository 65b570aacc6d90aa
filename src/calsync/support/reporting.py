"""The whole report: what the books tell and what the gate holds, for the command line, the page and the mail."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from calsync.booking.confirming import reviews
from calsync.booking.rulebook import Rulebook
from calsync.claims.gate import Gate
from calsync.claims.reasons import Verdict
from calsync.reports.build import Held, Report, Scope, Upset, add_held
from calsync.reports.gather import gather, sessions_over
from calsync.store import plan_changes

Progress = Callable[[int], None]
"""Told how many more sessions have been looked at."""


def make_report(gate: Gate, scope: Scope, begun: Callable[[int], Progress] | None = None) -> Report:
    """Gather and assess everything of the scope.

    `begun` is told how many sessions there are, and gives whom to tell about each step. Sessions are streamed and
    assessed a few hundred at a time: memory does not grow with the period.
    """
    made = gather(gate.database, scope)
    _look_at_the_book(made, gate, scope)
    progress = begun(made.appointments) if begun is not None else None
    for block in sessions_over(gate.database, scope):
        add_held(made, _held(gate, block))
        if progress is not None:
            progress(len(block))
    return made


def _look_at_the_book(made: Report, gate: Gate, scope: Scope) -> None:
    """Add what the practices' rules want a person to look at: as of now, whatever the period."""
    now = gate.clock.now()
    with gate.database.reading() as conn:
        found = reviews(conn, Rulebook.of_settings(gate.settings), now)
        late = plan_changes.unconfirmed(conn, now)
        asked = plan_changes.suggestions_wanted(conn, scope.since)
    mine = {scope.provider} if scope.provider is not None else None
    made.reviews = [
        Upset(one.provider, one.changes, one.unconfirmed, one.limit)
        for one in found
        if mine is None or one.provider in mine
    ]
    made.unconfirmed = [one.appointment for one in late if mine is None or one.provider in mine]
    made.suggestions = [one.appointment for one in asked if mine is None or one.provider in mine]


def _held(gate: Gate, ids: list[str]) -> Iterator[Held | None]:
    for one in gate.look(ids):
        answer = one.answer
        record = one.file.case.record
        if answer.verdict is not Verdict.HELD:
            yield None
            continue
        reasons = tuple(str(reason.code) for reason in answer.reasons)
        party = None if answer.waiting_on is None else str(answer.waiting_on)
        yield Held(record.provider if record is not None else "unknown", reasons, party)
