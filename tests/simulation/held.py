"""What the observer remembers: our events as they are, the drifts as they were, and what was violated."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from calsync.domain.event import Event
from calsync.testing.memory_state import Actor, StoredEvent
from tests.simulation.sights import UNREADABLE, Shown, counted

Key = tuple[int, str, str]  # service, calendar, remote id
REVERTS = frozenset({"revert", "revert-and-flag"})
STAMPEDE_PERIOD = timedelta(hours=1)
STILL = 1 << 60  # after every place: until now
# What needs no hold: policy says so, or the practice only observes.
HOLDS_NOTHING = frozenset({"ignore", "would-revert", "would-flag"})
COSMETIC = frozenset({"retitled", "marked-free", "marker-lost", "made-public", "declined", "new-time-proposed"})


@dataclass(frozen=True)
class Violation:
    """What must never happen, and did. `check` is stable: shrinking keeps it."""

    check: str
    told: str


@dataclass
class Held:
    """An event that is ours, as it really is: our last content, and what people changed since, with the place when."""

    key: Key
    link: str
    born: int
    ours: Counter[Shown] = field(default_factory=Counter)
    stored: StoredEvent | None = None
    since: dict[Shown, int] = field(default_factory=dict)
    gone: dict[Shown, int] = field(default_factory=dict)
    removed: tuple[int, dict[Shown, int], dict[Shown, int]] | None = None  # where, with what was changed then
    taken: tuple[Event, Counter[Shown], dict[Shown, int], dict[Shown, int]] | None = None  # by us, as it was then
    edited_at: datetime | None = None
    title: str | None = None
    removed_by: Actor | None = None
    wipe: int = 0
    is_copy: bool = False
    wrote_at: int = -1  # where we wrote to it last
    named: Counter[Shown] = field(default_factory=Counter)  # what a person gave a title, whatever became of that
    sent: tuple[str, ...] = ()  # our writes that were under way when it became what it was before people changed it
    replaced: tuple[Event, Counter[Shown], dict[Shown, int], dict[Shown, int]] | None = None  # by those in `sent`

    @property
    def now(self) -> Counter[Shown]:
        """What stands there now."""
        return look(self.stored)


@dataclass(frozen=True)
class Revision:
    """A drift as some commit left it. `pos` of that commit, `read_pos` of the reading behind it."""

    id: str
    link: str
    calendar: str
    original_start: int
    copy_id: str | None
    expected: Shown | None
    observed: Shown | None
    kind: str
    disposition: str
    resolution: str
    accepted: bool
    appointment: str | None
    phase: str
    scope: str
    resolved_by: str | None
    pos: int = 0
    read_pos: int = 0

    @property
    def open(self) -> bool:
        """Whether it has no end yet."""
        return self.resolution == "open"

    @property
    def place(self) -> tuple[str, int, str | None]:
        """The occurrence that it is about, here or in a copy beside our own event."""
        return self.link, self.original_start, self.copy_id if self.kind == "duplicated" else None


def look(stored: StoredEvent | None) -> Counter[Shown]:
    """What people see of a stored event."""
    if stored is None:
        return Counter()
    return Counter({UNREADABLE: 1}) if stored.unreadable is not None else counted(stored.event)
