"""The minimum necessary: records and answers without what a role is not told. Pure.

People are shown what `support.roles` says. A program is told the same as people of its token's role, but for the
platform, which brought the records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from calsync.claims.answer import Advisory, Answer, EvidenceItem, Reason
from calsync.claims.reasons import ADVISORIES, REASONS
from calsync.store.tokens import Role
from calsync.support.roles import Field, may_see
from calsync.support.tickets import Matter

_KEYS: Final[Mapping[str, Field]] = {"code": Field.SESSION_CODE, "payer": Field.PAYER}
_KINDS: Final[Mapping[str, Field]] = {
    "code": Field.SESSION_CODE,
    "dates": Field.CANDIDATE_DATES,
    "filed": Field.FILINGS,
    "issued": Field.FILINGS,
}
_NAMING_THE_CODE: Final = frozenset(
    [str(code) for code, rule in REASONS.items() if "{code}" in rule.sentence]
    + [str(code) for code, sentence in ADVISORIES.items() if "{code}" in sentence]
)
_Told = TypeVar("_Told", Reason, Advisory)


def is_told(role: Role, field: Field) -> bool:
    """Whether somebody with this role, a program included, is told it."""
    return role is Role.PLATFORM or may_see(role, field)


def record_told(role: Role, row: Mapping[str, Any]) -> dict[str, Any]:
    """An appointment's row, or its columns as the history keeps them, without the keys that the role is not told."""
    return {key: value for key, value in row.items() if key not in _KEYS or is_told(role, _KEYS[key])}


def answer_told(role: Role, answer: Answer) -> Answer:
    """The gate's answer without the session's code, other days and what was sent, as far as the role is not told."""

    def is_kept(item: EvidenceItem) -> bool:
        return item.kind not in _KINDS or is_told(role, _KINDS[item.kind])

    kept = replace(answer, evidence=tuple(filter(is_kept, answer.evidence)))
    if not is_told(role, Field.FILINGS):
        kept = replace(kept, recall=None)
    return kept if is_told(role, Field.SESSION_CODE) else _without_code(kept)


def matter_told(role: Role, matter: Matter) -> Matter:
    """A ticket's matter, its answer likewise."""
    return matter if matter.answer is None else replace(matter, answer=answer_told(role, matter.answer))


def _without_code(answer: Answer) -> Answer:
    sentence = answer.sentence
    for reason in answer.reasons:
        sentence = sentence.replace(reason.text, _reworded(reason, answer.code).text)
    return replace(
        answer,
        code=None,
        sentence=sentence,
        reasons=tuple(_reworded(one, answer.code) for one in answer.reasons),
        advisories=tuple(_reworded(one, answer.code) for one in answer.advisories),
    )


def _reworded(one: _Told, code: str | None) -> _Told:
    if code is None or str(one.code) not in _NAMING_THE_CODE:
        return one
    return replace(one, text=one.text.replace(code, "its code"))
