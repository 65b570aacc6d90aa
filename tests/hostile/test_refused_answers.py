"""Answers that are refused as a whole, through the real worker: the pass fails, the cursor stays, nothing is deleted,
claims are held, and no other calendar is kept waiting.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calsync.domain.appointment import AppointmentStatus
from calsync.sandbox.google.weather import Damage as GoogleDamage
from calsync.sandbox.google.weather import Storm
from calsync.sandbox.graph.weather import Damage as GraphDamage
from tests.hostile.caldav_world import DavWorld
from tests.hostile.cost import small_cost
from tests.system.google_world import GoogleWorld
from tests.system.graph_world import GraphWorld
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


@pytest.mark.parametrize("name", DAV)
def test_a_dav_answer_stops_its_own_pass_and_no_other(clinic: Clinic, name: str) -> None:
    world = clinic.world
    before, bodies = state(world), dict(world.dav.bodies)
    world.later(minutes=5)
    world.dav.answers = DAV[name]
    with small_cost():
        result = world.run()
    assert result.error is not None
    assert (result.drifts, result.written, result.stopped) == (0, 0, False)
    assert state(world) == before
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


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleWorld]:
    made = GoogleWorld(tmp_path_factory.mktemp("google"))
    made.book("4821", "2026-11-24T10:00")
    made.until_quiet()
    yield made
    made.close()


@pytest.mark.parametrize("name", WHOLE["google"])
def test_a_page_of_googles_fails_the_pass_and_nothing_else(google: GoogleWorld, name: str) -> None:
    before = state(google)
    google.later(minutes=5)
    body = (HERE / "google" / name).read_bytes()
    google.google.weather.add(Storm("events.list", GoogleDamage.REPLACE, body=body))
    with small_cost():
        result = google.run()
    assert result.error is not None
    assert (result.drifts, result.written) == (0, 0)
    assert state(google) == before
    google.google.weather.clear()
    google.person.drag(google.remote, google.only_event(), timedelta(minutes=15))
    google.person.drag(google.remote, google.only_event(), timedelta(minutes=-15))
    assert google.run().error is None
    assert google.drifts() == []


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphWorld]:
    made = GraphWorld(tmp_path_factory.mktemp("graph"))
    made.book("4821", "2026-11-24T10:00")
    made.until_quiet()
    yield made
    made.close()


@pytest.mark.parametrize("name", WHOLE["graph"])
def test_a_page_of_graphs_fails_the_pass_and_nothing_else(graph: GraphWorld, name: str) -> None:
    before = state(graph)
    graph.later(minutes=5)
    text = (HERE / "graph" / name).read_text().replace('"/delta', f'"{graph.graph.graph_url}/delta')
    graph.graph.weather.damage("delta", GraphDamage.REPLACE, body=text.encode())
    with small_cost():
        result = graph.run()
    assert result.error is not None
    assert (result.drifts, result.written) == (0, 0)
    assert state(graph) == before
    graph.graph.weather.clear()
    assert graph.run().error is None
    assert graph.drifts() == []
