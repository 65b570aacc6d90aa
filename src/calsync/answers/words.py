"""The words of an answer: what may be said about an edit, by whom, and the room it is said in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calsync.ports import Clock, Ids
from calsync.settings.model import Settings
from calsync.store.database import Database


class Answer(StrEnum):
    """What a person says about an edit (face.md, `drifts resolve --as`)."""

    RESTORE = "restore"
    STANDS = "stands"
    TOOK_PLACE = "took-place"
    DID_NOT_TAKE_PLACE = "did-not-take-place"
    RESCHEDULE = "reschedule"
    DISMISS = "dismiss"


NEEDS_NOTE = frozenset({Answer.TOOK_PLACE, Answer.DID_NOT_TAKE_PLACE, Answer.RESCHEDULE})
"""Answers after which a date or a bill may be another one: they say why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One answer. `start` and `end` are texts as people write them, in the session's zone or with an offset.

    `reason`: for a reschedule, as the practice wants it for any other; left out, the note is the reason.
    """

    answer: Answer
    by: str
    note: str | None = None
    reason: str | None = None
    start: str | None = None
    end: str | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """Where answers are given: the books, the rules, the time and fresh ids."""

    database: Database
    settings: Settings
    clock: Clock
    ids: Ids


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it is being carried out: who gave what, when."""

    desk: Desk
    word: Word
    now: datetime
