"""The real worker, a real store and the real CalDAV connector in front of collections that hold anything."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from calsync.claims.gate import Gate
from calsync.connector.protocol import CalendarPlace, OpenRequest
from calsync.connector.wrappers import Around, RetryPolicy, WrapPorts, wrap
from calsync.domain.appointment import Subject, SubjectKind
from calsync.domain.drift import Drift
from calsync.settings.model import Settings
from calsync.store import calendars, drifts, holds, links, subject_changes
from calsync.store.calendars import CalendarRow, CalendarSpec
from calsync.store.drifts import DriftFilter
from calsync.worker.context import Rules
from calsync_caldav.connector import CONNECTOR
from calsync_caldav.settings import CalendarSettings, ConnectorSettings
from tests.hostile.raw_dav import RawDav
from tests.unit.worker.world import POLICY, ZONE, World

_TIMES = re.compile(r"^(DT(?:START|END)[^:]*:)(\d{8}T\d{6})", re.MULTILINE)


def _later(found: re.Match[str], hours: int) -> str:
    at = datetime.strptime(found[2], "%Y%m%dT%H%M%S") + timedelta(hours=hours)  # noqa: DTZ007 - a wall time
    return f"{found[1]}{at:%Y%m%dT%H%M%S}"


@dataclass
class DavOpener:
    """Opens a calendar's collection and keeps it open, as the worker's own opener does."""

    ports: WrapPorts
    collections: dict[str, RawDav] = field(default_factory=dict)
    the_rules: Rules = field(default_factory=lambda: Rules(decisions=POLICY))
    kept: dict[str, Around] = field(default_factory=dict)

    def open(self, row: CalendarRow) -> Around:
        """A client of the calendar."""
        if row.id not in self.kept:
            url = self.collections[row.id].server.url
            keys = CalendarSettings(url=url, username="ash")
            settings = ConnectorSettings(timeout=timedelta(seconds=5))
            request = OpenRequest(row.id, settings, keys, "existing", ZONE, lambda: "secret")
            calendar = CONNECTOR.open(request, CalendarPlace(url))
            self.kept[row.id] = wrap(calendar, row.id, ports=self.ports, retries=RetryPolicy(attempts=1))
        return self.kept[row.id]

    def forget(self, calendar: str) -> None:
        """Close it."""
        kept = self.kept.pop(calendar, None)
        if kept is not None:
            kept.close()

    def rules(self, provider: str, practice: str | None = None) -> Rules:
        """The same for everybody."""
        return self.the_rules


class DavWorld(World):
    """As `World`, with one raw collection for each calendar."""

    opener: DavOpener  # type: ignore[assignment]

    def __init__(self, *more: str) -> None:
        super().__init__()
        self.opener = DavOpener(WrapPorts(self.clock, self.ids, self.sleep))
        self.worker = self.new_worker()
        for name in (self.calendar, *more):
            self.opener.collections[name] = RawDav()
            if name != self.calendar:
                self._link(name)

    @property
    def dav(self) -> RawDav:
        """The collection of the first calendar."""
        return self.opener.collections[self.calendar]

    def _link(self, calendar: str) -> None:
        spec = CalendarSpec(calendar, "P-1", "c", "caldav", "mirror", "existing", "config")
        with self.database.transaction() as conn:
            calendars.register(conn, spec, self.clock.now())
            calendars.set_remote(conn, calendar, calendar)
            subject_changes.mark_calendar(conn, calendar, self.opener.the_rules.window(self.clock.now()))

    def close(self) -> None:
        """Take everything down."""
        for name in list(self.opener.kept):
            self.opener.forget(name)
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
