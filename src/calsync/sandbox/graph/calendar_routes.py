"""What can be asked of the calendars of a mailbox."""

from __future__ import annotations

from dataclasses import dataclass

from calsync.sandbox.graph.call import Call
from calsync.sandbox.graph.exchange import Answer
from calsync.sandbox.graph.faults import Fault, missing
from calsync.sandbox.graph.ids import parse_calendar_id
from calsync.sandbox.graph.listings import Listings
from calsync.sandbox.graph.resources import calendar_json
from calsync.sandbox.graph.state import CalendarBox, GraphState


@dataclass(frozen=True, slots=True)
class CalendarRoutes:
    """Each answers a request that names a calendar, or none."""

    state: GraphState
    listings: Listings

    def every(self, call: Call, _name: str) -> Answer:
        """All calendars of the mailbox."""
        rows = [calendar_json(call.box, one, immutable=call.look.immutable) for one in call.box.calendars.values()]
        return self.listings.page(call, rows)

    def make(self, call: Call, _name: str) -> Answer:
        """Make one; a name that is taken is refused."""
        name = str(call.asked.json().get("name", ""))
        if any(one.name == name for one in call.box.calendars.values()):
            raise Fault(409, "ErrorFolderExists", "A folder with the specified name already exists.")
        made = self.state.add_calendar(call.box, name)
        told = calendar_json(call.box, made, immutable=call.look.immutable)
        if self.state.knobs.calendar_id_changes_after_create:
            told["id"] = calendar_json(call.box, made, immutable=not call.look.immutable)["id"]
        return Answer(201, told)

    def get(self, call: Call, name: str) -> Answer:
        """One calendar, or the default one."""
        calendar = calendar_of(call, name)
        return Answer(200, calendar_json(call.box, calendar, immutable=call.look.immutable))

    def rename(self, call: Call, name: str) -> Answer:
        """Give it another name."""
        calendar, wanted = calendar_of(call, name), str(call.asked.json().get("name", ""))
        if any(one.name == wanted and one is not calendar for one in call.box.calendars.values()):
            raise Fault(409, "ErrorFolderExists", "A folder with the specified name already exists.")
        calendar.name = wanted
        return self.get(call, name)

    def drop(self, call: Call, name: str) -> Answer:
        """Take it away with its events."""
        self.state.drop_calendar(call.box, calendar_of(call, name).number)
        return Answer(204)


def calendar_of(call: Call, name: str) -> CalendarBox:
    """The calendar of that id in the mailbox, its default one without; a Fault if there is none."""
    if not name:
        return next(calendar for calendar in call.box.calendars.values() if calendar.is_default)
    found = call.box.calendars.get(parse_calendar_id(name))
    if found is None:
        raise missing()
    return found
