"""How soon an edit is on the books while 1,000 calendars are watched: by push, and by polls alone."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from tests.endurance.fleet import Fleet, Session, running
from tests.endurance.progress import Progress
from tests.servers.process import free_port
from tests.system.programs import Program

# So many of a calendar's sessions stay as they are: where nothing does, the calendar is stopped.
SESSIONS = 3
WITH_PUSH = "1h"


@dataclass(frozen=True, slots=True)
class Plan:
    """How many edits, one in a calendar, so many a second. `poll_s`: None with push; `longest_s`: for 99 of 100."""

    calendars: int = 1000
    edits: int = 500
    a_second: float = 10.0
    poll_s: int | None = None
    longest_s: float = 5.0


@dataclass(slots=True)
class Told:
    """Seconds from each drag until its drift could be read from the books."""

    waits: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def slowest(self, share: float) -> float:
        """So many of the edits were on the books within this time."""
        return sorted(self.waits)[min(len(self.waits) - 1, int(len(self.waits) * share))]


def storm(folder: Path, plan: Plan, progress: Progress) -> Told:
    """Run the whole of it."""
    told = Told()
    with Fleet(folder, plan.calendars, SESSIONS, more=_config(plan)) as fleet:
        fleet.book()
        with running(fleet, "run") as program:
            fleet.wait(lambda: fleet.all_shown() and fleet.is_at_rest() and _is_watched(fleet, plan), program, 900)
            _edit(fleet, program, plan, (told, progress))
    if len(told.waits) < plan.edits:
        told.problems.append(f"{plan.edits - len(told.waits)} edits never came to the books")
    elif told.slowest(0.99) > plan.longest_s:
        told.problems.append(f"one in a hundred edits took {told.slowest(0.99):.2f} s or longer")
    return told


def _config(plan: Plan) -> str:
    if plan.poll_s is not None:
        return f'[sync]\npoll_interval = "{plan.poll_s}s"\n'
    port = free_port()
    return (
        f'[web]\nlisten = "127.0.0.1:{port}"\npublic_url = "http://127.0.0.1:{port}"\n'
        f'[sync]\npoll_interval = "{WITH_PUSH}"\npoll_interval_with_push = "{WITH_PUSH}"\n'
    )


def _is_watched(fleet: Fleet, plan: Plan) -> bool:
    """Whether each calendar has its channel, and the pushes that our own writes caused were answered."""
    idle = fleet.number("SELECT count(*) FROM calendars WHERE lease_owner IS NOT NULL OR generation > done_generation")
    channels = fleet.number("SELECT count(*) FROM watches")
    return plan.poll_s is not None or (channels >= plan.calendars and idle == 0)


def _edit(fleet: Fleet, program: Program, plan: Plan, tell: tuple[Told, Progress]) -> None:
    """Drag one session after the other, each at its time, and look all the while for what has come to the books."""
    told, progress = tell
    places = {session: events[0][0] for session, events in fleet.shown().items()}
    begin, dragged, known = time.monotonic(), dict[str, float](), set[str]()
    turn = iter(_one_in_each(fleet.booked, plan.edits))
    until = begin + plan.edits / plan.a_second + (plan.poll_s or 0) * 2 + 60
    while len(known) < plan.edits and time.monotonic() < until:
        assert program.poll() is None, fleet.log()
        for session in _due(turn, begin, dragged, plan):
            dragged[session.id] = time.monotonic()
            fleet.people[session.provider].drag(
                fleet.remotes[session.provider], places[session.id], timedelta(minutes=15)
            )
        for session_id in _on_the_books(fleet) - known:
            known.add(session_id)
            told.waits.append(time.monotonic() - dragged[session_id])
        progress.step(len(known), plan.edits)
        time.sleep(0.02)


def _due(turn: Iterable[Session], begin: float, dragged: dict[str, float], plan: Plan) -> Iterable[Session]:
    due = min(plan.edits, int((time.monotonic() - begin) * plan.a_second))
    return [one for _, one in zip(range(due - len(dragged)), turn, strict=False)]


def _one_in_each(booked: Iterable[Session], most: int) -> list[Session]:
    """The first session of each calendar."""
    return [one for one in booked if one.id.endswith("x0")][:most]


def _on_the_books(fleet: Fleet) -> set[str]:
    with fleet.books.reading() as conn:
        return {str(one) for one in conn.execute(text("SELECT appointment FROM drifts")).scalars()}
