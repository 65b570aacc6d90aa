"""The stand-in in a process of its own, ordered by JSON lines: `… benchmarks.outlook.stand_in MAILBOXES EVENTS`."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from calsync.sandbox.graph.ids import calendar_id
from calsync.sandbox.graph.knobs import Knobs
from calsync.sandbox.graph.people import Person
from calsync.sandbox.graph.server import Sandbox
from calsync.sandbox.graph.state import When
from calsync.system_ports import SystemClock
from calsync_outlook.ours import MARKER, UID, ZONE

HOME = "America/New_York"
TENANT = "practice.example"
MONDAY = datetime(2027, 1, 4, 13, tzinfo=UTC)


def address(number: int) -> str:
    """The n-th mailbox."""
    return f"p{number}@practice.example"


def when(number: int) -> When:
    """The n-th event's time."""
    at = MONDAY + timedelta(days=number // 8, hours=number % 8)
    return When(at, at + timedelta(minutes=50))


def fill(person: Person, events: int) -> list[str]:
    """Put events into a calendar as calsync writes them; returns their ids."""
    for number in range(events):
        fields: dict[str, Any] = {"subject": "Session", "sensitivity": "private"}
        item = person.state.add(person.mailbox, person.calendar, when(number), fields)
        item.props = {MARKER: "m", UID: f"u{number}", ZONE: HOME}
    return person.ids()


def main() -> None:
    count, events = int(sys.argv[1]), int(sys.argv[2])
    sandbox = Sandbox(SystemClock(), Knobs(kept_tokens=10_000_000, lag=timedelta(0))).start()
    people = [sandbox.add_person(address(number)) for number in range(count)]
    names = [fill(person, events) for person in people]
    told = {
        "graph": sandbox.graph_url,
        "authority": sandbox.root,
        "ca": str(sandbox.ca_file),
        "mailboxes": [[person.mailbox.upn, calendar_id(person.calendar, immutable=True)] for person in people],
    }
    print(json.dumps(told), flush=True)
    for line in sys.stdin:
        for box, number in json.loads(line)["drag"]:
            people[box].drag(names[box][number], timedelta(minutes=15))
        print(json.dumps({"requests": len(sandbox.api.log)}), flush=True)
    sandbox.stop()


if __name__ == "__main__":
    main()
