"""A person with an ordinary CalDAV client (the `caldav` package), whose edits are encoded by `icalendar`, not by us."""

from __future__ import annotations

import contextlib
import uuid
from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import icalendar
from caldav.davclient import DAVClient
from caldav.lib.error import DAVError
from niquests.exceptions import ConnectionError as RequestsConnectionError

from calsync.domain.event import Appearance, Event
from calsync.domain.span import wall_time
from calsync.testing.conformance import PersonHands
from calsync.testing.edits import Edit
from calsync_caldav.ics_text import IcsRefused
from calsync_caldav.mapping import Reader, read_event
from tests.servers.process import Account

OWN_PROPERTIES = ("COLOR", "CATEGORIES", "X-NOTE", "ATTACH")


class CaldavPerson(PersonHands):
    """Edits one calendar (`url` ends in a slash), reading floating times in `zone`."""

    def __init__(self, account: Account, url: str, zone: str) -> None:
        self.url = url
        self._zone = zone
        self.client: Any = _PatientClient(
            url,
            username=account.username,
            password=account.password,
            auth_type=account.scheme,
            timeout=20,
            enable_rfc6764=False,
        )

    def close(self) -> None:
        """Give back connections."""
        self.client.close()

    def make_calendar(self, url: str | None = None) -> None:
        """Make this calendar, or another one."""
        assert self.client.mkcalendar(url or self.url).status == 201

    def remove_calendar(self, url: str | None = None) -> None:
        """Remove this calendar, or another one; one that is gone already is fine."""
        self.client.request(url or self.url, "DELETE")

    def count(self) -> int:
        """See `PersonHands`."""
        return len(self.client.calendar(url=self.url).get_events())

    def see(self, remote_id: str) -> Event | None:
        """See `PersonHands`."""
        response = self.client.request(self.url + remote_id)
        if response.status == 404:
            return None
        return read_event(response.raw.encode(), Reader(self._zone)).event

    def raw(self, remote_id: str) -> object:
        """See `PersonHands`."""
        return self._get(remote_id)

    def save(self, remote_id: str, change: Edit) -> None:
        """See `PersonHands`."""
        event = self.see(remote_id)
        assert event is not None
        calendar = _parsed(self._get(remote_id))
        self.put(remote_id, encoded(calendar, change(event)))

    def add(self, event: Event, *, like: str | None = None) -> str:
        """See `PersonHands`."""
        calendar = _parsed(self._get(like)) if like else _empty()
        remote_id = f"{uuid.uuid4()}.ics"
        self.put(remote_id, encoded(calendar, event))
        return remote_id

    def delete(self, remote_id: str) -> None:
        """See `PersonHands`."""
        assert self.client.request(self.url + remote_id, "DELETE").status in {200, 204}

    def decorate(self, remote_id: str) -> None:
        """See `PersonHands`."""
        calendar = _parsed(self._get(remote_id))
        for part in calendar.walk("VEVENT"):
            part.add("color", "tomato")
            part.add("categories", ["work", "mine"])
            part.add("x-note", "bring the file")
            part.add("attach", "https://example.org/file.pdf")
            part["DESCRIPTION"] = icalendar.vText(f"{part.get('DESCRIPTION', '')}\nmy own note")
            alarm = icalendar.Alarm()
            alarm.add("action", "DISPLAY")
            alarm.add("description", "soon")
            alarm.add("trigger", datetime(2026, 1, 1, tzinfo=UTC))
            part.add_component(alarm)
        self.put(remote_id, calendar)

    def decorations(self, remote_id: str) -> object:
        """See `PersonHands`."""
        calendar = _parsed(self._get(remote_id))
        master = next(part for part in calendar.walk("VEVENT") if "RECURRENCE-ID" not in part)
        lines = master.property_items(recursive=False)
        own = sorted((name, value.to_ical()) for name, value in lines if name in OWN_PROPERTIES)
        alarms = [alarm.to_ical() for alarm in master.walk("VALARM")]
        return (own, alarms, "my own note" in master["DESCRIPTION"]) if own else None

    def strip_marker(self, remote_id: str) -> None:
        """See `PersonHands`."""
        calendar = _parsed(self._get(remote_id))
        for part in calendar.walk("VEVENT"):
            part.pop("X-CALSYNC", None)
        self.put(remote_id, calendar)

    def spoil(self, remote_id: str) -> None:
        """See `PersonHands`."""
        before = self._get(remote_id)
        for nonsense in (_ends_before_it_starts, _never_starts, _comes_every_second):
            calendar = _parsed(before)
            for part in calendar.walk("VEVENT"):
                nonsense(part)
            with contextlib.suppress(DAVError):
                self.put(remote_id, calendar)
            if self._is_nonsense(remote_id):  # what one server refuses or mends, another takes
                return
        raise AssertionError("the server takes no nonsense")

    def _is_nonsense(self, remote_id: str) -> bool:
        try:
            self.see(remote_id)
        except IcsRefused:
            return True
        return False

    def move_away(self, remote_id: str) -> None:
        """See `PersonHands`."""
        headers = {"Destination": other_calendar(self.url) + remote_id}
        assert self.client.request(self.url + remote_id, "MOVE", "", headers).status in {200, 201, 204}

    def put(self, remote_id: str, calendar: Any) -> None:
        """Save a resource, whatever stands there."""
        body = calendar if isinstance(calendar, bytes) else calendar.to_ical()
        response = self.client.put(self.url + remote_id, body.decode(), {"Content-Type": "text/calendar"})
        assert response.status in {201, 204}, response.status

    def names(self) -> list[str]:
        """The remote ids of all events, sorted."""
        return sorted(
            unquote(str(event.url).rpartition("/")[2]) for event in self.client.calendar(url=self.url).get_events()
        )

    def _get(self, remote_id: str) -> bytes:
        response = self.client.request(self.url + remote_id)
        assert response.status == 200
        return str(response.raw).encode()


class _PatientClient(DAVClient):
    """Asks again where the server closed the connection at that moment (SOGo does so after each answer)."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """See `DAVClient`."""
        for _ in range(5):
            with contextlib.suppress(RequestsConnectionError):
                return super().request(*args, **kwargs)
        return super().request(*args, **kwargs)


def other_calendar(url: str) -> str:
    """The second calendar of the account that holds the calendar at `url`."""
    return f"{url.rstrip('/')}-other/"


def encoded(calendar: Any, event: Event) -> Any:
    """The resource with the event in it, every property that the event does not speak about kept."""
    parts = list(calendar.walk("VEVENT"))
    master = next((part for part in parts if "RECURRENCE-ID" not in part), None) or icalendar.Event()
    old = {_original(part, event): part for part in parts if "RECURRENCE-ID" in part}
    calendar.subcomponents = [part for part in calendar.subcomponents if part.name != "VEVENT"]
    zone = event.master.span.zone
    plain = deepcopy(master)
    for name in ("RRULE", "RDATE", "EXDATE", "X-CALSYNC"):
        plain.pop(name, None)
    _encode_master(master, event, zone)
    calendar.add_component(master)
    for override in event.overrides:
        part = old.get(override.original_start) or deepcopy(plain)
        _encode(part, event.uid, override.appearance)
        _exchange(part, "recurrence-id", _local(override.original_start, event))
        calendar.add_component(part)
    return calendar


def _encode_master(master: Any, event: Event, zone: str) -> None:
    _encode(master, event.uid, event.master)
    for name in ("RRULE", "RDATE", "EXDATE"):
        master.pop(name, None)
    if event.location:
        _exchange(master, "location", event.location)
    if event.recurrence is not None:
        master.add("rrule", icalendar.vRecur.from_ical(event.recurrence.rule))
        for at in event.recurrence.added:
            master.add("rdate", _local(at, event))
        for at in event.recurrence.excluded:
            master.add("exdate", _local(at, event))


def _encode(part: Any, uid: str, looks: Appearance) -> None:
    _exchange(part, "uid", uid)
    _exchange(part, "dtstamp", datetime(2026, 1, 1, tzinfo=UTC))
    _exchange(part, "summary", looks.title)
    _exchange(part, "dtstart", _time(looks.span.start, looks.span.zone, all_day=looks.span.all_day))
    part.pop("DURATION", None)
    _exchange(part, "dtend", _time(looks.span.end, looks.span.zone, all_day=looks.span.all_day))
    _exchange(part, "status", "CANCELLED" if looks.cancelled else "CONFIRMED")
    _exchange(part, "transp", "OPAQUE" if looks.busy else "TRANSPARENT")


def _ends_before_it_starts(part: Any) -> None:
    _exchange(part, "dtend", datetime(2020, 1, 1, tzinfo=UTC))


def _never_starts(part: Any) -> None:
    part.pop("DTSTART")
    part.pop("DTEND")


def _comes_every_second(part: Any) -> None:
    part.add("rrule", {"FREQ": "SECONDLY"})


def _exchange(part: Any, name: str, value: object) -> None:
    part.pop(name.upper(), None)
    part.add(name, value)


def _time(wall: datetime, zone: str, *, all_day: bool) -> date:
    return wall.date() if all_day else wall.replace(tzinfo=ZoneInfo(zone))


def _local(at: datetime, event: Event) -> date:
    span = event.master.span
    return _time(wall_time(at, span.zone), span.zone, all_day=span.all_day)


def _original(part: Any, event: Event) -> datetime:
    at = part["RECURRENCE-ID"].dt
    if not isinstance(at, datetime):
        at = datetime(at.year, at.month, at.day, tzinfo=ZoneInfo(event.master.span.zone))
    return at.astimezone(UTC)


def _parsed(body: bytes) -> Any:
    return icalendar.Calendar.from_ical(body)


def _empty() -> Any:
    calendar = icalendar.Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//person//test//EN")
    return calendar
