"""What must hold on Outlook, with the real worker: requests, drifts, lost answers, dead links, lost consent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from calsync.domain.drift import DriftKind, Resolution
from calsync.sandbox.graph.knobs import Knobs, SeriesRows
from calsync.sandbox.graph.state import When
from calsync.sandbox.graph.weather import Damage, Storm
from calsync_outlook.cursors import cursor_of
from tests.system.graph_world import GraphWorld
from tests.system.service_world import wall, weeks

READINGS = {
    "both": Knobs(),
    "master-only": Knobs(
        series_rows=SeriesRows.MASTER_ONLY, replays=True, exception_moves_master_key=False, touches_after_create=True
    ),
    "instances-only": Knobs(
        series_rows=SeriesRows.INSTANCES_ONLY, government=True, honours_if_match=False, lag=timedelta(seconds=5),
        empty_pages=True, remembers_deleted_transactions=False, exception_moves_master_key=False,
    ),
}  # fmt: skip


@pytest.fixture(params=READINGS)
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[GraphWorld]:
    made = GraphWorld(tmp_path, replace(READINGS[request.param]))
    yield made
    made.close()
    assert made.person.mailbox.outbox == []


def book_many(world: GraphWorld, count: int) -> None:
    for number in range(count):
        day = wall("2026-11-23T09:00") + timedelta(days=number // 6, hours=number % 6)
        world.book(f"A-{number}", day.isoformat())


class TestRequests:
    def test_a_pass_without_news_is_one_request(self, world: GraphWorld) -> None:
        world.graph.knobs.empty_pages = False
        book_many(world, 12)
        world.book_series("S-1", "2026-11-17T16:00", "FREQ=WEEKLY;COUNT=8", 8)
        world.settled()
        for _ in range(3):
            quiet = world.run()
            assert (quiet.requests, quiet.read, quiet.written, quiet.drifts) == (1, 0, 0, 0)

    def test_a_first_push_of_n_events_costs_n_and_a_few_requests(self, world: GraphWorld) -> None:
        book_many(world, 40)
        world.forget_calls()
        assert world.run().written == 40
        assert len(world.graph.api.log) <= 40 + 5

    def test_k_changed_events_cost_one_batch(self, world: GraphWorld) -> None:
        world.graph.knobs.empty_pages = False
        book_many(world, 30)
        world.settled()
        for name in world.person.ids()[:4]:
            world.person.drag(name, timedelta(minutes=15))
        seen = world.noticed()
        assert seen.drifts == 4
        assert seen.requests <= 2  # 1 + ceil(4 / 20)


Act = Callable[[GraphWorld, str], object]


def strip(world: GraphWorld, name: str) -> None:
    item = world.person.item(name)
    item.props.clear()
    world.graph.state.touch(world.person.mailbox, item)


def spoil(world: GraphWorld, name: str) -> None:
    item = world.person.item(name)
    item.when = replace(item.when, start=datetime(1700, 1, 1, tzinfo=UTC))
    world.graph.state.touch(world.person.mailbox, item)


def rezone(world: GraphWorld, name: str) -> None:
    item = world.person.item(name)
    by = timedelta(hours=3)
    item.when = When(item.when.start + by, item.when.end + by, "Pacific Standard Time")
    world.graph.state.touch(world.person.mailbox, item)


def propose(world: GraphWorld, name: str) -> None:
    start = datetime(2026, 11, 24, 20, tzinfo=UTC)
    world.person.answer_as_attendee(name, "tentativelyAccepted", When(start, start + timedelta(hours=1)))


ACTS: dict[str, tuple[Act, DriftKind]] = {
    "drag": (lambda w, name: w.person.drag(name, timedelta(hours=2)), DriftKind.MOVED),
    "resize": (lambda w, name: w.person.resize(name, timedelta(minutes=30)), DriftKind.RESIZED),
    "all-day": (lambda w, name: w.person.make_all_day(name), DriftKind.MADE_ALL_DAY),
    "zone": (rezone, DriftKind.ZONE_CHANGED),
    "retitle": (lambda w, name: w.person.retitle(name, "Mine"), DriftKind.RETITLED),
    "free": (lambda w, name: w.person.mark_free(name), DriftKind.MARKED_FREE),
    "publish": (lambda w, name: w.person.change(name, sensitivity="normal"), DriftKind.MADE_PUBLIC),
    "propose": (propose, DriftKind.NEW_TIME_PROPOSED),
    "delete": (lambda w, name: w.person.delete(name), DriftKind.DELETED),
    "out-of-the-window": (lambda w, name: w.person.drag(name, timedelta(days=900)), DriftKind.MOVED),
    "move-away": (lambda w, name: w.person.move_to(name, w.other), DriftKind.RELOCATED),
    "duplicate": (lambda w, name: w.person.copy(name, timedelta(days=1)), DriftKind.DUPLICATED),
    "strip": (strip, DriftKind.MARKER_LOST),
    "spoil": (spoil, DriftKind.UNREADABLE),
}


class TestEdits:
    def test_a_drag_is_recorded_and_put_back(self, world: GraphWorld) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.settled()
        name = world.only_event()
        world.person.change(name, categories=["Red category"], reminderMinutesBeforeStart=5)
        world.person.drag(name, timedelta(hours=4))
        world.noticed()
        assert world.kinds() == [DriftKind.MOVED]
        world.later(seconds=91)
        world.run()
        assert world.starts()[name] == wall("2026-11-24T10:00")
        world.until_quiet()
        assert world.resolutions() == [Resolution.REVERTED]
        fields = world.person.item(name).fields
        assert (fields["categories"], fields["reminderMinutesBeforeStart"]) == (["Red category"], 5)
        assert fields["sensitivity"] == "private"

    @pytest.mark.parametrize("act", ACTS)
    def test_every_kind_of_edit_is_called_by_its_name(self, world: GraphWorld, act: str) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.book("4822", "2026-12-01T10:00")
        world.settled()
        name = next(n for n, start in world.starts().items() if start == wall("2026-11-24T10:00"))
        do, kind = ACTS[act]
        do(world, name)
        world.noticed()
        world.run()
        assert set(world.kinds()) == {kind}

    def test_one_that_was_made_public_is_private_again(self, world: GraphWorld) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.settled()
        name = world.only_event()
        world.person.change(name, categories=["Red category"], sensitivity="normal")
        world.noticed()
        world.run()
        world.until_quiet()
        fields = world.person.item(name).fields
        assert (fields["sensitivity"], fields["categories"]) == ("private", ["Red category"])
        assert world.kinds() == [DriftKind.MADE_PUBLIC]

    def test_a_deleted_event_comes_back_once(self, world: GraphWorld) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.settled()
        world.person.delete(world.only_event())
        world.noticed()
        world.later(seconds=91)
        world.run()
        world.until_quiet()
        assert list(world.starts().values()) == [wall("2026-11-24T10:00")]
        assert world.kinds() == [DriftKind.DELETED]

    def test_one_restored_by_the_person_under_a_new_id_is_no_second_event(self, world: GraphWorld) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.settled()
        name = world.only_event()
        number = world.person.item(name).number
        world.person.delete(name)
        world.noticed()
        fresh = world.person.restore_deleted(number)
        world.noticed()
        world.until_quiet()
        assert world.starts() == {fresh: wall("2026-11-24T10:00")}

    def test_single_occurrences_are_put_back_one_by_one(self, world: GraphWorld) -> None:
        world.book_series("S-1", "2026-11-24T10:00", "FREQ=WEEKLY;COUNT=8", 8)
        world.settled()
        name = world.only_event()
        world.person.drag_occurrence(name, date(2026, 12, 8), timedelta(hours=3))
        world.person.delete_occurrence(name, date(2026, 12, 22))
        world.noticed()
        assert sorted(world.kinds()) == [DriftKind.DELETED, DriftKind.MOVED]
        slots = {datetime(2026, 12, 8, 15, tzinfo=UTC), datetime(2026, 12, 22, 15, tzinfo=UTC)}
        assert {drift.original_start for drift in world.drifts()} == slots
        world.later(seconds=91)
        world.run()
        world.until_quiet()
        assert world.occurrences(name) == weeks("2026-11-24T10:00", 8)
        assert world.resolutions() == [Resolution.REVERTED] * 2

    def test_a_cancelled_occurrence_is_found_though_its_row_says_nothing(self, world: GraphWorld) -> None:
        world.book_series("S-1", "2026-11-24T10:00", "FREQ=WEEKLY;COUNT=8", 8)
        world.settled()
        world.person.delete_occurrence(world.only_event(), date(2026, 12, 1))
        world.noticed()
        assert world.kinds() == [DriftKind.DELETED]
        assert world.drifts()[0].original_start == datetime(2026, 12, 1, 15, tzinfo=UTC)

    def test_an_occurrence_dragged_years_away_is_moved_where_the_service_tells(self, world: GraphWorld) -> None:
        world.book_series("S-1", "2026-11-24T10:00", "FREQ=WEEKLY;COUNT=8", 8)
        world.settled()
        world.person.drag_occurrence(world.only_event(), date(2027, 1, 12), timedelta(days=1500))
        world.noticed()
        tells = not world.graph.knobs.government
        assert world.kinds() == [DriftKind.MOVED if tells else DriftKind.DELETED]

    def test_a_whole_series_dragged_is_one_edit_and_is_put_back(self, world: GraphWorld) -> None:
        world.book_series("S-1", "2026-11-24T10:00", "FREQ=WEEKLY;COUNT=8", 8)
        world.book("4821", "2026-11-25T10:00")
        world.settled()
        name = next(name for name in world.person.ids() if world.person.item(name).recurrence)
        world.person.drag(name, timedelta(days=1, hours=1))
        world.noticed()
        assert world.kinds() == [DriftKind.MOVED] * 8
        assert len({drift.edit for drift in world.drifts()}) == 1
        world.later(seconds=91)
        world.run()
        world.until_quiet()
        assert world.occurrences(name) == weeks("2026-11-24T10:00", 8)

    def test_an_event_with_attendees_is_never_written_over(self, world: GraphWorld) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.settled()
        name = world.only_event()
        world.person.answer_as_attendee(name, "accepted")
        world.noticed()
        assert [kind for kind in world.kinds() if kind is DriftKind.MOVED] == []  # an answer is no edit of the times
        world.person.drag(name, timedelta(hours=1))
        world.noticed()
        world.later(seconds=91)
        world.run()
        assert world.starts()[name] == wall("2026-11-24T11:00")
        assert DriftKind.MOVED in world.kinds()

    def test_a_year_of_weekly_sessions_shows_no_false_drift(self, world: GraphWorld) -> None:
        world.book_series("S-1", "2026-11-17T16:00", "FREQ=WEEKLY;COUNT=52", 52)
        world.settled()
        name = world.only_event()
        assert world.person.item(name).when.zone == "Eastern Standard Time"
        assert world.occurrences(name) == weeks("2026-11-17T16:00", 52)
        for _ in range(13):
            world.later(weeks=4)
            world.run(full=True)
        assert world.kinds() == []
        assert world.occurrences(name) == weeks("2026-11-17T16:00", 52)


class TestGaps:
    @pytest.mark.parametrize(
        ("status", "code"),
        [(410, "SyncStateNotFound"), (410, "fullSyncRequired"), (400, "ErrorInvalidSyncStateData"),
         (404, "resyncRequired"), (410, "")],
    )  # fmt: skip
    def test_a_dead_link_after_three_deletions_and_two_moves_gives_exactly_five_drifts(
        self, world: GraphWorld, status: int, code: str
    ) -> None:
        book_many(world, 30)
        world.settled()
        names = world.person.ids()
        for name in names[:3]:
            world.person.delete(name)
        for name in names[3:5]:
            world.person.drag(name, timedelta(hours=1))
        world.graph.knobs.expired_status, world.graph.knobs.expired_code = status, code
        world.graph.api.delta.expire()
        world.noticed()
        assert sorted(world.kinds()) == [DriftKind.DELETED] * 3 + [DriftKind.MOVED] * 2
        world.run()
        assert len(world.kinds()) == 5

    def test_a_link_that_dies_in_the_middle_of_a_round_loses_nothing(self, world: GraphWorld) -> None:
        world.graph.knobs.empty_pages = True
        world.book("4821", "2026-11-24T10:00")
        world.settled()
        world.person.drag(world.only_event(), timedelta(hours=1))
        world.later(seconds=10)
        expire = world.graph.api.delta.expire
        world.graph.weather.add(Storm("delta", Damage.DROP_AFTER, times=0, skip=0))
        world.graph.weather.add(Storm("delta", Damage.NONE, skip=1, then=expire))
        world.run()
        world.run()
        assert world.kinds() == [DriftKind.MOVED]

    def test_the_window_rolls_on_without_losing_what_was_edited_meanwhile(self, world: GraphWorld) -> None:
        world.book("4821", "2027-12-20T10:00")
        world.settled()
        world.later(days=120)
        world.run()
        world.later(seconds=10)
        world.run()
        assert len(world.person.ids()) == 1
        world.person.drag(world.only_event(), timedelta(hours=1))
        world.later(days=120)
        world.run()
        assert world.kinds() == [DriftKind.MOVED]
        window = world.opener.the_rules.window(world.clock.now())
        cursor = cursor_of(world.row().cursor or "", world.remote)
        assert cursor.extent.start <= window.start
        assert cursor.extent.end >= window.end

    @pytest.mark.parametrize("number", [50173, 700082, 65001, 50057])
    def test_lost_credentials_ask_for_new_ones_in_one_pass_and_delete_nothing(
        self, world: GraphWorld, number: int
    ) -> None:
        book_many(world, 6)
        world.settled()
        world.opener.forget(world.calendar)
        told = {"error": "invalid_grant", "error_codes": [number], "error_description": "made up"}
        world.graph.tokens.failures += [(400, told, {})] * 2
        world.graph.tokens.access.clear()
        result = world.run()
        assert (result.state, result.drifts) == ("needs-reconnect", 0)
        assert world.kinds() == []
        world.graph.tokens.failures.clear()
        before = world.starts()
        world.opener.forget(world.calendar)
        world.later(hours=7)
        world.settled()
        assert world.row().state == "active"
        assert world.starts() == before
        assert world.kinds() == []

    @pytest.mark.parametrize(
        "trouble",
        ["404", "403", "mailbox", "empty", "second-page", "html", "cut", "no-link", "both", "elsewhere", "503"],
    )
    def test_trouble_with_the_calendar_is_never_read_as_deletions(self, world: GraphWorld, trouble: str) -> None:
        book_many(world, 20)
        world.settled()
        weather, before = world.graph.weather, world.starts()
        link = f'"{world.graph.graph_url}/x"'.encode()
        match trouble:
            case "404":
                weather.refuse("*", 404, "ErrorItemNotFound", times=None)
            case "403":
                weather.refuse("*", 403, "ErrorAccessDenied", times=None)
            case "mailbox":
                world.person.mailbox.is_enabled = False
            case "empty":
                body = b'{"value":[],"@odata.deltaLink":' + link + b"}"
                weather.damage("delta", Damage.REPLACE, times=None, body=body)
            case "second-page":
                world.graph.knobs.empty_pages = True
                weather.add(Storm("delta", fault=weather.refuse("none", 503, "UnknownError").fault, skip=1, times=None))
            case "html":
                weather.damage("delta", Damage.HTML, times=None)
            case "cut":
                weather.damage("delta", Damage.CUT, times=None)
            case "no-link":
                weather.damage("delta", Damage.REPLACE, times=None, body=b'{"value":[]}')
            case "both":
                body = b'{"value":[],"@odata.deltaLink":' + link + b',"@odata.nextLink":' + link + b"}"
                weather.damage("delta", Damage.REPLACE, times=None, body=body)
            case "elsewhere":
                body = b'{"value":[],"@odata.nextLink":"https://evil.example/v1.0/x"}'
                weather.damage("delta", Damage.REPLACE, times=None, body=body)
            case "503":
                weather.refuse("*", 503, "UnknownError", times=None)
        world.forget_calls()
        world.run(full=True)
        world.later(minutes=40)
        world.run(full=True)
        assert world.kinds() == []
        assert world.calls("events.create", "events.update", "events.delete") == 0
        assert world.starts() == before

    def test_a_calendar_that_was_removed_stops_and_is_no_drift(self, world: GraphWorld) -> None:
        book_many(world, 6)
        world.settled()
        with world.graph.lock:
            world.graph.state.drop_calendar(world.person.mailbox, world.person.calendar)
        assert world.noticed().state == "stopped"
        assert world.kinds() == []

    def test_a_downgrade_to_reader_is_read_only(self, world: GraphWorld) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.settled()
        world.person.mailbox.calendars[world.person.calendar].role = "read"
        world.book("4822", "2026-11-25T10:00")
        assert world.run().state == "read-only"
        assert world.kinds() == []


class TestLostAnswers:
    @pytest.mark.parametrize("attempts", [1, 4])
    @pytest.mark.parametrize("damage", [Damage.DROP_AFTER, Damage.DROP_BEFORE, Damage.CUT, Damage.HTML])
    def test_a_lost_answer_doubles_nothing(self, world: GraphWorld, damage: Damage, attempts: int) -> None:
        world.retry(attempts)
        for skip in (0, 1, 3):
            world.graph.weather.add(Storm("events.create", damage, skip=skip))
        book_many(world, 8)
        world.book_series("S-1", "2026-11-24T16:00", "FREQ=WEEKLY;COUNT=8", 8)
        world.run()
        world.until_quiet()
        assert len(world.starts()) == 9
        assert world.kinds() == []
        world.graph.weather.clear()
        world.graph.weather.add(Storm("events.update", damage))
        world.graph.weather.add(Storm("events.delete", damage))
        world.book("A-0", "2026-11-28T09:00")
        world.book("A-1", "2026-11-28T09:00", status="cancelled")
        world.run()
        world.until_quiet()
        assert len(world.starts()) == 8
        assert wall("2026-11-28T09:00") in world.starts().values()
        assert world.kinds() == []

    @pytest.mark.parametrize("route", ["events.update", "instances", "events.get"])
    @pytest.mark.parametrize("damage", [Damage.DROP_AFTER, Damage.CUT, None])
    def test_a_series_that_is_half_put_back_is_put_back_whole(
        self, world: GraphWorld, route: str, damage: Damage | None
    ) -> None:
        world.book_series("S-1", "2026-11-24T10:00", "FREQ=WEEKLY;COUNT=8", 8)
        world.book("4821", "2026-11-25T10:00")
        world.settled()
        name = next(name for name in world.person.ids() if world.person.item(name).recurrence)
        for day in (date(2026, 12, 8), date(2026, 12, 22), date(2027, 1, 5)):
            world.person.drag_occurrence(name, day, timedelta(hours=3))
        world.person.delete_occurrence(name, date(2026, 12, 15))
        world.noticed()
        assert sorted(world.kinds()) == [DriftKind.DELETED] + [DriftKind.MOVED] * 3
        for skip in (1, 2):
            if damage is None:
                world.graph.weather.refuse(route, 429, "ApplicationThrottled", retry_after="5").skip = skip
            else:
                world.graph.weather.add(Storm(route, damage, skip=skip))
        world.later(seconds=91)
        world.run()
        world.until_quiet(20)
        assert world.occurrences(name) == weeks("2026-11-24T10:00", 8)
        assert len(world.person.ids()) == 2
        assert len(world.kinds()) == 4

    def test_without_a_database_the_markers_tell(self, world: GraphWorld) -> None:
        book_many(world, 6)
        world.book_series("S-1", "2026-11-24T16:00", "FREQ=WEEKLY;COUNT=8", 8)
        world.settled()
        before = world.starts()
        world.lose_books()
        book_many(world, 6)
        world.book_series("S-1", "2026-11-24T16:00", "FREQ=WEEKLY;COUNT=8", 8)
        world.forget_calls()
        world.settled()
        assert world.starts() == before
        assert world.calls("events.create") == 0
        assert world.kinds() == []


class TestLimits:
    @pytest.mark.parametrize("form", ["37", "Sun, 22 Nov 2026 23:59:59 GMT", None])
    def test_throttling_finishes_later(self, world: GraphWorld, form: str | None) -> None:
        world.graph.weather.refuse("events.create", 429, "ApplicationThrottled", retry_after=form)
        book_many(world, 5)
        result = world.run()
        assert (result.state, result.error) == ("active", "throttled")
        if form == "37":
            assert result.retry_at is not None
            assert result.retry_at >= world.clock.now() + timedelta(seconds=37)
        world.later(days=8)
        world.until_quiet()
        assert len(world.starts()) == 5

    def test_a_revert_that_outlook_refuses_stays_for_a_person(self, world: GraphWorld) -> None:
        world.book_series("S-1", "2026-11-24T10:00", "FREQ=WEEKLY;COUNT=8", 8)
        world.settled()
        name = world.only_event()
        world.person.drag_occurrence(name, date(2026, 12, 8), timedelta(hours=3))
        world.noticed()
        world.graph.weather.refuse("events.update", 400, "ErrorOccurrenceCrossingBoundary", times=None)
        world.later(seconds=91)
        world.run()
        world.until_quiet()
        assert world.resolutions() == [Resolution.OPEN]
        assert wall("2026-12-08T13:00") in world.occurrences(name)
