from typing import Any

import pytest

from calsync.connector.errors import (
    AuthRevoked,
    CalendarError,
    Conflict,
    CursorExpired,
    Forbidden,
    Malformed,
    NotFound,
    Throttled,
    Unavailable,
)
from calsync.connector.protocol import Calendar, Outcome, Page
from calsync.connector.retrying import Retrying, RetryPolicy
from calsync.testing.fake_ports import FakeClock, FakeIds, FakeSleep, FakeStop
from tests.unit.connector.scripted import EVENT, WINDOW, NoneKnown, Scripted, create, update

POLICY = RetryPolicy(attempts=4, first=1.0, longest=3.0, patience=20.0)


class Table:
    def __init__(self, *steps: BaseException | None, stop: FakeStop | None = None, **more: Any) -> None:
        self.inner = Scripted(*steps, **more)
        inner: Calendar = self.inner
        self.sleep = FakeSleep(FakeClock())
        self.calendar: Calendar = Retrying(inner, ids=FakeIds(), sleep=self.sleep, policy=POLICY, stop=stop)


def test_a_read_is_tried_until_it_works() -> None:
    table = Table(Unavailable(), Unavailable())
    assert len(list(table.calendar.read(["a", "b"]))) == 2
    assert len(table.inner.asked) == 3


def test_it_gives_up_by_raising_the_last_error() -> None:
    last = Unavailable("fourth")
    table = Table(Unavailable(), Unavailable(), Unavailable(), last, None)
    with pytest.raises(Unavailable) as caught:
        table.calendar.read(["a"])
    assert caught.value is last
    assert len(table.inner.asked) == POLICY.attempts


def test_waits_grow_with_jitter_up_to_the_longest() -> None:
    table = Table(Unavailable(), Unavailable(), Unavailable())
    table.calendar.locate("u")
    for slept, full in zip(table.sleep.slept, (1.0, 2.0, 3.0), strict=True):
        assert full / 2 <= slept <= full
    assert table.sleep.slept != [1.0, 2.0, 3.0]


def test_a_short_wish_to_wait_is_obeyed() -> None:
    table = Table(Throttled(retry_after=15))
    table.calendar.locate("u")
    [slept] = table.sleep.slept
    assert 15 <= slept <= 16


def test_a_wish_in_the_past_is_no_wish() -> None:
    table = Table(Throttled(retry_after=-5))
    table.calendar.locate("u")
    assert 0 <= table.sleep.slept[0] <= 1


@pytest.mark.parametrize("seconds", [20.5, 3600, float("inf"), float("nan")])
def test_a_long_wish_to_wait_goes_up_at_once(seconds: float) -> None:
    table = Table(Throttled(retry_after=seconds))
    with pytest.raises(Throttled):
        table.calendar.locate("u")
    assert table.sleep.slept == []


def test_throttled_without_a_time_waits_like_an_outage() -> None:
    table = Table(Throttled())
    table.calendar.locate("u")
    assert 0.5 <= table.sleep.slept[0] <= 1


@pytest.mark.parametrize("error", [AuthRevoked, Forbidden, Malformed, CursorExpired, NotFound, Conflict])
def test_what_will_not_pass_is_never_tried_again(error: type[CalendarError]) -> None:
    table = Table(error())
    with pytest.raises(error):
        list(table.calendar.read(["a"]))
    assert len(table.inner.asked) == 1
    with pytest.raises(error):
        Table(error()).calendar.locate("u")
    with pytest.raises(error):
        list(Table(error()).calendar.changes("c", WINDOW, NoneKnown()))
    with pytest.raises(error):
        list(Table(error()).calendar.write([create("k")]))


def test_errors_of_our_own_are_not_tried_again() -> None:
    table = Table(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        table.calendar.locate("u")
    assert len(table.inner.asked) == 1


def test_a_feed_is_tried_again_before_its_first_page() -> None:
    pages = [Page(()), Page((), cursor="c")]
    table = Table(Unavailable(), pages=pages)
    assert list(table.calendar.changes("c0", WINDOW, NoneKnown())) == pages
    assert table.inner.asked == [("changes", "c0"), ("changes", "c0")]


def test_a_feed_that_breaks_later_is_not_told_twice() -> None:
    table = Table(None, Unavailable(), pages=[Page(()), Page((), cursor="c")])
    feed = iter(table.calendar.changes("c0", WINDOW, NoneKnown()))
    assert next(feed) == Page(())
    with pytest.raises(Unavailable):
        next(feed)
    assert len(table.inner.asked) == 1


def test_an_empty_feed_stays_empty() -> None:
    assert list(Table(pages=[]).calendar.changes(None, WINDOW, NoneKnown())) == []


def test_only_unanswered_writes_are_sent_again() -> None:
    table = Table(None, Unavailable())
    results = list(table.calendar.write([create("a"), create("b"), update("c", "v1")]))
    assert [(result.key, result.outcome) for result in results] == [(key, Outcome.WRITTEN) for key in "abc"]
    assert table.inner.asked == [("write", ["a", "b", "c"]), ("write", ["b", "c"])]


def test_an_update_without_version_is_never_repeated() -> None:
    table = Table(None, Unavailable())
    results = iter(table.calendar.write([create("a"), create("b"), update("c", None)]))
    assert next(results).key == "a"
    with pytest.raises(Unavailable):
        next(results)
    assert len(table.inner.asked) == 1


def test_each_answer_gives_new_patience() -> None:
    down = Unavailable()
    table = Table(down, down, down, None, down, down, down, None)
    assert len(list(table.calendar.write([create("a"), create("b")]))) == 2


def test_writing_nothing_asks_nothing_of_the_service() -> None:
    assert list(Table().calendar.write([])) == []


def test_a_calendar_that_stops_answering_writes_does_not_hang() -> None:
    class Mute(Scripted):
        def write(self, batch: Any) -> Any:
            return iter(())

    calendar = Retrying(Mute(), ids=FakeIds(), sleep=FakeSleep(FakeClock()))
    assert list(calendar.write([create("a")])) == []


def test_a_watch_and_a_self_test_are_tried_once() -> None:
    table = Table(Unavailable(), Unavailable())
    with pytest.raises(Unavailable):
        table.calendar.watch("https://example.org", "s", WINDOW.end - WINDOW.start)
    with pytest.raises(Unavailable):
        table.calendar.check()
    assert len(table.inner.asked) == 2


def test_busy_and_unwatch_are_tried_again() -> None:
    table = Table(Unavailable())
    assert list(table.calendar.busy(WINDOW)) == [EVENT.master.span]
    assert table.sleep.slept


def test_a_wish_to_stop_ends_the_waiting() -> None:
    stop = FakeStop()
    table = Table(Unavailable("the first"), None, stop=stop)
    stop.set()
    with pytest.raises(Unavailable, match="the first"):
        table.calendar.locate("u")
    assert len(table.inner.asked) == 1
    assert table.sleep.slept == []


def test_a_wish_to_stop_during_the_wait_ends_it() -> None:
    stop = FakeStop()

    class Interrupted(FakeSleep):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            stop.set()

    inner = Scripted(Unavailable("first"))
    calendar = Retrying(inner, ids=FakeIds(), sleep=Interrupted(FakeClock()), policy=POLICY, stop=stop)
    with pytest.raises(Unavailable, match="stop"):
        calendar.locate("u")
    assert len(inner.asked) == 1
