"""A person's calendar program that speaks plain HTTP: it edits the text of events, as other programs write it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

import httpx

ICAL = {"Content-Type": "text/calendar; charset=utf-8"}


@dataclass(slots=True)
class Hands:
    """One account of a server. `url` is its home; `calendar` the address of the calendar that calsync made there."""

    home: str
    user: str
    calendar: str = ""
    client: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(auth=(self.user, self.user), timeout=30, trust_env=False, verify=False)

    def find(self) -> Hands:
        """Look for the calendar that calsync made; there must be exactly one."""
        found = self.calendars()
        assert len(found) == 1, found
        self.calendar = found[0]
        return self

    def calendars(self) -> list[str]:
        """Addresses of all calendars of the account."""
        answer = self.ask("PROPFIND", self.home, headers={"Depth": "1"})
        root = self.home.split("/", 3)
        hrefs = re.findall(r"<(?:\w+:)?href>([^<]*)</", answer.text)
        inside = {href for href in hrefs if href.startswith(f"/{root[3]}") and href != f"/{root[3]}"}
        return sorted(f"{root[0]}//{root[2]}{href}" for href in inside)

    def names(self) -> list[str]:
        """Names of all events in the calendar."""
        answer = self.ask("PROPFIND", self.calendar, headers={"Depth": "1"})
        hrefs = re.findall(r"<(?:\w+:)?href>([^<]*)</", answer.text)
        return sorted(href.rpartition("/")[2] for href in hrefs if href.endswith(".ics"))

    def events(self) -> dict[str, str]:
        """All events: name and text, with unfolded lines that end in LF."""
        return {name: self.get(name) for name in self.names()}

    def name_of(self, part: str) -> str:
        """The name of the one event whose text has `part` in it."""
        found = [name for name, text in self.events().items() if part in text]
        assert len(found) == 1, (part, found, self.events())
        return found[0]

    def get(self, name: str) -> str:
        """An event's text with unfolded lines that end in LF."""
        answer = self.ask("GET", self.calendar + name)
        assert answer.status_code == 200, answer
        return answer.text.replace("\r\n", "\n").replace("\n ", "")

    def put(self, name: str, text: str, *, ends: str = "\r\n") -> None:
        """Save an event, whatever stands there."""
        body = text.replace("\n", ends).encode()
        answer = self.ask("PUT", self.calendar + name, content=body, headers=ICAL)
        assert answer.status_code in (200, 201, 204), (answer.status_code, answer.text)

    def delete(self, name: str) -> None:
        """Delete an event."""
        answer = self.ask("DELETE", self.calendar + name)
        assert answer.status_code in (200, 204), answer

    def rewrite(self, name: str, *changes: tuple[str, str], ends: str = "\r\n") -> None:
        """Replace what the patterns match in an event's VEVENT, leaving its VTIMEZONE alone; each must match."""
        text = self.get(name)
        head, begin, event = text.partition("BEGIN:VEVENT")
        for pattern, new in changes:
            event, count = re.subn(pattern, new, event, flags=re.MULTILINE)
            assert count, (pattern, event)
        self.put(name, head + begin + event, ends=ends)

    def drag(self, name: str, start: datetime, end: datetime, zone: str) -> None:
        """Move an event as most programs do: both times in the zone that it had."""
        self.rewrite(
            name,
            (r"^DTSTART[^\n]*", f"DTSTART;TZID={zone}:{start:%Y%m%dT%H%M%S}"),
            (r"^DTEND[^\n]*", f"DTEND;TZID={zone}:{end:%Y%m%dT%H%M%S}"),
        )

    def starts(self) -> list[str]:
        """What follows the colon of every DTSTART of an event in the calendar, sorted."""
        return sorted(
            line.rpartition(":")[2]
            for text in self.events().values()
            for line in re.findall(r"^DTSTART[^\n]*", text.partition("BEGIN:VEVENT")[2], flags=re.MULTILINE)
        )

    def ask(
        self, method: str, url: str, *, content: bytes | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send one request; the password is the name."""
        return self.client.request(method, url, content=content, headers=headers)
