from dataclasses import replace
from datetime import timedelta

import pytest

from calsync.connector.errors import AuthRevoked, Forbidden, NotFound
from calsync.connector.protocol import Calendar, Gone, Outcome, Seen, Unchanged, Write
from calsync.domain.span import Window
from calsync.domain.write import WriteKind
from calsync.testing import edits
from calsync.testing.conformance.bench import shown
from calsync.testing.conformance.samples import WINDOW, changed_series, series, single, slot
from calsync.testing.memory_calendar import Actor, MemoryCalendar
from calsync.testing.personality import (
    CALDAV_CTAG,
    CALDAV_SOGO,
    CALDAV_SYNC,
    GOOGLE,
    GRAPH,
    NASTY,
    PERSONALITIES,
    Personality,
)
from tests.unit.testing.account import Account

HOUR = timedelta(hours=1)


class TestCost:
    @pytest.mark.parametrize("personality", PERSONALITIES, ids=lambda personality: personality.name)
    def test_a_quiet_pass_costs_one_request(self, personality: Personality) -> None:
        account = Account(personality)
        account.create(single())
        cursor = account.cursor()
        before = account.service.total_requests
        [page] = account.pages(cursor)
        assert page.items == ()
        assert page.cursor
        assert account.service.total_requests == before + 1

    def test_known_versions_are_not_fetched(self) -> None:
        account = Account(CALDAV_SYNC)
        for number in range(120):
            made = account.create(single(f"event-{number}"), f"id-{number}")
            if number < 60:
                account.known[made.remote_id] = made.version or ""
        account.service.requests.clear()
        items = account.items()
        assert sum(isinstance(item, Unchanged) for item in items) == 60
        # Pages of 50: the first is known whole, the second in part, the third not at all.
        assert account.service.requests == {"changes": 1, "fetch": 2}

    def test_writes_and_reads_go_in_the_services_batches(self) -> None:
        account = Account(GRAPH)
        writes = [Write(f"k{n}", WriteKind.CREATE, f"id-{n}", single(f"event-{n}")) for n in range(45)]
        results = list(account.calendar.write(writes))
        list(account.calendar.read([result.remote_id for result in results]))
        assert account.service.requests == {"write": 3, "read": 3}

    def test_a_ctag_that_moved_costs_an_inventory(self) -> None:
        account = Account(CALDAV_CTAG)
        account.known["a"] = account.create(single("a"), "a").version or ""
        account.known["b"] = account.create(single("b"), "b").version or ""
        cursor = account.cursor()
        account.person.retitle("a", "Mine")
        [page] = account.pages(cursor)
        assert page.full
        assert [type(item) for item in page.items] == [Unchanged, Seen]


class TestAccount:
    def test_it_outlives_its_clients(self) -> None:
        account = Account()
        account.create(single())
        account.calendar.close()
        other: Calendar = MemoryCalendar(account.service, "work")
        [reading] = other.read(["one"])
        assert isinstance(reading, Seen)

    def test_the_journal_tells_who_did_what(self) -> None:
        account = Account(GRAPH)
        made = account.create(single())
        account.person.retitle(made.remote_id, "Mine")
        journal = account.service.calendars["work"].journal
        assert [change.by for change in journal] == [Actor.CALSYNC, Actor.SERVICE, Actor.PERSON]
        assert account.service.written() == journal[:1]
        assert journal[2].before == journal[1].after

    def test_observers_and_requests_are_told_at_once(self) -> None:
        account = Account()
        told: list[str] = []
        account.service.observers.append(lambda change: told.append(f"{change.by} {change.remote_id}"))
        account.service.on_request = lambda calendar, port: told.append(f"{calendar}/{port}")
        account.create(single())
        assert told == ["work/write", "calsync one"]

    def test_trouble_of_account_and_calendar(self) -> None:
        account = Account()
        account.create(single())
        state = account.service.calendars["work"]
        state.read_only = True
        with pytest.raises(Forbidden):
            account.create(series(), "two")
        assert isinstance(account.read(), Seen)
        state.trouble = NotFound("moved away")
        with pytest.raises(NotFound):
            account.read()
        account.service.trouble = AuthRevoked()
        with pytest.raises(AuthRevoked):
            account.pages()
        account.service.trouble = state.trouble = None
        account.service.delete_calendar("work")
        with pytest.raises(NotFound):
            account.pages()
        assert [finding.ok for finding in account.calendar.check()] == [False]

    def test_watching_notes_a_push_for_each_change_until_it_ends(self) -> None:
        account = Account(GOOGLE)
        watch = account.calendar.watch("https://example.org/hook", "secret", HOUR)
        assert watch is not None
        account.create(single())
        assert account.service.pushes == [(watch.id, "work")]
        account.clock.advance(HOUR)
        account.person.delete("one")
        account.calendar.unwatch(watch)
        account.calendar.unwatch(watch)
        assert len(account.service.pushes) == 1
        assert Account(CALDAV_SYNC).calendar.watch("https://example.org/hook", "secret", HOUR) is None

    def test_busy_spans_are_those_of_what_takes_place(self) -> None:
        account = Account()
        account.create(series())
        account.person.cancel("one", slot(1))
        account.person.mark_free("one", slot(2))
        account.person.add_own_event(single("dentist", "2026-03-05T16:00"))
        window = Window(slot(1) - HOUR, slot(4))
        starts = [span.start_at for span in account.calendar.busy(window)]
        assert starts == [slot(3), single("x", "2026-03-05T16:00").master.span.start_at]


class TestPersonalities:
    def test_sogo_overwrites_and_deletes_what_is_stale(self) -> None:
        account = Account(CALDAV_SOGO)
        account.create(single())
        account.person.recolour("one", "tomato")
        assert account.create(single(start="2026-03-06T10:00")).outcome is Outcome.WRITTEN
        assert account.person.see("one").own == {}
        assert account.write(WriteKind.DELETE, "one", version="stale").outcome is Outcome.WRITTEN
        assert account.write(WriteKind.UPDATE, "one", single(), version="stale").outcome is Outcome.WRITTEN
        assert account.live == ["one"]

    def test_sogo_hides_what_happens_in_the_second_of_the_look(self) -> None:
        account = Account(CALDAV_SOGO)
        account.create(single())
        cursor = account.pages()[-1].cursor
        account.person.retitle("one", "Mine")
        assert account.items(cursor) == []
        account.person.retitle("one", "Again")
        assert [item.remote_id for item in account.items(cursor)] == ["one"]

    def test_sogo_gives_an_event_made_anew_its_first_version_again(self) -> None:
        account = Account(CALDAV_SOGO)
        made = account.create(single())
        account.person.delete("one")
        account.person.add_own_event(single(start="2026-03-09T10:00"), remote_id="one")
        reading = account.read()
        assert isinstance(reading, Seen)
        assert reading.version == made.version

    def test_a_content_hash_comes_back_with_the_content(self) -> None:
        account = Account(CALDAV_SYNC)
        made = account.create(single())
        account.person.drag("one", HOUR)
        account.person.drag("one", -HOUR)
        assert account.person.see("one").version == made.version

    def test_google_keeps_ids_of_deleted_events_and_revives_them(self) -> None:
        account = Account(GOOGLE)
        account.create(single())
        account.person.recolour("one", "tomato")
        account.person.delete("one")
        assert account.read() == Gone("one")
        assert account.create(single()).outcome is Outcome.REJECTED
        assert account.write(WriteKind.UPDATE, "one", single(), version='"1"').outcome is Outcome.CONFLICT
        assert account.write(WriteKind.UPDATE, "one", single()).outcome is Outcome.WRITTEN
        assert account.live == ["one"]
        assert account.person.see("one").own == {"colour": "tomato"}

    def test_graph_names_events_and_knows_a_repeat(self) -> None:
        account = Account(GRAPH)
        made = account.create(single())
        again = account.create(single())
        assert made.remote_id != "one"
        assert (again.outcome, again.remote_id) == (Outcome.CONFLICT, made.remote_id)
        assert made.event is not None

    def test_graph_refuses_some_writes_without_cause(self) -> None:
        account = Account(GRAPH)
        remote_id = account.create(single()).remote_id
        outcomes = [
            account.write(WriteKind.UPDATE, remote_id, single(), account.person.see(remote_id).version).outcome
            for _ in range(14)
        ]
        assert outcomes == ([Outcome.WRITTEN] * 6 + [Outcome.CONFLICT]) * 2

    def test_graph_tells_what_left_the_window_as_gone(self) -> None:
        account = Account(GRAPH)
        remote_id = account.create(single()).remote_id
        cursor = account.cursor()
        account.person.drag(remote_id, timedelta(days=3000))
        assert account.items(cursor) == [Gone(remote_id)] * 2
        assert isinstance(account.read(remote_id), Seen)
        assert account.items() == []

    def test_graph_lags(self) -> None:
        account = Account(GRAPH)
        cursor = account.cursor()
        account.create(single())
        assert account.pages(cursor, seconds=0)[0].items == ()
        assert account.items(cursor)

    def test_a_moved_event_may_change_its_name(self) -> None:
        for personality, changes in ((CALDAV_SYNC, False), (GRAPH, True)):
            account = Account(personality)
            remote_id = account.create(single()).remote_id
            moved = account.person.move_to_other_calendar(remote_id, "private")
            assert (moved != remote_id) is changes
            assert account.calendar.locate(single().uid) == "private"
            assert account.read(remote_id) == Gone(remote_id)

    def test_a_uid_is_taken_in_the_calendar_or_in_the_account(self) -> None:
        for personality, here, elsewhere in (
            (CALDAV_SYNC, Outcome.REJECTED, Outcome.WRITTEN),
            (NASTY, Outcome.REJECTED, Outcome.REJECTED),
            (CALDAV_CTAG, Outcome.WRITTEN, Outcome.WRITTEN),
        ):
            account = Account(personality)
            account.create(single())
            other = MemoryCalendar(account.service, "private")
            write = Write("k", WriteKind.CREATE, "two", single())
            assert [result.outcome for result in account.calendar.write([write])] == [here]
            account.person.wipe()
            account.create(single(), "three")
            assert [result.outcome for result in other.write([write])] == [elsewhere]

    def test_a_service_without_series_says_so(self) -> None:
        plain = replace(CALDAV_SYNC, traits=replace(CALDAV_SYNC.traits, series=False))
        account = Account(plain)
        assert account.create(series()).outcome is Outcome.REJECTED
        assert account.create(single()).outcome is Outcome.WRITTEN

    def test_nasty_tells_in_pages_backwards_and_of_what_never_was(self) -> None:
        account = Account(NASTY)
        cursor = account.cursor()
        for number in range(4):
            account.create(single(f"event-{number}"), f"id-{number}")
        pages = account.pages(cursor)
        ids = [item.remote_id for page in pages for item in page.items]
        assert ids == ["never-there-4", "id-3", "id-2", "id-1", "id-0"] * 2
        assert [len(page.items) for page in pages] == [0, 3, 0, 3, 0, 3, 0, 1]
        assert [page.cursor is None for page in pages] == [True] * 7 + [False]

    def test_expired_cursors(self) -> None:
        account = Account()
        account.create(single())
        cursor = account.cursor()
        account.service.calendars["work"].expire_cursors()
        with pytest.raises(Exception, match="cursor"):
            account.pages(cursor)


class TestPeople:
    def test_a_split_keeps_marker_and_users_fields(self) -> None:
        account = Account()
        account.create(changed_series())
        account.person.add_note("one", "bring the file")
        before = shown(changed_series())
        rest = account.person.split_series("one", slot(5))
        head, tail = account.person.see("one"), account.person.see(rest)
        assert shown(head.event) | shown(tail.event) == before
        assert len(shown(head.event)) == 3  # the third of four is excluded
        assert tail.marker == head.marker == "marker"
        assert tail.own == head.own == {"notes": "bring the file"}

    def test_a_split_gives_each_half_its_own_exceptions(self) -> None:
        event = edits.without_occurrence(changed_series(), slot(6))
        head, rest = edits.split(event, slot(6), timedelta(0), "rest@x")
        assert head.recurrence is not None
        assert rest.recurrence is not None
        assert (head.recurrence.excluded, rest.recurrence.excluded) == ((slot(3),), (slot(6),))
        assert [len(head.overrides), len(rest.overrides)] == [1, 1]
        assert shown(head) | shown(rest) == shown(event)

    def test_dragging_a_series_moves_exclusions_and_days_along(self) -> None:
        dragged = edits.dragged(changed_series(), timedelta(days=1, hours=1))
        before, after = shown(changed_series()), shown(dragged)
        assert len(after) == len(before)
        assert dragged.recurrence is not None
        assert "BYDAY=FR" in dragged.recurrence.rule
        # What a person had moved by hand stays where it was put.
        assert shown(changed_series())[slot(5)] in after.values()

    def test_graph_drops_single_changes_of_a_dragged_series(self) -> None:
        account = Account(GRAPH)
        remote_id = account.create(changed_series()).remote_id
        account.person.drag_series(remote_id, HOUR)
        assert account.person.see(remote_id).event.overrides == ()

    def test_every_act_changes_what_it_says_and_keeps_the_rest(self) -> None:
        account = Account()
        account.create(series())
        person = account.person
        person.drag_occurrence("one", slot(1), HOUR)
        person.shorten("one", timedelta(minutes=20), slot(2))
        person.delete_occurrence("one", slot(3))
        person.make_all_day("one", slot(4))
        person.cancel("one", slot(5))
        person.retitle("one", "Mine", slot(6))
        person.answer("one", "declined", slot(7))
        seen = shown(person.see("one").event)
        expected = shown(series())
        assert slot(3) not in seen
        assert {at for at in expected if seen.get(at) != expected[at]} == {slot(n) for n in (1, 2, 3, 4, 5, 6)}
        assert person.see("one").event.overrides[-1].appearance.answer == "declined"
        assert person.see("one").marker == "marker"

    def test_undoing_puts_the_last_state_back(self) -> None:
        account = Account()
        account.create(single())
        before = account.person.see("one")
        account.person.drag("one", HOUR)
        account.person.put_back("one")
        assert account.person.see("one").event == before.event
        account.person.delete("one")
        account.person.put_back("one")
        assert account.person.see("one").event == before.event
        own = account.person.add_own_event(single("dentist"))
        account.person.put_back(own)
        assert own not in account.person.ids()

    def test_a_duplicate_carries_the_marker_under_another_uid(self) -> None:
        account = Account()
        account.create(single())
        copy = account.person.see(account.person.duplicate("one", timedelta(days=1)))
        assert copy.marker == "marker"
        assert copy.event.uid != single().uid
        assert shown(copy.event) == shown(edits.dragged(single(), timedelta(days=1)))

    def test_wiping_leaves_as_many_as_asked(self) -> None:
        account = Account()
        for number in range(5):
            account.create(single(f"event-{number}"), f"id-{number}")
        account.person.wipe(keep=1)
        assert account.live == ["id-0"]
        account.person.wipe()
        assert account.live == []

    def test_a_person_finds_events_by_marker(self) -> None:
        account = Account()
        account.create(single())
        found = account.person.find("marker")
        assert found is not None
        account.person.strip_marker(found.remote_id)
        assert account.person.find("marker") is None

    def test_the_rest(self) -> None:
        account = Account()
        account.create(single())
        account.create(series("weekly"), "two")
        person = account.person
        person.change_zone("one", "America/Chicago")
        person.propose("one", single(start="2026-03-06T10:00").master.span)
        person.mark_free("one")
        person.change_rule("two", "FREQ=WEEKLY;COUNT=2;BYDAY=TH")
        assert person.see("one").event.master.span.zone == "America/Chicago"
        assert person.see("one").event.master.proposed is not None
        assert person.see("one").event.master.busy is False
        assert len(shown(person.see("two").event)) == 2
        assert WINDOW.touches(person.see("one").event.master.span)
