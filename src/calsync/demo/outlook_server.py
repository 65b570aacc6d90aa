"""A provider on Outlook for the demo: the stand-in with their mailbox, their part of the config, their hands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from calsync.domain.span import wall_time
from calsync.ports import Clock
from calsync.sandbox.graph.ids import event_id
from calsync.sandbox.graph.people import Person
from calsync.sandbox.graph.server import CLIENT_ID, Sandbox
from calsync.sandbox.graph.state import Item


@dataclass(frozen=True, slots=True)
class OutlookDesk:
    """The running stand-in and the person who has a mailbox there."""

    sandbox: Sandbox
    person: Person
    upn: str
    zone: str

    def write_config(self, folder: Path, provider: str, name: str) -> str:
        """Write the token into a folder; returns their part of the config, with the connector's."""
        token = folder / f"{provider}.token"
        token.touch(mode=0o600)
        token.write_text(f"{self.sandbox.tokens.consent(self.upn)}\n", encoding="utf-8")
        return (
            f'\n[connectors.outlook]\ngraph_url = "{self.sandbox.graph_url}"\nauthority = "{self.sandbox.root}"\n'
            f'tenant = "organizations"\nclient_id = "{CLIENT_ID}"\nca_file = "{self.sandbox.ca_file}"\n'
            f'\n[[providers]]\nid = "{provider}"\nname = "{name}"\nemail = "{self.upn}"\nzone = "{self.zone}"\n'
            f'[[providers.calendars]]\nid = "{provider}-calendar"\nconnector = "outlook"\n'
            f'refresh_token_file = "{provider}.token"\n'
        )

    def starts(self) -> list[datetime]:
        """Wall-time starts of all that their calendars show."""
        with self.sandbox.lock:
            return sorted(self._start(item) for item in self.person.mailbox.items.values())

    def drag(self, start: datetime, by: timedelta) -> None:
        """Drag what starts at a wall time."""
        hands, name = self._at(start)
        hands.drag(name, by)

    def delete(self, start: datetime) -> None:
        """Delete what starts at a wall time."""
        hands, name = self._at(start)
        hands.delete(name)

    def _at(self, start: datetime) -> tuple[Person, str]:
        with self.sandbox.lock:
            item = next(one for one in self.person.mailbox.items.values() if self._start(one) == start)
            hands = Person(self.sandbox.state, self.person.mailbox, self.sandbox.lock, item.calendar)
            return hands, event_id(item, immutable=True)

    def _start(self, item: Item) -> datetime:
        return wall_time(item.when.start, self.zone)


@contextmanager
def running_outlook(clock: Clock, upn: str, zone: str) -> Iterator[OutlookDesk]:
    """The stand-in on a free port of this machine, until the end of the block."""
    sandbox = Sandbox(clock).start()
    try:
        yield OutlookDesk(sandbox, sandbox.add_person(upn), upn, zone)
    finally:
        sandbox.stop()
