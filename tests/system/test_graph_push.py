"""Push on Outlook, from the subscription to the hook to the pass: at once, verified, renewed with overlap."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from calsync.domain.drift import DriftKind
from tests.system.graph_world import GraphWorld
from tests.system.hooked_world import PUBLIC, HookedWorld
from tests.system.service_world import wall


class Pushed(GraphWorld, HookedWorld):
    """What Graph posts, the handshake included, goes through the real hook."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.listen(folder)
        self.graph.subscriptions.post = self._post
        self.posted: list[bytes] = []

    def _post(self, address: str, body: bytes, kind: str) -> tuple[int, str, bytes]:
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}" == PUBLIC
        answer = self.web.post(f"{parts.path}?{parts.query}", content=body, headers={"Content-Type": kind})
        self.posted.append(body)
        return answer.status_code, answer.headers.get("content-type", ""), answer.content

    def deliver(self) -> int:
        """Let Graph send what waits."""
        self.be_quiet()
        return self.graph.subscriptions.deliver()


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
    [channel] = world.channels()
    [row] = world.graph.subscriptions.rows.values()
    assert (row.id, row.immutable) == (channel.id, True)
    assert row.body["lifecycleNotificationUrl"] == f"{PUBLIC}/hooks/graph"
    assert not world.due()
    world.person.drag(world.only_event(), timedelta(hours=1))
    assert not world.due()
    assert world.deliver() >= 1
    assert world.due()
    assert world.dispatch() == 1
    assert world.kinds() == [DriftKind.MOVED]
    world.later(seconds=91)
    assert world.dispatch() == 1
    assert world.starts()[world.only_event()] == wall("2026-11-24T10:00")


def test_repeats_make_one_pass(world: Pushed) -> None:
    for _ in range(20):
        world.person.drag(world.only_event(), timedelta(minutes=15))
    world.deliver()
    for _ in range(10):
        world.web.post("/hooks/graph", content=world.posted[-1])
    assert world.dispatch() == 1
    assert not world.due()


def test_wrong_notifications_have_no_effect_and_are_counted(world: Pushed) -> None:
    world.person.drag(world.only_event(), timedelta(hours=1))
    [*_, (_, note)] = world.graph.subscriptions.queue
    world.graph.subscriptions.queue.clear()
    before = world.site.tallies.hooks["graph", "stray"]
    for changes in ({"clientState": "wrong"}, {"clientState": ""}, {"subscriptionId": "unknown"}):
        assert world.web.post("/hooks/graph", json={"value": [{**note, **changes}]}).status_code == 202
    assert world.web.post("/hooks/graph", content=b"nonsense").status_code == 202
    assert world.site.tallies.hooks["graph", "stray"] == before + 3
    assert not world.due()
    assert world.web.post("/hooks/graph", json={"value": [note]}).status_code == 202
    assert world.due()


@pytest.mark.parametrize("event", ["missed", "reauthorizationRequired"])
def test_lifecycle_messages_are_followed_by_a_look(world: Pushed, event: str) -> None:
    [row] = world.graph.subscriptions.rows.values()
    world.graph.subscriptions.lifecycle(row, event)
    assert world.deliver() == 1
    assert world.due()


@pytest.mark.parametrize("event", ["subscriptionRemoved", "reauthorizationRequired"])
def test_a_lost_subscription_is_opened_anew(world: Pushed, event: str) -> None:
    [row] = world.graph.subscriptions.rows.values()
    world.graph.subscriptions.lifecycle(row, event)
    assert world.deliver() == 1
    assert world.dispatch() == 1
    [channel] = world.channels()
    assert channel.id != row.id
    assert channel.id in world.graph.subscriptions.rows
    world.person.drag(world.only_event(), timedelta(hours=1))
    assert world.deliver() >= 1
    world.run()
    assert world.kinds() == [DriftKind.MOVED]


def test_a_forged_removal_ends_nothing(world: Pushed) -> None:
    [row] = world.graph.subscriptions.rows.values()
    note = {"subscriptionId": row.id, "clientState": "wrong", "lifecycleEvent": "subscriptionRemoved"}
    assert world.web.post("/hooks/graph", json={"value": [note]}).status_code == 202
    assert [one.id for one in world.channels()] == [row.id]


def test_subscriptions_are_renewed_with_overlap_within_their_life(world: Pushed) -> None:
    [first] = world.channels()
    assert first.expires_at - world.clock.now() <= timedelta(minutes=4200)
    for _ in range(9):
        world.later(hours=6)
        world.run()
        world.deliver()
        assert len(world.channels()) == 1
    world.later(hours=12)
    world.run()
    [second] = world.channels()
    assert second.id != first.id
    assert list(world.graph.subscriptions.rows) == [second.id]
    routes = [route for route, _ in world.graph.api.log if route.startswith("subscriptions")]
    assert routes.index("subscriptions.delete") > [i for i, r in enumerate(routes) if r == "subscriptions.create"][1]


def test_polling_alone_is_right_when_the_service_forgets_us(world: Pushed) -> None:
    world.graph.subscriptions.rows.clear()
    world.person.drag(world.only_event(), timedelta(hours=1))
    world.later(minutes=31)
    assert world.dispatch() == 1
    assert world.kinds() == [DriftKind.MOVED]
