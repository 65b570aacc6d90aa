from datetime import UTC, datetime, timedelta

import pytest

from calsync.ports import Clock, Ids, Sleep, Stop
from calsync.testing.fake_ports import A_MONDAY, FakeClock, FakeIds, FakeSleep, FakeStop


def test_the_clock_moves_only_when_told() -> None:
    clock = FakeClock()
    port: Clock = clock
    assert port.now() == port.now() == A_MONDAY
    assert clock.advance(90) == A_MONDAY + timedelta(seconds=90)
    assert clock.advance(timedelta(days=-1)) == port.now()
    clock.set(datetime.fromisoformat("2026-06-01T12:00:00+02:00"))
    assert clock.now() == datetime(2026, 6, 1, 10, tzinfo=UTC)
    assert clock.now().tzinfo is UTC


def test_a_naive_instant_is_refused() -> None:
    naive = datetime.fromisoformat("2026-06-01T12:00:00")
    with pytest.raises(ValueError, match="aware"):
        FakeClock(naive)
    with pytest.raises(ValueError, match="aware"):
        FakeClock().set(naive)


def test_ids_repeat_by_seed_and_never_within_a_run() -> None:
    one, same, other = FakeIds(1), FakeIds(1), FakeIds(2)
    port: Ids = one
    drawn = [port.new_id("drift") for _ in range(100)]
    assert drawn == [same.new_id("drift") for _ in range(100)]
    assert len(set(drawn)) == 100
    assert not set(drawn) & {other.new_id("drift") for _ in range(100)}
    assert all(name.startswith("drift-") and name[6:].isalnum() and len(name) == 22 for name in drawn)
    assert len(port.token_bytes(100)) == 100
    assert port.token_bytes(8) != port.token_bytes(8)


def test_jitter_fills_its_range() -> None:
    ids = FakeIds()
    drawn = [ids.jitter(2.0, 4.0) for _ in range(200)]
    assert all(2.0 <= number <= 4.0 for number in drawn)
    assert min(drawn) < 2.2
    assert max(drawn) > 3.8


def test_sleep_moves_the_clock_and_ends_at_a_wish_to_stop() -> None:
    clock = FakeClock()
    sleep = FakeSleep(clock)
    port: Sleep = sleep
    stop: Stop = FakeStop()
    port.sleep(5)
    port.sleep(-1)
    assert port.wait(stop, 10) is False
    assert clock.now() == A_MONDAY + timedelta(seconds=15)
    stop.set()
    assert port.wait(stop, 10) is True
    assert clock.now() == A_MONDAY + timedelta(seconds=15)
    assert sleep.slept == [5, -1, 10]
