"""What people do in their calendars to events of ours. One that is not there is left alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from calsync.testing.personality import VersionStyle
from tests.simulation.acts import DOINGS, doing
from tests.simulation.held import Held
from tests.simulation.plan import Act
from tests.simulation.sights import by_slot
from tests.simulation.world import World


def _targets(world: World, act: Act) -> list[Held]:
    kind, _, number = act["subject"].partition(":")
    return [
        one
        for one in world.observer.alive(act["calendar"])
        if (known := world.expected.subject_of(one.link)) is not None and known == (kind, number)
    ]


def target(world: World, act: Act) -> str | None:
    """The name of the event that an act is about, if it stands."""
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
        remote_id = target(world, act)
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
    service = world.services.all[world.places[calendar]]
    events = service.calendars[calendar]
    counts_anew = service.personality.versions is VersionStyle.PER_RESOURCE
    while booked is not None and counts_anew and events.events[name].version < booked:
        events.touch(name)
    known = world.observer.events.get((world.places[calendar], calendar, name))
    told_elsewise = known is not None and (known.since or known.gone)
    if events.events[name].version == booked and (told_elsewise or events.events[name].unreadable):
        events.touch(name)


@doing("undo-delete")
def _undo_delete(world: World, act: Act) -> None:
    """Somebody takes an event out of the bin again."""
    for key, held in list(world.observer.events.items()):
        gone = held.stored is None and held.removed_by == "person" and key[1] == act["calendar"]
        known = world.expected.subject_of(held.link)
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
