"""The real worker and a real store in front of the Graph stand-in: one provider, one calendar, people and weather."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from calsync.connector.protocol import Calendar, CalendarPlace
from calsync.connector.wrappers import WrapPorts
from calsync.domain.span import wall_time
from calsync.sandbox.graph.ids import calendar_id, event_id
from calsync.sandbox.graph.knobs import Knobs
from calsync.sandbox.graph.people import Person
from calsync.sandbox.graph.server import Sandbox
from calsync.store.calendars import CalendarRow
from calsync.worker.context import PassResult
from calsync_outlook.connector import CONNECTOR
from tests.servers.graph_subject import UPN, Login
from tests.system.service_world import KeptOpener, ServiceWorld
from tests.unit.worker.world import ZONE

FAR = datetime(2029, 1, 1, tzinfo=UTC)


@dataclass(kw_only=True)
class GraphOpener(KeptOpener):
    """Opens the calendar as an app that may see all mailboxes."""

    login: Login
    remote: str

    def client(self, row: CalendarRow) -> Calendar:
        """See `KeptOpener`."""
        return CONNECTOR.open(self.login.request(UPN), CalendarPlace(self.remote))


class GraphWorld(ServiceWorld):
    """As `World`, on Outlook: `person` edits, `graph` has knobs and weather."""

    connector = "outlook"
    opener: GraphOpener

    def __init__(self, folder: Path, knobs: Knobs | None = None) -> None:
        super().__init__()
        self.graph = Sandbox(self.clock, knobs or Knobs()).start()
        self.person: Person = self.graph.add_person(UPN)
        self.other = self.graph.state.add_calendar(self.person.mailbox, "Private")
        self.remote = calendar_id(self.person.calendar, immutable=True)
        ports = WrapPorts(self.clock, self.ids, self.sleep)
        self.opener = GraphOpener(login=Login(self.graph, folder), ports=ports, remote=self.remote)
        self.worker = self.new_worker()

    def close(self) -> None:
        """Take everything down."""
        super().close()
        self.graph.stop()

    # What there is.

    def starts(self) -> dict[str, datetime]:
        """Wall-time starts of singles and masters, by id."""
        items = self.person.items()
        return {event_id(item, immutable=True): wall_time(item.when.start, ZONE) for item in items}

    def only_event(self) -> str:
        """The id of the only event."""
        (name,) = self.person.ids()
        return name

    def occurrences(self, name: str) -> list[datetime]:
        """Wall-time starts of what people see of a series."""
        item, state = self.person.item(name), self.graph.state
        days = state.shown_slots(item, datetime(2025, 1, 1, tzinfo=UTC), FAR)
        return sorted(wall_time(item.shown_when(day).start, ZONE) for day in days)

    def calls(self, *routes: str) -> int:
        """How many requests to these routes there were since `forget_calls`."""
        return sum(1 for route, _ in self.graph.api.log if route in routes)

    def forget_calls(self) -> None:
        """Start counting anew."""
        self.graph.api.log.clear()

    def settled(self) -> None:
        """Run until our own writes have come back in the feed."""
        for _ in range(3):
            self.run()
            self.later(seconds=10)

    def noticed(self) -> PassResult:
        """Let an edit show in delta, and run."""
        self.later(seconds=10)
        return self.run()
