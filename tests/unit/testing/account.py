"""One account with two calendars, for tests of calendars in memory."""

from collections.abc import Sequence
from datetime import timedelta

from calsync.connector.protocol import Item, Page, Reading, Write, WriteResult
from calsync.domain.event import Event
from calsync.domain.write import WriteKind
from calsync.testing.conformance.samples import WINDOW
from calsync.testing.fake_ports import FakeClock
from calsync.testing.memory_calendar import MemoryCalendar, MemoryService
from calsync.testing.people import People
from calsync.testing.personality import CALDAV_SYNC, Personality
from calsync.testing.weather import Weather


class Account:
    def __init__(self, personality: Personality = CALDAV_SYNC) -> None:
        self.clock = FakeClock()
        self.weather = Weather()
        self.service = MemoryService(personality, clock=self.clock, weather=self.weather)
        self.service.add_calendar("work")
        self.service.add_calendar("private")
        self.calendar = MemoryCalendar(self.service, "work")
        self.person = People(self.service, "work")
        self.known: dict[str, str] = {}

    def versions(self, remote_ids: Sequence[str]) -> dict[str, str]:
        return {remote_id: self.known[remote_id] for remote_id in remote_ids if remote_id in self.known}

    def write(
        self, kind: WriteKind, remote_id: str, event: Event | None = None, version: str | None = None
    ) -> WriteResult:
        key = f"{kind}-{remote_id}"
        [result] = self.calendar.write([Write(key, kind, remote_id, event, "marker", version)])
        return result

    def create(self, event: Event, remote_id: str = "one") -> WriteResult:
        return self.write(WriteKind.CREATE, remote_id, event)

    def read(self, remote_id: str = "one") -> Reading:
        [reading] = self.calendar.read([remote_id])
        return reading

    def pages(self, cursor: str | None = None, seconds: int = 5) -> list[Page]:
        self.clock.advance(timedelta(seconds=seconds))
        return list(self.calendar.changes(cursor, WINDOW, self))

    def items(self, cursor: str | None = None) -> list[Item]:
        return [item for page in self.pages(cursor) for item in page.items]

    def cursor(self) -> str:
        cursor = self.pages()[-1].cursor
        assert cursor is not None
        self.clock.advance(5)
        return cursor

    @property
    def live(self) -> list[str]:
        return list(self.service.calendars["work"].events)
