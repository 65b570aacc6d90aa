"""People at Google Calendar's web page, acting on the state itself (contract sheet 8, 13, 16 row 41)."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from calsync.sandbox.google import events
from calsync.sandbox.google.events import Place
from calsync.sandbox.google.state import CalendarState, GoogleState, Row
from calsync.sandbox.google.times import instant_of, moment_at, slots, span_of, wall_of

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """One account's owner. `calendar`: an id, or `primary`. `at`: an occurrence's original start; None: the event.

    Acts on one occurrence make an exception, as "only this event" does; acts on a series are "all events".
    """

    state: GoogleState
    email: str
    lock: threading.RLock

    def place(self, calendar: str = "primary") -> Place:
        """A calendar as this person sees it."""
        found = self.state.calendar(self.email, calendar)
        assert found is not None, "no such calendar"
        return Place(self.state, found, self.email)

    def events(self, calendar: str = "primary") -> list[Json]:
        """All living singles and masters."""
        rows = self.place(calendar).calendar.rows.values()
        return [row.body for row in rows if not row.cancelled and row.master is None]

    def exceptions(self, calendar: str, master: str) -> list[Json]:
        """The stored exceptions of a series, cancelled ones too."""
        return [row.body for row in self.place(calendar).calendar.exceptions(master)]

    def event(self, calendar: str, name: str) -> Json:
        """One event as stored."""
        return self.place(calendar).calendar.rows[name].body

    # -- acts

    def drag(self, calendar: str, name: str, by: timedelta, at: datetime | None = None) -> None:
        """Drag it by a shift of wall time; a whole series takes its rule's weekdays along."""

        def dragged(place: Place, body: Json) -> Json:
            zone = place.zone
            change: Json = {part: _shifted(body[part], by, zone) for part in ("start", "end")}
            days = (wall_of(body["start"], zone) + by).date() - wall_of(body["start"], zone).date()
            if "recurrence" in body and days:
                change["recurrence"] = [_weekdays_shifted(line, days.days) for line in body["recurrence"]]
            return change

        self._edit(calendar, name, at, dragged)

    def resize(self, calendar: str, name: str, by: timedelta, at: datetime | None = None) -> None:
        """Pull its lower edge."""
        self._edit(calendar, name, at, lambda place, body: {"end": _shifted(body["end"], by, place.zone)})

    def retitle(self, calendar: str, name: str, title: str, at: datetime | None = None) -> None:
        """Write another title."""
        self._edit(calendar, name, at, lambda _place, _body: {"summary": title})

    def change(self, calendar: str, name: str, body: Json, at: datetime | None = None) -> None:
        """Save the event's page with other contents: a patch of any fields."""
        self._edit(calendar, name, at, lambda _place, _body: body)

    def make_all_day(self, calendar: str, name: str, at: datetime | None = None) -> None:
        """Tick "all day"."""

        def widened(place: Place, body: Json) -> Json:
            first = wall_of(body["start"], place.zone).date()
            none = {"dateTime": None, "timeZone": None}
            return {
                "start": {"date": first.isoformat(), **none},
                "end": {"date": (first + timedelta(days=1)).isoformat(), **none},
            }

        self._edit(calendar, name, at, widened)

    def rezone(self, calendar: str, name: str, zone: str) -> None:
        """Choose another time zone and keep the wall time."""

        def moved(place: Place, body: Json) -> Json:
            walls = {part: wall_of(body[part], place.zone) for part in ("start", "end")}
            return {
                part: {"dateTime": wall.replace(tzinfo=ZoneInfo(zone)).isoformat(), "timeZone": zone}
                for part, wall in walls.items()
            }

        self._edit(calendar, name, None, moved)

    def mark_free(self, calendar: str, name: str, at: datetime | None = None) -> None:
        """Show it as free."""
        self._edit(calendar, name, at, lambda _place, _body: {"transparency": "transparent"})

    def publish(self, calendar: str, name: str) -> None:
        """Make it public."""
        self._edit(calendar, name, None, lambda _place, _body: {"visibility": "public"})

    def add_guest(self, calendar: str, name: str, email: str) -> None:
        """Invite somebody, without sending the invitation."""
        guest = {"email": email, "responseStatus": "needsAction"}
        self._edit(calendar, name, None, lambda _p, body: {"attendees": [*body.get("attendees", []), guest]})

    def answer(self, calendar: str, name: str, word: str, at: datetime | None = None) -> None:
        """Say yes or no oneself: accepted, tentative or declined."""
        own = {"email": self.email, "self": True, "responseStatus": word}
        self._edit(
            calendar,
            name,
            at,
            lambda _p, body: {"attendees": [*[a for a in body.get("attendees", []) if not a.get("self")], own]},
        )

    def decorate(self, calendar: str, name: str) -> None:
        """Give it a colour, a reminder of one's own and a note under the description."""

        def noted(_place: Place, body: Json) -> Json:
            return {
                "colorId": "11",
                "reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 25}]},
                "description": (body.get("description", "") + "\nbring the file").strip(),
            }

        self._edit(calendar, name, None, noted)

    def strip_properties(self, calendar: str, name: str) -> None:
        """Save it with a client that drops what it does not know."""
        self._edit(calendar, name, None, lambda _place, _body: {"extendedProperties": None})

    def add(self, calendar: str, body: Json, *, like: str | None = None) -> str:
        """Add an event of one's own, with an id of Google's making; `like`: as a duplicate, properties copied."""
        with self.lock:
            place = self.place(calendar)
            if like is not None:
                original = place.calendar.rows[like].body
                kept: Json = {key: original[key] for key in ("extendedProperties", "visibility") if key in original}
                body = {**kept, **body}
            return str(events.insert(place, body)["id"])

    def duplicate(self, calendar: str, name: str, by: timedelta) -> str:
        """Choose Duplicate, and save the copy some time later."""
        place = self.place(calendar)
        body = place.calendar.rows[name].body
        copied = ("summary", "description", "location", "recurrence", "transparency")
        fresh: Json = {key: body[key] for key in copied if key in body}
        times = {part: _shifted(body[part], by, place.zone) for part in ("start", "end")}
        return self.add(calendar, {**fresh, **times}, like=name)

    def delete(self, calendar: str, name: str, at: datetime | None = None) -> None:
        """Delete it: one occurrence, or the event with all of it; it lies in the trash then."""
        with self.lock:
            place = self.place(calendar)
            target = name if at is None else self._instance(place, name, at)
            events.delete(place, target, None)

    def restore(self, calendar: str, name: str) -> None:
        """Take it out of the trash."""
        with self.lock:
            place = self.place(calendar)
            events.patch(place, name, {"status": "confirmed"}, None)

    def empty_trash(self, calendar: str, *, vanish: bool = False) -> None:
        """Delete for ever; with `vanish`, not even the tombstones are left (their names stay taken)."""
        with self.lock:
            for row in self.place(calendar).calendar.rows.values():
                if row.cancelled:
                    row.trash = "vanished" if vanish else "purged"

    def move(self, calendar: str, name: str, destination: str) -> None:
        """Choose another calendar on the event's page."""
        with self.lock:
            place = self.place(calendar)
            events.relocate(place, place.calendar.rows[name], self.place(destination).calendar)

    def split(self, calendar: str, name: str, at: datetime, by: timedelta = timedelta()) -> str:
        """Drag "this and following": the old series ends, a new one with copied properties goes on [36]."""
        with self.lock:
            place = self.place(calendar)
            row = place.calendar.rows[name]
            starts = list(slots(row.body, place.zone))
            earlier, later = [one for one in starts if one < at], [one for one in starts if one >= at]
            tail = self._tail(place, row, at, by, len(later))
            for exception in list(place.calendar.exceptions(name)):
                if instant_of(exception.body["originalStartTime"], place.zone) >= at:
                    self.state.drop(place.calendar, exception.id)
            cut = _cut_rule(row.body, at, len(earlier), place)
            events.patch(place, name, {"recurrence": cut}, None)
            self.state.store(place.calendar, tail)
            self.state.changed(place.calendar)
            return str(tail["id"])

    def delete_following(self, calendar: str, name: str, at: datetime) -> None:
        """Delete "this and following"."""
        with self.lock:
            place = self.place(calendar)
            row = place.calendar.rows[name]
            earlier = [one for one in slots(row.body, place.zone) if one < at]
            events.patch(place, name, {"recurrence": _cut_rule(row.body, at, len(earlier), place)}, None)

    def empty(self, calendar: str) -> None:
        """Delete every event."""
        for body in self.events(calendar):
            self.delete(calendar, body["id"])

    def remove_calendar(self, calendar: str) -> None:
        """Delete the whole calendar."""
        with self.lock:
            del self.state.calendars[self.place(calendar).calendar.id]

    def make_calendar(self, summary: str, zone: str = "") -> str:
        """Make a secondary calendar; returns its id."""
        with self.lock:
            return self.state.add_calendar(self.email, summary, zone).id

    def seed(self, calendar: str, bodies: list[Json]) -> CalendarState:
        """Fill a calendar directly, for large runs: bodies as for an insert, with ids."""
        with self.lock:
            place = self.place(calendar)
            for body in bodies:
                events.insert(place, body)
            return place.calendar

    # -- how

    def _edit(self, calendar: str, name: str, at: datetime | None, change: Callable[[Place, Json], Json]) -> None:
        with self.lock:
            place = self.place(calendar)
            target = name if at is None else self._instance(place, name, at)
            body = events.find(place, target).body
            events.patch(place, target, change(place, body), None)

    def _instance(self, place: Place, master: str, at: datetime) -> str:
        for row in place.calendar.exceptions(master):
            if instant_of(row.body["originalStartTime"], place.zone) == at:
                return row.id
        return events.instance_id(place, place.calendar.rows[master].body, at)

    def _tail(self, place: Place, row: Row, at: datetime, by: timedelta, count: int) -> Json:
        body, zone = row.body, place.zone
        base = re.sub(r"_R[0-9T]+$", "", row.id)
        name = f"{base}_R{at.astimezone(UTC):%Y%m%dT%H%M%S}"
        if by:
            # With a changed time a fresh id appears (addendum).
            name = hashlib.sha256(f"{row.id} {at} {by}".encode()).hexdigest()[:26]
        start = moment_at(at, body["start"], zone)
        end = moment_at(at + span_of(body, zone), body["end"], zone)
        days = (wall_of(start, zone) + by).date() - wall_of(start, zone).date()
        rule = [
            _weekdays_shifted(re.sub(r"COUNT=\d+", f"COUNT={count}", line), days.days) for line in body["recurrence"]
        ]
        return {
            **body,
            "id": name,
            "iCalUID": f"{name}@google.com",
            "start": _shifted(start, by, zone),
            "end": _shifted(end, by, zone),
            "recurrence": [line for line in rule if line.startswith("RRULE")],
            "sequence": body["sequence"] + (1 if by else 0),
        }


def _cut_rule(body: Json, at: datetime, earlier: int, place: Place) -> list[str]:
    """End a rule before an occurrence: by COUNT where the switch says so, else by UNTIL, the end of the day before."""
    lines = []
    for line in body["recurrence"]:
        if not line.startswith("RRULE"):
            lines.append(line)
            continue
        bare = re.sub(r";?(COUNT=\d+|UNTIL=[0-9TZ]+)", "", line)
        if place.state.knobs.split_by_count and "COUNT" in line:
            lines.append(f"{bare};COUNT={earlier}")
            continue
        zone = ZoneInfo(body["start"].get("timeZone", place.zone))
        day = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(seconds=1)
        lines.append(f"{bare};UNTIL={day.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    return [line.replace("RRULE:;", "RRULE:") for line in lines]


def _shifted(moment: Json, by: timedelta, zone: str) -> Json:
    wall = wall_of(moment, zone) + by
    if "date" in moment:
        return {"date": wall.date().isoformat()}
    own = moment.get("timeZone", zone)
    return {"dateTime": wall.replace(tzinfo=ZoneInfo(own)).isoformat(), "timeZone": own}


def _weekdays_shifted(line: str, days: int) -> str:
    names = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

    def shifted(found: re.Match[str]) -> str:
        parts = found[1].split(",")
        return "BYDAY=" + ",".join(part[:-2] + names[(names.index(part[-2:]) + days) % 7] for part in parts)

    return re.sub(r"BYDAY=([A-Z0-9,+-]+)", shifted, line) if days else line
