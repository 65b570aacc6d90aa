"""The planner check: perturb one event on both sides, decide, pretend, decide again; it must settle on the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, note, settings
from hypothesis import strategies as st

from calsync.domain.drift import Disposition, DriftKind, Resolution
from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.marker import Marker
from calsync.domain.notation import content_hash
from calsync.domain.recurrence import rule_with_until, slots_between
from calsync.domain.span import Span
from calsync.reconcile.case import Copy
from calsync.reconcile.compare import view
from calsync.reconcile.shown import Told, same_state
from tests.properties.pretend import NOW, POLICY, WINDOW, World

ZONES = ["America/New_York", "Europe/Berlin", "UTC", "Australia/Lord_Howe"]
RULES = ["FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2;COUNT=12", "FREQ=DAILY;COUNT=20", "FREQ=MONTHLY;BYDAY=1TU"]
Change = Callable[[Event], Event | None]
Draw = st.DrawFn


@st.composite
def events(draw: Draw) -> Event:
    start = datetime(2026, 11, 22, 9, 30) + timedelta(days=draw(st.integers(-40, 40)), hours=draw(st.integers(0, 8)))
    span = Span(start, start + timedelta(minutes=50), draw(st.sampled_from(ZONES)))
    rule = draw(st.none() | st.sampled_from(RULES))
    return Event("u-1", Appearance(span, "Session 1"), None if rule is None else Recurrence(rule))


def shifted(event: Event, by: timedelta) -> Event:
    return replace(event, master=replace(event.master, span=event.master.span.starting(event.master.span.start + by)))


def slot_of(draw: Draw, event: Event) -> datetime | None:
    slots = sorted(slots_between(event, NOW - timedelta(days=40), NOW + timedelta(days=120)))
    return draw(st.sampled_from(slots)) if slots else None


def with_override(draw: Draw, event: Event, cancelled: bool) -> Event:
    slot = slot_of(draw, event)
    if slot is None:
        return replace(event, master=replace(event.master, cancelled=cancelled))
    base = slots_between(event, slot, slot)[slot]
    span = base.starting(base.start + timedelta(hours=draw(st.integers(-50, 50))))
    others = tuple(one for one in event.overrides if one.original_start != slot)
    made = Override(slot, Appearance(span, "Session 1", cancelled=cancelled))
    return replace(event, overrides=tuple(sorted((*others, made), key=lambda one: one.original_start)))


def without_slot(draw: Draw, event: Event) -> Event | None:
    slot, recurrence = slot_of(draw, event), event.recurrence
    if slot is None or recurrence is None:
        return None
    excluded = tuple(sorted({*recurrence.excluded, slot}))
    overrides = tuple(one for one in event.overrides if one.original_start != slot)
    return replace(event, recurrence=replace(recurrence, excluded=excluded), overrides=overrides)


def changed(draw: Draw, event: Event) -> Event | None:  # noqa: PLR0911 - one per kind of edit
    span, recurrence = event.master.span, event.recurrence
    match draw(st.integers(0, 9)):
        case 0:
            return event
        case 1:
            return shifted(event, timedelta(hours=draw(st.integers(-60, 60))))
        case 2:
            return with_override(draw, event, cancelled=draw(st.booleans()))
        case 3:
            return without_slot(draw, event)
        case 4:
            return None
        case 5:
            return replace(event, master=replace(event.master, title="Yoga", busy=draw(st.booleans())))
        case 6:
            return replace(event, master=replace(event.master, span=replace(span, zone=draw(st.sampled_from(ZONES)))))
        case 7:
            day = datetime(span.start.year, span.start.month, span.start.day)
            whole = Span(day, day + timedelta(days=1), span.zone, all_day=True)
            return replace(event, master=replace(event.master, span=whole))
        case 8 if recurrence is not None and recurrence.rule:
            slot = slot_of(draw, event)
            return (
                event
                if slot is None
                else replace(
                    event,
                    recurrence=replace(recurrence, rule=rule_with_until(recurrence.rule, slot - timedelta(days=1))),
                )
            )
        case 9 if recurrence is not None:
            extra = span.start_at + timedelta(days=draw(st.integers(1, 60)), hours=3)
            return replace(event, recurrence=replace(recurrence, added=tuple(sorted({*recurrence.added, extra}))))
        case _:
            return replace(event, recurrence=Recurrence("FREQ=DAILY;COUNT=3"))


@st.composite
def worlds(draw: Draw) -> World:
    event = draw(events())
    world = World.agreed(event)
    if draw(st.booleans()):
        world.expected = changed(draw, event)
    world.lose_answers = draw(st.integers(0, 2))
    world.policy = replace(POLICY, observe_only=draw(st.integers(0, 5)) == 0)
    seen = changed(draw, event)
    seen = seen if seen is None or draw(st.booleans()) else changed(draw, seen)
    if seen != event:
        world.edit(seen)
    if draw(st.integers(0, 3)) == 0:
        copied = shifted(event, timedelta(hours=draw(st.integers(-30, 30))))
        marker = Marker("L1", 1, content_hash(event), "place")
        world.copies["c-1"] = Copy("c-1", "7", replace(copied, uid="u-2"), marker)
    return world


def disagreements(world: World) -> list[object]:
    """What the calendar shows otherwise than the record, but for occurrences with an open or answered flag (R-10)."""
    let_be = [
        one
        for one in world.drifts
        if one.accepted or (one.resolution is Resolution.OPEN and not one.disposition.reverts)
    ]
    excused = {one.original_start for one in let_be}
    if excused and world.policy.observe_only:
        # Nothing is put back, and which unexplained event is which may be told differently from the record's side.
        return []
    if world.expected is None:
        return [] if world.there is None else [world.there]
    # A session that only the calendar shows and that is let be stands for none that the record has called off.
    added = {one.original_start: one.observed for one in let_be if one.expected is None}
    seen = view(world.expected, world.there, window=WINDOW, told=Told(added=added))
    return [
        (key, shown)
        for key, shown in seen.shown.items()
        if key not in excused
        and not same_state(seen.agreed.get(key), shown.own)
        and not lies_beyond(key, seen.agreed.get(key))
    ]


def lies_beyond(key: datetime | None, wanted: Appearance | None) -> bool:
    """Whether it is called off in a slot that the window has not reached, though it had been moved to inside of it.

    Nothing was agreed there yet, and nothing is wanted: it goes when the window gets to its slot (R-8).
    """
    called_off = wanted is not None and wanted.cancelled
    return called_off and key is not None and not WINDOW.start <= key < WINDOW.end


@given(world=worlds(), again=st.data())
@settings(max_examples=300, deadline=None, report_multiple_bugs=False)
def test_it_settles_and_shows_the_record(world: World, again: st.DataObject) -> None:
    note(f"{world}")
    world.settle(8)
    assert disagreements(world) == []
    # A second round of edits, on top of whatever the first one left behind.
    if world.there is not None:
        seen = again.draw(st.composite(changed)(world.there))
        if seen != world.there:
            world.edit(seen)
    world.settle(8)
    assert disagreements(world) == []
    assert not [one for one in world.drifts if one.resolution is Resolution.OPEN and one.disposition.reverts]


@given(world=worlds())
@settings(max_examples=150, deadline=None, report_multiple_bugs=False)
def test_what_is_over_and_flagged_is_not_written_over(world: World) -> None:
    world.lose_answers, world.expected = 0, world.link.baseline
    for _ in range(4):
        before, decision = world.there, world.one_pass()
        flagged = {
            one.original_start
            for one in world.drifts
            if one.resolution is Resolution.OPEN
            and one.disposition is Disposition.FLAG
            and not one.mixed
            and one.kind is not DriftKind.DUPLICATED
        }
        if before is not None and world.there is not None and world.expected is not None and decision.writes:
            seen = view(before, world.there, window=WINDOW)
            touched = {key for key, one in seen.shown.items() if not same_state(seen.agreed.get(key), one.own)}
            assert not touched & flagged
        world.now += POLICY.settle


def test_a_session_long_past_that_was_made_to_repeat_settles() -> None:
    """Its own slot lies before the window, and so outside what is expanded of an event that repeats."""
    span = Span(datetime(2026, 10, 23, 9, 30), datetime(2026, 10, 23, 10, 20), "America/New_York")
    session = Event("u-1", Appearance(span, "Session 1"))
    world = World.agreed(session, policy=replace(POLICY, observe_only=True))
    world.expected = replace(session, master=replace(session.master, title="Yoga"))
    world.edit(replace(session, recurrence=Recurrence("FREQ=DAILY;COUNT=3")))
    assert world.settle() == 1
    assert [drift.original_start for drift in world.drifts] == [
        datetime(2026, 10, 24, 13, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 13, 30, tzinfo=UTC),
    ]


def test_the_rest_of_a_series_that_the_record_ends_is_told_once() -> None:
    """Nothing is taken away where the practice observes: the copy still stands when the next pass looks."""
    span = Span(datetime(2026, 11, 22, 9, 30), datetime(2026, 11, 22, 10, 20), "America/New_York")
    series = Event("u-1", Appearance(span, "Session 1"), Recurrence("FREQ=WEEKLY"))
    world = World.agreed(series, policy=replace(POLICY, observe_only=True))
    world.expected = replace(series, recurrence=Recurrence("FREQ=WEEKLY;UNTIL=20261128T143000Z"))
    world.edit(replace(series, recurrence=Recurrence("FREQ=WEEKLY;UNTIL=20261121T143000Z")))
    marker = Marker("L1", 1, content_hash(series), "place")
    world.copies["c-1"] = Copy("c-1", "7", replace(series, uid="u-2"), marker)
    assert world.settle() == 1
    cut = [drift.resolution for drift in world.drifts if drift.kind is DriftKind.SPLIT]
    # The one that the record still wants waits; those that it ended are evidence, and asked about where they stand.
    assert cut.count(Resolution.OPEN) == 1
    beside = [drift for drift in world.drifts if drift.kind is DriftKind.DUPLICATED]
    assert len(beside) == cut.count(Resolution.SUPERSEDED) > 0
    assert {drift.resolution for drift in beside} == {Resolution.OPEN}
    told = list(world.drifts)
    assert world.settle() == 0
    assert world.drifts == told


def test_a_session_let_be_is_none_that_the_record_called_off() -> None:
    """Two more days were flagged; what becomes of the called-off one since then is nothing that anybody sees."""
    span = Span(datetime(2026, 11, 20, 9, 30), datetime(2026, 11, 20, 10, 20), "America/New_York")
    session = Event("u-1", Appearance(span, "Session 1"))
    world = World.agreed(session)
    world.expected = replace(session, master=replace(session.master, cancelled=True))
    world.edit(replace(session, recurrence=Recurrence("FREQ=DAILY;COUNT=3")))
    world.settle()
    left = world.there
    assert left is not None
    whole = Span(datetime(2026, 11, 20), datetime(2026, 11, 21), span.zone, all_day=True)
    world.edit(replace(left, master=replace(left.master, span=whole)))
    assert world.settle() == 0
    assert disagreements(world) == []
    # Called off, and the two that wait for an answer.
    shows = [one for one in world.shows().values() if isinstance(one, Appearance) and not one.cancelled]
    assert [one.span.start.day for one in shows] == [21, 22]
    assert [drift.original_start.day for drift in world.drifts if drift.original_start is not None] == [21, 22]
