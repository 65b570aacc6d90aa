"""The report's numbers, from streams of rows. Pure: one pass over each, and memory that does not grow with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from calsync.domain.drift import COSMETIC, Disposition, Drift, Resolution
from calsync.reports.lengths import Distribution, Lengths

BusyTime = tuple[str, datetime, datetime]  # calendar, from, until
LISTED_CONFLICTS = 500
ABSENT = frozenset({"cancelled", "late-cancelled"})
_ANSWERED = frozenset({Resolution.ACKNOWLEDGED, Resolution.RECORD_CORRECTED, Resolution.IGNORED})


@dataclass(frozen=True, slots=True)
class Session:
    """A session of the period. `in_step`: every calendar shows it as the record says, as far as the books know."""

    id: str
    provider: str
    start_at: datetime
    end_at: datetime
    status: str
    in_step: bool


@dataclass(frozen=True, slots=True)
class Edit:
    """A drift of the period. `otherwise`: the session turned out to be on another day, of another length, or none."""

    drift: Drift
    otherwise: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A claim that the gate holds: whose session it is about, the reasons' codes, and who must act."""

    provider: str
    reasons: tuple[str, ...]
    waiting_on: str | None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report is about: sessions that start, and edits that were seen, from `since` to before `until`."""

    since: datetime
    until: datetime
    provider: str | None = None
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Upset:
    """A provider over the practice's limit: changes that they caused, bookings left unconfirmed, what is allowed."""

    provider: str
    changes: int
    unconfirmed: int
    limit: int


@dataclass(slots=True)
class Report:
    """Everything that a report tells."""

    scope: Scope
    appointments: int = 0
    by_status: Counter[str] = field(default_factory=Counter)
    in_step: int = 0
    edits: int = 0
    drifts: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    by_phase: Counter[str] = field(default_factory=Counter)
    by_provider: Counter[str] = field(default_factory=Counter)
    by_calendar: Counter[str] = field(default_factory=Counter)
    by_disposition: Counter[str] = field(default_factory=Counter)
    by_resolution: Counter[str] = field(default_factory=Counter)
    causes: Counter[tuple[str, str]] = field(default_factory=Counter)  # provider and kind
    time_to_detect: Distribution = field(default_factory=Distribution)
    time_to_resolve: Distribution = field(default_factory=Distribution)
    time_to_claim: Distribution = field(default_factory=Distribution)
    open: int = 0
    checked: int = 0
    held: int = 0
    held_by_reason: Counter[str] = field(default_factory=Counter)
    held_by_waiting_on: Counter[str] = field(default_factory=Counter)
    held_by_provider: Counter[str] = field(default_factory=Counter)
    recalls: int = 0
    recalls_open: int = 0
    recalls_by_action: Counter[str] = field(default_factory=Counter)
    calendars: dict[str, int] = field(default_factory=dict)
    conflicts: int = 0
    busy_conflicts: int = 0
    busy_by_calendar: Counter[str] = field(default_factory=Counter)
    busy_sessions: dict[str, BusyTime] = field(default_factory=dict)
    reviews: list[Upset] = field(default_factory=list)
    unconfirmed: list[str] = field(default_factory=list)
    suggestions: list[str] = field(default_factory=list)
    holds_settled: int = 0
    holds_right: int = 0

    @property
    def cancellations_over_limit(self) -> int:
        """Providers who have upset plans more often than their practice allows: a person looks at them."""
        return len(self.reviews)

    @property
    def standing(self) -> int:
        """Sessions that calendars are to show: all but those that were called off."""
        return self.appointments - sum(self.by_status[word] for word in ABSENT)

    @property
    def hold_rate(self) -> float | None:
        """Of the sessions that are over, how many claims are held. None without any."""
        return None if self.checked == 0 else round(self.held / self.checked, 4)

    @property
    def hold_precision(self) -> float | None:
        """Of the holds that were settled, how many were right: another day or length, or no session. None: none yet."""
        return None if self.holds_settled == 0 else round(self.holds_right / self.holds_settled, 4)


def add_sessions(report: Report, sessions: Iterable[Session]) -> None:
    """Count sessions, which come by start, and the overlaps among those of one provider."""
    taken_until: dict[str, datetime] = {}
    for one in sessions:
        report.appointments += 1
        report.by_status[one.status] += 1
        if one.status in ABSENT:
            continue
        report.in_step += one.in_step
        until = taken_until.get(one.provider)
        report.conflicts += until is not None and one.start_at < until
        taken_until[one.provider] = one.end_at if until is None else max(until, one.end_at)


def add_edits(report: Report, edits: Iterable[Edit]) -> None:
    """Count what guarded edits did, drift by drift; cosmetic ones are the user's own business."""
    lengths = Lengths()
    for one in edits:
        drift = one.drift
        if drift.kind in COSMETIC:
            continue
        report.drifts += 1
        report.by_kind[drift.kind.value] += 1
        report.by_phase[drift.phase.value] += 1
        report.by_provider[drift.provider] += 1
        report.by_calendar[drift.calendar] += 1
        report.by_disposition[drift.disposition.value] += 1
        report.by_resolution[drift.resolution.value] += 1
        report.causes[drift.provider, drift.kind.value] += 1
        report.open += drift.resolution is Resolution.OPEN
        if drift.resolved_at is not None:
            lengths.add(drift.resolved_at - drift.detected_at)
        _add_hold(report, one)
    report.time_to_resolve = lengths.distribution()


def add_sightings(report: Report, sightings: Iterable[tuple[datetime, datetime | None]]) -> None:
    """Count edits by when they were seen and when their calendar was last read without them (None: never before).

    What lies between is the longest that the edit can have gone unseen.
    """
    lengths = Lengths()
    for detected_at, unseen_at in sightings:
        report.edits += 1
        if unseen_at is not None:
            lengths.add(detected_at - unseen_at)
    report.time_to_detect = lengths.distribution()


def add_filings(report: Report, filed: Iterable[tuple[datetime, datetime]]) -> None:
    """Count how long claims took to leave: when each session ended, and when its claim was first filed."""
    lengths = Lengths()
    for ended_at, filed_at in filed:
        lengths.add(filed_at - ended_at)
    report.time_to_claim = lengths.distribution()


def add_held(report: Report, answers: Iterable[Held | None]) -> None:
    """Count the gate's answers about the sessions that are over; None: not held."""
    for one in answers:
        report.checked += 1
        if one is None:
            continue
        report.held += 1
        report.held_by_provider[one.provider] += 1
        report.held_by_reason.update(one.reasons)
        report.held_by_waiting_on[one.waiting_on or "nobody"] += 1


def add_busy(report: Report, found: Iterable[tuple[str, str, datetime, datetime]]) -> None:
    """Count sessions that stand where a calendar shows their provider busy, with from when to when (ALL-2).

    They come by session, which counts once however many busy times it meets; the first ones are listed.
    """
    last = None
    for session, calendar, start, end in found:
        if session != last:
            report.busy_conflicts += 1
            report.conflicts += 1
            report.busy_by_calendar[calendar] += 1
            if len(report.busy_sessions) < LISTED_CONFLICTS:
                report.busy_sessions[session] = (calendar, start, end)
        last = session


def add_recalls(report: Report, counts: Mapping[tuple[str, str], int], open_states: Collection[str]) -> None:
    """Count recalls by what they ask for."""
    for (action, state), count in counts.items():
        report.recalls += count
        report.recalls_by_action[action] += count
        report.recalls_open += count if state in open_states else 0


def _add_hold(report: Report, one: Edit) -> None:
    drift = one.drift
    held = drift.appointment is not None and drift.disposition is not Disposition.IGNORE
    if not held or drift.resolution not in _ANSWERED:
        return
    report.holds_settled += 1
    report.holds_right += one.otherwise
