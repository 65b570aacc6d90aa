"""Delta rounds over a calendar view: hints, unordered and repeated, tombstones without a type (sheet 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from calsync.sandbox.graph.faults import Fault
from calsync.sandbox.graph.ids import event_id
from calsync.sandbox.graph.knobs import SeriesRows
from calsync.sandbox.graph.resources import Look, event_json, stub_json
from calsync.sandbox.graph.state import GraphState, Item, Mailbox, overlaps

Json = dict[str, Any]
Key = tuple[int, date | None, int]  # item, occurrence, build


@dataclass(frozen=True, slots=True)
class View:
    """What a round is about: fixed for the life of its tokens."""

    mailbox: str
    calendar: int
    start: datetime
    end: datetime


@dataclass(slots=True)
class Place:
    """What a token stands for: a state that was told, or the rest of a round."""

    view: View
    told: dict[Key, int]
    seq: int
    rest: list[tuple[str, Key]] | None = None  # (how, what) still to come in this round


@dataclass(slots=True)
class Delta:
    """All tokens of the tenant; a bounded number is kept."""

    state: GraphState
    places: dict[str, Place] = field(default_factory=dict)

    def expire(self) -> None:
        """Forget every token."""
        self.places.clear()

    def first(self, view: View) -> Place:
        """Begin a round with everything that the window shows."""
        told = self._shown(view)
        rows = [("row", key) for key in told]
        return Place(view, told, self._seq(), self._arranged(rows))

    def follow(self, token: str) -> Place:
        """Go on from a token; a Fault where it is no longer known."""
        place = self.places.get(token)
        if place is None:
            knobs = self.state.knobs
            raise Fault(knobs.expired_status, knobs.expired_code, "The sync state generation is not found.")
        if place.rest is not None:
            return place
        changed = self.state.last_change(place.view.calendar)
        if changed is not None and self.state.clock.now() < changed + self.state.knobs.lag:
            return Place(place.view, place.told, place.seq, [])
        told = self._shown(place.view)
        return Place(place.view, told, self._seq(), self._arranged(list(self._news(place, told))))

    def page(self, place: Place, size: int, box: Mailbox, look: Look) -> tuple[list[Json], str, bool]:
        """Return the rows of a page, the token after it, and whether it is the round's last."""
        rest = place.rest or []
        now, later = rest[:size], rest[size:]
        rows = [row for how, key in now if (row := self._row(box, how, key, look)) is not None]
        following = Place(place.view, place.told, place.seq, later or None)
        token = f"t{self.state.next_number()}"
        self.places[token] = following
        while len(self.places) > self.state.knobs.kept_tokens:
            del self.places[next(iter(self.places))]
        return rows, token, not later

    def _seq(self) -> int:
        return self.state.journal[-1].seq if self.state.journal else 0

    def _arranged(self, rows: list[tuple[str, Key]]) -> list[tuple[str, Key]]:
        rows.reverse()  # no order is promised
        if self.state.knobs.replays:
            rows = [row for row in rows for _ in range(2)]
        if self.state.knobs.empty_pages:
            rows = [("nothing", (0, None, 0))] * 60 + rows
        return rows

    def _shown(self, view: View) -> dict[Key, int]:
        box = self.state.mailboxes[view.mailbox]
        found: dict[Key, int] = {}
        for item in box.items.values():
            if item.calendar != view.calendar:
                continue
            if item.recurrence is None:
                if overlaps(item.when, view.start, view.end):
                    found[item.number, None, 0] = item.change
                continue
            days = list(self.state.shown_slots(item, view.start, view.end))
            for day in days:
                own = item.exceptions.get(day)
                found[item.number, day, item.build] = own.change if own is not None and own.change else item.change
            if days and self.state.knobs.series_rows is not SeriesRows.INSTANCES_ONLY:
                found[item.number, None, 0] = item.change
        return found

    def _news(self, place: Place, told: dict[Key, int]) -> Iterator[tuple[str, Key]]:
        only_masters = self.state.knobs.series_rows is SeriesRows.MASTER_ONLY
        for key, change in told.items():
            if place.told.get(key) != change and not (only_masters and key[1] is not None):
                yield "row", key
        for key in place.told:
            if key not in told and not (only_masters and key[1] is not None):
                yield "gone", key
        if only_masters:
            # The master speaks for its occurrences, even where its own version did not move.
            differ = {key for key in (*place.told, *told) if place.told.get(key) != told.get(key)}
            for number in {key[0] for key in differ if key[1] is not None}:
                if (number, None, 0) in told and (number, None, 0) not in differ:
                    yield "row", (number, None, 0)
        named = {key[0] for key in (*told, *place.told)}
        lines = self.state.since(place.seq, place.view.calendar)
        for number in dict.fromkeys(line.item for line in lines):
            if number not in named:
                yield "gone", (number, None, 0)  # outside the window: told as removed (sheet 6.4)

    def _row(self, box: Mailbox, how: str, key: Key, look: Look) -> Json | None:
        number, slot, build = key
        item = box.items.get(number)
        if how == "nothing":
            return None
        if how == "gone" or item is None:
            return _tombstone(item or box.bin.get(number), key, look)
        if slot is not None and (slot in item.deleted_slots or build != item.build):
            return _tombstone(item, key, look)
        if slot is not None and slot not in item.exceptions:
            return stub_json(item, slot, look)
        return {"@odata.type": "#microsoft.graph.event", **event_json(box, item, look, slot, is_view=True)}


def _tombstone(item: Item | None, key: Key, look: Look) -> Json | None:
    if item is None:
        return None
    build, item.build = item.build, key[2]
    told = {
        "@odata.type": "#microsoft.graph.event",
        "id": event_id(item, key[1], immutable=look.immutable),
        "@removed": {"reason": "deleted"},
    }
    item.build = build
    return told
