"""Many virtual days in one process, on a clock that is set: calendars are polled, people edit or do not.

A quiet day must add no row to any table; each busy one must add the same number of rows for each edit.
"""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import text

from calsync.store.schema import metadata
from calsync.testing.people import People
from calsync.worker import retention
from tests.endurance.progress import Progress
from tests.unit.worker.world import World

SESSIONS = 6
PAST = timedelta(days=60)
FLAT = 1.05
# What the interpreter itself keeps may move by so much, in bytes.
NOISE = 200_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How many days: each quiet one is followed by a busy one."""

    days: int = 30
    calendars: int = 50
    polls_an_hour: int = 12


@dataclass(slots=True)
class Told:
    """What was seen. `rows_an_edit`: on each busy day."""

    passes: int = 0
    edits: int = 0
    rows_an_edit: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Ward(World):
    """Some calendars of one provider, with sessions some weeks ahead in each."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.names = [self.calendar]
        for number in range(1, plan.calendars):
            name = f"work-{number}"
            self.service.add_calendar(name)
            self.link(name)
            self.names.append(name)
        self.settle(settle=timedelta(0))
        for number in range(SESSIONS):
            self.book(f"A-{number}", f"2027-02-{10 + number}T10:00")

    def pass_over_all(self) -> int:
        """One pass each; how many."""
        for name in self.names:
            self.run(name)
        return len(self.names)

    def rows(self) -> dict[str, int]:
        """How many rows every table has."""
        with self.database.reading() as conn:
            counts = {
                one.name: conn.execute(text(f"SELECT count(*) FROM {one.name}")) for one in metadata.sorted_tables
            }
            return {name: int(count.scalar_one()) for name, count in counts.items()}


def live(plan: Plan, progress: Progress | None = None) -> Told:
    """Live through all days."""
    ward, told = Ward(plan), Told()
    for _ in range(3):
        told.passes += ward.pass_over_all()
        ward.later(minutes=5)
    _day(ward, plan, told, edit=True)  # whatever is made once is made now
    told.rows_an_edit.clear()
    tracemalloc.start()
    try:
        for day in range(plan.days):
            before = ward.rows()
            _day(ward, plan, told, edit=False)
            grown = {name: count - before[name] for name, count in ward.rows().items() if count > before[name]}
            if grown:
                told.problems.append(f"quiet day {day}: {grown}")
            _day(ward, plan, told, edit=True)
            gc.collect()
            told.memory.append(tracemalloc.get_traced_memory()[0])
            if progress is not None:
                progress.step(day + 1, plan.days, f"{told.passes} passes, {told.edits} edits")
    finally:
        tracemalloc.stop()
    told.problems += _not_flat(told)
    ward.database.dispose()
    return told


def _day(ward: Ward, plan: Plan, told: Told, *, edit: bool) -> None:
    rounds, edits = 24 * plan.polls_an_hour, 0
    before = sum(ward.rows().values())
    for number in range(rounds):
        if edit and number % (rounds // SESSIONS) == 0:
            edits += _drag(ward, number)
        told.passes += ward.pass_over_all()
        ward.later(minutes=60 / plan.polls_an_hour)
    retention.forget(ward.database, PAST, ward.clock.now())
    if edit:
        told.edits += edits
        told.rows_an_edit.append((sum(ward.rows().values()) - before) / edits)


def _drag(ward: Ward, number: int) -> int:
    """One session in each of some calendars is dragged, a little further each time: the same again would be let be."""
    some = ward.names[:: max(1, len(ward.names) // 4)]
    minutes = 1 + ward.clock.now().toordinal() * 7 % 200 + number
    for name in some:
        people = People(ward.service, name)
        events = sorted(people.ids())
        people.drag(events[number % len(events)], timedelta(minutes=minutes))
    return len(some)


def _not_flat(told: Told) -> list[str]:
    found = []
    if max(told.rows_an_edit) > FLAT * min(told.rows_an_edit):
        found.append(f"rows an edit: {min(told.rows_an_edit):.2f} to {max(told.rows_an_edit):.2f}")
    first, last = told.memory[0], told.memory[-1]
    # The database lies in memory and the service keeps its own history: only what is beyond their edits counts.
    return found + [f"memory grew from {first} to {last}"] * (len(told.memory) > 1 and last > FLAT * first + NOISE)
