"""Shared budgets: two processes together ask no more than one may, and a block holds for all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from calsync.connector.budgeted import Budgeted
from calsync.connector.errors import Throttled
from calsync.store.database import open_database
from calsync.store.upgrade import create_for_tests
from calsync.testing.fake_ports import FakeClock, FakeSleep
from calsync.worker.budgeting import LIMITS, SharedBudgets
from tests.unit.worker.engine_world import Noted, Runs
from tests.unit.worker.world import World


@pytest.fixture
def world() -> World:
    return World()


def hook_of(world: World, shared: SharedBudgets, connector: str = "google", connection: str = "c1"):  # type: ignore[no-untyped-def]
    return shared.hook(replace(world.row(), connector=connector, connection=connection))


def test_services_without_known_limits_have_none(world: World) -> None:
    assert hook_of(world, SharedBudgets(world.database, world.clock), "caldav") is None


def test_two_processes_share_one_users_budget(world: World) -> None:
    hooks = [hook_of(world, SharedBudgets(world.database, world.clock)) for _ in range(2)]
    granted = 0
    while (hooks[granted % 2].budget.wait_time("", world.clock.now())) == 0.0:
        granted += 1
        assert granted < 1000
    (capacity,) = [limit.rate.capacity for limit in LIMITS["google"] if limit.scope == "user"]
    assert capacity - 6 <= granted <= capacity
    world.later(seconds=10)
    assert hooks[0].budget.wait_time("", world.clock.now()) == 0.0


def test_another_user_has_a_budget_of_their_own(world: World) -> None:
    shared = SharedBudgets(world.database, world.clock)
    one, other = hook_of(world, shared), hook_of(world, shared, connection="c2")
    while one.budget.wait_time("", world.clock.now()) == 0.0:
        pass
    assert other.budget.wait_time("", world.clock.now()) == 0.0


def test_the_project_is_one_for_all_users(world: World) -> None:
    shared = SharedBudgets(world.database, world.clock)
    hooks = [hook_of(world, shared, connection=f"c{number}") for number in range(40)]
    granted = sum(hook.budget.wait_time("", world.clock.now()) == 0.0 for hook in hooks for _ in range(50))
    (capacity,) = [limit.rate.capacity for limit in LIMITS["google"] if limit.scope == "project"]
    assert granted <= capacity


def test_a_block_holds_for_other_processes_too(world: World) -> None:
    mine, theirs = (hook_of(world, SharedBudgets(world.database, world.clock)) for _ in range(2))
    mine.budget.block_until(mine.key, world.clock.now() + timedelta(minutes=5))
    assert theirs.budget.wait_time("", world.clock.now()) == pytest.approx(300.0)
    assert mine.budget.wait_time("", world.clock.now()) == pytest.approx(300.0)
    world.later(minutes=5, seconds=1)
    assert theirs.budget.wait_time("", world.clock.now()) == 0.0


def test_the_books_are_asked_once_for_a_handful() -> None:
    database, clock = open_database("sqlite://"), FakeClock()
    create_for_tests(database)
    asked = []
    shared = SharedBudgets(database, clock)
    budget = shared.hook(replace(World().row(), connector="outlook"))
    assert budget is not None
    take, shared_type = SharedBudgets.take, SharedBudgets

    def counted(self: SharedBudgets, key: str, limit: object) -> tuple[float, float]:
        asked.append(key)
        return take(self, key, limit)  # type: ignore[arg-type]

    shared_type.take = counted  # type: ignore[method-assign]
    try:
        assert [budget.budget.wait_time("", clock.now()) for _ in range(10)] == [0.0] * 10
    finally:
        shared_type.take = take  # type: ignore[method-assign]
    assert len(asked) == 2


def test_a_calendar_that_finds_its_budget_blocked_says_so(world: World) -> None:
    hook = hook_of(world, SharedBudgets(world.database, world.clock))
    hook.budget.block_until(hook.key, world.clock.now() + timedelta(hours=1))
    calendar = Budgeted(Noted(Runs(), "k"), hook, clock=world.clock, sleep=FakeSleep(world.clock))  # type: ignore[arg-type]
    with pytest.raises(Throttled) as told:
        list(calendar.changes(None, world.opener.the_rules.window(world.clock.now()), None))  # type: ignore[arg-type]
    assert told.value.retry_after == pytest.approx(3600.0)
