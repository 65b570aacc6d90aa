"""The stand-in in a process of its own, ordered by JSON lines: `… benchmarks.google.stand_in CALENDARS EVENTS`."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import datetime, timedelta
from typing import Any

from calsync.sandbox.google.discovery import SCOPE
from calsync.sandbox.google.knobs import Knobs
from calsync.sandbox.google.people import Person
from calsync.sandbox.google.server import Sandbox
from calsync.system_ports import SystemClock

OWNER = "ash@practice.example"
ZONE = "America/New_York"
MONDAY = datetime(2027, 1, 4, 8)


def start(calendars: int) -> tuple[Sandbox, Person, list[str]]:
    """A running stand-in with that many empty calendars of one person."""
    sandbox = Sandbox(SystemClock(), Knobs(rate_per_minute=0, short_pages=False, empty_pages=False)).start()
    sandbox.state.keep_calls = False
    sandbox.tokens.add_client()
    person = sandbox.add_person(OWNER, ZONE)
    return sandbox, person, [person.make_calendar(f"Calendar {number}", ZONE) for number in range(calendars)]


def body(number: int, marker: dict[str, str]) -> dict[str, Any]:
    """One event as calsync writes it."""
    at = MONDAY + timedelta(days=number // 8, hours=number % 8)
    return {
        "id": hashlib.sha256(str(number).encode()).hexdigest()[:32],
        "summary": "Session",
        "start": {"dateTime": at.isoformat(), "timeZone": ZONE},
        "end": {"dateTime": (at + timedelta(minutes=50)).isoformat(), "timeZone": ZONE},
        "extendedProperties": {"private": marker},
        "visibility": "private",
    }


def main() -> None:
    count, events = int(sys.argv[1]), int(sys.argv[2])
    sandbox, person, names = start(count)
    for name in names:
        person.seed(name, [body(number, {"calsync": "m", "calsyncUid": f"u{number}"}) for number in range(events)])
    token = sandbox.tokens.consent(OWNER, {f"{SCOPE}calendar.events.owned"})
    told = {"api": sandbox.api_endpoint, "tokens": sandbox.token_uri, "refresh": token, "calendars": names}
    print(json.dumps(told), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        for calendar, number in order["drag"]:
            person.drag(names[calendar], body(number, {})["id"], timedelta(minutes=15))
        print(json.dumps({"requests": sandbox.state.requests}), flush=True)
    sandbox.stop()


if __name__ == "__main__":
    main()
