"""What must hold on Google, with the real worker: requests, drifts, lost answers, dead tokens, lost consent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calsync.domain.drift import DriftKind, Resolution
from calsync.sandbox.google.faults import ApiError
from calsync.sandbox.google.knobs import Exceptions, Knobs
from calsync.sandbox.google.weather import Damage, Storm
from calsync_google.connector import CONNECTOR
from tests.system.google_world import EMAIL, GoogleWorld
from tests.system.service_world import wall, weeks

READINGS = {
    "one-entity": Knobs(),
    "many-records": Knobs(one_entity_series=False, opaque_instance_ids=False, short_pages=False, empty_pages=False),
    "lagging": Knobs(lag=3, exceptions_on_master_change=Exceptions.RESET),
}


@pytest.fixture(params=READINGS)
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[GoogleWorld]:
    made = GoogleWorld(tmp_path, replace(READINGS[request.param]))
    yield made
    made.close()
    assert made.google.state.mails == []
    assert made.google.state.strict_faults == []


def book_many(world: GoogleWorld, count: int) -> None:
    for number in range(count):
        day = wall("2026-11-23T09:00") + timedelta(days=number // 6, hours=number % 6)
        world.book(f"A-{number}", day.isoformat())


def settled(world: GoogleWorld) -> None:
    """Run until our own writes have come back in the feed."""
    for _ in range(3):
        world.run()


class TestRequests:
    def test_a_pass_without_news_is_one_request(self, world: GoogleWorld) -> None:
        book_many(world, 12)
        world.book_series("S-1", "2026-11-17T16:00", "FREQ=WEEKLY;COUNT=8", 8)
        settled(world)
        for _ in range(3):
            quiet = world.run()
            assert (quiet.requests, quiet.read, quiet.written, quiet.drifts) == (1, 0, 0, 0)

    def test_a_first_push_of_n_events_costs_n_and_a_few_requests(self, world: GoogleWorld) -> None:
        book_many(world, 40)
        pushed = world.run()
        assert pushed.written == 40
        assert pushed.requests <= 40 + 5

    def test_k_changed_events_cost_one_read_of_the_feed(self, world: GoogleWorld) -> None:
        book_many(world, 30)
        settled(world)
        for name in list(world.google_shows())[:4]:
            world.person.drag(world.remote, name, timedelta(minutes=15))
        world.google.state.requests += world.google.knobs.lag
        seen = world.run()
        assert seen.drifts == 4
        assert seen.requests <= 2  # 1 + ceil(4 / page)

    def test_a_changed_series_and_a_deletion_cost_one_read_each(self, world: GoogleWorld) -> None:
        book_many(world, 8)
        world.book_series("S-1", "2026-11-17T16:00", "FREQ=WEEKLY;COUNT=8", 8)
        settled(world)
        series = next(b["id"] for b in world.person.events(world.remote) if "recurrence" in b)
        single = next(b["id"] for b in world.person.events(world.remote) if "recurrence" not in b)
        world.person.drag(world.remote, series, timedelta(hours=1), datetime(2026, 11, 24, 21, tzinfo=UTC))
        world.google.state.requests += world.google.knobs.lag
        assert world.run().requests <= 2 + 1
        world.person.delete(world.remote, single)
        world.google.state.requests += world.google.knobs.lag
        before = world.calls("events.get", "events.list", "events.instances")
        world.run()
        looked_elsewhere = world.calls("calendarList.list")
        cost = world.calls("events.get", "events.list", "events.instances") - before
        assert looked_elsewhere <= 1
        assert cost <= 2 + 1 + 4  # feed, one read by id, and a look into the account's two other calendars


def spoil(world: GoogleWorld, name: str) -> None:
    place = world.person.place(world.remote)
    body = {**place.calendar.rows[name].body, "start": {"moonPhase": "waxing"}}
    with world.google.lock:
        world.google.state.store(place.calendar, body)


Act = Callable[[GoogleWorld, str], object]
ACTS: dict[str, tuple[Act, DriftKind]] = {
    "resize": (lambda w, name: w.person.resize(w.remote, name, timedelta(minutes=30)), DriftKind.RESIZED),
    "all-day": (lambda w, name: w.person.make_all_day(w.remote, name), DriftKind.MADE_ALL_DAY),
    "zone": (lambda w, name: w.person.rezone(w.remote, name, "America/Los_Angeles"), DriftKind.ZONE_CHANGED),
    "retitle": (lambda w, name: w.person.retitle(w.remote, name, "Mine"), DriftKind.RETITLED),
    "free": (lambda w, name: w.person.mark_free(w.remote, name), DriftKind.MARKED_FREE),
    "publish": (lambda w, name: w.person.publish(w.remote, name), DriftKind.MADE_PUBLIC),
    "decline": (lambda w, name: w.person.answer(w.remote, name, "declined"), DriftKind.DECLINED),
    "delete": (lambda w, name: w.person.delete(w.remote, name), DriftKind.DELETED),
    "move-away": (lambda w, name: w.person.move(w.remote, name, w.other), DriftKind.RELOCATED),
    "duplicate": (lambda w, name: w.person.duplicate(w.remote, name, timedelta(days=1)), DriftKind.DUPLICATED),
    "strip": (lambda w, name: w.person.strip_properties(w.remote, name), DriftKind.MARKER_LOST),
    "spoil": (spoil, DriftKind.UNREADABLE),
}


class TestEdits:
    def test_a_drag_is_recorded_and_put_back(self, world: GoogleWorld) -> None:
        world.book("4821", "2026-11-24T10:00")
        settled(world)
        world.person.decorate(world.remote, world.only_event())
        world.person.drag(world.remote, world.only_event(), timedelta(hours=4))
        world.google.state.requests += world.google.knobs.lag
        world.run()
        assert world.kinds() == [DriftKind.MOVED]
        world.settle_and_run()
        assert world.google_shows()[world.only_event()] == wall("2026-11-24T10:00")
        world.until_quiet()
        assert world.resolutions() == [Resolution.REVERTED]
        body = world.person.event(world.remote, world.only_event())
        assert body["colorId"] == "11"
        assert "bring the file" in body["description"]
        assert body["visibility"] == "private"

    @pytest.mark.parametrize("act", ACTS)
    def test_every_kind_of_edit_is_called_by_its_name(self, world: GoogleWorld, act: str) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.book("4822", "2026-12-01T10:00")
        settled(world)
        name = next(n for n, start in world.google_shows().items() if start == wall("2026-11-24T10:00"))
        do, kind = ACTS[act]
        do(world, name)
        world.google.state.requests += world.google.knobs.lag
        world.run()
        world.run()
        assert kind in world.kinds()
        assert set(world.kinds()) == {kind}

    def test_one_that_was_made_public_is_private_again(self, world: GoogleWorld) -> None:
        world.book("4821", "2026-11-24T10:00")
        settled(world)
        name = world.only_event()
        world.person.decorate(world.remote, name)
        world.person.publish(world.remote, name)
        world.google.state.requests += world.google.knobs.lag
        world.run()
        world.until_quiet()
        body = world.person.event(world.remote, name)
        assert (body["visibility"], body["colorId"]) == ("private", "11")
        assert world.kinds() == [DriftKind.MADE_PUBLIC]

    def test_a_deleted_event_comes_back_under_its_name(self, world: GoogleWorld) -> None:
        world.book("4821", "2026-11-24T10:00")
        settled(world)
        name = world.only_event()
        world.person.delete(world.remote, name)
        world.google.state.requests += world.google.knobs.lag
        world.run()
        world.settle_and_run()
        world.until_quiet()
        assert world.google_shows() == {name: wall("2026-11-24T10:00")}

    def test_one_that_was_deleted_for_ever_comes_back_under_the_next_generation(self, world: GoogleWorld) -> None:
        world.book("4821", "2026-11-24T10:00")
        settled(world)
        name = world.only_event()
        world.person.delete(world.remote, name)
        world.person.empty_trash(world.remote)
        world.google.state.requests += world.google.knobs.lag
        world.run()
        world.settle_and_run()
        world.until_quiet()
        assert list(world.google_shows().values()) == [wall("2026-11-24T10:00")]
        assert world.only_event() != name
        assert world.kinds() == [DriftKind.DELETED]

    def test_single_occurrences_are_put_back_one_by_one(self, world: GoogleWorld) -> None:
        world.book_series("S-1", "2026-11-24T10:00", "FREQ=WEEKLY;COUNT=8", 8)
        settled(world)
        name = world.only_event()
        third, fifth = datetime(2026, 12, 8, 15, tzinfo=UTC), datetime(2026, 12, 22, 15, tzinfo=UTC)
        world.person.drag(world.remote, name, timedelta(hours=3), third)
        world.person.delete(world.remote, name, fifth)
        world.google.state.requests += world.google.knobs.lag
        world.run()
        assert sorted(world.kinds()) == [DriftKind.DELETED, DriftKind.MOVED]
        assert {drift.original_start for drift in world.drifts()} == {third, fifth}
        world.settle_and_run()
        world.until_quiet()
        assert world.occurrences(name) == weeks("2026-11-24T10:00", 8)
        assert world.resolutions() == [Resolution.REVERTED] * 2

    @pytest.mark.parametrize("by", [timedelta(0), timedelta(hours=2)])
    def test_this_and_following_is_one_split_and_becomes_one_series_again(
        self, world: GoogleWorld, by: timedelta
    ) -> None:
        world.book_series("S-1", "2026-11-24T10:00", "FREQ=WEEKLY;COUNT=8", 8)
        settled(world)
        name = world.only_event()
        world.person.split(world.remote, name, datetime(2026, 12, 22, 15, tzinfo=UTC), by)
        world.google.state.requests += world.google.knobs.lag
        world.run()
        if by:
            assert set(world.kinds()) == {DriftKind.SPLIT}
        world.settle_and_run()
        world.until_quiet()
        if by:
            assert set(world.google_shows()) == {name}
        assert sorted(at for one in world.google_shows() for at in world.occurrences(one)) == weeks(
            "2026-11-24T10:00", 8
        )

    def test_a_whole_series_dragged_is_one_edit_and_is_put_back(self, world: GoogleWorld) -> None:
        world.book_series("S-1", "2026-11-24T10:00", "FREQ=WEEKLY;COUNT=8", 8)
        world.book("4821", "2026-11-25T10:00")
        settled(world)
        name = next(b["id"] for b in world.person.events(world.remote) if "recurrence" in b)
        world.person.drag(world.remote, name, timedelta(days=1, hours=1))
        world.google.state.requests += world.google.knobs.lag
        world.run()
        assert world.kinds() == [DriftKind.MOVED] * 8
        assert len({drift.edit for drift in world.drifts()}) == 1
        world.settle_and_run()
        world.until_quiet()
        assert world.occurrences(name) == weeks("2026-11-24T10:00", 8)


class TestGaps:
    def test_a_dead_token_after_three_deletions_and_two_moves_gives_exactly_five_drifts(
        self, world: GoogleWorld
    ) -> None:
        book_many(world, 30)
        settled(world)
        names = list(world.google_shows())
        for name in names[:3]:
            world.person.delete(world.remote, name)
        world.person.empty_trash(world.remote, vanish=True)
        for name in names[3:5]:
            world.person.drag(world.remote, name, timedelta(hours=1))
        with world.google.lock:
            world.google.state.expire_tokens(world.person.place(world.remote).calendar)
        world.google.state.requests += world.google.knobs.lag
        world.run()
        assert sorted(world.kinds()) == [DriftKind.DELETED] * 3 + [DriftKind.MOVED] * 2
        world.run()
        assert len(world.kinds()) == 5

    @pytest.mark.parametrize("code", [400, 410])
    def test_a_token_that_google_never_gave_is_no_end_either(self, world: GoogleWorld, code: int) -> None:
        world.book("4821", "2026-11-24T10:00")
        settled(world)
        world.google.knobs.garbage_token_code = code
        reason = "invalid" if code == 400 else "fullSyncRequired"
        world.google.weather.add(Storm("events.list", error=ApiError(code, reason)))
        world.person.drag(world.remote, world.only_event(), timedelta(hours=1))
        world.google.state.requests += world.google.knobs.lag
        assert world.run().error is None
        assert world.kinds() == [DriftKind.MOVED]

    def test_lost_consent_asks_for_a_new_one_in_one_pass_and_deletes_nothing(self, world: GoogleWorld) -> None:
        book_many(world, 6)
        settled(world)
        world.google.tokens.revoke(EMAIL)
        asked = world.google.tokens.asked
        result = world.run()
        assert (result.state, result.drifts) == ("needs-reconnect", 0)
        assert world.google.tokens.asked - asked <= 1
        assert world.kinds() == []
        # Agreed again: the same calendar, the same events.
        before = world.google_shows()
        world.google.tokens.accounts.add(EMAIL)
        world.opener.token = world._consent()
        world.later(hours=7)
        settled(world)
        assert world.row().state == "active"
        assert world.google_shows() == before
        assert world.kinds() == []

    def test_a_right_that_was_not_granted_is_a_lost_consent(self, world: GoogleWorld) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.opener.token = world.google.tokens.consent(EMAIL, {"https://www.googleapis.com/auth/calendar.freebusy"})
        assert world.run().state == "needs-reconnect"

    @pytest.mark.parametrize("trouble", ["404", "403", "empty", "second-page", "html", "cut", "no-token", "server"])
    def test_trouble_with_the_calendar_is_never_read_as_deletions(self, world: GoogleWorld, trouble: str) -> None:
        book_many(world, 20)
        settled(world)
        weather = world.google.weather
        before = world.google_shows()
        match trouble:
            case "404":
                weather.add(Storm("events.", error=ApiError(404, "notFound"), times=None))
            case "403":
                weather.add(Storm("events.", error=ApiError(403, "forbidden"), times=None))
            case "empty":
                body = (
                    b'{"kind":"calendar#events","items":[],"nextSyncToken":"x","timeZone":"UTC","accessRole":"owner"}'
                )
                weather.add(Storm("events.list", Damage.REPLACE, times=None, body=body))
            case "second-page":
                weather.add(Storm("events.list", error=ApiError(503, "backendError"), skip=1, times=None))
            case "html":
                weather.add(Storm("events.list", Damage.HTML, times=None))
            case "cut":
                weather.add(Storm("events.list", Damage.CUT, times=None))
            case "no-token":
                weather.add(Storm("events.list", Damage.REPLACE, times=None, body=b'{"items":[]}'))
            case "server":
                weather.add(Storm("*", error=ApiError(500, "backendError"), times=None))
        world.forget_calls()
        world.run(full=True)
        world.later(minutes=40)
        world.run(full=True)
        assert world.kinds() == []
        assert world.calls("events.insert", "events.patch", "events.delete") == 0
        assert world.google_shows() == before

    def test_a_calendar_that_was_removed_stops_and_is_no_drift(self, world: GoogleWorld) -> None:
        book_many(world, 6)
        settled(world)
        world.person.remove_calendar(world.remote)
        assert world.run().state == "stopped"
        assert world.kinds() == []

    def test_a_downgrade_to_reader_is_read_only(self, world: GoogleWorld) -> None:
        world.book("4821", "2026-11-24T10:00")
        settled(world)
        with world.google.lock:
            world.google.state.set_role(world.person.place(world.remote).calendar, EMAIL, "reader")
        world.book("4822", "2026-11-25T10:00")
        result = world.run()
        assert result.state == "read-only"
        assert world.kinds() == []


class TestLostAnswers:
    @pytest.mark.parametrize("attempts", [1, 4])
    @pytest.mark.parametrize("damage", [Damage.DROP_AFTER, Damage.DROP_BEFORE, Damage.CUT, Damage.HTML])
    def test_a_lost_answer_doubles_nothing(self, world: GoogleWorld, damage: Damage, attempts: int) -> None:
        world.retry(attempts)
        for skip in (0, 1, 3):
            world.google.weather.add(Storm("events.insert", damage, skip=skip))
        book_many(world, 8)
        world.book_series("S-1", "2026-11-24T16:00", "FREQ=WEEKLY;COUNT=8", 8)
        world.run()
        world.until_quiet()
        assert len(world.google_shows()) == 9
        assert world.kinds() == []
        world.google.weather.clear()
        world.google.weather.add(Storm("events.patch", damage))
        world.google.weather.add(Storm("events.delete", damage))
        world.book("A-0", "2026-11-28T09:00")
        world.book("A-1", "2026-11-28T09:00", status="cancelled")
        world.run()
        world.until_quiet()
        assert len(world.google_shows()) == 8
        assert wall("2026-11-28T09:00") in world.google_shows().values()
        assert world.kinds() == []

    def test_the_library_repeats_nothing_by_itself(self, world: GoogleWorld) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.book("4822", "2026-11-25T10:00")
        world.forget_calls()
        world.google.weather.lose_answers("events.insert")
        world.run()
        assert world.calls("events.insert") == 1

    def test_without_a_database_the_markers_tell(self, world: GoogleWorld) -> None:
        book_many(world, 6)
        world.book_series("S-1", "2026-11-24T16:00", "FREQ=WEEKLY;COUNT=8", 8)
        settled(world)
        before = world.google_shows()
        world.lose_books()
        book_many(world, 6)
        world.book_series("S-1", "2026-11-24T16:00", "FREQ=WEEKLY;COUNT=8", 8)
        world.forget_calls()
        settled(world)
        assert world.google_shows() == before
        assert world.calls("events.insert") == 0
        assert world.kinds() == []


class TestLimits:
    @pytest.mark.parametrize(
        ("code", "reason"), [(403, "rateLimitExceeded"), (403, "userRateLimitExceeded"), (429, "rateLimitExceeded")]
    )
    def test_throttling_finishes_later(self, world: GoogleWorld, code: int, reason: str) -> None:
        world.google.weather.refuse("events.insert", code, reason, retry_after=37)
        book_many(world, 5)
        result = world.run()
        assert result.state == "active"
        assert result.error == "throttled"
        assert result.retry_at is not None
        assert result.retry_at >= world.clock.now() + timedelta(seconds=37)
        world.until_quiet()
        assert len(world.google_shows()) == 5

    def test_the_users_own_limit_stops_writing_and_not_reading(self, world: GoogleWorld) -> None:
        world.book("4821", "2026-11-24T10:00")
        settled(world)
        world.google.weather.refuse("events.insert", 403, "quotaExceeded", times=None)
        world.book("4822", "2026-11-25T10:00")
        first = world.run()
        assert first.error == "throttled"
        assert first.retry_at is not None
        assert first.retry_at <= world.clock.now() + timedelta(minutes=10)
        world.forget_calls()
        world.person.drag(world.remote, world.only_event(), timedelta(hours=1))
        world.google.state.requests += world.google.knobs.lag
        world.later(minutes=6)
        world.run()
        assert world.kinds() == [DriftKind.MOVED]
        assert world.calls("events.insert") == 0
        CONNECTOR._locks.until.clear()
