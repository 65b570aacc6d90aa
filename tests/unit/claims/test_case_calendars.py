"""Which calendars must agree about a session, what each has shown, and what stands between it and a reading."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calsync.claims.case import Observation, ReadResult
from calsync.claims.case_calendars import CalendarRows, calendars_of_case
from calsync.domain.event import Appearance
from calsync.domain.span import Span
from calsync.store.gate_values import CalendarRow, DriftRow, LinkRow, ObservationRow, RecordRow, StopRow

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
SPAN = Span(datetime(2026, 11, 10, 9), datetime(2026, 11, 10, 9, 50), "America/Chicago")
LATER = SPAN.starting(datetime(2026, 11, 10, 14))
LINKED = datetime(2026, 11, 1, tzinfo=UTC)
READ = SPAN.end_at + HOUR
NOW = datetime(2026, 11, 11, 12, tzinfo=UTC)
RECORD = RecordRow(
    id="A-1", provider="P-1", client="C-1", start=SPAN.start, end=SPAN.end, zone=SPAN.zone, start_at=SPAN.start_at,
    end_at=SPAN.end_at, kind="follow-up", status="completed", series=None, code="90834", payer="insurance",
    session=None, client_zone=None, provider_zone=None, pending=None, pending_until=None, missing_since=None, version=1,
    completed_by="provider:P-1", format=None,
)  # fmt: skip
NEVER = (ReadResult.NEVER, None)


def calendar(name: str = "K-1", **more: Any) -> CalendarRow:
    row = CalendarRow(name, "P-1", "mirror", "active", None, removed_at=None, due_at=NOW + HOUR, not_before=None)
    return replace(row, **more)


def link(name: str = "K-1", **more: Any) -> LinkRow:
    row = LinkRow(f"L-{name}", name, "appointment", "A-1", "active", LINKED, LINKED, read_after=None, ended_at=None)
    return replace(row, **more)


def read(seen: Span | None = SPAN, name: str = "K-1", *, cancelled: bool = False, **more: Any) -> ObservationRow:
    shown = None if seen is None else Appearance(seen, cancelled=cancelled)
    return replace(ObservationRow("A-1", name, READ, shown, "7", None, LINKED, LINKED + HOUR), **more)


def drift(name: str = "D-1", observed: Span | None = LATER, **more: Any) -> DriftRow:
    row = DriftRow(
        name, "A-1", "K-1", "moved", "past", "open", accepted=True, scope="occurrence", mixed=False, detected_at=READ,
        changed_at=READ,
        expected=Appearance(SPAN), observed=None if observed is None else Appearance(observed),
    )  # fmt: skip
    return replace(row, **more)


def judged(
    *calendars: CalendarRow,
    links: list[LinkRow] | None = None,
    reads: list[ObservationRow] | None = None,
    drifts: list[DriftRow] | None = None,
    stops: list[StopRow] | None = None,
    now: datetime = NOW,
    **record: Any,
) -> tuple[list[Observation], dict[str, datetime]]:
    by_calendar: dict[str, list[StopRow]] = {}
    for one in stops or []:
        by_calendar.setdefault(one.calendar, []).append(one)
    rows = CalendarRows(
        replace(RECORD, **record),
        {one.id: one for one in calendars or (calendar(),)},
        [link()] if links is None else links,
        reads or [],
        drifts or [],
        by_calendar,
    )
    found, due = calendars_of_case(rows, SPAN, now=now, window_past=timedelta(days=7))
    return list(found), {one.calendar: one.due_at for one in due}


def results(*args: Any, **more: Any) -> list[tuple[str, str]]:
    return [(one.calendar, str(one.result)) for one in judged(*args, **more)[0]]


def test_each_calendar_has_its_own_readings_or_none() -> None:
    found, due = judged(
        calendar(), calendar("K-2", due_at=NOW + 2 * HOUR), links=[link(), link("K-2")], reads=[read(), read(LATER)]
    )
    agreeing = Observation(
        calendar="K-1",
        result=ReadResult.AGREES,
        read_at=READ,
        confirmed_at=LINKED,
        written_at=LINKED + HOUR,
        version="7",
    )
    differing = replace(agreeing, result=ReadResult.DIFFERS)
    assert found == [agreeing, differing, Observation(calendar="K-2", result=ReadResult.NEVER)]
    assert due == {"K-1": NOW + HOUR, "K-2": NOW + 2 * HOUR}


def test_readings_of_before_the_books_were_brought_back_prove_nothing_until_it_is_read_again() -> None:
    restored = calendar(books_restored_at=NOW - HOUR)
    assert results(restored, reads=[read(), read(LATER)]) == [("K-1", "never")]
    removed = replace(restored, removed_at=NOW)
    assert results(removed, reads=[read()]) == [("K-1", "agrees")], "it is not read again, and stands as it was"


@pytest.mark.parametrize("reads", [[], [read(), read(LATER)]])
def test_of_one_that_was_disconnected_it_is_said_of_every_reading(reads: list[ObservationRow]) -> None:
    for removed_at in (NOW, None):
        found, _ = judged(calendar(removed_at=removed_at), reads=reads)
        assert {one.removed for one in found} == {removed_at is not None}


@pytest.mark.parametrize(
    ("seen", "cancelled", "result"),
    [(SPAN, False, "agrees"), (SPAN, True, "differs"), (LATER, False, "differs"), (None, False, "absent")],
)
def test_a_reading_is_compared_with_the_record(seen: Span | None, cancelled: bool, result: str) -> None:
    assert results(reads=[read(seen, cancelled=cancelled)]) == [("K-1", result)]


@pytest.mark.parametrize(
    ("links", "counted"),
    [
        ([link(ended_at=SPAN.end_at)], []),
        ([link(ended_at=SPAN.end_at + SECOND)], ["K-1"]),
        ([link(), link("K-2", linked_at=SPAN.end_at)], ["K-1", "K-2"]),
        ([link(), link("K-2", linked_at=SPAN.end_at + SECOND)], ["K-1"]),
        ([link(), link("K-2", linked_at=None)], ["K-1", "K-2"]),
        ([link(linked_at=SPAN.end_at + SECOND)], ["K-1"]),
        ([link(), link("K-3")], ["K-1"]),
        ([link(), link("K-4")], ["K-1"]),
        ([link(), link("K-404")], ["K-1"]),
    ],
)
def test_what_stood_when_the_session_ended_counts(links: list[LinkRow], counted: list[str]) -> None:
    calendars = [
        calendar(),
        calendar("K-2", provider="P-2"),
        calendar("K-3", mode="busy"),
        calendar("K-4", removed_at=SPAN.end_at),
    ]
    assert [name for name, _ in results(*calendars, links=links)] == counted


def test_before_its_end_what_stands_now_counts() -> None:
    early = SPAN.start_at - HOUR
    assert results(links=[link(ended_at=early)], now=early) == []
    assert results(links=[link(ended_at=early + SECOND)], now=early) == [("K-1", "never")]


def test_a_link_made_anew_takes_the_place_of_the_one_before() -> None:
    links = [link(read_after=NOW + HOUR), link(read_after=NOW + 3 * HOUR)]
    assert judged(links=links)[1] == {"K-1": NOW + 3 * HOUR}
    assert len(judged(links=links)[0]) == 1


@pytest.mark.parametrize(
    ("changed", "asked"),
    [
        ({}, True),
        ({"provider": "P-2"}, False),
        ({"mode": "busy"}, False),
        ({"removed_at": NOW}, False),
    ],
)
def test_a_calendar_of_the_provider_without_a_link_was_never_read(changed: dict[str, Any], asked: bool) -> None:
    found, due = judged(calendar(), calendar("K-2", state="stopped", **changed), reads=[read()])
    more = [(one.calendar, str(one.result)) for one in found[1:]]
    assert more == ([("K-2", "never"), ("K-2", "stopped")] if asked else [])
    assert set(due) == {"K-1"}
    assert set(judged(calendar(), calendar("K-2", **changed))[1]) == ({"K-1", "K-2"} if asked else {"K-1"})


@pytest.mark.parametrize(("linked", "days", "asked"), [(True, 7, False), (True, 6, True), (False, 7, True)])
def test_beyond_the_window_only_a_session_without_any_link_asks_for_one(linked: bool, days: int, asked: bool) -> None:
    now = SPAN.end_at + timedelta(days=days)
    found = results(calendar(), calendar("K-2"), links=[link()] if linked else [], now=now)
    assert (("K-2", "never") in found) is asked


@pytest.mark.parametrize(
    ("read_as", "drifts", "explained"),
    [
        ({}, [], None),
        ({}, [drift()], "D-1"),
        ({}, [drift(calendar="K-2")], None),
        ({}, [drift(observed=None)], None),
        ({}, [drift(observed=SPAN)], None),
        ({}, [drift(), drift("D-2")], "D-2"),
        ({"drift": "D-1"}, [drift(), drift("D-2")], "D-1"),
        ({"drift": "D-9"}, [drift(), drift("D-2")], "D-2"),
        ({"seen": None}, [drift(observed=None)], "D-1"),
        ({"seen": None}, [drift()], None),
        ({"cancelled": True}, [drift()], None),
        ({"cancelled": True}, [drift(observed=None)], None),
        # Accepted about these times of the record, about others, or about none.
        ({}, [drift(resolution="ignored")], "D-1"),
        ({}, [drift(resolution="ignored", expected=Appearance(LATER))], None),
        ({}, [drift(resolution="ignored", expected=None)], None),
        ({}, [drift(expected=None)], "D-1"),
        # Put back when it was answered: no agreement to what was seen.
        ({}, [drift(resolution="acknowledged", accepted=False)], None),
        ({}, [drift(resolution="acknowledged")], "D-1"),
        ({}, [drift(accepted=False)], "D-1"),
    ],
)
def test_a_difference_is_explained_by_the_edit_that_told_of_it(
    read_as: dict[str, Any], drifts: list[DriftRow], explained: str | None
) -> None:
    (found,) = judged(reads=[read(**{"seen": LATER, **read_as})], drifts=drifts)[0]
    assert found.drift == explained


@pytest.mark.parametrize(
    ("state", "stops", "standing"),
    [
        ("active", [], []),
        ("needs-reconnect", [("stampede", ("A-1",))], [("failed", None)]),
        ("unreachable", [], [("failed", None)]),
        ("paused", [], [("stopped", False)]),
        ("stopped", [], [("stopped", None)]),
        ("paused", [("pause", ("A-1",))], [("stopped", False)]),
        ("stopped", [("lost", ("A-1",))], [("stopped", None)]),
        ("stopped", [("stampede", ("A-1",)), ("stampede", ("A-2",))], [("stopped", True), ("stopped", False)]),
        ("active", [("stampede", ("A-1",))], [("stopped", True)]),
    ],
)
def test_what_stands_between_a_calendar_and_a_reading(
    state: str, stops: list[tuple[str, tuple[str, ...]]], standing: list[tuple[str, bool | None]]
) -> None:
    rows = [StopRow("K-1", READ + HOUR, kind, frozenset(touched)) for kind, touched in stops]
    found, _ = judged(calendar(state=state, state_since=READ + HOUR), reads=[read()], stops=rows)
    assert [(str(one.result), one.touched) for one in found[1:]] == standing
    assert {one.read_at for one in found[1:]} <= {READ + HOUR}


@pytest.mark.parametrize(
    ("of_calendar", "of_link", "due"),
    [
        ({}, {}, NOW + HOUR),
        ({"state": "stopped"}, {}, None),
        ({"state": "paused"}, {}, None),
        ({"removed_at": NOW}, {}, None),
        ({}, {"read_after": NOW + 3 * HOUR}, NOW + 3 * HOUR),
        ({}, {"read_after": NOW + SECOND}, NOW + SECOND),
        ({}, {"read_after": NOW}, NOW + HOUR),
        ({"not_before": NOW + 2 * HOUR}, {}, NOW + 2 * HOUR),
        ({"not_before": NOW}, {}, NOW + HOUR),
        ({"due_at": NOW - HOUR}, {}, NOW),
    ],
)
def test_when_a_calendar_is_read_next(
    of_calendar: dict[str, Any], of_link: dict[str, Any], due: datetime | None
) -> None:
    _, found = judged(calendar(**of_calendar), links=[link(**of_link)])
    assert found == ({} if due is None else {"K-1": due})
