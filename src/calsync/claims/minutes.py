"""How long the session was, and whether that is enough for its code (claims sheet 5, and 11 rule 10)."""

from datetime import timedelta

from calsync.claims.answer import EvidenceItem
from calsync.claims.drifts import Answers
from calsync.claims.findings import Bench, Finding
from calsync.claims.reasons import AdvisoryCode, ReasonCode, Rule

_MINUTE = timedelta(minutes=1)


def weigh_minutes(bench: Bench, answers: Answers) -> timedelta:
    """Judge the length against the code and return it: the proving log's, else the attested, else the slot's."""
    lengths, rule = _basis(bench, answers)
    counted = min((*lengths, *answers.sessions.lengths))
    code = bench.policy.code_rule(bench.record.code)
    floor = "not judged" if code is None or code.floor is None else f"floor {code.floor // _MINUTE}"
    item = EvidenceItem(kind="code", id=bench.record.code, says=f"{floor}, {counted // _MINUTE} minutes")
    bench.findings.note(item, rule)
    if code is None:
        return counted
    facts = {"minutes": counted // _MINUTE, "basis": rule, "code": bench.record.code}
    if code.floor is not None and counted < code.floor:
        facts["floor"] = code.floor // _MINUTE
        bench.findings.hold(Finding(code=ReasonCode.MINUTES_BELOW_CODE, item=item, facts=facts))
    elif code.ceiling is not None and counted >= code.ceiling + _MINUTE:
        _tell_too_long(bench, item, {**facts, "ceiling": code.ceiling // _MINUTE})
    return counted


def _basis(bench: Bench, answers: Answers) -> tuple[list[timedelta], Rule]:
    attested = _attested(answers)
    if answers.log.length is not None:
        return [answers.log.length, *attested], Rule.MINUTES_LOG
    if attested:
        return attested, Rule.MINUTES_ATTESTED
    return [bench.times.shortest], Rule.MINUTES_SLOT


def _attested(answers: Answers) -> list[timedelta]:
    """What providers attested, shortest reading each: nobody files against the provider's own note."""
    return [min(span.length for span in readings) for readings in answers.words.attested]


def _tell_too_long(bench: Bench, item: EvidenceItem, facts: dict[str, object]) -> None:
    bench.findings.advise(AdvisoryCode.MINUTES_ABOVE_CODE, **facts)
    if bench.policy.minutes == "strict":
        bench.findings.hold(Finding(code=ReasonCode.MINUTES_ABOVE_CODE, item=item, facts=facts))
