"""What can be asked of the events of a mailbox."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from calsync.sandbox.graph import writing
from calsync.sandbox.graph.calendar_routes import calendar_of
from calsync.sandbox.graph.call import Call, instant_of
from calsync.sandbox.graph.delta import Delta, Place, View
from calsync.sandbox.graph.exchange import Answer
from calsync.sandbox.graph.faults import Fault, bad, missing
from calsync.sandbox.graph.ids import parse_event_id
from calsync.sandbox.graph.listings import Listings
from calsync.sandbox.graph.resources import event_json
from calsync.sandbox.graph.state import GraphState, Item, overlaps

_PROPERTY_FILTER = re.compile(r"singleValueExtendedProperties/Any\(ep: ep/id eq '([^']+)' and ep/value eq '([^']*)'\)")


@dataclass(frozen=True, slots=True)
class EventRoutes:
    """Each answers a request that names an event or a calendar."""

    state: GraphState
    listings: Listings
    delta: Delta

    def _item(self, call: Call, name: str) -> tuple[Item, date | None]:
        named = parse_event_id(name)
        item = call.box.items.get(named.item)
        if item is None:
            raise missing()
        if named.slot is not None:
            writing.occurrence_stands(item, named.slot, named.build)
        return item, named.slot

    def _event(self, call: Call, item: Item, slot: date | None, status: int = 200) -> Answer:
        headers = {"Preference-Applied": call.asked.headers.get("prefer", "")}
        return Answer(status, event_json(call.box, item, call.look, slot), headers)

    def get(self, call: Call, name: str) -> Answer:
        """One event, or one occurrence of a series."""
        if "exceptionOccurrences" in call.asked.query.get("$expand", "") and self.state.knobs.government:
            raise bad("BadRequest", "Could not find a property named 'exceptionOccurrences'.")
        item, slot = self._item(call, name)
        return self._event(call, item, slot)

    def create(self, call: Call, name: str) -> Answer:
        """Make an event in a calendar."""
        calendar = calendar_of(call, name)
        item = writing.create(self.state, call.box, calendar, call.asked.json())
        answer = self._event(call, item, None, 201)
        if self.state.knobs.touches_after_create:
            self.state.touch(call.box, item)
        return answer

    def update(self, call: Call, name: str) -> Answer:
        """Change what the body names."""
        item, slot = self._item(call, name)
        writing.check_version(self.state, item, slot, call.asked.headers)
        writing.patch(self.state, call.box, item, slot, call.asked.json())
        return self._event(call, item, slot)

    def delete(self, call: Call, name: str) -> Answer:
        """Take an event or an occurrence away."""
        named = parse_event_id(name)
        if named.item in call.box.bin and self.state.knobs.deleted_again != 404:
            raise Fault(self.state.knobs.deleted_again, "ErrorItemNotFound", "Already gone.")
        item, slot = self._item(call, name)
        writing.check_version(self.state, item, slot, call.asked.headers)
        writing.delete(self.state, call.box, item, slot)
        return Answer(204)

    def every(self, call: Call, name: str) -> Answer:
        """The events of a calendar, series as one; those with a property if a filter asks."""
        calendar = calendar_of(call, name)
        items: Iterable[Item] = [item for item in call.box.items.values() if item.calendar == calendar.number]
        wanted = call.asked.query.get("$filter")
        if wanted is not None:
            found = _PROPERTY_FILTER.fullmatch(wanted)
            if found is None:
                raise bad("ErrorInvalidProperty", "The property filter is not understood.")
            items = [item for item in items if item.props.get(found[1], "").lower() == found[2].lower()]
        return self.listings.page(call, [event_json(call.box, item, call.look) for item in items])

    def _range(self, call: Call) -> tuple[datetime, datetime]:
        query = call.asked.query
        try:
            start, end = (instant_of(query[name]) for name in ("startDateTime", "endDateTime"))
        except (KeyError, ValueError):
            raise bad("ErrorInvalidParameter", "startDateTime and endDateTime are wanted") from None
        if end - start > timedelta(days=1825):
            raise bad("ErrorInvalidParameter", "The range is too long.")
        return start, end

    def view(self, call: Call, name: str) -> Answer:
        """What lies in a range, each occurrence by itself."""
        calendar = calendar_of(call, name)
        if "singleValueExtendedProperties" in call.asked.query.get("$filter", ""):
            raise Fault(500, "ErrorInternalServerError")
        start, end = self._range(call)
        rows = []
        for item in [item for item in call.box.items.values() if item.calendar == calendar.number]:
            if item.recurrence is None:
                if overlaps(item.when, start, end):
                    rows.append(event_json(call.box, item, call.look, is_view=True))
            else:
                slots = self.state.shown_slots(item, start, end)
                rows += [event_json(call.box, item, call.look, day, is_view=True) for day in slots]
        return self.listings.page(call, rows)

    def instances(self, call: Call, name: str) -> Answer:
        """The occurrences of a series in a range."""
        if "$skiptoken" in call.asked.query:
            return self.listings.page(call, [])
        item, _ = self._item(call, name)
        start, end = self._range(call)
        if item.recurrence is None:
            raise bad("ErrorInvalidRequest", "not a series master")
        slots = self.state.shown_slots(item, start, end)
        return self.listings.page(call, [event_json(call.box, item, call.look, day, is_view=True) for day in slots])

    def schedule(self, call: Call, _name: str) -> Answer:
        """When the mailbox is busy."""
        asked = call.asked.json()
        start, end = (instant_of(asked[name]["dateTime"]) for name in ("startTime", "endTime"))
        found = []
        for item in call.box.items.values():
            days = [None] if item.recurrence is None else list(self.state.shown_slots(item, start, end))
            for day in days:
                when = item.when if day is None else item.shown_when(day)
                if overlaps(when, start, end):
                    shown = event_json(call.box, item, call.look, day)
                    found.append({"status": shown["showAs"], "start": shown["start"], "end": shown["end"]})
        rows = [{"scheduleId": name, "scheduleItems": found} for name in asked.get("schedules", ())]
        return Answer(200, {"value": rows})

    def changes(self, call: Call, calendar: str) -> Answer:
        """A page of what changed in a view of a calendar."""
        query = call.asked.query
        if {"$select", "$filter", "$orderby", "$search", "$top"} & query.keys():
            raise bad("ErrorInvalidUrlQuery", "The query option is not supported.")
        if "$expand" in query:
            raise Fault(500, "InternalServerError")
        token = query.get("$deltatoken") or query.get("$skiptoken")
        box = calendar_of(call, calendar)
        place: Place
        if token is None:
            start, end = self._range(call)
            place = self.delta.first(View(call.box.guid, box.number, start, end))
        else:
            place = self.delta.follow(token)
        rows, following, is_last = self.delta.page(place, call.page_size, call.box, call.look)
        base = f"{call.root}{call.asked.target.partition('?')[0]}"
        link = ("@odata.deltaLink", "$deltatoken") if is_last else ("@odata.nextLink", "$skiptoken")
        return Answer(
            200, {"value": rows, link[0]: f"{base}?{link[1]}={following}"},
            {"Preference-Applied": "odata.track-changes"},
        )  # fmt: skip
