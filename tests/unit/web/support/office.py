"""A practice's office: the installation with people who log in, and something that happened in every corner of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from fastapi.testclient import TestClient

from calsync.answers.words import Desk
from calsync.domain.appointment import Appointment, AppointmentStatus, Subject, SubjectKind
from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import Appearance, Event
from calsync.domain.link import Link
from calsync.domain.notation import content_hash
from calsync.domain.span import Span
from calsync.store import (
    audit,
    calendars,
    clients,
    drifts,
    edits,
    holds,
    installation,
    link_changes,
    observations,
    outbox,
    record_changes,
    records,
    stops,
)
from calsync.store.audit import AuditRow
from calsync.store.clients import ClientRow
from calsync.store.edits import EditRow
from calsync.store.observations import Observation
from calsync.store.records import AppointmentFilter
from calsync.store.stops import StopRow
from calsync.store.tokens import Role
from calsync.support.accounts import add_user
from tests.unit.web.conftest import ZONE, House

WORD: Final = "correct horse battery"
EVIL: Final = "<script>alert(1)</script>"
_MARK: Final = re.compile(r'name="mark" value="([0-9a-f]{64})"')
_SEEN: Final = re.compile(r'name="seen" value="([^"]+)"')


@dataclass
class Person:
    """Somebody with a browser of their own, at the pages."""

    client: TestClient

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, follow_redirects=False, **more)

    def page(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        return str(answer.text)

    def mark(self, path: str = "/support") -> str:
        found = _MARK.search(self.client.get(path).text)
        assert found is not None
        return found[1]

    def seen(self, edit: str) -> str:
        found = _SEEN.search(self.page(f"/support/edits/{edit}"))
        assert found is not None
        return found[1]

    def search(self, text: str) -> Any:
        return self.client.post("/support/search", data={"q": text}, follow_redirects=False)

    def post(self, path: str, *, mark: str | None = None, **fields: Any) -> Any:
        data = {"mark": self.mark() if mark is None else mark, **{k.rstrip("_"): v for k, v in fields.items()}}
        return self.client.post(path, data=data, follow_redirects=False)


@dataclass
class Office:
    """The installation, and what tests do in it."""

    house: House
    people: dict[str, Person] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.house.database.transaction() as conn:
            installation.ensure(conn, "office", "here", self.house.clock.now())

    @property
    def desk(self) -> Desk:
        return Desk(self.house.database, self.house.settings, self.house.clock, self.house.ids)

    def hire(self, name: str, role: Role = Role.SUPPORT) -> None:
        add_user(self.desk, name, role, WORD, by="support:root")

    def enter(self, name: str, role: Role = Role.SUPPORT) -> Person:
        """Somebody of that name, logged in."""
        self.hire(name, role)
        person = self.visitor()
        answer = person.post("/support/login", mark=person.mark("/support/login"), name=name, password=WORD)
        assert answer.status_code == 303, answer.text
        return person

    def visitor(self) -> Person:
        """Somebody who is not logged in."""
        base = "https://calsync.example.org"
        return Person(TestClient(self.house.app, base_url=base))

    def noted(self, what: str) -> list[AuditRow]:
        with self.house.database.reading() as conn:
            return [row for row in audit.rows(conn) if row.what == what]

    # --- what happens ----------------------------------------------------------------------------------------------

    def book(self, number: str, start: str, **more: Any) -> Appointment:
        """A session of 50 minutes in New York, held if it is over."""
        wall = datetime.fromisoformat(start)
        span = Span(wall, wall + timedelta(minutes=50), ZONE)
        over = span.end_at <= self.house.clock.now()
        status = AppointmentStatus.COMPLETED if over else AppointmentStatus.SCHEDULED
        told: dict[str, Any] = {"client": "K-1", "code": "90834", "status": status, **more}
        one = Appointment(number, "P-1", span=span, **told)
        by = "provider:P-1" if over else None
        at = self.house.clock.now() - timedelta(days=20)
        with self.house.database.transaction() as conn:
            record_changes.put_appointment(conn, one, now=at, actor="support:x", action="booked", completed_by=by)
            records_link = Link(
                f"L-{number}", "work", "P-1", Subject(SubjectKind.APPOINTMENT, number), 1, f"r-{number}", f"u-{number}"
            )
            link_changes.insert(conn, records_link)
            event = Event(f"u-{number}", Appearance(span, f"Session {number}"))
            link_changes.confirm(
                conn,
                f"L-{number}",
                version="1",
                baseline=event,
                baseline_hash=content_hash(event),
                remote_id=f"r-{number}",
                confirmed_at=at,
            )
        return one

    def drag(self, number: str, start: str, to: str | None, **more: Any) -> str:
        """A session is booked, and dragged in the calendar (None: deleted); the edit's id."""
        one = self.book(number, start)
        now = self.house.clock.now()
        phase = Phase.PAST if one.span.end_at <= now else Phase.UPCOMING
        seen = None if to is None else one.span.starting(datetime.fromisoformat(to))
        detected = more.pop("detected_at", now - timedelta(hours=2))
        told: dict[str, Any] = {
            "kind": DriftKind.DELETED if to is None else DriftKind.MOVED,
            "disposition": Disposition.FLAG if phase is Phase.PAST else Disposition.REVERT,
            "resolution": Resolution.OPEN if phase is Phase.PAST else Resolution.REVERTED,
            **more,
        }
        edit = f"edit-{number}"
        drift = Drift(
            id=f"drift-{number}",
            edit=edit,
            link=f"L-{number}",
            calendar="work",
            provider="P-1",
            appointment=number,
            block=None,
            series=None,
            original_start=None,
            episode=1,
            phase=phase,
            expected=Appearance(one.span),
            observed=None if seen is None else Appearance(seen, EVIL),
            scope=Scope.OCCURRENCE,
            mixed=False,
            detected_at=detected,
            changed_at=detected,
            **told,
        )
        with self.house.database.transaction() as conn:
            row = EditRow(edit, drift.link, "work", "P-1", "v2", detected, Scope.OCCURRENCE, mixed=False)
            edits.insert(conn, row)
            drifts.insert(conn, drift)
            holds.open_hold(conn, number, drift.id, detected)
            if phase is Phase.PAST:
                observations.insert(
                    conn,
                    Observation(
                        calendar="work",
                        link=drift.link,
                        appointment=number,
                        read_at=detected,
                        seen=None if seen is None else Appearance(seen),
                        version="2",
                        drift=drift.id,
                        after_end=True,
                        linked_at=detected,
                        written_at=detected,
                    ),
                )
            kind = "edit-after-start" if phase is Phase.PAST else "edit-reverted"
            outbox.put(conn, f"{kind}:{edit}", kind, "provider:P-1", {"edit": edit}, now=detected, due_at=detected)
        return edit

    def statuses(self) -> set[str]:
        """How the booked sessions stand."""
        with self.house.database.reading() as conn:
            return {one.status.value for one in records.appointments(conn, AppointmentFilter())}

    def name_client(self, name: str = EVIL) -> None:
        with self.house.database.transaction() as conn:
            clients.put(conn, ClientRow("K-1", name, "k1@example.org"))

    def stop(self, count: int = 6) -> None:
        """Many sessions vanish at once: the calendar is stopped."""
        now = self.house.clock.now()
        numbers = [f"70{n:02}" for n in range(count)]
        for n, number in enumerate(numbers):
            self.book(number, f"2026-11-{24 + n % 5}T{9 + n // 5:02}:00")
        named = [f"L-{one}" for one in numbers]
        evidence = {
            "changed": count,
            "upcoming": count + 2,
            "share": 0.75,
            "limit_count": 5,
            "limit_share": 0.2,
            "links": named,
            "vanished": named,
        }
        with self.house.database.transaction() as conn:
            calendars.save_reading(conn, "work", "c", now - timedelta(minutes=5))
            stops.start(conn, StopRow("stop-1", "work", now, "stampede", evidence, tuple(numbers)))
            calendars.set_state(conn, "work", "stopped", "mass-change", now)
