"""What the gate looks at: one frozen `Case` per appointment (claims sheet, 11).

Instants (`read_at`, `at`, `detected_at`, log rows …) are aware UTC datetimes. Session times (those of `Record`,
`Statement` and `Other`, and what a `Drift` observed) are naive wall time in the record's zone, or aware datetimes
with an explicit offset.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TypeAlias

Day: TypeAlias = date
"""A calendar date; fields named `date` need another name for the type."""

LONG_AGO = datetime.min.replace(tzinfo=UTC)
"""`Observation.confirmed_at` of an event that is known to have stood long before its session."""


class ReadResult(StrEnum):
    """What one attempt to read this session's event showed, against the record as it is now."""

    AGREES = "agrees"
    DIFFERS = "differs"
    ABSENT = "absent"
    FAILED = "failed"
    NEVER = "never"
    STOPPED = "stopped"


class Presence(StrEnum):
    """Who a row of a session log says was there."""

    BOTH = "both"
    PROVIDER = "provider"
    CLIENT = "client"


class Says(StrEnum):
    """What a person stated about the session."""

    AS_BOOKED = "as-booked"
    TOOK_PLACE = "took-place"
    ANOTHER_DAY = "another-day"
    DID_NOT_TAKE_PLACE = "did-not-take-place"


@dataclass(frozen=True, kw_only=True)
class Record:
    """The appointment as the platform has it now.

    `client_zone` and `provider_zone` are the zones stored *with the session*, never a profile's present ones.
    `pending` is the kind of an open request, `pending_until` when it lapses. `completed_by_person` is False when only
    an import's default says that the session took place (R-32). `version` is the platform's or our own number of this
    state. `times_since`: since when it has had these times (None: since before its session began). `read_at`: when the
    table that it comes from was last read, and said this still (None: its platform tells us by itself, or we keep it).
    """

    id: str
    provider: str
    client: str | None
    start: datetime
    end: datetime
    zone: str
    kind: str = "follow-up"
    status: str = "scheduled"
    code: str | None = None
    pending: str | None = None
    pending_until: datetime | None = None
    session: str | None = None
    series: str | None = None
    client_zone: str | None = None
    provider_zone: str | None = None
    payer: str = "insurance"
    completed_by_person: bool = True
    version: str | None = None
    times_since: datetime | None = None
    read_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Provider:
    """The provider's declaration, if any: `calendars` is "none", with the reason and the first day it holds for."""

    calendars: str | None = None
    reason: str | None = None
    since: Day | None = None


@dataclass(frozen=True, kw_only=True)
class Drift:
    """One out-of-band difference; `appointment` None means ours. An unknown `resolution` counts as open.

    `changed_at`: since when it has been as it is now observed (None: since it was detected).
    """

    id: str
    kind: str
    phase: str
    resolution: str
    calendar: str | None = None
    appointment: str | None = None
    scope: str = "occurrence"
    mixed: bool = False
    detected_at: datetime | None = None
    changed_at: datetime | None = None
    observed_start: datetime | None = None
    observed_end: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One attempt to read the event in one linked calendar; a linked calendar never read has one row `never`.

    `read_at` is when the request began, or since when a `stopped` calendar stands. `drift` names the drift that
    recorded exactly this difference. `touched` on a stop: this occurrence vanished or changed in it (None: not
    known). `confirmed_at`: since when the event has stood confirmed in that calendar (None: it never has);
    `written_at`: its last confirmed write (None: none known) (R-20). `removed`: the calendar was disconnected since, so
    that no read will come.
    """

    calendar: str
    result: ReadResult
    read_at: datetime | None = None
    drift: str | None = None
    touched: bool | None = None
    confirmed_at: datetime | None = LONG_AGO
    written_at: datetime | None = None
    version: str | None = None
    removed: bool = False


@dataclass(frozen=True, kw_only=True)
class NextRead:
    """When a linked calendar is due to be read next."""

    calendar: str
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class SessionRow:
    """One row of a session log, tied to this appointment by its id.

    `who` is None when the source does not say who was present.
    """

    id: str
    start: datetime
    end: datetime
    source: str | None = None
    who: Presence | None = None


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A person's word; `saw` are the ids (drifts, log rows, statements) that were on the page when it was given."""

    id: str
    by: str
    at: datetime
    says: Says
    saw: frozenset[str] = frozenset()
    start: datetime | None = None
    end: datetime | None = None
    date: Day | None = None


@dataclass(frozen=True, kw_only=True)
class Other:
    """Another appointment of the provider or client near that date; unknown times mean "anywhere on `date`".

    `cleared_codes`: what it was cleared to be billed as, whatever its `code`.
    """

    id: str
    provider: str | None = None
    client: str | None = None
    date: Day | None = None
    code: str | None = None
    state: str = "held"
    session: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    cleared_codes: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A question that was sent: `about` is a drift id or a reason code, `next_at` when its next step is due."""

    about: str
    who: str
    at: datetime
    next_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A claim that was filed, or a clearance that was issued.

    `against_gate`: it was filed although the gate had not cleared it.
    """

    id: str
    date: Day
    code: str | None = None
    against_gate: bool = False


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A person's ruling for this one case, as long as the record's times are what they were when it was made.

    `about` is `crosses-midnight` (`says` start / end), `date-depends-on-zone` (`says` record / provider / client) or
    `same-day-same-code` (`says` the id of the appointment that is distinct from this one).
    """

    id: str
    by: str
    at: datetime
    about: str
    says: str


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything that may bear on one appointment's claim.

    `record` is None when there is no such appointment (`appointment` is then the id that was asked for).
    `observations` and `next_reads` hold linked mirror calendars only: no `busy` ones, none whose link was removed
    before the session's end.
    """

    record: Record | None
    appointment: str | None = None
    provider: Provider = Provider()
    drifts: tuple[Drift, ...] = ()
    observations: tuple[Observation, ...] = ()
    next_reads: tuple[NextRead, ...] = ()
    evidence: tuple[SessionRow, ...] = ()
    statements: tuple[Statement, ...] = ()
    others: tuple[Other, ...] = ()
    asks: tuple[Ask, ...] = ()
    decisions: tuple[Decision, ...] = ()
    filed: Sent | None = None
    issued: Sent | None = None
