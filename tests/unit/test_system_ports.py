"""The real clock, ids and waiting."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from calsync.errors import ConfigError
from calsync.system_ports import FixedClock, StopEvent, SystemClock, SystemIds, SystemSleep, choose_clock


class PlainStop:
    """A stop that is not the system's own."""

    def __init__(self) -> None:
        self.asked = 0

    def is_set(self) -> bool:
        """True when asked for the third time."""
        self.asked += 1
        return self.asked >= 3

    def set(self) -> None:
        """Not needed here."""


def test_the_hosts_clock_is_utc_and_close() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)


def test_without_the_variable_the_hosts_clock_is_used() -> None:
    assert isinstance(choose_clock(may_be_fixed=True, environ={}), SystemClock)


@pytest.mark.parametrize("text", ["2026-11-24T10:00:00Z", "2026-11-24T11:00:00+01:00"])
def test_a_test_installation_may_fix_the_clock_and_it_is_logged(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    clock = choose_clock(may_be_fixed=True, environ={"CALSYNC_NOW": text})
    assert clock.now() == datetime(2026, 11, 24, 10, tzinfo=UTC)
    assert isinstance(clock, FixedClock)
    output = capsys.readouterr()
    assert "clock_is_fixed" in output.out + output.err


def test_elsewhere_a_fixed_clock_is_refused() -> None:
    with pytest.raises(ConfigError, match="may not be fixed"):
        choose_clock(may_be_fixed=False, environ={"CALSYNC_NOW": "2026-11-24T10:00:00Z"})


@pytest.mark.parametrize("text", ["", "now", "2026-11-24", "2026-11-24T10:00:00"])
def test_a_fixed_clock_must_be_an_instant(text: str) -> None:
    with pytest.raises(ConfigError, match="is not an instant"):
        choose_clock(may_be_fixed=True, environ={"CALSYNC_NOW": text})


def test_ids_are_fresh_and_plain() -> None:
    ids = SystemIds()
    made = {ids.new_id("drift") for _ in range(1000)}
    assert len(made) == 1000
    assert all(name.startswith("drift-") and name.removeprefix("drift-").isalnum() for name in made)
    assert all(name == name.lower() for name in made)
    assert len(ids.token_bytes(32)) == 32
    assert 1.0 <= ids.jitter(1.0, 2.0) <= 2.0


def test_waiting_ends_when_the_stop_is_set() -> None:
    stop = StopEvent()
    waited: list[bool] = []
    thread = threading.Thread(target=lambda: waited.append(SystemSleep().wait(stop, 60)))
    thread.start()
    stop.set()
    thread.join(10)
    assert waited == [True]
    assert not SystemSleep().wait(StopEvent(), 0)


def test_any_stop_is_obeyed() -> None:
    assert SystemSleep().wait(PlainStop(), 60)
