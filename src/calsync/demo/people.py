"""People with an ordinary CalDAV client, who know nothing of calsync: they drag, shorten, delete, split and wipe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import icalendar
from caldav.davclient import DAVClient

from calsync.demo.caldav_server import CaldavServer

NEW_UID = "made-by-hand"


@dataclass(slots=True)
class Person:
    """A provider at their own calendar."""

    name: str
    calendar: Any

    @classmethod
    def at(cls, server: CaldavServer, name: str) -> Person:
        """Log in and open the calendar that calsync made."""
        client = DAVClient(
            server.home_of(name), username=name, password=name, auth_type="basic", timeout=30, enable_rfc6764=False
        )
        calendars: Any = client.get_principal().get_calendars()  # a list; the coroutine is for its asynchronous twin
        found = [c for c in calendars if c.get_display_name() == "Appointments"]
        return cls(name, found[0])

    def events(self) -> list[Any]:
        """All events, as the client gives them."""
        return list(self.calendar.events())

    def drag(self, start: datetime, by: timedelta) -> None:
        """Move the single event that starts then (wall time)."""
        event = self._find(start)
        component = _master(event)
        _shift(component, by)
        _save(event)

    def shorten(self, start: datetime, by: timedelta) -> None:
        """Pull its end."""
        event = self._find(start)
        component = _master(event)
        _set_time(component, "dtend", component["dtend"].dt - by)
        _save(event)

    def delete(self, start: datetime) -> None:
        """Remove it."""
        self._find(start).delete()

    def drag_occurrence(self, first: datetime, number: int, by: timedelta) -> None:
        """Move one occurrence of the weekly series that starts at `first`; `number` counts from 0."""
        event = self._find(first)
        master = _master(event)
        slot = master["dtstart"].dt + timedelta(weeks=number)
        single = icalendar.Event()
        for key in ("uid", "summary", "dtstamp", "class", "transp", "x-calsync"):
            if key in master:
                single.add(key, master[key])
        length = master["dtend"].dt - master["dtstart"].dt
        single.add("recurrence-id", slot)
        single.add("dtstart", slot + by)
        single.add("dtend", slot + by + length)
        event.icalendar_instance.add_component(single)
        _save(event)

    def split(self, first: datetime, number: int, by: timedelta) -> None:
        """Change "this and following": end the series before occurrence `number`, go on with a moved copy."""
        event = self._find(first)
        master = _master(event)
        slot = master["dtstart"].dt + timedelta(weeks=number)
        whole = icalendar.Calendar.from_ical(event.icalendar_instance.to_ical())
        rest = next(c for c in whole.walk("VEVENT") if "recurrence-id" not in c)
        rest["uid"] = icalendar.vText(f"{NEW_UID}-{self.name}-{number}")
        length = master["dtend"].dt - master["dtstart"].dt
        _set_time(rest, "dtstart", slot + by)
        _set_time(rest, "dtend", slot + by + length)
        rest["rrule"] = icalendar.vRecur({"freq": "weekly", "count": 8 - number})
        master["rrule"] = icalendar.vRecur({"freq": "weekly", "count": number})
        _save(event)
        self.calendar.add_event(whole.to_ical().decode())

    def wipe(self) -> int:
        """Remove everything; returns how much that was."""
        events = self.events()
        for event in events:
            event.delete()
        return len(events)

    def add_own(self, title: str, day: date) -> None:
        """Note something private in the same calendar."""
        self.calendar.add_event(dtstart=day, dtend=day + timedelta(days=1), summary=title, uid=f"own-{self.name}")

    def _find(self, start: datetime) -> Any:
        for event in self.events():
            if _wall(_master(event)["dtstart"].dt) == start:
                return event
        raise LookupError(f"{self.name} sees no event at {start}")


def shown_starts(events: Iterable[Any]) -> list[datetime]:
    """Wall-time starts of the masters of events, sorted."""
    return sorted(_wall(_master(event)["dtstart"].dt) for event in events)


def _wall(value: date) -> datetime:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else datetime(value.year, value.month, value.day)


def _master(event: Any) -> Any:
    parts = [part for part in event.icalendar_instance.walk("VEVENT") if "recurrence-id" not in part]
    return parts[0]


def _shift(component: Any, by: timedelta) -> None:
    for key in ("dtstart", "dtend"):
        _set_time(component, key, component[key].dt + by)


def _set_time(component: Any, key: str, value: datetime) -> None:
    del component[key]
    component.add(key, value)


def _save(event: Any) -> None:
    event.data = event.icalendar_instance.to_ical().decode()
    event.save()
