"""A calendar full of the provider's own events, and ours among them with fields that they added: both stay (I3).

Everything that policy has in it is done to ours: they are dragged, made longer, deleted, renamed; sessions are moved
and cancelled by the practice; edits are put back; at the end the calendar is disconnected. Then not a byte of an event
of the provider's own may have changed, and each of our events must carry what they added to it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from calsync.domain.appointment import Subject, SubjectKind
from calsync.domain.drift import Resolution
from calsync.store import calendars, links
from calsync.worker.farewell import take_off
from tests.endurance.progress import Progress
from tests.hostile.caldav_world import DavWorld
from tests.system.google_world import GoogleWorld
from tests.system.graph_world import GraphWorld
from tests.system.service_world import ServiceWorld
from tests.unit.worker.world import ZONE

FIRST = datetime(2026, 11, 23, 8)
EDITS = ("nothing", "drag", "longer", "all-day", "renamed", "free", "deleted", "record-moved", "record-cancelled")
GONE = ("deleted", "record-cancelled")
# So many are edited between one look and the next; people do not do more in a quarter of an hour.
PORTION = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """How many events there are, of theirs and of ours; and how many of ours are edited at a time."""

    foreign: int = 10_000
    own: int = 1_000
    portion: int = PORTION
    services: tuple[str, ...] = ("caldav", "google", "outlook")


@dataclass(slots=True)
class Told:
    """What it came to. `fields`: how many of our events were looked through for what people added."""

    foreign: int = 0
    fields: int = 0
    edits: int = 0
    reverts: int = 0
    problems: list[str] = field(default_factory=list)


class Side(ABC):
    """One service, with hands on it that see it as it stores things."""

    world: ServiceWorld

    @abstractmethod
    def add_foreign(self, number: int, start: datetime) -> None:
        """Add an event of the provider's own, with all sorts of fields. `start`: wall time."""

    @abstractmethod
    def foreign(self) -> dict[str, object]:
        """Every event of the provider's own, to the byte, by name."""

    @abstractmethod
    def decorate(self, name: str, number: int) -> None:
        """Add fields to one of ours."""

    @abstractmethod
    def fields(self, name: str) -> object:
        """What was added to one of ours."""

    @abstractmethod
    def edit(self, name: str, kind: str) -> None:
        """Change one of ours, as a person would."""

    def name_of(self, session: str) -> str:
        """The name of a session's event."""
        with self.world.database.reading() as conn:
            link = links.by_subject(conn, self.world.calendar, Subject(SubjectKind.APPOINTMENT, session))
        assert link is not None
        return link.remote_id


_ADDED = (
    "COLOR:teal\r\nCATEGORIES:Work,Room 4\r\nX-MOODS;X-P=1:calm {n}\r\nATTENDEE;CN=Made Up:mailto:m{n}@example.org\r\n"
)
_ALARM = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT{n}M\r\nDESCRIPTION:bring file {n}\r\nEND:VALARM\r\n"


class Dav(Side):
    """CalDAV, at the level of files."""

    def __init__(self, folder: Path) -> None:
        del folder
        self.world = DavWorld()
        self.dav = self.world.dav

    def add_foreign(self, number: int, start: datetime) -> None:
        """See `Side`."""
        more = (_ADDED + _ALARM).format(n=number)
        rule = "RRULE:FREQ=WEEKLY;COUNT=5\r\n" if number % 7 == 0 else ""
        body = (
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//made up//EN\r\nBEGIN:VEVENT\r\n"
            f"UID:own-{number}@elsewhere\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:Own {number}\r\n"
            f"DTSTART:{start:%Y%m%dT%H%M%S}Z\r\nDTEND:{start + timedelta(hours=1):%Y%m%dT%H%M%S}Z\r\n{rule}{more}"
            "END:VEVENT\r\nEND:VCALENDAR\r\n"
        )
        self.dav.put(f"own-{number}.ics", body.encode())

    def foreign(self) -> dict[str, object]:
        """See `Side`."""
        return {n: (one.octets, one.version) for n, one in self.dav.bodies.items() if n.startswith("own-")}

    def decorate(self, name: str, number: int) -> None:
        """See `Side`."""
        more = (_ADDED + _ALARM).format(n=number)
        self._save(name, lambda text: text.replace("END:VEVENT", f"{more}END:VEVENT", 1))

    def fields(self, name: str) -> object:
        """See `Side`."""
        # Guests who were added by hand stay, and get no mail from the server: that much is written beside them (F-12).
        text = self._text(name).replace("\r\n ", "").replace(";SCHEDULE-AGENT=CLIENT", "")
        lines = text.splitlines()
        wanted = ("COLOR", "CATEGORIES", "X-MOODS", "ATTENDEE", "ACTION", "TRIGGER", "DESCRIPTION:bring")
        return sorted(one for one in lines if one.startswith(wanted))

    def edit(self, name: str, kind: str) -> None:
        """See `Side`."""
        if kind == "deleted":
            self.dav.delete(name)
        elif kind in ("drag", "longer"):
            edges = "DTSTART|DTEND" if kind == "drag" else "DTEND"
            self._save(name, lambda text: re.sub(rf"((?:{edges})[^:\r\n]*:)(\d{{8}}T\d{{6}})", _later, text))
        elif kind == "all-day":
            self._save(name, lambda text: re.sub(r"(DTSTART|DTEND)[^:\r\n]*:(\d{8})T\d{6}Z?", _day, text))
        elif kind == "renamed":
            self._save(name, lambda text: re.sub(r"SUMMARY[^\r\n]*", "SUMMARY:Mine", text))
        elif kind == "free":
            self._save(
                name,
                lambda text: re.sub(r"TRANSP:[^\r\n]*\r\n", "", text).replace(
                    "END:VEVENT", "TRANSP:TRANSPARENT\r\nEND:VEVENT", 1
                ),
            )

    def _text(self, name: str) -> str:
        return self.dav.bodies[name].octets.decode()

    def _save(self, name: str, change: Any) -> None:
        self.dav.put(name, change(self._text(name)).encode())


def _later(found: re.Match[str]) -> str:
    return f"{found[1]}{datetime.strptime(found[2], '%Y%m%dT%H%M%S') + timedelta(hours=2):%Y%m%dT%H%M%S}"  # noqa: DTZ007


def _day(found: re.Match[str]) -> str:
    day = datetime.strptime(found[2], "%Y%m%d") + timedelta(days=found[1] == "DTEND")  # noqa: DTZ007
    return f"{found[1]};VALUE=DATE:{day:%Y%m%d}"


class Google(Side):
    """The Google stand-in."""

    def __init__(self, folder: Path) -> None:
        self.world = self.google = GoogleWorld(folder)
        self.google.google.state.keep_calls = False
        self.person, self.remote = self.google.person, self.google.remote
        self.own: set[str] = set()

    def add_foreign(self, number: int, start: datetime) -> None:
        """See `Side`."""
        end = start + timedelta(hours=1)
        body: dict[str, Any] = {
            "summary": f"Own {number}",
            "description": f"bring file {number}",
            "colorId": "5",
            "start": {"dateTime": start.replace(tzinfo=UTC).isoformat(), "timeZone": ZONE},
            "end": {"dateTime": end.replace(tzinfo=UTC).isoformat(), "timeZone": ZONE},
            "attendees": [{"email": f"m{number}@example.org", "responseStatus": "needsAction"}],
            "extendedProperties": {"private": {"mood": f"calm {number}"}, "shared": {"calsync": "not ours"}},
        }
        if number % 7 == 0:
            body["recurrence"] = ["RRULE:FREQ=WEEKLY;COUNT=5"]
        self.own.add(self.person.add(self.remote, body))

    def foreign(self) -> dict[str, object]:
        """See `Side`."""
        with self.google.google.lock:
            rows = self.person.place(self.remote).calendar.rows
            return {name: deepcopy(rows[name].body) for name in self.own if name in rows}

    def decorate(self, name: str, number: int) -> None:
        """See `Side`."""
        self.person.decorate(self.remote, name)
        guest = {"email": f"m{number}@example.org", "responseStatus": "accepted"}
        self.person.change(self.remote, name, {"attendees": [guest], "guestsCanModify": True})

    def fields(self, name: str) -> object:
        """See `Side`."""
        body = self.person.event(self.remote, name)
        kept = {key: deepcopy(body.get(key)) for key in ("colorId", "reminders", "attendees", "guestsCanModify")}
        return kept | {"note": "bring the file" in body.get("description", "")}

    def edit(self, name: str, kind: str) -> None:
        """See `Side`."""
        acts: dict[str, Any] = {
            "drag": lambda: self.person.drag(self.remote, name, timedelta(hours=2)),
            "longer": lambda: self.person.resize(self.remote, name, timedelta(hours=2)),
            "all-day": lambda: self.person.make_all_day(self.remote, name),
            "renamed": lambda: self.person.retitle(self.remote, name, "Mine"),
            "free": lambda: self.person.mark_free(self.remote, name),
            "deleted": lambda: self.person.delete(self.remote, name),
        }
        acts[kind]()


class Outlook(Side):
    """The Graph stand-in. An event with attendees is never written over there, so none has any."""

    def __init__(self, folder: Path) -> None:
        self.world = self.graph = GraphWorld(folder)
        self.person = self.graph.person
        self.own: set[str] = set()

    def add_foreign(self, number: int, start: datetime) -> None:
        """See `Side`."""
        begin = start.replace(tzinfo=UTC)
        name = self.person.add_own(begin, begin + timedelta(hours=1), f"Own {number}")
        self.person.change(name, categories=["Red category"], reminderMinutesBeforeStart=number % 60)
        self.own.add(name)

    def foreign(self) -> dict[str, object]:
        """See `Side`."""
        return {name: deepcopy(self.person.item(name)) for name in self.own}

    def decorate(self, name: str, number: int) -> None:
        """See `Side`."""
        self.person.change(name, categories=["Blue category"], reminderMinutesBeforeStart=1 + number % 90)
        self.person.change(name, importance="high", isReminderOn=True)

    def fields(self, name: str) -> object:
        """See `Side`."""
        kept = self.person.item(name).fields
        return {
            key: kept.get(key) for key in ("categories", "reminderMinutesBeforeStart", "importance", "isReminderOn")
        }

    def edit(self, name: str, kind: str) -> None:
        """See `Side`."""
        acts: dict[str, Any] = {
            "drag": lambda: self.person.drag(name, timedelta(hours=2)),
            "longer": lambda: self.person.resize(name, timedelta(hours=2)),
            "all-day": lambda: self.person.make_all_day(name),
            "renamed": lambda: self.person.retitle(name, "Mine"),
            "free": lambda: self.person.mark_free(name),
            "deleted": lambda: self.person.delete(name),
        }
        acts[kind]()


SIDES: dict[str, type[Dav] | type[Google] | type[Outlook]] = {"caldav": Dav, "google": Google, "outlook": Outlook}
SHORT = Plan(foreign=60, own=18, portion=9)


def live(folder: Path, plan: Plan, progress: Progress) -> Told:
    """Run the whole of it."""
    told = Told()
    for service in plan.services:
        (folder / service).mkdir()
        side = SIDES[service](folder / service)
        try:
            told.problems += [f"{service}: {one}" for one in _one(side, plan, told, (service, progress))]
        finally:
            side.world.close()
    return told


def _one(side: Side, plan: Plan, told: Told, what: tuple[str, Progress]) -> list[str]:
    world, (service, progress) = side.world, what
    # Edits come in portions; which of them would be a mass change is another proof's question.
    world.settle(stampede_min=1_000_000)
    for number in range(plan.foreign):
        side.add_foreign(number, FIRST + timedelta(minutes=15 * number))
    sessions = [f"S-{number}" for number in range(plan.own)]
    for number, one in enumerate(sessions):
        world.book(one, _start(number).isoformat())
    progress.step(0, plan.own, f"{service}: {plan.foreign} of theirs are there")
    _rest(world)
    names = {one: side.name_of(one) for one in sessions}
    for number, one in enumerate(sessions):
        side.decorate(names[one], number)
    _rest(world)
    foreign, fields = side.foreign(), {one: side.fields(names[one]) for one in sessions}
    for begin in range(0, plan.own, plan.portion):
        for number in range(begin, min(begin + plan.portion, plan.own)):
            _edit(side, sessions[number], names[sessions[number]], number)
        told.edits += plan.portion
        world.later(minutes=15)
        world.run()
        progress.step(begin, plan.own, f"{service}: ours are edited")
    _rest(world)
    kinds = {one: EDITS[number % len(EDITS)] for number, one in enumerate(sessions)}
    found = _compare(side, (foreign, fields), {one: names[one] for one in sessions if kinds[one] not in GONE})
    row = world.row()
    with world.database.transaction() as conn:
        take_off(conn, row, world.clock.now(), by="support:sam", detail={})
        assert calendars.get(conn, row.id) is not None
    found += [] if side.foreign() == foreign else ["a foreign event changed as the calendar was disconnected"]
    reverts = sum(one.resolution is Resolution.REVERTED for one in world.drifts())
    told.foreign, told.fields, told.reverts = (
        told.foreign + len(foreign),
        told.fields + len(fields),
        told.reverts + reverts,
    )
    progress.step(plan.own, plan.own, f"{service}: {reverts} reverts")
    wanted = sum(kind in ("drag", "longer", "all-day", "deleted") for kind in kinds.values())
    return found + [f"{reverts} of {wanted} edits were put back"] * (reverts < wanted)


def _start(number: int) -> datetime:
    return FIRST.replace(hour=7) + timedelta(days=10 + number // 12, hours=number % 12)


def _edit(side: Side, session: str, name: str, number: int) -> None:
    kind = EDITS[number % len(EDITS)]
    if kind == "record-moved":
        side.world.book(session, (_start(number) + timedelta(minutes=5)).isoformat())
    elif kind == "record-cancelled":
        side.world.book(session, _start(number).isoformat(), status="cancelled")
    elif kind != "nothing":
        side.edit(name, kind)


def _rest(world: ServiceWorld) -> None:
    for _ in range(4):
        world.run()
        world.later(minutes=5)


def _compare(side: Side, before: tuple[dict[str, object], dict[str, object]], ours: dict[str, str]) -> list[str]:
    foreign, fields = before
    now = side.foreign()
    found = [f"foreign event {name} is another now" for name, one in foreign.items() if now.get(name) != one]
    for session, name in ours.items():
        if side.fields(name) != fields[session]:
            found.append(f"{session}: {fields[session]} became {side.fields(name)}")
    return found[:20]
