"""What a pass is given: the ports, the books, the keys, and one opened calendar with its practice's rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from calsync.connector.wrappers import Around
from calsync.domain.marker import MarkerKeys
from calsync.domain.span import Window
from calsync.ports import Clock, Ids, Sleep, Stop
from calsync.reconcile.case import DecisionPolicy
from calsync.store.calendars import CalendarRow
from calsync.store.database import Database
from calsync.store.work import Lease
from calsync.worker.watching import PushPlan

# Who does in the audit log what no person did.
ACTOR = "system"
# For so long nothing is sent (again) to an event of which nobody knows how it stands: it is read before.
READ_FIRST = timedelta(minutes=1)


class LeaseLostError(Exception):
    """Another worker has taken this calendar over: whatever this pass still held is void and must not be committed."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A practice's rules as far as a pass needs them. Durations are elapsed time."""

    decisions: DecisionPolicy
    window_past: timedelta = timedelta(days=60)
    window_future: timedelta = timedelta(days=400)
    claims_settle: timedelta = timedelta(minutes=2)
    title_privacy: str = "id"
    poll_interval: timedelta = timedelta(minutes=5)
    poll_interval_with_push: timedelta = timedelta(minutes=30)

    @property
    def counts_after(self) -> timedelta:
        """How long after a session's end a reading may begin that counts: the gate wants it later than the settle."""
        return self.claims_settle + timedelta.resolution

    def window(self, now: datetime) -> Window:
        """The stretch of time that is mirrored at an instant."""
        return Window(now - self.window_past, now + self.window_future)


class CalendarOpener(Protocol):
    """Turns a calendar's row into a calendar to talk to, with retries, throttling and logging around it."""

    def open(self, row: CalendarRow) -> Around:
        """Open it; may make a dedicated calendar first. Raises connector errors, or UserError for a person to mend."""

    def forget(self, calendar: str) -> None:
        """Close it, so that the next pass opens it afresh."""

    def rules(self, provider: str, practice: str | None = None) -> Rules:
        """The rules of a provider's practice; one who knows the practice saves asking the books for it."""


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What all passes of one process share."""

    database: Database
    clock: Clock
    ids: Ids
    sleep: Sleep
    keys: MarkerKeys
    opener: CalendarOpener
    owner: str
    lease_for: timedelta = timedelta(seconds=120)
    stop: Stop | None = None
    reads_busy: bool = False  # whether busy times beside our own events are kept, for slots and the report
    heeds_services: bool = False  # whether the service's clock is asked beside ours (not beside one that is fixed)
    push: PushPlan | None = None  # None: the installation has no address that services could call

    @property
    def is_stopping(self) -> bool:
        """Whether the process was asked to end: long work then stops at its next committed step."""
        return self.stop is not None and self.stop.is_set()


@dataclass(frozen=True, slots=True)
class PassContext:
    """One pass over one calendar."""

    worker: WorkerContext
    row: CalendarRow
    lease: Lease
    calendar: Around
    rules: Rules
    zone: str
    began_at: datetime
    full: bool = False
    dry_run: bool = False
    only_record: bool = False  # look and record, and leave every write to the next pass
    released: str | None = None
    nothing_waits: bool = False  # the books call for nothing to be read, decided or written
    keep_lease: Callable[[], None] = lambda: None
    note_stranger: Callable[[], None] = lambda: None  # called when the feed named an event that is not ours

    @property
    def window(self) -> Window:
        """The window of this pass."""
        return self.rules.window(self.began_at)


@dataclass(frozen=True, slots=True)
class PassResult:
    """What one pass did, for `sync --json`, logs and metrics. Counts, ids and codes only."""

    calendar: str
    requests: int = 0
    read: int = 0
    drifts: int = 0
    written: int = 0
    owed: int = 0
    state: str = "active"
    error: str | None = None
    stopped: bool = False  # the mass-change stop ended the pass
    began_at: datetime | None = None
    cursor: str | None = None
    full: bool = False
    again: bool = False  # more is known to be waiting: records not looked at yet, or reads that are owed right now
    retry_at: datetime | None = None
    clock_apart: timedelta | None = None  # how far our clock is ahead of the service's; None: it does not tell
    plan: tuple[Mapping[str, object], ...] = field(default=())
