"""What a mail is about: frozen values with ids, times, fixed words and the provider's name. Never a client's name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from calsync.domain.drift import DriftKind, Phase
from calsync.domain.span import Span
from calsync.notices.invitation import Invitation


class Fate(StrEnum):
    """What became of an edit so far, and with it what its mail says."""

    RESTORED = "restored"  # the calendar shows the booking again
    RESTORING = "restoring"  # it will, as soon as the calendar can be written
    LEFT = "left"  # ahead, and left as the person put it
    PAST = "past"  # the session had begun: nothing is written
    GONE = "gone"  # ahead, and calsync writes to that calendar no more: its provider disconnected it, say
    CANCELLED = "cancelled"  # the session is cancelled; what a person made of its event is left to her


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
class MoveOffer:
    """Whether a session may go where it was dragged, by the practice's rules; else why not, and what is free that day.

    `because` is a sentence for the provider; `free` are naive wall times in the session's zone. `elsewhere`: the
    records belong to another platform, where the session is changed; its page there, empty if that is not known.
    """

    may_move: bool
    because: str = ""
    free: tuple[datetime, ...] = ()
    elsewhere: str | None = None


@dataclass(frozen=True, slots=True)
class EditFacts:
    """One edit and the sessions of it that still need an answer. `answer_url` is None without public pages."""

    edit: str
    service: str  # the connector's name
    detected_at: datetime
    sessions: tuple[EditedSession, ...]
    answer_url: str | None = None
    offer: MoveOffer | None = None  # for a single session that still lies ahead
    reminds: bool = False
    is_cleared_day: bool = False  # all its sessions, of one day, were deleted: one question about the day
    edits: tuple[str, ...] = ()  # all edits that the question is about, where they are several
    last_day: date | None = None  # the last one to bill the first of its sessions, where a limit is known


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
    url: str | None = None  # where its owner mends it
    is_last: bool = False  # no reminder follows


class NewsKind(StrEnum):
    """What became of sessions, as provider and client are told."""

    BOOKED = "booked"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    ASKED = "asked"  # the provider asks for another time
    REMINDER = "reminder"
    NO_SHOW = "no-show"


@dataclass(frozen=True, slots=True)
class ToldSession:
    """One session of the news. `former`: where it stood when the recipient was last told; `zone`: to show it in."""

    appointment: str
    span: Span
    zone: str
    former: Span | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class SessionNews:
    """What happened to one or more sessions of one provider with one client.

    `by` is the kind of actor who did it. `with_whom` is the provider's name in mails to clients, and empty in those to
    providers: they know a client by the slot. `manage_url` leads to the page for changes, `book_url` to the one for
    booking again, `choose_url` to the one for choosing another time, by `choose_by` at the latest.
    """

    kind: NewsKind
    for_client: bool
    by: str
    sessions: tuple[ToldSession, ...]
    with_whom: str = ""
    practice: str = ""
    invitations: tuple[Invitation, ...] = ()
    manage_url: str | None = None
    book_url: str | None = None
    choose_url: str | None = None
    choose_by: datetime | None = None
    repeats: str = ""  # how often, in words, for a series that was booked
    fee: str = ""  # what the client owes for it
    resources: tuple[tuple[str, str], ...] = ()  # what the practice shows for the reason: text and address


@dataclass(frozen=True, slots=True)
class DaySheetFacts:
    """A provider's day with something still to say about it.

    `open`: sessions that have begun; `asked`: coming ones of which the calendar shows something else.
    """

    day: date
    sessions: int
    open: tuple[ToldSession, ...]
    url: str | None
    asked: tuple[ToldSession, ...] = ()


@dataclass(frozen=True, slots=True)
class OfficeFacts:
    """Something for support or billing, told by a template of the same name as the message's kind."""

    name: str
    words: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MailsHeld:
    """More mails came up than may leave in an hour."""

    limit: int


@dataclass(frozen=True, slots=True)
class FleetStopped:
    """Nothing is written to any calendar, and why."""

    because: str


Fact = EditFacts | CalendarFacts | SessionNews | DaySheetFacts | OfficeFacts | MailsHeld | FleetStopped


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything that one mail tells one recipient. `zone` is the recipient's own; instants are aware UTC."""

    zone: str
    now: datetime
    facts: tuple[Fact, ...]
    support: str | None = None
    support_day: datetime | None = None  # when support will ask if nobody answers
