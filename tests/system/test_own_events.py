"""What a person makes of events of ours on Google and in Outlook stays theirs, field for field, over real HTTP (I3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from calsync.domain.drift import Disposition, DriftKind, Resolution
from calsync.sandbox.graph.ids import event_id
from tests.system.google_world import GoogleWorld
from tests.system.graph_world import GraphWorld
from tests.system.service_world import ServiceWorld, wall


class Service(Protocol):
    """A person's hands on one service."""

    world: ServiceWorld

    def starts(self) -> dict[str, datetime]: ...
    def look(self, name: str) -> Any: ...
    def fill(self, name: str, by: timedelta) -> None: ...
    def noticed(self) -> None: ...


class OnGoogle:
    """A person at Google."""

    def __init__(self, folder: Path) -> None:
        self.world = GoogleWorld(folder)

    def starts(self) -> dict[str, datetime]:
        return self.world.google_shows()

    def look(self, name: str) -> Any:
        return self.world.person.event(self.world.remote, name)

    def fill(self, name: str, by: timedelta) -> None:
        self.world.person.drag(self.world.remote, name, by)
        own = {
            "summary": "Choir",
            "description": "Bring the scores",
            "attachments": [{"fileUrl": "https://choir.example"}],
        }
        self.world.person.change(self.world.remote, name, own)
        self.world.person.add_guest(self.world.remote, name, "alto@choir.example")

    def noticed(self) -> None:
        self.world.google.state.requests += self.world.google.knobs.lag
        self.world.later(minutes=3)
        self.world.run()


class OnGraph:
    """A person in Outlook."""

    def __init__(self, folder: Path) -> None:
        self.world = GraphWorld(folder)

    def starts(self) -> dict[str, datetime]:
        return self.world.starts()

    def look(self, name: str) -> Any:
        item = self.world.person.item(name)
        assert event_id(item, immutable=True) == name
        return (item.when, dict(item.fields), dict(item.props), item.recurrence)

    def fill(self, name: str, by: timedelta) -> None:
        self.world.person.drag(name, by)
        body = {"contentType": "text", "content": "Bring the scores"}
        guest = {"type": "required", "emailAddress": {"name": "Alto", "address": "alto@choir.example"}}
        self.world.person.change(name, subject="Choir", body=body, attendees=[guest])

    def noticed(self) -> None:
        self.world.later(minutes=3)
        self.world.run()


@pytest.fixture(params=[OnGoogle, OnGraph])
def service(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Service]:
    made: Service = request.param(tmp_path)
    made.world.book("4821", "2026-11-24T10:00")
    made.world.book("4822", "2026-11-26T10:00")
    for _ in range(3):
        made.noticed()
    yield made
    made.world.close()


def named(service: Service, start: str) -> str:
    (name,) = (name for name, at in service.starts().items() if at == wall(start))
    return name


@pytest.mark.parametrize("seen_before", [False, True], ids=["unseen", "seen"])
def test_a_cancelled_session_leaves_what_its_person_made_of_its_event(service: Service, seen_before: bool) -> None:
    name = named(service, "2026-11-24T10:00")
    service.fill(name, timedelta(days=1, hours=9))
    before = service.look(name)
    if seen_before:
        service.world.later(seconds=20)
        service.world.run()
    service.world.book("4821", "2026-11-24T10:00", status="cancelled")
    for _ in range(4):
        service.noticed()
    assert service.look(name) == before
    assert len(service.starts()) == 2
    [told] = service.world.drifts()
    assert (told.kind, told.disposition, told.resolution) == (DriftKind.MOVED, Disposition.FLAG, Resolution.OPEN)
