"""The gate's answer about each line of a claim file (claims sheet, 11 and 12).

What the file itself does wrong holds the line beside what the gate finds. The code on the line is the one that the
minutes are judged by: it is what would be billed. A void repeats the date that was filed, and nothing else is asked of
it. A line that is held for whatever reason clears nothing on the books.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection

from calsync.claims.answer import Advisory, Answer, EvidenceItem, Reason
from calsync.claims.batch.matching import OTHER_LETTERS
from calsync.claims.books import BILLED, IN_BATCH, NOT_BILLED
from calsync.claims.case import Other
from calsync.claims.casebook import CaseFile, open_cases
from calsync.claims.clearing import keep_clearances, may_issue
from calsync.claims.gate import Gate, judge
from calsync.claims.reasons import ADVISORIES, REASONS, AdvisoryCode, Party, ReasonCode, Verdict
from calsync.claims.waiting import sentence
from calsync.store import claims
from calsync.store.claim_spool import ClaimSpool, SpooledLine

_PARTIES = list(Party)
_CODES = list(ReasonCode)
_SEEN_FROM_AFAR = frozenset({"video", "phone", "telehealth"})
_TELEHEALTH = frozenset({"02", "10"})
_OFFICE = "11"


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line with its answer. `purpose` is original, replacement or void."""

    line: SpooledLine
    answer: Answer
    purpose: str


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim, which is sent whole or not at all: its verdict is the worst of its lines'."""

    number: int
    lines: tuple[CheckedLine, ...]

    @property
    def verdict(self) -> Verdict:
        """Held before not billable before cleared."""
        found = {one.answer.verdict for one in self.lines}
        return next(one for one in (Verdict.HELD, Verdict.NOT_BILLABLE, Verdict.CLEARED) if one in found)


PURPOSES = {"1": "original", "7": "replacement", "8": "void"}


def judge_claims(gate: Gate, spool: ClaimSpool) -> Iterator[CheckedClaim]:
    """Every claim of the spool, by number. What is cleared is issued, some hundred lines at a time."""
    for block in spool.blocks():
        now = gate.clock.now()
        cleared: list[tuple[CaseFile, Answer]] = []
        with gate.database.reading() as conn:
            files = _open(conn, gate, spool, block, now)
            checked = [_claim(claim, files, now) for claim in block]
        for claim in checked:
            for one in claim.lines:
                file = files.get(one.line.appointment)
                if file is not None and one.purpose != "void" and may_issue(file, one.answer):
                    cleared.append((file, one.answer))
        if cleared:
            with gate.database.transaction() as conn:
                claims.touch(conn, keep_clearances(conn, cleared, now, gate.ids))
        yield from checked


def file_refused(code: ReasonCode, where: str) -> Answer:
    """The one answer about a file of which nothing may be trusted."""
    rule = REASONS[code]
    text = rule.sentence.format(where=where or "nothing in it fits")
    return _blank((Reason(code=code, text=text, waiting_on=rule.waiting_on),))


def _open(
    conn: Connection, gate: Gate, spool: ClaimSpool, block: list[list[SpooledLine]], now: datetime
) -> dict[str | None, CaseFile]:
    wanted = [line.appointment for claim in block for line in claim if line.appointment is not None]
    files: dict[str | None, CaseFile] = {one.appointment: one for one in open_cases(conn, wanted, gate.rules(), now)}
    # Claims of one file are duplicates by what the file bills, not by what the books had planned.
    beside = [other.id for file in files.values() for other in file.case.others]
    billed = spool.billed(beside) if beside else {}
    return {key: _beside(file, billed) for key, file in files.items()} if billed else files


def _beside(file: CaseFile, billed: dict[str, str | None]) -> CaseFile:
    others = tuple(_as_billed(one, billed[one.id]) if one.id in billed else one for one in file.case.others)
    return replace(file, case=replace(file.case, others=others))


def _as_billed(other: Other, code: str | None) -> Other:
    """Another appointment as the file bills it, unless the books say that there is nothing to bill."""
    state = other.state if other.state in NOT_BILLED | BILLED else IN_BATCH
    # The file's own word goes before what was cleared earlier.
    cleared = other.cleared_codes if code is None else frozenset()
    return replace(other, code=code or other.code, cleared_codes=cleared, state=state)


def _claim(lines: Sequence[SpooledLine], files: dict[str | None, CaseFile], now: datetime) -> CheckedClaim:
    return CheckedClaim(lines[0].claim, tuple(_line(one, files.get(one.appointment), now) for one in lines))


def _line(line: SpooledLine, file: CaseFile | None, now: datetime) -> CheckedLine:
    purpose = PURPOSES[line.frequency]
    problems = _problems(line)
    if file is None or file.case.record is None:
        why = problems or [ReasonCode.NO_MATCHING_APPOINTMENT]
        return CheckedLine(line, _blank(_reasons(why, line), line), purpose)
    asked = None if line.day is None else date.fromisoformat(line.day)
    if line.frequency != "1":
        problems += _of_a_correction(line, file)
    more = list(_reasons(problems, line))
    if line.frequency == "8":
        answer, wrong = _void(judge(file, now), file, asked)
        more += wrong
    else:
        answer = judge(_billed_as(file, line), now, asked, correction=line.frequency == "7")
    return CheckedLine(line, _with_reasons(_with_advisories(answer, line, file), tuple(more)), purpose)


def _billed_as(file: CaseFile, line: SpooledLine) -> CaseFile:
    record = file.case.record
    if record is None or line.code is None or line.code == record.code:
        return file
    return replace(file, case=replace(file.case, record=replace(record, code=line.code)))


def _problems(line: SpooledLine) -> list[ReasonCode]:
    found = [ReasonCode(one) for one in line.problems.split()]
    return [*found, ReasonCode.DUPLICATE_IN_BATCH] if line.is_doubled else found


def _of_a_correction(line: SpooledLine, file: CaseFile) -> list[ReasonCode]:
    if line.control is None:
        return [ReasonCode.CORRECTION_WITHOUT_REFERENCE]
    if file.filing is None:
        return [ReasonCode.CORRECTION_OF_UNFILED]
    if file.filing.control is not None and file.filing.control != line.control:
        return [ReasonCode.CORRECTION_REFERENCE_MISMATCH]
    return []


def _void(answer: Answer, file: CaseFile, asked: date | None) -> tuple[Answer, list[Reason]]:
    """A void takes back what was filed: right if it names that date, whatever the session was."""
    filed = file.filing.date if file.filing is not None else None
    if filed is None or asked in (None, filed):
        return _cleared(answer, filed), []
    code = ReasonCode.DATE_MISMATCH
    text = f"A void repeats the date that was filed, {filed}; asked for {asked}."
    return _cleared(answer, filed), [Reason(code=code, text=text, waiting_on=Party.BILLING)]


def _cleared(answer: Answer, day: date | None) -> Answer:
    return replace(
        answer,
        verdict=Verdict.CLEARED,
        date_of_service=day,
        reasons=(),
        advisories=(),
        waiting_on=None,
        asked_at=None,
        next_step_at=None,
        file_by=None,
        sentence=f"The void of what was filed for {day.isoformat() if day is not None else ''}.",
    )


def _reasons(problems: Iterable[ReasonCode], line: SpooledLine) -> tuple[Reason, ...]:
    facts = {"where": line.place[:1].upper() + line.place[1:], "other": line.appointment}
    return tuple(
        Reason(code=code, text=REASONS[code].sentence.format(**facts), waiting_on=REASONS[code].waiting_on)
        for code in dict.fromkeys(problems)
    )


def _with_reasons(answer: Answer, more: tuple[Reason, ...]) -> Answer:
    """The answer, held for further reasons."""
    if not more:
        return answer
    reasons = sorted((*answer.reasons, *more), key=_reading_order)
    items = tuple(EvidenceItem(kind="line", says=one.text, rule=one.code) for one in more)
    party = reasons[0].waiting_on
    return replace(
        answer,
        verdict=Verdict.HELD,
        state=answer.state if answer.state in ("filed", "review", "recalled") else str(Verdict.HELD),
        date_of_service=None,
        reasons=tuple(reasons),
        evidence=(*answer.evidence, *items),
        waiting_on=party,
        asked_at=answer.asked_at if party is answer.waiting_on else None,
        next_step_at=answer.next_step_at if party is answer.waiting_on else None,
        sentence=sentence(reasons, ""),
    )


def _reading_order(reason: Reason) -> tuple[int, int]:
    return _PARTIES.index(reason.waiting_on), _CODES.index(reason.code)


def _with_advisories(answer: Answer, line: SpooledLine, file: CaseFile) -> Answer:
    told = []
    if line.note == OTHER_LETTERS:
        told.append(Advisory(AdvisoryCode.MATCHED_IN_OTHER_LETTERS, ADVISORIES[AdvisoryCode.MATCHED_IN_OTHER_LETTERS]))
    if _place_does_not_suit(line.where_code, file.format):
        text = ADVISORIES[AdvisoryCode.PLACE_OF_SERVICE].format(where=line.place[:1].upper() + line.place[1:])
        told.append(Advisory(AdvisoryCode.PLACE_OF_SERVICE, text))
    return replace(answer, advisories=(*answer.advisories, *told)) if told else answer


def _place_does_not_suit(place: str | None, form: str | None) -> bool:
    if place is None or form is None:
        return False
    from_afar = form.lower() in _SEEN_FROM_AFAR
    return place == _OFFICE if from_afar else form.lower() == "in-person" and place in _TELEHEALTH


def _blank(reasons: tuple[Reason, ...], line: SpooledLine | None = None) -> Answer:
    """An answer about no appointment."""
    return Answer(
        appointment=None,
        verdict=Verdict.HELD,
        state=str(Verdict.HELD),
        date_of_service=None,
        reasons=reasons,
        advisories=(),
        evidence=tuple(EvidenceItem(kind="line", says=one.text, rule=one.code) for one in reasons),
        recall=None,
        waiting_on=Party.BILLING,
        asked_at=None,
        next_step_at=None,
        file_by=None,
        sentence=sentence(reasons, ""),
        code=None if line is None else line.code,
    )
