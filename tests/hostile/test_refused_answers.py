"""Answers that are refused as a whole, through the real worker: the pass fails, the cursor stays, nothing is deleted,
claims are held, and no other calendar is kept waiting.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from calsync.domain.appointment import AppointmentStatus
from calsync.sandbox.google.weather import Damage as GoogleDamage
from calsync.sandbox.google.weather import Storm
from calsync.sandbox.graph.weather import Damage as GraphDamage
from tests.hostile.caldav_world import DavWorld
from tests.hostile.cost import small_cost
from tests.system.google_world import GoogleWorld
from tests.system.graph_world import GraphWorld
from tests.system.service_world import ServiceWorld
from tests.unit.connectors.caldav.scripted_server import Reply
from tests.unit.connectors.caldav.test_hostile_dav import MALICE, multistatus
from tests.unit.worker.world import World

HERE = Path(__file__).parent
LOG_IN = Reply(200, b"<html>Log in</html>", {"Content-Type": "text/html"})
DAV = {**MALICE, "23-log-in-page": LOG_IN, "55-a-million-responses": Reply(body=multistatus("<response/>" * 1_000_000))}
WHOLE = {
    service: sorted(
        name
        for name, answer in tomllib.loads((HERE / service / "answers.toml").read_text()).items()
        if answer == "whole"
    )
    for service in ("google", "graph")
}
Served = TypeVar("Served", bound=ServiceWorld)


class Clinic:
    """A calendar with a session that is over and one that is to come, and a healthy calendar beside it."""

    def __init__(self) -> None:
        self.world = DavWorld("healthy")
        self.world.book("over", "2026-11-16T10:00")
        self.world.book("coming", "2026-11-24T10:00")
        self.both()
        self.world.clock.advance(datetime(2026, 11, 16, 15, 50, tzinfo=UTC) - self.world.clock.now())
        self.world.book("over", "2026-11-16T10:00", status=AppointmentStatus.COMPLETED.value)
        self.both()
        self.world.later(minutes=30)

    def both(self) -> None:
        for name in ("work", "healthy"):
            for _ in range(3):
                self.world.run(name)


@pytest.fixture(scope="module")
def clinic() -> Iterator[Clinic]:
    made = Clinic()
    yield made
    made.world.close()


def state(world: World) -> tuple[object, ...]:
    row = world.row()
    return (row.cursor, world.drifts())


def pass_that_fails_and_changes_nothing(world: World) -> None:
    """A pass over what is refused: no edit, no write, no stop, and the place in the feed stays."""
    before = state(world)
    world.later(minutes=5)
    with small_cost():
        result = world.run()
    assert result.error is not None
    assert (result.drifts, result.written, result.stopped) == (0, 0, False)
    assert state(world) == before


@pytest.mark.parametrize("name", DAV)
def test_a_dav_answer_stops_its_own_pass_and_no_other(clinic: Clinic, name: str) -> None:
    world = clinic.world
    bodies = dict(world.dav.bodies)
    world.dav.answers = DAV[name]
    pass_that_fails_and_changes_nothing(world)
    assert world.dav.bodies == bodies
    assert world.verdict("over") == "held"
    with small_cost():
        beside = world.run("healthy")
    assert (beside.error, beside.drifts) == (None, 0)
    world.dav.answers = None


def test_when_the_calendar_answers_again_all_is_as_it_was(clinic: Clinic) -> None:
    world = clinic.world
    world.later(minutes=5)
    clinic.both()
    assert world.row().state == "active"
    assert world.drifts() == []
    assert world.verdict("over") == "cleared"


def in_step(world: Served) -> Iterator[Served]:
    """The world with one session that its calendar shows."""
    world.book("4821", "2026-11-24T10:00")
    world.until_quiet()
    yield world
    world.close()


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleWorld]:
    yield from in_step(GoogleWorld(tmp_path_factory.mktemp("google")))


@pytest.mark.parametrize("name", WHOLE["google"])
def test_a_page_of_googles_fails_the_pass_and_nothing_else(google: GoogleWorld, name: str) -> None:
    body = (HERE / "google" / name).read_bytes()
    google.google.weather.add(Storm("events.list", GoogleDamage.REPLACE, body=body))
    pass_that_fails_and_changes_nothing(google)
    google.google.weather.clear()
    google.person.drag(google.remote, google.only_event(), timedelta(minutes=15))
    google.person.drag(google.remote, google.only_event(), timedelta(minutes=-15))
    assert google.run().error is None
    assert google.drifts() == []


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphWorld]:
    yield from in_step(GraphWorld(tmp_path_factory.mktemp("graph")))


@pytest.mark.parametrize("name", WHOLE["graph"])
def test_a_page_of_graphs_fails_the_pass_and_nothing_else(graph: GraphWorld, name: str) -> None:
    text = (HERE / "graph" / name).read_text().replace('"/delta', f'"{graph.graph.graph_url}/delta')
    graph.graph.weather.damage("delta", GraphDamage.REPLACE, body=text.encode())
    pass_that_fails_and_changes_nothing(graph)
    graph.graph.weather.clear()
    assert graph.run().error is None
    assert graph.drifts() == []
