"""Events in the calendars that are none of ours: people's own, and such as only look like ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from calsync.domain.event import Appearance, Event
from calsync.domain.marker import place_of, sign_marker, verify_marker
from tests.simulation.acts import doing, span_of
from tests.simulation.people_edits import target
from tests.simulation.plan import Act
from tests.simulation.workers import KEYS
from tests.simulation.world import World


@doing("own-event")
def _own_event(world: World, act: Act) -> None:
    span = span_of(act)
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
    name = target(world, act)
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
