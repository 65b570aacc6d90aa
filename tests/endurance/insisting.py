"""Somebody insists on another time for seven virtual days: a person, or a program that edits again after each revert.

calsync may put one occurrence back three times in any 24 hours, also over a change of clocks; then it says so to people
and leaves it as it is (I5, R-12). What is counted is what the service saw.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product

from calsync.domain.drift import Disposition, Resolution
from calsync.domain.event import Event, OriginalStart
from calsync.domain.span import wall_time
from calsync.store import holds, outbox
from calsync.testing import edits
from calsync.testing.memory_state import Actor, Change
from calsync.testing.personality import CALDAV_SYNC, GOOGLE, GRAPH, Personality
from tests.endurance.progress import Progress
from tests.unit.worker.world import ZONE, World

LIMIT, PERIOD = 3, timedelta(hours=24)
DAYS = 7
OTHERS = 8
# The day of the first edit: clocks go forward on 14 March 2027, and back on 7 November 2027, in the middle of the week.
WEEKS = {
    "an ordinary week": datetime(2026, 11, 30, 14, tzinfo=UTC),
    "clocks go forward": datetime(2027, 3, 11, 14, tzinfo=UTC),
    "clocks go back": datetime(2027, 11, 4, 14, tzinfo=UTC),
}

Act = Callable[["Stage", int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Who insists where, how often a calendar is polled. Everything with everything."""

    acts: tuple[str, ...]
    moods: tuple[str, ...]
    weeks: tuple[str, ...]
    services: tuple[Personality, ...]
    minutes: int = 5


@dataclass(slots=True)
class Told:
    """What it came to. `most`: the most reverts of one occurrence within 24 hours; `left`: stories that ended so."""

    stories: int = 0
    edits: int = 0
    reverts: int = 0
    most: int = 0
    left: int = 0
    problems: list[str] = field(default_factory=list)


class Stage(World):
    """A calendar with one session, or series, that somebody wants elsewhere, and others that nobody touches."""

    def __init__(self, service: Personality, begin: datetime, *, series: bool) -> None:
        super().__init__(service)
        self.clock.set(begin)
        wall = wall_time(begin, ZONE).replace(hour=10, minute=0)
        for number in range(OTHERS):
            self.book(f"quiet-{number}", (wall + timedelta(days=11 + 9 * number, hours=2)).isoformat())
        first = wall + timedelta(days=20)
        self.at: OriginalStart = None
        if series:
            days = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
            rule = f"FREQ=WEEKLY;COUNT=6;BYDAY={days[first.weekday()]}"
            made = self.book_series("wanted", first.isoformat(), rule, 6)
            self.at = made[2].span.start_at
            self.home = made[2].span.start
        else:
            self.home = self.book("wanted", first.isoformat()).span.start
        self.subject = "wanted-2" if series else "wanted"
        for _ in range(3):
            self.run()
            self.later(minutes=5)
        self.name = self._find()
        self.booked = self.people.see(self.name).event

    def _find(self) -> str:
        return next(name for name in self.people.ids() if "wanted" in self.people.see(name).event.master.title)

    def current(self) -> str | None:
        """The name of the event, if it is there: a service may have had to make it under another one."""
        found = [name for name in self.people.ids() if "wanted" in self.people.see(name).event.master.title]
        return found[0] if found else None

    def is_as_booked(self) -> bool:
        """Whether the calendar shows what was booked."""
        name = self.current()
        return name is not None and _shown(self.people.see(name).event) == _shown(self.booked)

    def save(self, change: Callable[[Event], Event]) -> None:
        """Save the event as a person wants it, whatever it is now; one that is gone is added anew no more."""
        name = self.current()
        if name is not None:
            self.people.edit(name, lambda event: change(self.booked.with_uid(event.uid)))

    def undo(self) -> None:
        """Put it back as booked, by hand."""
        self.save(lambda event: event)


def _shown(event: Event) -> object:
    return (event.master.span, event.master.cancelled, event.recurrence, event.overrides)


# What they want: each a function of how often it was done before.


def _same(stage: Stage, turn: int) -> None:
    del turn
    stage.save(lambda event: edits.dragged(event, timedelta(hours=4), stage.at))


def _later(stage: Stage, turn: int) -> None:
    stage.save(lambda event: edits.dragged(event, timedelta(hours=4, minutes=turn), stage.at))


def _two(stage: Stage, turn: int) -> None:
    stage.save(lambda event: edits.dragged(event, timedelta(hours=1 + turn % 2), stage.at))


def _longer(stage: Stage, turn: int) -> None:
    stage.save(lambda event: edits.resized(event, timedelta(minutes=10 + turn), stage.at))


def _all_day(stage: Stage, turn: int) -> None:
    del turn
    stage.save(lambda event: edits.made_all_day(event, stage.at))


def _cancelled(stage: Stage, turn: int) -> None:
    del turn
    stage.save(lambda event: edits.called_off(event, stage.at))


def _gone(stage: Stage, turn: int) -> None:
    del turn
    name = stage.current()
    if name is None:
        return
    if stage.at is None:
        stage.people.delete(name)
    else:
        at = stage.at
        stage.save(lambda event: edits.without_occurrence(event, at))


def _each(stage: Stage, turn: int) -> None:
    (_later, _longer, _gone, _all_day, _cancelled)[turn % 5](stage, turn)


def _whole(stage: Stage, turn: int) -> None:
    stage.save(lambda event: edits.dragged(event, timedelta(hours=1, minutes=turn)))


ACTS: dict[str, tuple[Act, bool]] = {
    "the same time each time": (_same, False),
    "a minute later each time": (_later, False),
    "two times in turn": (_two, False),
    "longer each time": (_longer, False),
    "all day": (_all_day, False),
    "called off": (_cancelled, False),
    "deleted": (_gone, False),
    "one kind after the other": (_each, False),
    "one session of a series, a minute later": (_later, True),
    "one session of a series, deleted": (_gone, True),
    "a whole series, a minute later": (_whole, True),
}
"""By name: the edit, and whether a series is edited."""

AT_ONCE, WHEN_SEEN, RESTLESS, STUBBORN = "at once", "at the next look", "undoes it and does it again", "every 3 hours"
MOODS = (AT_ONCE, WHEN_SEEN, RESTLESS, STUBBORN)
"""A program that edits within our own write; one that looks now and then; one that never rests; a person."""

SHORT = Plan(
    acts=("a minute later each time", "one session of a series, deleted"),
    moods=(AT_ONCE, RESTLESS),
    weeks=("clocks go forward",),
    services=(CALDAV_SYNC,),
    minutes=60,
)
FULL = Plan(acts=tuple(ACTS), moods=MOODS, weeks=tuple(WEEKS), services=(CALDAV_SYNC, GOOGLE, GRAPH), minutes=30)


@dataclass
class Story:
    """Seven days of one of them."""

    stage: Stage
    act: Act
    mood: str
    edits: int = 0
    reverts: list[Change] = field(default_factory=list)
    _owes: bool = False
    _busy: bool = False

    def live(self, minutes: int) -> None:
        """Live through all days; then nobody edits any more, and what stands is left."""
        self.stage.service.observers.append(self._saw)
        self.stage.service.on_request = lambda _calendar, _port: self._react()
        self._edit()
        for number in range(DAYS * 24 * 60 // minutes):
            self.stage.run()
            self._react()
            self.stage.later(minutes=minutes)
            self._mind(number, minutes)
        for _ in range(3):
            self.stage.run()
            self.stage.later(minutes=5)

    def _edit(self) -> None:
        self.act(self.stage, self.edits)
        self.edits += 1

    def _mind(self, number: int, minutes: int) -> None:
        if self.mood == STUBBORN:
            wants_to = number % max(1, 180 // minutes) == 0
        else:
            wants_to = self.mood != AT_ONCE and self.stage.is_as_booked()
        if wants_to:
            self._edit()
        elif self.mood == RESTLESS:
            self.stage.undo()

    def _saw(self, change: Change) -> None:
        if change.by is not Actor.CALSYNC:
            return
        self.reverts.append(change)
        self._owes = self.mood == AT_ONCE
        # A service that touches what it was just given is let do that first.
        if not self.stage.service.personality.touches_after_write:
            self._react()

    def _react(self) -> None:
        if self._owes and not self._busy:
            self._owes, self._busy = False, True
            self._edit()
            self._busy = False

    # What came of it.

    def most(self) -> int:
        """The most times that one occurrence was put back within 24 hours."""
        times: dict[object, list[datetime]] = defaultdict(list)
        for change in self.reverts:
            for key in _changed(change):
                times[key].append(change.at)
        return max(
            (sum(one <= at < one + PERIOD for at in those) for those in times.values() for one in those), default=0
        )

    def is_left(self) -> bool:
        """Whether the calendar shows what they want."""
        return not self.stage.is_as_booked()

    def wrong(self) -> list[str]:
        """What must not be."""
        stage, found = self.stage, []
        if self.most() > LIMIT:
            found.append(f"put back {self.most()} times within 24 hours")
        if not self.reverts:
            found.append("never put back")
        if self.mood in (AT_ONCE, WHEN_SEEN) and (len(self.reverts) > LIMIT or not self.is_left()):
            found.append(f"put back {len(self.reverts)} times by people who let nothing be; left: {self.is_left()}")
        touched = {change.remote_id for change in self.reverts}
        quiet = [name for name in stage.people.ids() if "quiet" in stage.people.see(name).event.master.title]
        if len(quiet) != OTHERS or touched & set(quiet):
            found.append("another session was touched")
        if stage.row().state != "active":
            found.append(f"the calendar is {stage.row().state}")
        return found + (self._untold() if self.is_left() else [])

    def _untold(self) -> list[str]:
        stage = self.stage
        with stage.database.reading() as conn:
            held = any(one.closed_at is None for one in holds.of_appointments(conn, [stage.subject])[stage.subject])
            mails = {str(one.payload.get("edit")) for one in outbox.due(conn, stage.clock.now(), 10_000)}
        flags = [one for one in stage.drifts() if one.resolution is Resolution.OPEN]
        found = ["its claim is not held"] * (not held)
        if not flags or any(one.disposition is not Disposition.FLAG for one in flags):
            found.append(f"left, and flagged nowhere: {[one.disposition for one in flags]}")
        if any(one.edit not in mails for one in flags):
            found.append("left, and nobody was told")
        return found


def _changed(change: Change) -> set[object]:
    """The occurrences that a write of ours changed: by original start; "whole" where its master changed, too."""
    before = None if change.before is None else change.before.event
    after = None if change.after is None else change.after.event
    if before is None or after is None or before.master.span != after.master.span or not before.is_series:
        return {"whole"}
    sets = [{(one.original_start, one.appearance) for one in event.overrides} for event in (before, after)]
    holes = [set(event.recurrence.excluded) for event in (before, after) if event.recurrence is not None]
    return {at for at, _ in sets[0] ^ sets[1]} | (holes[0] ^ holes[1]) or {"whole"}


def insist(plan: Plan, progress: Progress) -> Told:
    """Run the whole of it."""
    told = Told()
    cases = list(product(plan.acts, plan.moods, plan.weeks, plan.services))
    for name, mood, week, service in cases:
        act, series = ACTS[name]
        stage = Stage(service, WEEKS[week], series=series)
        story = Story(stage, act, mood)
        story.live(plan.minutes)
        told.stories += 1
        told.edits += story.edits
        told.reverts += len(story.reverts)
        told.most = max(told.most, story.most())
        told.left += story.is_left()
        told.problems += [f"{name}, {mood}, {week}, {service.name}: {one}" for one in story.wrong()]
        stage.database.dispose()
        progress.step(told.stories, len(cases), f"{told.reverts} reverts, {told.edits} edits")
    return told
