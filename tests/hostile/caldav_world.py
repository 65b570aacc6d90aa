"""The real worker, a real store and the real CalDAV connector in front of collections that hold anything."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from calsync.claims.gate import Gate
from calsync.connector.protocol import Calendar, CalendarPlace, OpenRequest
from calsync.connector.wrappers import WrapPorts
from calsync.domain.appointment import Subject, SubjectKind
from calsync.domain.drift import Drift
from calsync.settings.model import Settings
from calsync.store import drifts, holds, links
from calsync.store.calendars import CalendarRow
from calsync.store.drifts import DriftFilter
from calsync_caldav.connector import CONNECTOR
from calsync_caldav.settings import CalendarSettings, ConnectorSettings
from tests.hostile.raw_dav import RawDav
from tests.system.service_world import KeptOpener, ServiceWorld
from tests.unit.worker.world import ZONE

_TIMES = re.compile(r"^(DT(?:START|END)[^:]*:)(\d{8}T\d{6})", re.MULTILINE)


def _later(found: re.Match[str], hours: int) -> str:
    at = datetime.strptime(found[2], "%Y%m%dT%H%M%S") + timedelta(hours=hours)  # noqa: DTZ007 - a wall time
    return f"{found[1]}{at:%Y%m%dT%H%M%S}"


@dataclass(kw_only=True)
class DavOpener(KeptOpener):
    """Opens a calendar's collection."""

    collections: dict[str, RawDav] = field(default_factory=dict)

    def client(self, row: CalendarRow) -> Calendar:
        """See `KeptOpener`."""
        url = self.collections[row.id].server.url
        keys = CalendarSettings(url=url, username="ash")
        settings = ConnectorSettings(timeout=timedelta(seconds=5))
        request = OpenRequest(row.id, settings, keys, "existing", ZONE, lambda: "secret")
        return CONNECTOR.open(request, CalendarPlace(url))


class DavWorld(ServiceWorld):
    """As `World`, with one raw collection for each calendar."""

    connector = "caldav"
    opener: DavOpener

    def __init__(self, *more: str) -> None:
        super().__init__()
        self.opener = DavOpener(ports=WrapPorts(self.clock, self.ids, self.sleep))
        self.worker = self.new_worker()
        for name in (self.calendar, *more):
            self.opener.collections[name] = RawDav()
            if name != self.calendar:
                self.link(name)

    @property
    def dav(self) -> RawDav:
        """The collection of the first calendar."""
        return self.opener.collections[self.calendar]

    def close(self) -> None:
        """Take everything down."""
        super().close()
        for collection in self.opener.collections.values():
            collection.server.close()

    def name_of(self, appointment: str, kind: SubjectKind = SubjectKind.APPOINTMENT) -> str:
        """The name of a session's event in the first collection."""
        with self.database.reading() as conn:
            link = links.by_subject(conn, self.calendar, Subject(kind, appointment))
        assert link is not None
        return link.remote_id

    def text_of(self, appointment: str, kind: SubjectKind = SubjectKind.APPOINTMENT) -> str:
        """The text of a session's event, unfolded, with plain line ends."""
        octets = self.dav.bodies[self.name_of(appointment, kind)].octets
        return octets.decode().replace("\r\n ", "").replace("\r\n", "\n")

    def save(self, appointment: str, text: str, kind: SubjectKind = SubjectKind.APPOINTMENT) -> None:
        """Save other text in place of a session's event, as calendar programs do."""
        self.dav.put(self.name_of(appointment, kind), text.replace("\n", "\r\n").encode())

    def drag(self, appointment: str, hours: int) -> None:
        """Save a session's event with times so many hours later."""
        head, begin, event = self.text_of(appointment).partition("BEGIN:VEVENT")
        self.save(appointment, head + begin + _TIMES.sub(lambda found: _later(found, hours), event))

    def drifts_of(self, appointment: str) -> list[Drift]:
        """All drifts of a session."""
        with self.database.reading() as conn:
            return [one for one in drifts.rows(conn, DriftFilter()) if one.appointment == appointment]

    def held(self, appointment: str) -> bool:
        """Whether a hold stands."""
        with self.database.reading() as conn:
            return any(one.appointment == appointment for one in holds.standing(conn))

    def verdict(self, appointment: str) -> str:
        """What the gate says about a session now."""
        gate = Gate(self.database, Settings(path=Path("calsync.toml")), self.clock, self.ids)
        (told,) = gate.look([appointment])
        return str(told.answer.verdict)
