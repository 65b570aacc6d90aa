"""Everything that can happen in a history, by name. An act whose object is not there does nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from calsync.answers.calendars import resume
from calsync.answers.edits import resolve_edit
from calsync.answers.words import Answer, Word
from calsync.booking import commands as book
from calsync.claims.gate import drain_touched
from calsync.connector.errors import CalendarError
from calsync.domain.appointment import Appointment, AppointmentKind, Block
from calsync.domain.event import Appearance, Event
from calsync.domain.marker import place_of, sign_marker, verify_marker
from calsync.domain.span import Span
from calsync.errors import NotFoundError, UserError
from calsync.store import records, work
from calsync.store.errors import StoreUnavailable
from calsync.store.work import Priority
from calsync.testing.personality import VersionStyle
from tests.simulation.billing import ask_gate
from tests.simulation.observer import Held
from tests.simulation.plan import Act
from tests.simulation.sights import by_slot
from tests.simulation.world import ERRORS, KEYS, ZONE, World

Doing = Callable[[World, Act], None]
DOINGS: dict[str, Doing] = {}


def doing(name: str) -> Callable[[Doing], Doing]:
    """Give an act its name."""

    def enter(act: Doing) -> Doing:
        DOINGS[name] = act
        return act

    return enter


# --- time and processes


@doing("advance")
def _advance(world: World, act: Act) -> None:
    world.clock.advance(float(act["by"]))


@doing("clock")
def _clock(world: World, act: Act) -> None:
    world.observer.clock_jumped = True
    world.observer.mark("clock-back" if act["by"] < 0 else "clock-forward")
    world.fired("clock-back" if act["by"] < 0 else "clock-forward")
    world.clock.jump(timedelta(seconds=act["by"]))


@doing("work")
def _work(world: World, act: Act) -> None:
    world.work(act.get("worker", 0))


@doing("sync")
def _sync(world: World, act: Act) -> None:
    state = world.books.rows("SELECT state FROM calendars WHERE id = ?", act["calendar"])
    if state and state[0][0] not in ("stopped", "paused"):
        world.sync(act.get("worker", 0), act["calendar"], full=act.get("full", False))


@doing("sync-stopped")
def _sync_stopped(world: World, act: Act) -> None:
    world.sync(act.get("worker", 0), act["calendar"])


@doing("push")
def _push(world: World, act: Act) -> None:
    with world.web.transaction() as conn:
        work.push(conn, act["calendar"], world.clock.now(), Priority.PUSH)


@doing("kill")
def _kill(world: World, act: Act) -> None:
    world.workers.pop(act.get("worker", 0), None)


@doing("power-loss")
def _power_loss(world: World, act: Act) -> None:
    if not world.images:
        return
    world.observer.mark("power-loss")
    world.fired("power-loss")
    world.observer.power_lost = True
    world.workers.clear()
    world.books.restore(world.images[max(0, len(world.images) - 1 - act["commits"])])
    world.images.clear()
    world.readings.alone_until.clear()
    world.observer.committed()
    world.forget_records()


# --- the platform


def _command(world: World, actor: str = "support:sim") -> book.Command:
    rulebook = book.Rulebook.of_settings(world.settings)
    return book.Command(actor=actor, now=world.clock.now(), reason="simulated", rulebook=rulebook)


def _span(act: Act) -> Span:
    start = datetime.fromisoformat(act["start"])
    return Span(start, start + timedelta(minutes=act.get("minutes", 50)), ZONE)


def web(world: World, call: Callable[[Any], object], mark: str) -> None:
    """Carry out a command in a transaction of its own; a refusal is an answer, too."""
    try:
        with world.web.transaction() as conn:
            call(conn)
        world.observer.mark(mark)
    except StoreUnavailable:
        raise
    except (UserError, NotFoundError, ValueError):
        world.observer.mark("refused")


@doing("book")
def _book(world: World, act: Act) -> None:
    booking = book.Booking(
        id=act["id"],
        provider=act["provider"],
        client="K-1",
        span=_span(act),
        code="90834",
        kind=AppointmentKind(act.get("kind", "follow-up")),
        package=act.get("package"),
    )
    if "count" in act:
        rule = f"FREQ={act.get('freq', 'WEEKLY')};COUNT={act['count']}"
        horizon = world.clock.now() + timedelta(days=390)
        web(world, lambda conn: book.book_series(conn, _command(world), booking, rule, horizon), "booked-series")
    else:
        who = act.get("by", "support:sim")
        web(world, lambda conn: book.book(conn, _command(world, who), booking), "booked")


@doing("block")
def _block(world: World, act: Act) -> None:
    block = Block(act["id"], act["provider"], _span(act))
    web(world, lambda conn: book.add_block(conn, _command(world), block), "blocked")


@doing("unblock")
def _unblock(world: World, act: Act) -> None:
    web(world, lambda conn: book.remove_block(conn, _command(world), act["id"]), "unblocked")


def member(world: World, act: Act) -> str | None:
    """An appointment by the subject's id and, for a series, the place of its session among all."""
    rows = world.books.rows(
        "SELECT id FROM appointments WHERE id = ? OR id LIKE ? ORDER BY start_at", act["id"], act["id"] + "@%"
    )
    if not rows:
        return None
    return str(rows[act.get("occurrence", 0) % len(rows)][0])


@doing("reschedule")
def _reschedule(world: World, act: Act) -> None:
    number = member(world, act)
    if number is None:
        return
    with world.web.reading() as conn:
        one = records.appointment(conn, number)
    assert one is not None
    span = one.span.starting(one.span.start + timedelta(seconds=act["by"]))
    earlier = _earlier(world, one)
    scope = act.get("scope", "this") if one.series is not None else None
    move = book.Move(span=span, scope=scope)
    web(world, lambda conn: book.reschedule(conn, _command(world), number, move), f"rescheduled-{scope or 'one'}")
    if _earlier(world, one) != earlier:
        world.observer.fail("earlier-sessions", f"moving {number} and what follows changed sessions before it")


def _earlier(world: World, one: Appointment) -> list[tuple[Any, ...]]:
    """The sessions of the same series before this one, as they are."""
    at = -1 if one.original_start is None else int(one.original_start.timestamp() * 1_000_000)
    query = (
        "SELECT id, series, start_at, end_at, status FROM appointments"
        " WHERE series = ? AND original_start < ? ORDER BY id"
    )
    return world.books.rows(query, one.series, at)


@doing("cancel")
def _cancel(world: World, act: Act) -> None:
    number = member(world, act)
    if number is None:
        return
    with world.web.reading() as conn:
        one = records.appointment(conn, number)
    scope = act.get("scope", "this") if one is not None and one.series is not None else None
    wish = book.Cancellation(scope=scope)
    web(world, lambda conn: book.cancel(conn, _command(world), number, wish), f"cancelled-{scope or 'one'}")


@doing("attend")
def _attend(world: World, act: Act) -> None:
    """Every session that is over and that nobody has recorded took place; one in `but` did not."""
    now = int(world.clock.now().timestamp() * 1_000_000)
    rows = world.books.rows(
        "SELECT id FROM appointments WHERE provider = ? AND end_at < ? AND status = 'scheduled' ORDER BY id",
        act["provider"],
        now,
    )
    for place, (number,) in enumerate(rows):
        _attest(world, number, f"provider:{act['provider']}", came=act.get("but") != place)


def _attest(world: World, number: str, who: str, *, came: bool) -> None:
    if came:
        attested = book.Attested({number: None})
        web(world, lambda conn: book.complete(conn, _command(world, who), attested), "completed")
    else:
        web(world, lambda conn: book.record_no_show(conn, _command(world), number), "no-show")


# --- claims and answers


@doing("drain")
def _drain(world: World, _act: Act) -> None:
    while drain_touched(world.web, world.clock, world.ids, world.settings):
        pass


@doing("bill")
def _bill(world: World, _act: Act) -> None:
    ask_gate(world)


@doing("answer")
def _answer(world: World, act: Act) -> None:
    """A person answers the oldest edit that waits."""
    rows = world.books.rows(
        "SELECT DISTINCT edit FROM drifts WHERE resolution IN ('open', 'reverted') AND resolved_by IS NULL"
        " ORDER BY detected_at, edit"
    )
    if not rows:
        return
    edit = rows[act.get("which", 0) % len(rows)][0]
    word = Word(answer=Answer(act["word"]), by="support:sim", note="simulated")
    try:
        resolve_edit(world.desk, edit, word)
        world.observer.mark(f"answered-{act['word']}")
    except StoreUnavailable:
        raise
    except (UserError, NotFoundError, ValueError):
        world.observer.mark("refused")


@doing("resume")
def _resume(world: World, act: Act) -> None:
    state = world.books.rows("SELECT state FROM calendars WHERE id = ?", act["calendar"])
    if state and state[0][0] == "stopped":
        resume(world.desk, act["calendar"], by="support:sim", as_=act["as"])
        world.observer.mark(f"released-as-{act['as']}")


# --- trouble of a service


@doing("trouble")
def _trouble(world: World, act: Act) -> None:
    service = world.services[act["service"] % len(world.services)]
    error: CalendarError | None = ERRORS[act["error"]] if act.get("error") else None
    service.trouble = error
    if error is not None:
        world.fired(f"trouble:{act['error']}")


@doing("read-only")
def _read_only(world: World, act: Act) -> None:
    service = world.services[world.places[act["calendar"]]]
    service.calendars[act["calendar"]].read_only = act["on"]
    if act["on"]:
        world.fired("read-only")


@doing("expire")
def _expire(world: World, act: Act) -> None:
    service = world.services[world.places[act["calendar"]]]
    if service.calendars[act["calendar"]].cursors:
        world.observer.mark("cursor-expired")
        world.fired("expire")
    service.calendars[act["calendar"]].expire_cursors()


# --- people with a calendar


def _targets(world: World, act: Act) -> list[Held]:
    kind, _, number = act["subject"].partition(":")
    return [
        one
        for one in world.observer.alive(act["calendar"])
        if (known := world.subject_of(one.link)) is not None and known == (kind, number)
    ]


def _target(world: World, act: Act) -> str | None:
    found = _targets(world, act)
    return found[act.get("copy", 0) % len(found)].key[2] if found else None


def _slot(world: World, act: Act, remote_id: str) -> datetime | None:
    event = world.people(act["calendar"]).see(remote_id).event
    if event.recurrence is None or "occurrence" not in act:
        return None
    slots = list(by_slot(event))
    return slots[act["occurrence"] % len(slots)] if slots else None


_COUNTED = frozenset({"strip", "duplicate"})


def person(name: str, act_on: Callable[[World, Act, str], None]) -> None:
    """Name what somebody does to one of our events; nothing happens where it is not there."""

    def act_of(world: World, act: Act) -> None:
        remote_id = _target(world, act)
        if remote_id is not None:
            act_on(world, act, remote_id)
            if name in _COUNTED:
                world.fired(name)

    DOINGS[name] = act_of


def _by(act: Act) -> timedelta:
    return timedelta(seconds=act["by"])


def _drag(world: World, act: Act, name: str) -> None:
    people, slot = world.people(act["calendar"]), _slot(world, act, name)
    is_series = people.see(name).event.is_series
    if slot is not None:
        people.drag_occurrence(name, slot, _by(act))
    elif is_series:
        people.drag_series(name, _by(act))
    else:
        people.drag(name, _by(act))


def _resize(world: World, act: Act, name: str) -> None:
    shortest = -30 * 60
    with suppress(ValueError):  # nothing is left of it to be shortened
        world.people(act["calendar"]).resize(name, max(_by(act), timedelta(seconds=shortest)), _slot(world, act, name))


def _delete(world: World, act: Act, name: str) -> None:
    people, slot = world.people(act["calendar"]), _slot(world, act, name)
    if slot is not None:
        people.delete_occurrence(name, slot)
    else:
        people.delete(name)


def _split(world: World, act: Act, name: str) -> None:
    slot = _slot(world, act, name)
    people = world.people(act["calendar"])
    if slot is not None and slot > people.see(name).event.master.span.start_at:
        people.split_series(name, slot, _by(act))


def _other(world: World, act: Act, name: str) -> None:
    world.people(act["calendar"]).move_to_other_calendar(name, f"private-{world.places[act['calendar']]}")


def _rule(world: World, act: Act, name: str) -> None:
    people = world.people(act["calendar"])
    if people.see(name).event.is_series:
        people.change_rule(name, act["rule"])


person("drag", _drag)
person("resize", _resize)
person("delete", _delete)
person("split", _split)
person("other-calendar", _other)
person("rule", _rule)
person("duplicate", lambda w, a, name: _void(w.people(a["calendar"]).duplicate(name, _by(a))))
person("all-day", lambda w, a, name: w.people(a["calendar"]).make_all_day(name, _slot(w, a, name)))
person("zone", lambda w, a, name: w.people(a["calendar"]).change_zone(name, a["zone"]))
person("call-off", lambda w, a, name: w.people(a["calendar"]).cancel(name, _slot(w, a, name)))
person("undo", lambda w, a, name: w.people(a["calendar"]).put_back(name))
person("retitle", lambda w, a, name: w.people(a["calendar"]).retitle(name, a["title"], _slot(w, a, name)))
person("free", lambda w, a, name: w.people(a["calendar"]).mark_free(name, _slot(w, a, name)))
person("decline", lambda w, a, name: w.people(a["calendar"]).answer(name, "declined", _slot(w, a, name)))
person("recolour", lambda w, a, name: w.people(a["calendar"]).recolour(name, a["colour"]))
person("note", lambda w, a, name: w.people(a["calendar"]).add_note(name, a["text"]))
person("strip", lambda w, a, name: w.people(a["calendar"]).strip_marker(name))
person("break", lambda w, a, name: w.people(a["calendar"]).break_event(name))


def _void(_: object) -> None:
    """Forget an answer."""


def back(world: World, calendar: str, name: str) -> None:
    """Take an event out of the bin again.

    A service that counts versions anew for it may give it the very version on the books, for something else than ours,
    at once or with the next edit: nobody could see that, so it is given further ones.
    """
    world.people(calendar).put_back(name)
    query = "SELECT version FROM links WHERE remote_id = ? AND calendar = ?"
    [(booked,)] = world.books.rows(query, name, calendar) or [(None,)]
    service = world.services[world.places[calendar]]
    events = service.calendars[calendar]
    counts_anew = service.personality.versions is VersionStyle.PER_RESOURCE
    while booked is not None and counts_anew and events.events[name].version < booked:
        events.touch(name)
    known = world.observer.events.get((world.places[calendar], calendar, name))
    if events.events[name].version == booked and known is not None and (known.since or known.gone):
        events.touch(name)


@doing("undo-delete")
def _undo_delete(world: World, act: Act) -> None:
    """Somebody takes an event out of the bin again."""
    for key, held in list(world.observer.events.items()):
        gone = held.stored is None and held.removed_by == "person" and key[1] == act["calendar"]
        known = world.subject_of(held.link)
        if gone and known is not None and f"{known[0]}:{known[1]}" == act["subject"]:
            back(world, act["calendar"], key[2])
            return


@doing("wipe")
def _wipe(world: World, act: Act) -> None:
    world.observer.begin_wipe(act["calendar"])
    world.people(act["calendar"]).wipe(act.get("keep", 0))
    world.fired("wipe")
    world.observer.wipe = 0


@doing("drag-all")
def _drag_all(world: World, act: Act) -> None:
    people = world.people(act["calendar"])
    for held in list(world.observer.alive(act["calendar"])):
        _drag(world, {"calendar": act["calendar"], "by": act["by"]}, held.key[2])
        assert people is not None


@doing("own-event")
def _own_event(world: World, act: Act) -> None:
    span = _span(act)
    people = world.people(act["calendar"])
    event = Event(f"own-{act['start']}@person", Appearance(span, "Dentist"))
    marker = None
    if act.get("forged"):
        markers = sorted(world.observer.markers)
        if markers:
            marker = _forged(markers[act.get("which", 0) % len(markers)], act["forged"])
            world.observer.mark(f"forged-{act['forged']}")
            world.fired(f"forged-{act['forged']}")
    people.add_own_event(event, marker=marker)


def _forged(marker: str, how: str) -> str:
    """A marker that looks like ours: with a wrong signature, or signed with our key by a copy of us elsewhere."""
    if how == "place":
        genuine = verify_marker(KEYS, marker)
        assert genuine is not None
        elsewhere = replace(KEYS, installation="installation-2")
        return sign_marker(elsewhere, replace(genuine, place=place_of(elsewhere, "c0")))
    parts = marker.split(".")
    parts[6] = parts[6][::-1] if parts[6] != parts[6][::-1] else "0" * 32
    return ".".join(parts)


@doing("copy-across")
def _copy_across(world: World, act: Act) -> None:
    """Somebody copies an event of ours, marker and all, into another calendar that we mirror to: there it is theirs."""
    name = _target(world, act)
    if name is None or act["to"] == act["calendar"] or act["to"] not in world.places:
        return
    stored = world.people(act["calendar"]).see(name)
    uid = f"across-{world.observer.pos}@person"
    world.people(act["to"]).add_own_event(stored.event.with_uid(uid), marker=stored.marker)
    world.observer.mark("copied-across")
    world.fired("copy-across")


@doing("edit-own")
def _edit_own(world: World, act: Act) -> None:
    """Somebody moves an event that is none of ours."""
    people = world.people(act["calendar"])
    service = world.places[act["calendar"]]
    own = [name for name in people.ids() if (service, act["calendar"], name) not in world.observer.events]
    if own:
        people.drag(own[0], timedelta(hours=1))
