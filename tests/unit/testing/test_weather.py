from typing import Any

import pytest

from calsync.connector.errors import (
    AuthRevoked,
    CursorExpired,
    Forbidden,
    Malformed,
    NotFound,
    Throttled,
    Unavailable,
)
from calsync.connector.protocol import Gone, Outcome, Seen, Unknown
from calsync.domain.write import WriteKind
from calsync.testing.conformance.samples import series, single
from calsync.testing.fake_ports import FakeClock
from calsync.testing.personality import CALDAV_SYNC, GOOGLE
from calsync.testing.weather import Fault, FaultKind, Weather, fails, lost_answer, lost_request, meanwhile
from tests.unit.testing.account import Account


class Crash(BaseException):
    """A process that dies."""


def three() -> Account:
    account = Account(GOOGLE)
    for number in range(3):
        account.create(single(f"event-{number}", f"2026-03-0{number + 1}T10:00"), f"id-{number}")
    return account


class TestScript:
    def test_a_fault_strikes_the_call_of_its_number_only(self) -> None:
        weather = Weather().at("read", 2, lost_request())
        assert [list(weather.strike("work", "read")) for _ in range(3)] == [[], [lost_request()], []]
        assert weather.struck == [("read", 2, FaultKind.REQUEST_LOST)]

    def test_keys_are_counted_apart(self) -> None:
        weather = Weather().at("private/read", 1, lost_request()).at("*", 3, lost_answer())
        assert list(weather.strike("work", "read")) == []
        assert list(weather.strike("private", "read")) == [lost_request()]
        assert list(weather.strike("private", "write")) == [lost_answer()]
        assert weather.calls == {
            "read": 2, "write": 1, "*": 3, "work/read": 1, "work/*": 1, "private/read": 1, "private/write": 1,
            "private/*": 2,
        }  # fmt: skip

    def test_taking_one_fault_away_leaves_the_others_in_place(self) -> None:
        def struck(*numbers: int) -> list[tuple[str, int, FaultKind]]:
            weather = Weather()
            for number in numbers:
                weather.at("write", number, lost_request())
            for _ in range(6):
                weather.strike("work", "write")
            return weather.struck

        assert struck(2, 5)[1:] == struck(5)

    def test_next_and_always_and_clear(self) -> None:
        weather = Weather()
        weather.strike("work", "read")
        weather.next("read", lost_request())
        assert weather.strike("work", "read").find(FaultKind.REQUEST_LOST)
        weather.always("work/*", lost_answer())
        assert weather.strike("work", "write").find(FaultKind.ANSWER_LOST)
        assert not weather.strike("private", "write")
        weather.clear()
        assert not weather.strike("work", "write")


class TestAnyRequest:
    def test_a_lost_request_has_no_effect_and_is_counted(self) -> None:
        account = Account()
        account.weather.at("write", 1, lost_request())
        with pytest.raises(Unavailable):
            account.create(single())
        assert account.live == []
        assert account.calendar.requests_made == account.service.total_requests == 1

    def test_a_lost_answer_has_its_effect(self) -> None:
        account = Account()
        account.weather.at("write", 1, lost_answer())
        with pytest.raises(Unavailable):
            account.create(single())
        assert account.live == ["one"]

    @pytest.mark.parametrize(
        "error", [Malformed("HTML"), Forbidden(), NotFound(), AuthRevoked(), Throttled(retry_after=37), Crash()]
    )
    def test_any_error_before_or_after_the_effect(self, error: BaseException) -> None:
        account = Account()
        account.weather.at("write", 1, fails(error)).at("write", 2, Fault(FaultKind.FAILS_AFTER, error=error))
        for expected in ([], ["one"]):
            with pytest.raises(type(error)) as caught:
                account.create(single())
            assert caught.value is error
            assert account.live == expected

    def test_somebody_acts_between_decision_and_arrival(self) -> None:
        account = Account()
        made = account.create(single())
        account.weather.next("write", meanwhile(lambda: account.person.delete("one")))
        assert account.write(WriteKind.UPDATE, "one", single(), made.version).outcome is Outcome.CONFLICT
        assert account.live == []

    def test_somebody_acts_between_effect_and_answer(self) -> None:
        account = Account()
        account.weather.next("write", Fault(FaultKind.AFTERWARDS, act=lambda: account.person.retitle("one", "Mine")))
        made = account.create(single())
        reading = account.read()
        assert isinstance(reading, Seen)
        assert reading.version != made.version


class TestFeed:
    def test_lag_hides_the_newest_changes_until_later(self) -> None:
        account = three()
        cursor = account.cursor()
        account.person.delete("id-0")
        account.person.retitle("id-1", "Mine")
        account.weather.next("changes", Fault(FaultKind.LAG, count=1))
        pages = account.pages(cursor)
        assert [item.remote_id for page in pages for item in page.items] == ["id-0"]
        assert [item.remote_id for item in account.items(pages[-1].cursor)] == ["id-1"]

    def test_a_lagging_full_listing_is_as_it_was(self) -> None:
        account = three()
        account.person.delete("id-0")
        account.weather.next("changes", Fault(FaultKind.LAG))
        pages = account.pages()
        assert {item.remote_id for page in pages for item in page.items} == {"id-0", "id-1", "id-2"}
        assert account.items(pages[-1].cursor) == [Gone("id-0")]

    @pytest.mark.parametrize(
        ("kind", "told"),
        [
            (FaultKind.REPEATED, ["id-0", "id-1", "id-2", "id-0", "id-1", "id-2"]),
            (FaultKind.SHUFFLED, ["id-2", "id-1", "id-0"]),
            (FaultKind.ON_TWO_PAGES, ["id-0", "id-1", "id-2", "id-0"]),
            (FaultKind.TRUNCATED, ["id-0", "id-1"]),
            (FaultKind.EMPTIED, []),
        ],
    )
    def test_listings_are_bent(self, kind: FaultKind, told: list[str]) -> None:
        account = three()
        account.weather.next("changes", Fault(kind))
        pages = account.pages()
        assert [item.remote_id for page in pages for item in page.items] == told
        assert pages[-1].cursor
        assert account.items(pages[-1].cursor) == []

    def test_a_tombstone_is_missing_for_good(self) -> None:
        account = three()
        cursor = account.cursor()
        account.person.delete("id-0")
        account.weather.next("changes", Fault(FaultKind.TOMBSTONE_MISSING))
        pages = account.pages(cursor)
        assert [page.items for page in pages] == [()]
        assert account.items(pages[-1].cursor) == []
        assert account.read("id-0") == Gone("id-0")

    def test_the_last_page_is_missing(self) -> None:
        account = three()
        account.weather.next("changes", Fault(FaultKind.LAST_PAGE_MISSING))
        pages = account.pages()
        assert [page.cursor for page in pages] == [None]

    def test_a_later_page_is_missing_or_fails(self) -> None:
        account = Account(GOOGLE)
        for number in range(120):
            account.create(single(f"event-{number}"), f"id-{number}")
        account.weather.at("changes", 3, Fault(FaultKind.LAST_PAGE_MISSING))
        pages = account.pages()
        assert [len(page.items) for page in pages] == [50, 50]
        assert pages[-1].cursor is None
        account.weather.at("changes", 5, fails(Unavailable()))
        with pytest.raises(Unavailable):
            account.pages()

    def test_cursors_are_empty_or_go_back(self) -> None:
        account = three()
        account.weather.next("changes", Fault(FaultKind.CURSOR_EMPTY))
        assert account.pages()[-1].cursor == ""
        with pytest.raises(CursorExpired):
            account.pages("")
        account.weather.next("changes", Fault(FaultKind.CURSOR_BACK, count=1))
        assert [item.remote_id for item in account.items(account.pages()[-1].cursor)] == ["id-2"]

    def test_a_fetch_of_named_events_can_fail(self) -> None:
        account = Account(CALDAV_SYNC)
        account.create(single())
        account.weather.at("fetch", 1, fails(Unavailable()))
        with pytest.raises(Unavailable):
            account.pages()


class TestReadAndWrite:
    def test_a_stale_read_shows_what_was(self) -> None:
        account = Account()
        account.create(single())
        account.person.delete("one")
        account.weather.next("read", Fault(FaultKind.STALE_READ))
        assert isinstance(account.read(), Seen)
        assert account.read() == Gone("one")

    def test_a_read_that_cannot_tell(self) -> None:
        account = Account()
        account.weather.next("read", Fault(FaultKind.READ_UNKNOWN))
        assert isinstance(account.read(), Unknown)

    @pytest.mark.parametrize(
        ("kind", "outcome", "live"),
        [
            (FaultKind.DOUBLED, Outcome.CONFLICT, ["one"]),
            (FaultKind.FALSE_CONFLICT, Outcome.CONFLICT, []),
            (FaultKind.REJECTED, Outcome.REJECTED, []),
            (FaultKind.UNKNOWN_DONE, Outcome.UNKNOWN, ["one"]),
            (FaultKind.UNKNOWN_UNDONE, Outcome.UNKNOWN, []),
        ],
    )
    def test_creates_are_answered_otherwise(self, kind: FaultKind, outcome: Outcome, live: list[str]) -> None:
        account = Account()
        account.weather.next("write", Fault(kind))
        assert account.create(series()).outcome is outcome
        assert account.live == live

    def test_a_doubled_delete_succeeds(self) -> None:
        account = Account()
        made = account.create(single())
        account.weather.next("write", Fault(FaultKind.DOUBLED))
        assert account.write(WriteKind.DELETE, "one", version=made.version).outcome is Outcome.WRITTEN


def test_every_kind_of_fault_is_tried_here() -> None:
    with open(__file__, encoding="utf-8") as text:  # noqa: PTH123
        source = text.read()
    helpers = {
        "REQUEST_LOST": "lost_request",
        "ANSWER_LOST": "lost_answer",
        "FAILS": "fails(",
        "MEANWHILE": "meanwhile(",
    }
    assert [kind.name for kind in FaultKind if helpers.get(kind.name, f"FaultKind.{kind.name}") not in source] == []


def test_the_same_script_gives_the_same_history() -> None:
    def history() -> Any:
        account = three()
        account.weather.next("changes", Fault(FaultKind.SHUFFLED))
        account.person.split_series(account.create(series(), "s").remote_id, series().master.span.start_at)
        account.pages()
        return account.service.calendars["work"].journal, account.weather.struck, FakeClock().now()

    assert history() == history()
