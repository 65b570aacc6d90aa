"""The suite catches connectors that break a promise: each broken calendar fails the check that is meant for it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from calsync.connector.errors import AuthRevoked, CursorExpired, NotFound
from calsync.connector.protocol import Calendar, Gone, Known, Page, Reading, Seen, Unchanged, Unreadable, Write
from calsync.connector.protocol import WriteResult as Result
from calsync.domain.event import Event
from calsync.domain.span import Window
from calsync.domain.write import WriteKind
from calsync.testing import edits
from calsync.testing.conformance import Bench, CalendarConformance
from calsync.testing.conformance.people import ACTS
from calsync.testing.conformance.samples import SAMPLES, changed_series
from calsync.testing.memory_calendar import Actor, MemoryCalendar
from calsync.testing.memory_subject import CALENDAR, MemorySubject
from calsync.testing.personality import CALDAV_SOGO, CALDAV_SYNC, GOOGLE, GRAPH, NASTY, Personality


class BrokenSubject(MemorySubject):
    def __init__(self, calendar: type[MemoryCalendar], personality: Personality = CALDAV_SYNC) -> None:
        super().__init__(personality)
        self.calendar_class = calendar
        self.weaknesses = {}

    def open(self) -> Calendar:
        return self.calendar_class(self.service, CALENDAR)


class Checks(CalendarConformance):
    """The suite, on a subject that these tests bring along."""

    def make_subject(self) -> MemorySubject:
        return BrokenSubject(MemoryCalendar)


class Writes(MemoryCalendar, ABC):
    """Alters each write on its way."""

    def write(self, batch: Sequence[Write]) -> Iterable[Result]:
        return super().write([self.alter(write) for write in batch])

    @abstractmethod
    def alter(self, write: Write) -> Write:
        """The write that goes out instead."""


class Feeds(MemoryCalendar, ABC):
    """Alters the pages of each feed."""

    def changes(self, cursor: str | None, window: Window, known: Known) -> Iterator[Page]:
        return iter(self.alter(list(super().changes(cursor, window, known))))

    @abstractmethod
    def alter(self, pages: list[Page]) -> list[Page]:
        """The pages that arrive instead."""


class Unconditional(Writes):
    def alter(self, write: Write) -> Write:
        return replace(write, version=None)


class FullPut(MemoryCalendar):
    def write(self, batch: Sequence[Write]) -> Iterable[Result]:
        state = self.service.calendars[self.name]
        for write in batch:
            if write.kind is WriteKind.UPDATE and write.remote_id in state.events:
                state.events[write.remote_id] = replace(state.events[write.remote_id], own={})
        return super().write(batch)


class OwnTitleAlways(Writes):
    def alter(self, write: Write) -> Write:
        return replace(write, title_was=None)


class NoMarker(Writes):
    def alter(self, write: Write) -> Write:
        return replace(write, marker=None)


class MasterOnly(Writes):
    def alter(self, write: Write) -> Write:
        return replace(write, event=write.event and replace(write.event, overrides=()))


class NeverFree(Writes):
    def alter(self, write: Write) -> Write:
        event = write.event and edits.changed(write.event, lambda appearance: replace(appearance, busy=True))
        return replace(write, event=event)


class FreshIds(Writes):
    """A create that is answered under a new name each time doubles."""

    def alter(self, write: Write) -> Write:
        if write.kind is not WriteKind.CREATE or write.event is None:
            return write
        name = f"{write.remote_id}-{write.key}"
        return replace(write, remote_id=name, event=write.event.with_uid(f"{name}@x"))


class StopsAtRefusal(MemoryCalendar):
    def write(self, batch: Sequence[Write]) -> Iterable[Result]:
        for result in super().write(batch):
            yield result
            if result.outcome != "written":
                return


class ForgetsMissing(MemoryCalendar):
    def read(self, remote_ids: Sequence[str]) -> Iterable[Reading]:
        return [reading for reading in super().read(remote_ids) if not isinstance(reading, Gone)]


class FirstPageOnly(Feeds):
    def alter(self, pages: list[Page]) -> list[Page]:
        return [replace(pages[0], cursor=pages[-1].cursor)]


class NoRemovals(Feeds):
    def alter(self, pages: list[Page]) -> list[Page]:
        return [replace(page, items=tuple(i for i in page.items if not isinstance(i, Gone))) for page in pages]


class NeverFull(Feeds):
    def alter(self, pages: list[Page]) -> list[Page]:
        return [replace(page, full=False) for page in pages]


class TwoCursors(Feeds):
    def alter(self, pages: list[Page]) -> list[Page]:
        return [Page((), cursor=pages[-1].cursor, full=pages[0].full), *pages]


class SkipsUnreadable(Feeds):
    def alter(self, pages: list[Page]) -> list[Page]:
        return [replace(page, items=tuple(i for i in page.items if not isinstance(i, Unreadable))) for page in pages]


class LooksTwice(MemoryCalendar):
    def changes(self, cursor: str | None, window: Window, known: Known) -> Iterator[Page]:
        list(super().changes(cursor, window, known))
        return super().changes(cursor, window, known)


class AlwaysAll(MemoryCalendar):
    def changes(self, cursor: str | None, window: Window, known: Known) -> Iterator[Page]:
        return super().changes(None, window, known)


class SwallowsExpiry(MemoryCalendar):
    def changes(self, cursor: str | None, window: Window, known: Known) -> Iterator[Page]:
        try:
            yield from super().changes(cursor, window, known)
        except CursorExpired:
            yield Page((), cursor=cursor)


class TroubleIsEmpty(MemoryCalendar):
    def changes(self, cursor: str | None, window: Window, known: Known) -> Iterator[Page]:
        try:
            yield from super().changes(cursor, window, known)
        except (NotFound, AuthRevoked):
            yield Page((), cursor="c", full=True)


class TakesForeignForOurs(Feeds):
    def alter(self, pages: list[Page]) -> list[Page]:
        return [
            replace(page, items=tuple(replace(i, marker="m") if isinstance(i, Seen) else i for i in page.items))
            for page in pages
        ]


class ForgetsVersions(Feeds):
    """Says `Unchanged` whatever the version."""

    def alter(self, pages: list[Page]) -> list[Page]:
        return [
            replace(
                page,
                items=tuple(Unchanged(i.remote_id, i.version) if isinstance(i, Seen) else i for i in page.items),
            )
            for page in pages
        ]


class NoExceptions(Feeds):
    """Shows a series without its single changes, as a feed of masters does."""

    def alter(self, pages: list[Page]) -> list[Page]:
        return [replace(page, items=tuple(map(self._bare, page.items))) for page in pages]

    def _bare(self, item: Any) -> Any:
        return replace(item, event=replace(item.event, overrides=())) if isinstance(item, Seen) else item


class LeavesTraces(MemoryCalendar):
    def check(self) -> Any:
        self.service.calendars[self.name].put(replace(next(iter(self._stored)), remote_id="trace"), Actor.PERSON)
        return super().check()

    @property
    def _stored(self) -> Iterable[Any]:
        return self.service.calendars[self.name].events.values()


Check = Callable[[CalendarConformance, Bench], None]
SUITE = CalendarConformance


def with_sample(check: Callable[[Any, Bench, Event], None], event: Event) -> Check:
    return lambda suite, bench: check(suite, bench, event)


def with_act(name: str) -> Check:
    [act] = [act for act in ACTS if act.name == name]
    return lambda suite, bench: suite.test_an_edit_is_seen_on_its_occurrences(bench, act)


FREE = next(event for event in SAMPLES if not event.master.busy)

BROKEN: list[tuple[type[MemoryCalendar], Personality, Check]] = [
    (Unconditional, CALDAV_SYNC, SUITE.test_an_update_on_a_stale_version_changes_nothing),
    (Unconditional, CALDAV_SYNC, SUITE.test_a_delete_on_a_stale_version_removes_nothing),
    (FullPut, CALDAV_SYNC, SUITE.test_an_update_keeps_the_users_fields),
    (FullPut, CALDAV_SYNC, SUITE.test_an_update_of_a_series_keeps_the_users_fields),
    (OwnTitleAlways, CALDAV_SYNC, SUITE.test_a_title_that_the_user_wrote_stays),
    (OwnTitleAlways, CALDAV_SYNC, SUITE.test_the_title_that_the_user_gave_one_occurrence_stays),
    (NoMarker, CALDAV_SYNC, with_sample(SUITE.test_what_was_created_reads_back_equal, SAMPLES[0])),
    (MasterOnly, CALDAV_SYNC, with_sample(SUITE.test_what_was_created_reads_back_equal, changed_series())),
    (NeverFree, CALDAV_SYNC, with_sample(SUITE.test_what_was_created_reads_back_equal, FREE)),
    (FreshIds, CALDAV_SYNC, SUITE.test_a_create_under_a_taken_id_doubles_nothing),
    (StopsAtRefusal, CALDAV_SYNC, SUITE.test_a_refused_write_does_not_stop_the_others),
    (ForgetsMissing, CALDAV_SYNC, SUITE.test_reading_mixes_present_and_missing),
    (FirstPageOnly, CALDAV_SYNC, SUITE.test_a_full_listing_names_everything),
    (NeverFull, CALDAV_SYNC, SUITE.test_a_full_listing_names_everything),
    (NoRemovals, CALDAV_SYNC, SUITE.test_new_changed_and_removed_events_are_told_once),
    (NoRemovals, CALDAV_SYNC, SUITE.test_a_deleted_event_is_gone_in_the_feed_and_by_id),
    (TwoCursors, CALDAV_SYNC, SUITE.test_a_full_listing_names_everything),
    (SkipsUnreadable, CALDAV_SYNC, SUITE.test_an_unreadable_event_does_not_stop_the_page),
    (LooksTwice, CALDAV_SYNC, SUITE.test_nothing_changed_costs_one_request_and_tells_nothing),
    (AlwaysAll, CALDAV_SYNC, SUITE.test_nothing_changed_costs_one_request_and_tells_nothing),
    (SwallowsExpiry, CALDAV_SYNC, SUITE.test_an_expired_cursor_is_said_to_be_so),
    (TroubleIsEmpty, CALDAV_SYNC, SUITE.test_a_calendar_that_is_gone_says_so),
    (TroubleIsEmpty, CALDAV_SYNC, SUITE.test_a_wrong_password_says_so),
    (TakesForeignForOurs, CALDAV_SYNC, SUITE.test_foreign_events_are_seen_without_marker_and_stay_as_they_are),
    (ForgetsVersions, CALDAV_SYNC, with_act("drag")),
    (NoExceptions, CALDAV_SYNC, with_act("drag-one")),
    (LeavesTraces, CALDAV_SYNC, SUITE.test_the_self_test_finds_nothing_wrong_and_leaves_nothing),
    # Weaknesses that nobody declared.
    (MemoryCalendar, CALDAV_SOGO, SUITE.test_a_create_leaves_what_stands_under_its_id),
    (MemoryCalendar, CALDAV_SOGO, SUITE.test_a_delete_on_a_stale_version_removes_nothing),
    (MemoryCalendar, CALDAV_SOGO, SUITE.test_an_update_of_a_removed_event_makes_none),
    (MemoryCalendar, GOOGLE, SUITE.test_an_event_that_a_person_removed_can_be_made_again),
    (MemoryCalendar, GRAPH, SUITE.test_own_writes_are_no_news),
    (MemoryCalendar, NASTY, SUITE.test_an_event_that_a_person_removed_can_be_made_again),
]


@pytest.mark.parametrize(("calendar", "personality", "check"), BROKEN, ids=lambda part: getattr(part, "__name__", ""))
def test_the_suite_catches(calendar: type[MemoryCalendar], personality: Personality, check: Check) -> None:
    bench = Bench(BrokenSubject(calendar, personality))
    with pytest.raises((AssertionError, KeyError, pytest.fail.Exception)):
        check(Checks(), bench)


@pytest.mark.parametrize("check", [check for _, personality, check in BROKEN if personality is CALDAV_SYNC])
def test_the_same_checks_pass_where_nothing_is_broken(check: Check) -> None:
    check(Checks(), Bench(BrokenSubject(MemoryCalendar)))
