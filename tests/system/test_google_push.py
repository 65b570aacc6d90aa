"""Push on Google, from the watch to the hook to the pass: at once, verified, renewed with overlap, never needed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from calsync.domain.drift import DriftKind
from calsync.sandbox.google.faults import ApiError
from calsync.sandbox.google.weather import Storm
from tests.system.google_world import GoogleWorld
from tests.system.hooked_world import PUBLIC, HookedWorld
from tests.system.service_world import wall


class Pushed(GoogleWorld, HookedWorld):
    """The messages that Google would post go through the real hook."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.google.hold_pushes = True
        self.listen(folder)

    def deliver(self) -> list[int]:
        """Post what is held back; returns the hook's answers."""
        self.be_quiet()
        held, self.google.pending = self.google.pending, []
        answers = []
        for address, headers in held:
            assert address == f"{PUBLIC}/hooks/google"
            answers.append(self.web.post("/hooks/google", headers=dict(headers)).status_code)
        return answers


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Pushed]:
    made = Pushed(tmp_path)
    made.book("4821", "2026-11-24T10:00")
    made.run()
    made.run()
    made.deliver()
    made.run()
    yield made
    made.close()


def test_the_first_push_runs_at_once(world: Pushed) -> None:
    assert len(world.channels()) == 1
    assert not world.due()
    world.person.drag(world.remote, world.only_event(), timedelta(hours=1))
    assert not world.due()
    assert world.deliver() == [204]
    assert world.due()
    assert world.dispatch() == 1
    assert world.kinds() == [DriftKind.MOVED]
    world.later(seconds=91)
    assert world.dispatch() == 1
    assert world.google_shows()[world.only_event()] == wall("2026-11-24T10:00")


def test_repeats_make_one_pass(world: Pushed) -> None:
    for _ in range(20):
        world.person.drag(world.remote, world.only_event(), timedelta(minutes=15))
    assert world.deliver() == [204] * 20
    assert world.dispatch() == 1
    assert not world.due()


def test_strays_are_refused_and_counted(world: Pushed) -> None:
    [channel] = world.channels()
    world.person.drag(world.remote, world.only_event(), timedelta(hours=1))
    [(_, genuine)] = world.google.pending
    world.google.pending.clear()
    for changes in (
        {"X-Goog-Channel-Token": "wrong"},
        {"X-Goog-Channel-Token": ""},
        {"X-Goog-Channel-ID": "unknown"},
        {"X-Goog-Resource-ID": "another"},
        {"X-Goog-Resource-ID": ""},
        {"X-Goog-Channel-ID": "x" * 5000},
    ):
        assert world.web.post("/hooks/google", headers={**genuine, **changes}).status_code in (404, 431)
    assert world.site.tallies.hooks["google", "stray"] >= 5
    assert not world.due()
    assert world.web.post("/hooks/google", headers=dict(genuine)).status_code == 204
    assert channel.secret_hash not in str(genuine)


def test_a_live_channel_slows_polling_and_a_silent_one_does_not(world: Pushed) -> None:
    due = world.row().due_at - world.clock.now()
    assert due > timedelta(minutes=20)
    world.google.channels.dropped = 10
    world.person.drag(world.remote, world.only_event(), timedelta(hours=1))
    world.later(minutes=31)
    assert world.dispatch() == 1
    assert world.kinds() == [DriftKind.MOVED]  # polling alone is right
    assert world.row().due_at - world.clock.now() < timedelta(minutes=6)


def test_channels_are_renewed_with_overlap(world: Pushed) -> None:
    [first] = world.channels()
    world.later(days=5)
    world.run()
    assert world.channels() == [first]
    world.later(days=1)
    world.run()
    [second] = world.channels()
    assert second.id != first.id
    assert world.google.channels.channels[first.id].stopped
    opened = [call for call in world.google.state.calls if call.method in ("events.watch", "channels.stop")]
    assert [call.method for call in opened] == ["events.watch", "events.watch", "channels.stop"]
    world.google.channels.late_after_stop = True
    world.google.pending.clear()
    world.person.drag(world.remote, world.only_event(), timedelta(hours=1))
    assert sorted(world.deliver()) == [204, 404]


def test_a_refused_channel_is_asked_for_again_in_an_hour(tmp_path: Path) -> None:
    world = Pushed(tmp_path)
    world.google.weather.add(Storm("events.watch", error=ApiError(400, "push.webhookUrlUnauthorized")))
    world.book("4821", "2026-11-24T10:00")
    assert world.run().error is None
    world.run()
    assert world.calls("events.watch") == 1
    assert world.channels() == []
    world.later(minutes=61)
    world.run()
    assert len(world.channels()) == 1
    world.web.close()
    world.close()
