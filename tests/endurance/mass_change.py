"""Ways in which a whole calendar changes at once: nothing is written until a person has looked (I6, R-13).

Each way happens to a calendar with sessions, series and events of the provider's own. Then two virtual days pass in
which records change, hooks ring, people go on editing and the worker is restarted; then somebody releases the calendar,
as edits or to restore. Ways that only touch what is the user's own stop nothing and cause no write either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Literal

from calsync.answers.calendars import resume
from calsync.answers.words import Desk
from calsync.claims.gate import Gate
from calsync.claims.reasons import Verdict
from calsync.domain.appointment import AppointmentStatus
from calsync.domain.drift import COSMETIC, Disposition, Drift, Phase, Resolution
from calsync.domain.event import Appearance, Event
from calsync.domain.recurrence import expand
from calsync.domain.span import Span, Window
from calsync.errors import Refused
from calsync.settings.model import Settings
from calsync.store import drifts, glance, outbox, records
from calsync.store.records import AppointmentFilter
from calsync.testing import edits
from calsync.testing.memory_state import Actor
from calsync.testing.personality import CALDAV_CTAG, PERSONALITIES, Personality
from calsync.worker import triggers
from calsync.worker.leased_run import run_leased
from tests.endurance.progress import Progress
from tests.unit.worker.world import NOW, ZONE, World

SINGLES, SERIES, FOREIGN, PAST = 12, 4, 6, 2
REST = timedelta(days=2)
FAR = Window(NOW - timedelta(days=400), NOW + timedelta(days=800))
Release = Literal["edits", "restore"]
RELEASES: tuple[Release, ...] = ("edits", "restore")


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens where, and how fast: all at once, or two events between one look and the next."""

    ways: tuple[str, ...]
    services: tuple[Personality, ...]
    paces: tuple[int, ...] = (0, 2)


@dataclass(slots=True)
class Told:
    """What it came to. `written`: after a stop and before its release."""

    stories: int = 0
    stops: int = 0
    written: int = 0
    problems: list[str] = field(default_factory=list)


class Ward(World):
    """A calendar as full as one is, with events of the provider's own beside ours."""

    def __init__(self, service: Personality) -> None:
        super().__init__(service)
        self.desk = Desk(self.database, Settings(path=Path("calsync.toml")), self.clock, self.ids)
        for number in range(PAST):
            self.book(f"past-{number}", f"2026-11-0{2 + number}T10:00", status="completed")
        self.book("soon", "2026-11-17T09:00")
        for number in range(SINGLES):
            start = datetime(2026, 11, 19, 11) + timedelta(days=3 * number)
            self.book(f"one-{number}", start.isoformat())
        for number in range(SERIES):
            day = ("MO", "TU", "WE", "TH")[number]
            self.book_series(f"row-{number}", f"2026-11-{2 + number:02}T14:00", f"FREQ=WEEKLY;COUNT=9;BYDAY={day}", 9)
        for number in range(FOREIGN):
            wall = datetime(2026, 11, 20, 18) + timedelta(days=number)
            own = Event(f"own-{number}@elsewhere", Appearance(Span(wall, wall + timedelta(hours=1), ZONE), "My own"))
            self.people.decorate(self.people.add_own_event(own), notes="mine", colour="red")
        self.rest(1)

    def work(self) -> None:
        """What a worker does at one moment: the passes that are due."""
        for lease in glance.claim_due(self.database, self.worker.owner, 5, self.clock.now(), self.worker.lease_for):
            run_leased(self.worker, lease)

    def rest(self, hours: float) -> None:
        """Let time pass, a worker at work."""
        for _ in range(int(hours * 6)):
            self.work()
            self.later(minutes=10)

    def ours(self) -> list[str]:
        """The names of the events that show our sessions, whoever made them."""
        return [name for name in self.people.ids() if "My own" not in self.people.see(name).event.master.title]

    def foreign(self) -> list[object]:
        """What is the provider's, whole."""
        seen = [self.people.see(name) for name in self.people.ids() if name not in self.ours()]
        return sorted(((one.remote_id, one.event, tuple(one.own.items())) for one in seen), key=str)

    def writes(self) -> int:
        """How many changes calsync has made."""
        return sum(one.by is Actor.CALSYNC for state in self.service.calendars.values() for one in state.journal)

    def lacks(self) -> list[str]:
        """Where the calendar and the records disagree; occurrences with an open or answered flag may (R-10)."""
        with self.database.reading() as conn:
            known = list(records.appointments(conn, AppointmentFilter()))
        excused = [one for one in self.drifts() if _is_excused(one)]
        standing = {one.id: one.span.start_at for one in known if one.status.shows_in_calendars}
        excused_ids = {one.appointment for one in excused}
        want = Counter(at for session, at in standing.items() if session not in excused_ids)
        let_be = {at for session, at in standing.items() if session in excused_ids}
        let_be |= {one.observed.span.start_at for one in excused if one.observed is not None}
        have: Counter[datetime] = Counter()
        for name in self.ours():
            shown = expand(self.people.see(name).event, FAR).values()
            have.update(one.span.start_at for one in shown if not one.cancelled)
        missing, surplus = want - have, Counter({at: n for at, n in (have - want).items() if at not in let_be})
        return [f"missing {sorted(missing)}, surplus {sorted(surplus)}"] if missing or surplus else []


def _is_excused(drift: Drift) -> bool:
    return drift.kind not in COSMETIC and (drift.resolution is Resolution.OPEN or drift.accepted)


# ---------------------------------------------------------------- the ways


Step = Callable[[], object]


def _each(ward: Ward, single: Callable[[str], object], series: Callable[[str], object] | None = None) -> list[Step]:
    def step(name: str) -> Step:
        is_series = ward.people.see(name).event.is_series
        return lambda: (series if series is not None and is_series else single)(name)

    return [step(name) for name in ward.ours()]


def _hour(ward: Ward) -> list[Step]:
    by = timedelta(hours=1)
    return _each(ward, lambda name: ward.people.drag(name, by), lambda name: ward.people.drag_series(name, by))


def _longer(ward: Ward) -> list[Step]:
    return _each(ward, lambda name: ward.people.resize(name, timedelta(minutes=15)))


def _deleted(ward: Ward) -> list[Step]:
    return _each(ward, ward.people.delete)


def _all_but_one(ward: Ward) -> list[Step]:
    return _deleted(ward)[1:]


def _zone(ward: Ward) -> list[Step]:
    return _each(ward, lambda name: ward.people.change_zone(name, "Europe/Berlin"))


def _all_day(ward: Ward) -> list[Step]:
    return _each(ward, ward.people.make_all_day)


def _called_off(ward: Ward) -> list[Step]:
    return _each(ward, ward.people.cancel)


def _retitled(ward: Ward) -> list[Step]:
    return _each(ward, lambda name: ward.people.retitle(name, "Busy"))


def _stripped(ward: Ward) -> list[Step]:
    return _each(ward, ward.people.strip_marker)


def _split(ward: Ward) -> list[Step]:
    """Each series is cut at its next session, and goes on an hour later; there is hardly anything else."""
    with ward.database.reading() as conn:
        singles = [one for one in records.appointments(conn, AppointmentFilter()) if one.id.startswith("one-")]
    for one in singles:
        ward.put(replace(one, status=AppointmentStatus.CANCELLED))
    for number in range(SERIES):
        ward.book_series(f"more-{number}", f"2026-11-{23 + number}T15:00", "FREQ=WEEKLY;COUNT=9", 9)
    ward.rest(1)
    now, found = ward.clock.now(), list[Step]()
    for name in ward.ours():
        event = ward.people.see(name).event
        if event.is_series:
            at = min(one for one in expand(event, FAR) if one is not None and one > now)
            found.append(lambda name=name, at=at: ward.people.split_series(name, at, timedelta(hours=1)))  # type: ignore[misc]
    return found


def _copied(ward: Ward) -> list[Step]:
    def thrice(name: str) -> None:
        for days in (1, 2, 3):
            ward.people.duplicate(name, timedelta(days=days, hours=2))

    return _each(ward, thrice)[::2]


def _other_calendar(ward: Ward) -> list[Step]:
    ward.service.add_calendar("other")
    return _each(ward, lambda name: ward.people.move_to_other_calendar(name, "other"))


def _backup(ward: Ward) -> list[Step]:
    """What the calendar showed some days ago comes back; most sessions have been moved by the practice since."""
    state = ward.service.calendars[ward.calendar]
    before = {name: state.events[name] for name in ward.ours()}
    with ward.database.reading() as conn:
        known = list(records.appointments(conn, AppointmentFilter()))
    for number, one in enumerate(one for one in known if one.id.startswith("one-")):
        if number % 3 == 0:
            ward.put(replace(one, status=AppointmentStatus.CANCELLED))
        else:
            ward.put(replace(one, span=one.span.starting(one.span.start + timedelta(hours=3))))
    ward.book("new", "2027-01-20T16:00")
    ward.rest(1)
    steps: list[Step] = [lambda one=one: state.put(one, Actor.PERSON) for one in before.values()]  # type: ignore[misc]
    steps += [lambda name=name: ward.people.delete(name) for name in ward.ours() if name not in before]  # type: ignore[misc]
    return [*steps, state.expire_cursors]


def _account(ward: Ward) -> list[Step]:
    """The account behind the calendar is another person's, with appointments of another installation in it."""

    def swap() -> None:
        del ward.service.calendars[ward.calendar]
        ward.service.add_calendar(ward.calendar)
        for number in range(8):
            wall = datetime(2026, 11, 23, 9) + timedelta(days=number)
            span = Span(wall, wall + timedelta(hours=1), ZONE)
            own = Event(f"theirs-{number}@elsewhere", Appearance(span, f"My own, theirs {number}"))
            ward.people.add_own_event(own, marker="k1.none.of.ours" if number % 2 else None)

    return [swap]


def _replaced(ward: Ward) -> list[Step]:
    """The calendar was exported, deleted, and brought back by a program that keeps no marker and no name."""

    def replace_it() -> None:
        seen = [ward.people.see(name) for name in ward.people.ids()]
        del ward.service.calendars[ward.calendar]
        ward.service.add_calendar(ward.calendar)
        for number, one in enumerate(seen):
            title = one.event.master.title if "My own" in one.event.master.title else "My own, brought back"
            event = edits.retitled(one.event.with_uid(f"back-{number}@elsewhere"), title)
            ward.people.add_own_event(event)

    return [replace_it]


@dataclass(frozen=True, slots=True)
class Way:
    """One of them. `stops`: whether it is a change of what is ours to guard; `slow`: whether it can come bit by bit."""

    steps: Callable[[Ward], list[Step]]
    stops: bool = True
    slow: bool = True


WAYS: dict[str, Way] = {
    "emptied": Way(_deleted),
    "all deleted but one": Way(_all_but_one),
    "all moved by an hour": Way(_hour),
    "all longer": Way(_longer),
    "all in another zone": Way(_zone),
    "all made all-day": Way(_all_day),
    "all called off": Way(_called_off),
    "half of them copied three times": Way(_copied, slow=False),
    "every series cut and moved": Way(_split, slow=False),
    "all moved to another calendar": Way(_other_calendar),
    "an old backup restored": Way(_backup, slow=False),
    "another account": Way(_account, slow=False),
    "replaced by a copy of itself": Way(_replaced, slow=False),
    "all titles changed": Way(_retitled, stops=False),
    "all markers stripped": Way(_stripped, stops=False),
}

SHORT = Plan(("emptied", "all moved by an hour", "all titles changed"), (CALDAV_CTAG,), (0,))
FULL = Plan(tuple(WAYS), PERSONALITIES)


# ---------------------------------------------------------------- one story


@dataclass
class Story:
    """One way, one service, one pace, one release."""

    ward: Ward
    way: Way
    pace: int
    release: Release
    written: int = 0
    wrong: list[str] = field(default_factory=list)

    def live(self) -> None:
        """Let it happen, wait, release it, and look."""
        ward, before = self.ward, self.ward.writes()
        self._happen()
        foreign = ward.foreign()
        if not self.way.stops:
            ward.rest(24)
            self._nothing_but(
                ward.row().state == "active" and ward.writes() == before, "a change of theirs had effects"
            )
            self._nothing_but(not [one for one in ward.drifts() if one.kind not in COSMETIC], "an edit was invented")
            self._nothing_but(not ward.lacks(), f"{ward.lacks()}")
            return
        self._nothing_but(ward.row().state == "stopped", f"it is {ward.row().state}")
        self._stand_still()
        resume(ward.desk, ward.calendar, by="support:sam", as_=self.release)
        ward.rest(3)
        self._judge()
        self._nothing_but(ward.foreign() == foreign, "an event of the provider's own was touched")

    def _happen(self) -> None:
        steps = self.way.steps(self.ward)
        size = self.pace if self.way.slow and self.pace else len(steps)
        for place in range(0, len(steps), size):
            # Nobody edits in the very second of a look, which a service that counts in seconds would not tell.
            self.ward.later(seconds=5)
            for step in steps[place : place + size]:
                step()
            if self.ward.row().state != "stopped":
                self.ward.later(minutes=1)
                self.ward.run()
        self.ward.later(minutes=1)
        if self.ward.row().state != "stopped":
            self.ward.run()

    def _stand_still(self) -> None:
        """Two days in which everything happens that could tempt a worker."""
        ward, before = self.ward, self.ward.writes()
        with ward.database.reading() as conn:
            soon = next(one for one in records.appointments(conn, AppointmentFilter()) if one.id == "soon")
        for hour in range(int(REST.total_seconds() // 3600)):
            if hour % 6 == 0:
                ward.book(f"later-{hour}", (datetime(2027, 2, 1, 8) + timedelta(days=hour)).isoformat())
            if hour == 9:
                ward.worker = ward.new_worker()
            if hour == 30:
                ward.put(replace(soon, status=AppointmentStatus.COMPLETED))
            with ward.database.transaction() as conn:
                triggers.pushed(conn, ward.calendar, ward.clock.now())
            ward.rest(1)
        self.written = ward.writes() - before
        self._nothing_but(self.written == 0, f"{self.written} writes after the stop")
        gate = Gate(ward.database, ward.desk.settings, ward.clock, ward.ids)
        cleared = [one.answer.appointment for one in gate.look(["soon"]) if one.answer.verdict is Verdict.CLEARED]
        self._nothing_but(not cleared, f"claims were cleared: {cleared}")
        self._nothing_but("calendar-stopped" in self._mails(), "nobody was told")
        self._is_refused()

    def _is_refused(self) -> None:
        """Who does not say which it was releases nothing."""
        try:
            resume(self.ward.desk, self.ward.calendar, by="support:sam")
        except Refused:
            return
        self.wrong.append("it was released without a word on what it was")

    def _judge(self) -> None:
        ward = self.ward
        self._nothing_but(ward.row().state == "active", f"after its release it is {ward.row().state}")
        self._nothing_but(not ward.lacks(), f"{ward.lacks()}")
        found = [one for one in ward.drifts() if one.kind not in COSMETIC]
        self._nothing_but(bool(found), "no edit was recorded")
        before = ward.writes()
        quiet = ward.run()
        self._nothing_but((quiet.requests, ward.writes()) == (1, before), f"it is never quiet: {quiet}")
        if self.release == "restore":
            asked = self._unanswered(found)
            self._nothing_but(bool(self.pace) or not asked, f"people are asked about {len(asked)} of them")
        else:
            words = {(one.phase.value, one.disposition) for one in found}
            self._nothing_but(all(d is Disposition.FLAG for p, d in words if p != "upcoming"), f"the past: {words}")
            open_ones = [one for one in found if one.phase.value == "upcoming" and one.resolution is Resolution.OPEN]
            self._nothing_but(not open_ones, f"{len(open_ones)} of coming sessions were not put back")

    def _unanswered(self, found: list[Drift]) -> list[Drift]:
        """What the release did not answer for; how a past session was changed stays as evidence, and is asked about."""
        with self.ward.database.reading() as conn:
            answered = drifts.answers(conn, [one.id for one in found])
            mailed = {str(item.payload.get("edit")) for item in outbox.due(conn, NOW + timedelta(days=9), 1000)}
        return [
            one
            for one in found
            if answered[one.id].resolved_by is None and (one.phase is Phase.UPCOMING or one.edit not in mailed)
        ]

    def _mails(self) -> set[str]:
        with self.ward.database.reading() as conn:
            return {one.kind for one in outbox.due(conn, self.ward.clock.now() + timedelta(days=1), 1000)}

    def _nothing_but(self, holds: bool, words: str) -> None:
        if not holds:
            self.wrong.append(words)


def change(plan: Plan, progress: Progress) -> Told:
    """Run the whole of it."""
    told = Told()
    cases = [
        (way, service, pace, release)
        for way, service, pace, release in product(plan.ways, plan.services, plan.paces, RELEASES)
        if (not pace or WAYS[way].slow) and (release == "edits" or WAYS[way].stops)
    ]
    for name, service, pace, release in cases:
        story = Story(Ward(service), WAYS[name], pace, release)
        story.live()
        told.stories += 1
        told.stops += WAYS[name].stops
        told.written += story.written
        where = f"{name}, {'bit by bit' if pace else 'at once'}, {service.name}, released as {release}"
        told.problems += [f"{where}: {one}" for one in story.wrong]
        story.ward.database.dispose()
        progress.step(told.stories, len(cases), f"{told.written} writes after a stop")
    return told
