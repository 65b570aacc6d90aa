"""A host's clock that is set wrong while calendars are read: nothing read then counts for more than it is worth."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calsync.claims.answer import Answer
from calsync.claims.gate import Gate, Question
from calsync.settings.model import Settings
from calsync.store import gate_rows, observations
from calsync.testing.fake_ports import FakeClock
from calsync.testing.personality import CALDAV_SYNC, GOOGLE, GRAPH, Personality
from calsync.worker.context import WorkerContext
from tests.unit.worker.world import World

BEFORE = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
START = "2026-11-17T10:00"  # in New York: 15:00 in UTC, until 15:50
END = datetime(2026, 11, 17, 15, 50, tzinfo=UTC)


class Host(FakeClock):
    """A host's clock that is off from the true one by `off`."""

    truth: FakeClock
    off: timedelta = timedelta(0)

    def now(self) -> datetime:
        return self.truth.now() + self.off

    def advance(self, by: timedelta | float) -> datetime:
        self.truth.advance(by)
        return self.now()


class TwoClocks(World):
    """The service's clock is right; the host's is right as well until somebody sets it."""

    def __init__(self, personality: Personality = CALDAV_SYNC) -> None:
        super().__init__(personality)
        self.host = Host(self.clock.now())
        self.host.truth = self.clock
        self.truth, self.clock = self.clock, self.host
        self.worker = self.new_worker()

    def new_worker(self) -> WorkerContext:
        return replace(super().new_worker(), heeds_services=True)

    def at(self, true: datetime, *, off: timedelta = timedelta(0)) -> None:
        """It is so late, and the host's clock is off by so much."""
        self.truth.set(true)
        self.host.off = off

    def asks(self, number: str = "1") -> Answer:
        (answer,) = Gate(self.database, Settings(path=Path("calsync.toml")), self.clock, self.ids).check(
            [Question(number)]
        )
        return answer

    def complete(self, number: str = "1", start: str = START) -> None:
        self.book(number, start, status="completed")


@pytest.mark.parametrize("personality", [CALDAV_SYNC, GOOGLE, GRAPH], ids=["caldav", "google", "outlook"])
@pytest.mark.parametrize("off", [timedelta(minutes=30), timedelta(hours=2), timedelta(days=3)])
def test_a_reading_under_a_clock_that_was_ahead_is_none_of_after_the_session(
    personality: Personality, off: timedelta
) -> None:
    world = TwoClocks(personality)
    world.book("1", START)
    world.run()
    world.at(END - timedelta(minutes=20), off=off)
    world.run(full=True)
    world.complete()
    world.at(END + timedelta(days=4))
    held = world.asks()
    assert (held.verdict, {one.code for one in held.reasons} <= {"never-observed", "observation-stale"}) == (
        "held",
        True,
    )
    world.run()
    assert world.asks().verdict == "cleared"


def test_what_is_due_by_a_clock_that_is_ahead_is_not_read_again_without_end() -> None:
    world = TwoClocks()
    world.book("1", START)
    world.run()
    world.at(END - timedelta(minutes=20), off=timedelta(hours=2))
    first = world.run()
    assert first.requests <= 4
    assert first.clock_apart == timedelta(hours=2)


def test_an_event_that_was_written_under_a_clock_that_was_behind_did_not_stand_before_its_session() -> None:
    world = TwoClocks()
    world.run()
    world.at(END - timedelta(minutes=20), off=timedelta(hours=-2))
    world.book("1", START)
    world.run()
    world.at(END + timedelta(hours=1))
    world.complete()
    world.run()
    with world.database.reading() as conn:
        (seen,) = observations.of_appointments(conn, ["1"])["1"]
    assert seen.after_end
    assert seen.linked_at == END - timedelta(minutes=20)
    assert [one.code for one in world.asks().reasons] == ["observation-stale"]


@pytest.mark.parametrize("off", [timedelta(seconds=4), timedelta(seconds=-4), timedelta(0)])
def test_clocks_that_agree_closely_enough_change_no_stamp(off: timedelta) -> None:
    world = TwoClocks()
    world.book("1", START)
    world.run()
    world.at(END + timedelta(minutes=3), off=off)
    world.complete()
    world.run()
    with world.database.reading() as conn:
        (seen,) = gate_rows.observations_of(conn, ["1"])["1"]
    assert seen.read_at == END + timedelta(minutes=3) + off


def test_a_service_that_tells_no_time_is_taken_at_our_clocks_word() -> None:
    world = TwoClocks()
    world.worker = replace(world.worker, heeds_services=False)
    world.book("1", START)
    world.run()
    world.at(END - timedelta(minutes=20), off=timedelta(hours=2))
    world.complete()
    assert world.run().clock_apart is None
