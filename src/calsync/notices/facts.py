"""What a mail is about: frozen values with ids, times and fixed words. No client's name can be in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from calsync.domain.drift import DriftKind, Phase
from calsync.domain.span import Span


class Fate(StrEnum):
    """What became of an edit so far, and with it what its mail says."""

    RESTORED = "restored"  # the calendar shows the booking again
    RESTORING = "restoring"  # it will, as soon as the calendar can be written
    LEFT = "left"  # ahead, and left as the person put it
    PAST = "past"  # the session had begun: nothing is written


@dataclass(frozen=True, slots=True)
class EditedSession:
    """One session that an edit touched. `observed` None: it is not there any more."""

    drift: str
    appointment: str | None
    kind: DriftKind
    phase: Phase
    fate: Fate
    expected: Span | None
    observed: Span | None


@dataclass(frozen=True, slots=True)
class EditFacts:
    """One edit and the sessions of it that still need an answer. `answer_url` is None without public pages."""

    edit: str
    service: str  # the connector's name
    detected_at: datetime
    sessions: tuple[EditedSession, ...]
    answer_url: str | None = None


@dataclass(frozen=True, slots=True)
class CalendarFacts:
    """Something is wrong with a whole calendar. `trouble` is the kind of the message."""

    trouble: str
    calendar: str
    provider: str
    service: str
    since: datetime
    because: str
    waiting: int = 0  # entries that are owed to it
    numbers: dict[str, Any] | None = None  # a stop's evidence


@dataclass(frozen=True, slots=True)
class MailsHeld:
    """More mails came up than may leave in an hour."""

    limit: int


@dataclass(frozen=True, slots=True)
class FleetStopped:
    """Nothing is written to any calendar, and why."""

    because: str


Fact = EditFacts | CalendarFacts | MailsHeld | FleetStopped


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything that one mail tells one recipient. `zone` is the recipient's own; instants are aware UTC."""

    zone: str
    now: datetime
    facts: tuple[Fact, ...]
    support: str | None = None
    support_day: datetime | None = None  # when support will ask if nobody answers
