"""Histories of one event: every kind of edit beside every change of the record, and what happens over several passes.

A history is a name, the world that it begins with, and what happens before each pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from calsync.domain.drift import Disposition, DriftKind, Phase, Resolution
from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.span import Span, Window
from calsync.reconcile.case import Copy, LinkCase, Moment, NothingNew, UnreadableNow
from calsync.reconcile.decide import decide
from calsync.reconcile.disposition import DEFAULT_DISPOSITIONS
from calsync.reconcile.plan import Decision
from tests.properties.pretend import NOW, POLICY, World
from tests.unit.reconcile import scenes
from tests.unit.reconcile.scenes import ZONE, single

WINDOW = Window(NOW - timedelta(days=10), NOW + timedelta(days=30))
LENIENT = replace(POLICY, dispositions={**DEFAULT_DISPOSITIONS, **{
    (kind, phase): Disposition.FLAG
    for kind in (DriftKind.MOVED, DriftKind.DELETED, DriftKind.CANCELLED, DriftKind.RECURRENCE_CHANGED)
    for phase in Phase
}})  # fmt: skip
STRICT = replace(POLICY, dispositions={**DEFAULT_DISPOSITIONS, **{
    (kind, Phase.UPCOMING): Disposition.REVERT for kind in DriftKind
}})  # fmt: skip
Change = Callable[[Event], Event | None]
Step = Callable[[World], Decision | None]


def weekly(start: str = "2026-12-01T10:00", count: int = 3) -> Event:
    """A series of three, where nothing else is said."""
    return scenes.weekly(start, count)


def _master(**changes: Any) -> Change:
    return lambda event: replace(event, master=replace(event.master, **changes))


def _shifted(hours: float, longer: int = 0) -> Change:
    def changed(event: Event) -> Event:
        span = event.master.span
        moved = replace(
            span,
            start=span.start + timedelta(hours=hours),
            end=span.end + timedelta(hours=hours, minutes=longer),
        )
        return replace(event, master=replace(event.master, span=moved))

    return changed


def _spanning(**changes: Any) -> Change:
    return lambda event: replace(event, master=replace(event.master, span=replace(event.master.span, **changes)))


def _recurring(rule: str = "FREQ=WEEKLY;COUNT=3", **more: Any) -> Change:
    return lambda event: replace(event, recurrence=Recurrence(rule, **more))


def _second(change: Callable[[Appearance], Appearance]) -> Change:
    """Change the second occurrence of a weekly event on its own."""

    def changed(event: Event) -> Event:
        span = event.master.span
        slot = span.starting(span.start + timedelta(days=7))
        one = change(replace(event.master, span=slot))
        return replace(event, overrides=(Override(slot.start_at.astimezone(UTC), one),))

    return changed


def _excluding(event: Event) -> Event:
    span = event.master.span
    at = span.starting(span.start + timedelta(days=7)).start_at.astimezone(UTC)
    return replace(event, recurrence=Recurrence("FREQ=WEEKLY;COUNT=3", excluded=(at,)))


def _adding(event: Event) -> Event:
    at = event.master.span.start_at.astimezone(UTC) + timedelta(days=2)
    return replace(event, recurrence=Recurrence("FREQ=WEEKLY;COUNT=3", added=(at,)))


def _later(one: Appearance) -> Appearance:
    start = one.span.start + timedelta(hours=3)
    return replace(one, span=one.span.starting(start))


_ALL_DAY = {"start": datetime(2026, 12, 1), "end": datetime(2026, 12, 2), "all_day": True}
_PROPOSED = Span(datetime(2026, 12, 2, 10), datetime(2026, 12, 2, 10, 50), ZONE)
EDITS: dict[str, Change] = {
    "moved": _shifted(4),
    "resized": _shifted(0, -20),
    "deleted": lambda _: None,
    "called off": _master(cancelled=True),
    "renamed": _master(title="Yoga"),
    "free": _master(busy=False),
    "declined": _master(answer="declined"),
    "proposed": _master(proposed=_PROPOSED),
    "whole day": _spanning(**_ALL_DAY),
    "zone": _spanning(zone="America/Chicago"),
    "repeating": _recurring(),
}
SERIES_EDITS: dict[str, Change] = {
    "moved": _shifted(4),
    "moved by a day": _shifted(24),
    "deleted": lambda _: None,
    "renamed": _master(title="Yoga"),
    "zone": _spanning(zone="America/Chicago"),
    "shorter": _recurring("FREQ=WEEKLY;COUNT=2"),
    "longer": _recurring("FREQ=WEEKLY;COUNT=4"),
    "one moved": _second(_later),
    "one called off": _second(lambda one: replace(one, cancelled=True)),
    "one renamed": _second(lambda one: replace(one, title="Yoga")),
    "one excluded": _excluding,
    "one added": _adding,
    "not repeating": lambda event: replace(event, recurrence=None),
}
RECORDS: dict[str, Change] = {
    "moved": _shifted(4),
    "moved elsewhere": _shifted(2),
    "cancelled": lambda _: None,
    "renamed": _master(title="Session S-1"),
}
SERIES_RECORDS: dict[str, Change] = {
    "moved": _shifted(2),
    "cancelled": lambda _: None,
    "longer": _recurring("FREQ=WEEKLY;COUNT=4"),
    "one moved": _second(_later),
    "one excluded": _excluding,
    "elsewhere": lambda event: replace(event, location="Room 2"),
}


def edit(change: Change) -> Step:
    def step(world: World) -> None:
        world.edit(change(_agreed(world)))

    return step


def want(change: Change) -> Step:
    def step(world: World) -> None:
        world.expected = change(_agreed(world))

    return step


def _agreed(world: World) -> Event:
    assert world.link.baseline is not None
    return world.link.baseline


def back(world: World) -> None:
    world.edit(world.expected)


def wait(world: World) -> None:
    world.now += POLICY.settle


def quiet(world: World) -> Decision:
    return _decided(world, replace(world.case(), sight=NothingNew()))


def unreadable(world: World) -> Decision:
    return _decided(world, replace(world.case(), sight=UnreadableNow("9", "rule-nobody-knows")))


def claimed(world: World) -> Decision:
    case = world.case()
    return _decided(world, replace(case, slots={key: replace(one, claimed=True) for key, one in case.slots.items()}))


def _decided(world: World, case: LinkCase) -> Decision:
    decision = decide(case, Moment(world.now, world.window), world.policy)
    world.record(decision)
    return decision


def unmarked(world: World) -> None:
    world.marked = None


def lose(world: World) -> None:
    world.lose_answers = 1


def answer(resolution: Resolution) -> Step:
    def step(world: World) -> None:
        world.drifts = [
            replace(one, resolution=resolution, accepted=True, resolved_at=world.now) for one in world.drifts
        ]

    return step


def histories() -> Iterator[tuple[str, World, list[Step]]]:
    """All of them: a name, the world to begin with, and what happens before each pass."""
    yield from _single()
    yield from _series()
    yield from _special()
    yield from _copied()
    yield from _cut()
    yield from _answered()
    yield from _unanswered()
    yield from _half_as_recorded()


def _world(event: Event, **more: Any) -> World:
    return World.agreed(event, **{"window": WINDOW, **more})


def _single() -> Iterator[tuple[str, World, list[Step]]]:
    for name, change in EDITS.items():
        yield f"single {name}, goes back", _world(single()), [edit(change), quiet, back]
        yield f"single {name}, restored", _world(single()), [edit(change), wait, wait]
        yield (
            f"single {name}, answered",
            _world(single(), policy=LENIENT),
            [edit(change), answer(Resolution.ACKNOWLEDGED), back],
        )
        for phase, start in (("past", "2026-11-20T10:00"), ("under way", "2026-11-22T10:10")):
            yield f"single {name}, {phase}", _world(single(start)), [edit(change), wait]
        yield f"single {name}, claimed", _world(single("2026-11-20T10:00")), [edit(change), claimed]
        for word, wanted in RECORDS.items():
            yield f"single {name}, record {word}", _world(single()), [_both(change, wanted), wait]
            yield f"single {name}, then record {word}", _world(single(), policy=LENIENT), [edit(change), want(wanted)]


def _series() -> Iterator[tuple[str, World, list[Step]]]:
    for name, change in SERIES_EDITS.items():
        yield f"series {name}, goes back", _world(weekly()), [edit(change), back]
        yield f"series {name}, restored", _world(weekly()), [edit(change), wait]
        yield f"series {name}, half over", _world(weekly("2026-11-17T10:00")), [edit(change), wait]
        yield f"series {name}, answered", _world(weekly(), policy=LENIENT), [edit(change), answer(Resolution.IGNORED)]
        for word, wanted in SERIES_RECORDS.items():
            yield f"series {name}, record {word}", _world(weekly()), [_both(change, wanted)]
            yield f"series {name}, then record {word}", _world(weekly(), policy=LENIENT), [edit(change), want(wanted)]


def _special() -> Iterator[tuple[str, World, list[Step]]]:
    for kind, event in (("single", single()), ("series", weekly())):
        edits = EDITS if kind == "single" else SERIES_EDITS
        for word, wanted in (RECORDS if kind == "single" else SERIES_RECORDS).items():
            yield f"{kind} record {word}, answer lost", _world(event), [_then(lose, want(wanted)), wait, back]
        moved = edits["moved"]
        yield f"{kind} revert lost", _world(event), [edit(moved), _then(lose, wait), wait]
        yield f"{kind} revert lost and moved again", _world(event), [edit(moved), _then(lose, wait), edit(moved)]
        yield f"{kind} unreadable", _world(event), [unreadable, edit(moved), unreadable]
        yield f"{kind} marker lost", _world(event), [unmarked, wait]
        yield f"{kind} marker lost and moved", _world(event), [_then(unmarked, edit(moved)), wait]
        yield f"{kind} moved four times", _world(event), [edit(moved), wait, *[edit(moved), wait] * 3]
        yield f"{kind} books lost", _unknown(event), [wait]
        yield f"{kind} books lost and moved", _unknown(event), [edit_there(moved), wait]
        yield f"{kind} nothing there yet", _unknown(event, there=False), [wait]
        for name in ("renamed", "moved", "deleted"):
            yield f"{kind} strict {name}", _world(event, policy=STRICT), [edit(edits[name]), wait]
            observing = replace(POLICY, observe_only=True)
            yield f"{kind} observed {name}", _world(event, policy=observing), [edit(edits[name]), wait]


def beside(name: str, event: Event | None) -> Step:
    """A copy shows this from now on; None: it was taken away."""

    def step(world: World) -> None:
        known = world.copies.pop(name, None)
        if event is None:
            world.copies_gone.add(name)
        else:
            version = "1" if known is None else str(int(known.version) + 1)
            world.copies[name] = Copy(name, version, replace(event, uid=f"u-{name}"))

    return step


def unmentioned(name: str) -> Step:
    """A copy is not spoken of: whether it is still there nobody knows."""

    def step(world: World) -> None:
        world.copies.pop(name, None)

    return step


def not_understood(name: str) -> Step:
    def step(world: World) -> None:
        world.copies[name] = replace(world.copies[name], unreadable=True, told=False)

    return step


def at(days: float) -> Step:
    def step(world: World) -> None:
        world.now += timedelta(days=days)

    return step


def _copied() -> Iterator[tuple[str, World, list[Step]]]:
    elsewhere, again = single("2026-12-03T10:00"), single("2026-12-04T10:00")
    copied = beside("c-1", elsewhere)
    let_be = replace(POLICY, dispositions={**POLICY.dispositions, **{
        (DriftKind.DUPLICATED, phase): Disposition.IGNORE for phase in Phase
    }})  # fmt: skip
    gone = edit(lambda _: None)
    after: dict[str, list[Step]] = {
        "taken back": [beside("c-1", None)],
        "put away": [wait, wait],
        "moved": [beside("c-1", again), wait],
        "let be": [answer(Resolution.ACKNOWLEDGED), beside("c-1", again)],
        "let be, own gone": [answer(Resolution.ACKNOWLEDGED), gone],
        "not understood": [not_understood("c-1"), wait],
        "record cancelled": [want(lambda _: None), wait],
        "record moved": [want(_shifted(2)), wait],
        "own moved": [edit(_shifted(4)), wait],
        "own gone": [gone, wait],
        "second one": [beside("c-2", again), wait],
        "and once more": [wait, copied, wait],
        "session over": [at(10), wait],
        "session over, taken back": [_then(at(10), beside("c-1", None))],
        "own unreadable": [unreadable, wait],
        "nothing new": [quiet],
    }
    for name, steps in after.items():
        yield f"copied single, {name}", _world(single()), [copied, *steps]
    yield "copied single, nobody minds", _world(single(), policy=let_be), [copied, wait, beside("c-1", again)]
    yield "copied single, renamed at once", _world(single()), [_then(copied, gone), wait]
    yield "copied single, past", _world(single("2026-11-20T10:00")), [copied, beside("c-1", None)]
    yield "copied single, own unreadable at once", _world(single()), [_unreadable_beside(copied), wait]
    whole = beside("c-1", weekly())
    for name, steps in after.items():
        if name not in ("moved", "second one", "own moved"):
            yield f"copied series, {name}", _world(weekly()), [whole, *steps]
    yield "copied series, moved", _world(weekly()), [whole, beside("c-1", weekly("2026-12-01T12:00")), wait]
    yield (
        "copied series, half over",
        _world(weekly("2026-11-17T10:00")),
        [beside("c-1", weekly("2026-11-17T12:00")), wait],
    )
    yield "copied series, shorter record", _world(weekly()), [whole, want(_recurring("FREQ=WEEKLY;COUNT=2")), wait]


def unseen(before: Step) -> Step:
    """The same, and the feed says nothing about the event."""

    def step(world: World) -> Decision:
        before(world)
        return quiet(world)

    return step


def _unreadable_beside(before: Step) -> Step:
    def step(world: World) -> Decision:
        before(world)
        return unreadable(world)

    return step


def _cut() -> Iterator[tuple[str, World, list[Step]]]:
    for when, hour in (("as it was", 10), ("later", 14)):
        rest = weekly(f"2026-12-15T{hour}:00", 2)
        cut = _then(edit(_recurring("FREQ=WEEKLY;COUNT=2")), beside("c-1", rest))
        after: dict[str, list[Step]] = {
            "restored": [wait, wait],
            "goes back": [_then(back, beside("c-1", None))],
            "rest taken away": [beside("c-1", None), wait],
            "rest not mentioned": [unmentioned("c-1"), cut],
            "rest moved": [beside("c-1", weekly("2026-12-15T16:00", 2)), wait],
            "rest with one moved": [beside("c-1", _later_second(rest)), wait],
            "rest shortened": [beside("c-1", weekly(f"2026-12-15T{hour}:00", 1)), wait],
            "rest not understood": [not_understood("c-1"), wait],
            "rest copied": [beside("c-2", rest), wait],
            "cut again": [
                _then(beside("c-1", weekly(f"2026-12-15T{hour}:00", 1)), beside("c-2", weekly("2026-12-22T09:00", 1)))
            ],
            "begun again": [edit(_recurring("FREQ=WEEKLY;COUNT=1")), wait],
            "nothing new": [quiet, wait],
            "record moved": [want(_shifted(2)), wait],
            "record cancelled": [want(lambda _: None), wait],
            "record longer": [want(_recurring("FREQ=WEEKLY;COUNT=5")), wait],
            "record renamed": [want(_master(title="Session S-1")), wait],
            "let be": [answer(Resolution.ACKNOWLEDGED), wait, beside("c-1", weekly("2026-12-15T16:00", 2))],
            "let be, rest gone": [answer(Resolution.ACKNOWLEDGED), beside("c-1", None), wait],
            "let be, record moved": [answer(Resolution.ACKNOWLEDGED), want(_shifted(2)), wait],
            "half over": [at(17), wait],
            "own gone": [edit(lambda _: None), wait],
            "answer lost": [_then(wait, lose), wait, wait],
        }
        for name, steps in after.items():
            yield f"cut {when}, {name}", _world(weekly(count=4)), [cut, *steps]
        for name in ("restored", "record moved", "record renamed", "rest taken away", "rest moved"):
            yield f"cut {when}, flagged, {name}", _world(weekly(count=4), policy=_SPLITS), [cut, *after[name]]
        yield f"cut {when}, long ago", _world(weekly("2026-11-17T10:00", 4)), [_cut_long_ago(hour), wait, wait]


_SPLITS = replace(POLICY, dispositions={**DEFAULT_DISPOSITIONS, **{
    (DriftKind.SPLIT, phase): Disposition.FLAG for phase in Phase
}})  # fmt: skip


def _cut_long_ago(hour: int) -> Step:
    return _then(edit(_recurring("FREQ=WEEKLY;COUNT=1")), beside("c-1", weekly(f"2026-11-24T{hour}:00", 3)))


def _later_second(event: Event) -> Event:
    changed = _second(_later)(event)
    assert changed is not None
    return changed


def _answered() -> Iterator[tuple[str, World, list[Step]]]:
    """An answer holds until the record, a write of ours or a further edit makes it another question."""
    for kind, event in (("single", single()), ("series", weekly())):
        edits = EDITS if kind == "single" else SERIES_EDITS
        for name in (
            ("moved", "deleted", "renamed") if kind == "single" else ("moved", "one moved", "one excluded", "shorter")
        ):
            told = [edit(edits[name]), answer(Resolution.ACKNOWLEDGED)]
            after: dict[str, list[Step]] = {
                "record moved": [want(_shifted(2)), edit(edits[name]), wait],
                "record as seen": [want(edits[name]), wait],
                "record elsewhere": [want(lambda event: replace(event, location="Room 2")), wait, edit(edits[name])],
                "record cancelled": [want(lambda _: None), wait],
                "edited again": [edit(_shifted(6)), wait],
                "written, answer lost": [_then(lose, want(_shifted(2))), wait, edit(edits[name])],
                "session over": [at(30), wait],
            }
            for then, steps in after.items():
                yield f"{kind} {name} let be, {then}", _world(event, policy=LENIENT), [*told, *steps]
        observing = replace(POLICY, observe_only=True)
        for name in ("moved", "deleted"):
            changed: Step = lambda world: setattr(world, "policy", POLICY)  # noqa: E731
            yield (
                f"{kind} {name} while observing, then not",
                _world(event, policy=observing),
                [edit(edits[name]), changed, wait],
            )
            yield f"{kind} {name}, then over", _world(event), [edit(edits[name]), at(12), back]
            yield f"{kind} {name}, then beyond the window", _world(event), [edit(edits[name]), _far, wait]


def _unanswered() -> Iterator[tuple[str, World, list[Step]]]:
    """Writes of ours whose answer was lost: what proves that they arrived, and what was done on top of them."""
    for kind, event in (("single", single()), ("series", weekly())):
        moved = want(_shifted(2))
        on_top: dict[str, list[Step]] = {
            "nothing else": [wait],
            "marker lost": [unmarked, wait],
            "marker lost, and edited": [_then(unmarked, edit(_shifted(6))), wait],
            "edited": [edit(_shifted(6)), wait],
            "shortened": [edit(_shifted(2, -20)), wait],
            "renamed": [_renamed_there, wait],
            "record moved on": [want(_shifted(4)), wait],
            "lost once more": [_then(lose, want(_shifted(4))), wait],
            "deleted": [edit(lambda _: None), wait],
            "nothing new": [quiet, wait],
            "not understood": [unreadable, wait],
            "copied": [beside("c-1", single("2026-12-03T10:00")), wait],
        }
        for name, steps in on_top.items():
            yield f"{kind} write unanswered, {name}", _world(event), [_then(lose, moved), *steps]
        for name in ("nothing else", "marker lost", "edited", "nothing new"):
            first = _unknown(event, there=False)
            yield f"{kind} creation unanswered, {name}", first, [lose, *on_top[name][:1] * (name != "edited"), wait]
            gone = _then(lose, want(lambda _: None))
            yield (
                f"{kind} removal unanswered, {name}",
                _world(event),
                [gone, *on_top[name][:1] * (name != "edited"), wait],
            )
        for name, change in (("moved", _shifted(4)), ("deleted", lambda _: None)):
            beside_it: dict[str, list[Step]] = {
                "nothing else": [wait],
                "marker lost": [unmarked, wait],
                "the same again": [edit(change), wait],
                "another edit": [edit(_shifted(6)), wait],
                "by a person": [_by_a_person, wait],
            }
            for then, steps in beside_it.items():
                reverting = [edit(change), _then(lose, wait)]
                yield f"{kind} revert of {name} unanswered, {then}", _world(event), [*reverting, *steps]
                flagged = [edit(change), _then(lose, want(lambda event: replace(event, location="Room 2")))]
                yield (
                    f"{kind} {name} flagged, write unanswered, {then}",
                    _world(event, policy=LENIENT),
                    [*flagged, *steps],
                )
        ignored = [edit(_shifted(4)), _settled(Resolution.IGNORED), wait]
        yield f"{kind} ignored, and not accepted", _world(event, policy=LENIENT), ignored
        yield f"{kind} superseded, and not accepted", _world(event, policy=LENIENT), [
            edit(_shifted(4)), _settled(Resolution.SUPERSEDED), wait
        ]  # fmt: skip


def _renamed_there(world: World) -> None:
    assert world.there is not None
    world.edit(replace(world.there, master=replace(world.there.master, title="Yoga")))


def _by_a_person(world: World) -> None:
    keys = tuple(one.original_start for one in world.drifts)
    world.sent = [replace(one, restores=keys) for one in world.sent]


def _settled(resolution: Resolution) -> Step:
    def step(world: World) -> None:
        world.drifts = [replace(one, resolution=resolution, accepted=False) for one in world.drifts]

    return step


def _half_as_recorded() -> Iterator[tuple[str, World, list[Step]]]:
    """Of two sessions that were moved the record follows one, and a person has yet to look at the other."""
    event = weekly()
    slots = [event.master.span.starting(event.master.span.start + timedelta(days=7 * n)) for n in (1, 2)]
    apart = [Override(one.start_at.astimezone(UTC), _later(replace(event.master, span=one))) for one in slots]
    both: Change = lambda one: replace(one, overrides=tuple(apart))  # noqa: E731
    second: Change = lambda one: replace(one, overrides=(apart[1],))  # noqa: E731
    yield "series two moved, record follows one", _world(event, policy=LENIENT), [edit(both), want(second), wait]
    gone: Change = lambda _: None  # noqa: E731
    for kind, one in (("single", single()), ("series", weekly())):
        yield f"{kind} gone, record gone unseen", _world(one, policy=LENIENT), [edit(gone), unseen(want(gone)), wait]


def _far(world: World) -> None:
    world.now += timedelta(days=60)
    world.window = Window(WINDOW.start + timedelta(days=60), WINDOW.end + timedelta(days=60))


def edit_there(change: Change) -> Step:
    def step(world: World) -> None:
        assert world.there is not None
        world.edit(change(world.there))

    return step


def _unknown(event: Event, *, there: bool = True) -> World:
    world = _world(event)
    world.link = replace(world.link, baseline=None, baseline_hash=None, version=None)
    if not there:
        world.there = None
    return world


def _both(change: Change, wanted: Change) -> Step:
    return _then(edit(change), want(wanted))


def _then(*steps: Step) -> Step:
    def step(world: World) -> None:
        for one in steps:
            one(world)

    return step
