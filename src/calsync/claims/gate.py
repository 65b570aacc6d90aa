"""The gate over the books: assess many appointments, answer, and remember what was answered.

`claims check`, `claims ready`, the API and the batch check call `check`; the worker's re-assessments call `assess_all`.
A clearance is the recorded yes: its row holds the answer, whose hash stands in the audit log. Cleared answers that were
given to anyone are issued, so that a later doubt recalls them (claims sheet, 12).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from calsync.claims.answer import Answer
from calsync.claims.assess import assess
from calsync.claims.casebook import CaseFile, open_cases
from calsync.claims.clearing import keep_clearances, may_issue
from calsync.claims.observe import as_observed
from calsync.claims.recalls import keep_standing
from calsync.claims.rules import GateRules
from calsync.claims.telling import tell_verdicts
from calsync.ports import Clock, Ids
from calsync.settings.model import Settings
from calsync.store import claims, filings
from calsync.store.database import Database


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks the gate: an appointment, and the date that they mean to bill (None: whichever is right)."""

    appointment: str
    asked: date | None = None


@dataclass(frozen=True, slots=True)
class Assessed:
    """An answer with the case that it was found in."""

    file: CaseFile
    answer: Answer


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate of one installation."""

    database: Database
    settings: Settings
    clock: Clock
    ids: Ids

    def check(self, questions: Iterable[Question]) -> list[Answer]:
        """Answer every question, in the order asked, and issue what is cleared.

        All answers are about one moment of the books. Clearances are written after them, and what changed in between
        is found by the re-assessment that every issued clearance gets.
        """
        wanted = list(questions)
        now = self.clock.now()
        asked: dict[str, set[date | None]] = {}
        for one in wanted:
            asked.setdefault(one.appointment, set()).add(one.asked)
        answers: dict[Question, Answer] = {}
        cleared: list[tuple[CaseFile, Answer]] = []
        with self.database.reading() as conn:
            for file in open_cases(conn, asked, self.rules(), now):
                judged = {day: judge(file, now, day) for day in asked[file.appointment]}
                answers |= {Question(file.appointment, day): answer for day, answer in judged.items()}
                cleared += [(file, answer) for answer in judged.values() if may_issue(file, answer)][:1]
        with self.database.transaction() as conn:
            claims.touch(conn, keep_clearances(conn, cleared, now, self.ids))
        return [answers[one] for one in wanted]

    def look(self, ids: Iterable[str]) -> Iterator[Assessed]:
        """Assess without telling anybody: nothing is issued, nothing written. For reports and pages."""
        now = self.clock.now()
        with self.database.reading() as conn:
            yield from assess_all(conn, dict.fromkeys(ids), self.rules(), now)

    def catch_up(self) -> None:
        """Assess everything that was touched, for whoever wants to see recalls as they stand now."""
        while drain_touched(self.database, self.clock, self.ids, self.settings):
            pass

    def rules(self) -> GateRules:
        """The configured rules."""
        return GateRules(self.settings)


def assess_all(
    conn: Connection, asked: Mapping[str, date | None], rules: GateRules, now: datetime
) -> Iterator[Assessed]:
    """Assess every appointment of the mapping against its asked date; not in the mapping's order."""
    for file in open_cases(conn, asked, rules, now):
        yield Assessed(file, judge(file, now, asked[file.appointment]))


def judge(file: CaseFile, now: datetime, asked: date | None = None, *, correction: bool = False) -> Answer:
    """The gate's answer about one case, told as its practice's mode wants it; see `assess`."""
    answer = assess(file.case, now, file.policy, asked, correction=correction)
    return as_observed(file, answer) if file.observes else answer


def drain_touched(database: Database, clock: Clock, ids: Ids, settings: Settings, limit: int = 500) -> int:
    """Assess up to `limit` appointments that something touched, and keep recalls and states; how many there were.

    Filed claims that are a question are looked at each time, because silence is an answer as well. Called by the
    worker's timer; several processes may do so at once, and each touched appointment is done by one of them.
    """
    now = clock.now()
    with database.transaction() as conn:
        waiting = dict(claims.touched(conn, limit))
        due = dict.fromkeys((*waiting, *filings.in_review(conn)))
        assessed = list(assess_all(conn, due, GateRules(settings), now))
        for one in assessed:
            keep_standing(conn, one.file, one.answer, now, ids)
        if settings.webhooks:
            tell_verdicts(conn, ((one.file, one.answer) for one in assessed), now, ids)
        for appointment, revision in waiting.items():
            claims.take_away(conn, appointment, revision)
    return len(waiting)
