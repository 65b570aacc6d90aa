from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from calsync.connector.around import Around
from calsync.connector.budgeted import LONGEST_BLOCK, Budgeted, BudgetHook
from calsync.connector.counted import Counted
from calsync.connector.errors import AuthRevoked, Throttled, Unavailable
from calsync.connector.logged import Logged
from calsync.connector.protocol import Calendar, Gone, Page, Reading, Seen, Unreadable
from calsync.connector.wrappers import RetryPolicy, WrapPorts, wrap
from calsync.testing.fake_ports import FakeClock, FakeIds, FakeSleep
from calsync.testing.memory_calendar import MemoryCalendar, MemoryService
from calsync.testing.weather import Weather, fails, lost_answer
from tests.unit.connector.scripted import EVENT, WINDOW, NoneKnown, Scripted, create

SEEN = Seen("a", "v", EVENT)


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


class FakeBudget:
    """Waits in the order given; then none."""

    def __init__(self, *waits: float) -> None:
        self.waits = list(waits)
        self.asked: list[tuple[str, datetime]] = []
        self.blocked: list[tuple[str, datetime]] = []

    def wait_time(self, key: str, now: datetime) -> float:
        self.asked.append((key, now))
        return self.waits.pop(0) if self.waits else 0.0

    def block_until(self, key: str, until: datetime) -> None:
        self.blocked.append((key, until))


class Shop:
    def __init__(self, inner: Calendar, *waits: float) -> None:
        self.clock = FakeClock()
        self.sleep = FakeSleep(self.clock)
        self.budget = FakeBudget(*waits)
        self.calendar = Budgeted(inner, BudgetHook(self.budget, "caldav:a"), clock=self.clock, sleep=self.sleep)


def test_a_wrapper_hands_every_call_on() -> None:
    inner = Scripted()
    calendar: Calendar = Around(inner)
    assert calendar.traits is inner.traits
    assert list(calendar.changes("c", WINDOW, NoneKnown())) == [Page((), cursor="c")]
    assert list(calendar.read(["a"])) == [Gone("a")]
    assert [result.key for result in calendar.write([create("k")])] == ["k"]
    assert calendar.locate("u") == "elsewhere"
    assert list(calendar.busy(WINDOW)) == [EVENT.master.span]
    watch = calendar.watch("https://example.org", "s", timedelta(hours=1))
    assert watch is not None
    calendar.unwatch(watch)
    assert [finding.ok for finding in calendar.check()] == [True]
    calendar.close()
    ports = [port for port, _ in inner.asked]
    assert ports == ["changes", "read", "write", "locate", "busy", "watch", "unwatch", "check"]
    assert inner.closed == 1


class TestCounted:
    def test_calls_and_pages_count_as_requests(self) -> None:
        calendar = Counted(Scripted(pages=[Page((SEEN,)), Page((Gone("b"),), cursor="c")]))
        list(calendar.changes(None, WINDOW, NoneKnown()))
        assert calendar.counts.requests == 2
        calendar.read(["a"])
        list(calendar.write([create("k"), create("l")]))
        calendar.locate("u")
        assert (calendar.counts.requests, calendar.counts.reads, calendar.counts.writes) == (5, 1, 2)

    def test_failed_calls_count_too(self) -> None:
        calendar = Counted(Scripted(Unavailable(), Unavailable(), Unavailable()))
        for attempt in (
            lambda: calendar.read(["a"]),
            lambda: list(calendar.changes(None, WINDOW, NoneKnown())),
            lambda: list(calendar.write([create("k")])),
        ):
            with pytest.raises(Unavailable):
                attempt()
        assert calendar.counts.requests == 3

    def test_the_calendars_own_count_is_believed(self) -> None:
        service = MemoryService()
        service.add_calendar("work")
        inner = MemoryCalendar(service, "work")
        inner.locate("before")
        calendar = Counted(inner)
        list(calendar.write([create("a"), create("b")]))
        list(calendar.changes(None, WINDOW, NoneKnown()))
        assert calendar.counts.requests == service.total_requests - 1 == 4
        assert (calendar.counts.reads, calendar.counts.writes) == (2, 2)

    def test_what_could_not_be_understood_was_read_all_the_same(self) -> None:
        class Both(Scripted):
            def read(self, remote_ids: Any) -> Iterable[Reading]:
                return [SEEN, Unreadable("b", None, "no-start"), Gone("c")]

        calendar = Counted(Both())
        calendar.read(["a", "b", "c"])
        assert calendar.counts.reads == 2


class TestLogged:
    def test_one_line_for_each_call_without_content(self, lines: list[Any]) -> None:
        calendar = Logged(Scripted(pages=[Page((SEEN,)), Page((), cursor="c")]), "cal-1", FakeClock())
        list(calendar.changes(None, WINDOW, NoneKnown()))
        calendar.read(["a", "b"])
        list(calendar.write([create("k")]))
        assert [(line["calendar"], line["port"], line["items"]) for line in lines] == [
            ("cal-1", "changes", 1),
            ("cal-1", "read", 2),
            ("cal-1", "write", 1),
        ]
        assert "Ann" not in repr(lines)
        assert {line["log_level"] for line in lines} == {"debug"}

    def test_seconds_are_those_inside_the_calendar(self, lines: list[Any]) -> None:
        clock = FakeClock()

        class Slow(Scripted):
            def changes(self, *arguments: Any) -> Iterator[Page]:
                for page in (Page(()), Page((), cursor="c")):
                    clock.advance(1.5)
                    yield page

        for _ in Logged(Slow(), "cal-1", clock).changes(None, WINDOW, NoneKnown()):
            clock.advance(60)
        assert lines[0]["seconds"] == 3.0

    def test_a_failure_names_its_class_and_not_its_message(self, lines: list[Any]) -> None:
        calendar = Logged(
            Scripted(AuthRevoked("password hunter2 of Ann"), Throttled(retry_after=7)), "cal-1", FakeClock()
        )
        with pytest.raises(AuthRevoked):
            calendar.locate("u")
        with pytest.raises(Throttled):
            list(calendar.changes(None, WINDOW, NoneKnown()))
        assert [(line["error"], line["retry_after"], line["log_level"]) for line in lines] == [
            ("AuthRevoked", None, "warning"),
            ("Throttled", 7, "warning"),
        ]
        assert "hunter2" not in repr(lines)


class TestBudgeted:
    def test_a_call_waits_for_its_turn(self) -> None:
        shop = Shop(Scripted(), 2.0, 0.5)
        shop.calendar.read(["a"])
        assert shop.sleep.slept == [2.0, 0.5]
        assert [key for key, _ in shop.budget.asked] == ["caldav:a"] * 3
        assert shop.budget.asked[-1][1] - shop.budget.asked[0][1] == timedelta(seconds=2.5)

    def test_a_turn_too_far_away_is_refused_before_the_call(self) -> None:
        inner = Scripted()
        shop = Shop(inner, 6.0, 6.0)
        with pytest.raises(Throttled) as caught:
            list(shop.calendar.write([create("k")]))
        assert caught.value.retry_after == 6.0
        assert shop.sleep.slept == [6.0]
        assert inner.asked == []

    @pytest.mark.parametrize(
        ("asked", "blocked"),
        [(37.0, timedelta(seconds=37)), (float("inf"), LONGEST_BLOCK), (1e12, LONGEST_BLOCK)],
    )
    def test_a_throttled_call_blocks_the_budget_for_all(self, asked: float, blocked: timedelta) -> None:
        shop = Shop(Scripted(Throttled(retry_after=asked), Throttled(retry_after=asked)))
        with pytest.raises(Throttled):
            shop.calendar.locate("u")
        with pytest.raises(Throttled):
            list(shop.calendar.changes(None, WINDOW, NoneKnown()))
        assert shop.budget.blocked == [("caldav:a", shop.clock.now() + blocked)] * 2

    @pytest.mark.parametrize("asked", [None, 0.0, -3.0, float("nan")])
    def test_no_usable_time_blocks_nothing(self, asked: float | None) -> None:
        shop = Shop(Scripted(Throttled(retry_after=asked)))
        with pytest.raises(Throttled):
            shop.calendar.locate("u")
        assert shop.budget.blocked == []


class TestWrap:
    def wrapped(self, weather: Weather, budget: FakeBudget | None = None) -> tuple[Around, MemoryService, FakeSleep]:
        clock = FakeClock()
        service = MemoryService(clock=clock, weather=weather)
        service.add_calendar("work")
        sleep = FakeSleep(clock)
        ports = WrapPorts(clock, FakeIds(), sleep)
        hook = BudgetHook(budget, "k") if budget else None
        calendar = wrap(MemoryCalendar(service, "work"), "cal-1", ports=ports, budget=hook, retries=RetryPolicy())
        return calendar, service, sleep

    def test_each_attempt_is_counted_logged_and_drawn_from_the_budget(self, lines: list[Any]) -> None:
        budget = FakeBudget()
        calendar, service, sleep = self.wrapped(Weather().at("locate", 1, fails(Unavailable())), budget)
        assert calendar.locate("u") is None
        assert calendar.counts.requests == service.total_requests == 2
        assert len(budget.asked) == 2
        assert [line["log_level"] for line in lines] == ["warning", "debug"]
        assert len(sleep.slept) == 1

    def test_a_lost_answer_to_a_create_ends_as_a_conflict_with_one_event(self) -> None:
        calendar, service, _ = self.wrapped(Weather().at("write", 1, lost_answer()))
        [result] = calendar.write([create("k")])
        assert result.outcome == "conflict"
        assert len(service.written("work")) == 1

    def test_every_line_of_a_write_is_logged(self, lines: list[Any]) -> None:
        calendar, _, _ = self.wrapped(Weather())
        list(calendar.write([create("k")]))
        assert [(line["port"], line["items"]) for line in lines] == [("write", 1)]

    def test_without_a_budget_nothing_waits(self) -> None:
        calendar, _, sleep = self.wrapped(Weather())
        assert list(calendar.read(["x"])) == [Gone("x")]
        assert sleep.slept == []
        calendar.close()


def test_wall_time_is_utc() -> None:
    assert FakeClock().now().tzinfo is UTC
