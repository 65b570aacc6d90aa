"""Reading events by id, now: in batches, series with their occurrences. "Absent" and "could not look" stay apart.

An event is `Gone` when Google shows its tombstone, or does not know it while the calendar itself answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from calsync.connector.errors import CalendarError, Malformed
from calsync.connector.protocol import Gone, Reading, Seen, Unknown, Unreadable
from calsync.domain.span import Window, wall_time
from calsync_google.aggregate import Horizon, horizon_of, occurrences, planned, seen_series, seen_single
from calsync_google.client import Answer, Client
from calsync_google.errors import Refused
from calsync_google.mapping import Json, Reader, RowRefused, bare_event, id_of, is_cancelled, is_master, master_of

# Slots of a series that its list of occurrences left out are asked for one by one; with more, the series is unreadable.
MAX_MISSING = 100
MAX_PAGES = 20


@dataclass(frozen=True, slots=True)
class Family:
    """A series as Google has it: the master's row and the rows of all occurrences inside the horizon."""

    master: Json
    rows: tuple[Json, ...]
    horizon: Horizon | None


@dataclass(slots=True)
class Shelf:
    """Reads from one calendar. `window`: the last that a feed was read for."""

    client: Client
    calendar: str
    reader: Reader
    window: Window | None = None

    def read(self, names: Sequence[str]) -> Iterator[Reading]:
        """Yield exactly one reading for each id; NotFound where nothing is there and the calendar is gone too."""
        wanted = list(dict.fromkeys(names))
        usable = [name for name in wanted if id_of({"id": name}) is not None]
        answers = self.client.get_all(self.calendar, usable)
        if answers and all(isinstance(answer, Refused) for answer in answers.values()):
            self.assert_there()
        masters = {name: row for name, row in answers.items() if isinstance(row, dict) and _is_living_master(row)}
        families = self.families(masters)
        for name in wanted:
            if name in families:
                yield reading_of_series(name, families[name], self.reader)
            else:
                yield self._alone(name, answers.get(name))

    def assert_there(self) -> None:
        """Raise NotFound (or what else is true) unless the calendar itself answers."""
        self.client.list_events(self.calendar, maxResults=1)

    def families(self, masters: Mapping[str, Json]) -> dict[str, Family | CalendarError]:
        """Fetch the occurrences of these series: one request for each, sent together."""
        horizons = {name: self._horizon(master) for name, master in masters.items()}
        asked = {
            name: self.client.instances_request(self.calendar, name, **_bounds(horizon))
            for name, horizon in horizons.items()
            if horizon is not None
        }
        answers = self.client.several("instances", asked)
        return {name: self._family(name, master, horizons[name], answers.get(name)) for name, master in masters.items()}

    def whole_families(self, names: Sequence[str]) -> dict[str, Reading]:
        """Read series of which no master is at hand: master and occurrences in one go."""
        if self.window is None:
            return {reading.remote_id: reading for reading in self.read(names)}
        asked: dict[str, Any] = {}
        for name in names:
            asked[f"m {name}"] = self.client.get_request(self.calendar, name)
            asked[f"i {name}"] = self.client.instances_request(self.calendar, name, **_bounds(self._of_window()))
        answers = self.client.several("get", asked)
        found: dict[str, Reading] = {}
        for name in names:
            master = answers[f"m {name}"]
            if isinstance(master, dict) and _is_living_master(master):
                family = self._family(name, master, self._horizon(master), answers[f"i {name}"])
                found[name] = reading_of_series(name, family, self.reader)
            else:
                found[name] = self._alone(name, master)
        return found

    def occurrence(self, master: str, slot: datetime, *, all_day: bool) -> Json | None:
        """Return the row of one slot, also when it was moved or deleted; None where Google has none."""
        text = wall_time(slot, self.reader.zone).date().isoformat() if all_day else _stamp(slot)
        request = self.client.instances_request(self.calendar, master, originalStart=text)
        answer = self.client.one("instances", request)
        rows = [] if isinstance(answer, Refused) else _items(answer)
        return next((row for row in rows if self._is_slot(row, slot)), None)

    def _is_slot(self, row: Json, slot: datetime) -> bool:
        try:
            return any(one.slot == slot for one in occurrences([row], self.reader))
        except RowRefused:
            return False

    def _horizon(self, master: Json) -> Horizon | None:
        try:
            bare_event(master, self.reader)
            return horizon_of(master, self.window, self.reader)
        except RowRefused:
            return None

    def _of_window(self) -> Horizon:
        return horizon_of({}, self.window, self.reader)

    def _family(
        self, name: str, master: Json, horizon: Horizon | None, answer: Answer | Refused | CalendarError | None
    ) -> Family | CalendarError:
        if horizon is None:
            return Family(master, (), None)
        if isinstance(answer, Refused):
            return Family({**master, "status": "cancelled"}, (), None)  # gone between two requests
        if not isinstance(answer, dict):
            return answer or Malformed("instances without an answer")
        rows = [*_items(answer), *self._further(name, horizon, answer)]
        return Family(master, (*rows, *self._missing(name, master, rows, horizon)), horizon)

    def _further(self, name: str, horizon: Horizon, answer: Answer) -> Iterator[Json]:
        for _ in range(MAX_PAGES):
            token = answer.get("nextPageToken")
            if not token:
                return
            request = self.client.instances_request(self.calendar, name, pageToken=token, **_bounds(horizon))
            following = self.client.one("instances", request)
            if isinstance(following, Refused):
                raise following.error()
            answer = following
            yield from _items(answer)
        raise Malformed("the occurrences of a series never end")

    def _missing(self, name: str, master: Json, rows: Sequence[Json], horizon: Horizon) -> list[Json]:
        """Ask for slots that no row stands for: an occurrence moved out of the horizon is not a deleted one."""
        try:
            told = {one.slot for one in occurrences(rows, self.reader)}
            event = bare_event(master, self.reader)
            slots = planned(event, horizon)
        except RowRefused:
            return []
        # At the horizon's edges Google goes by where occurrences lie, and ours by their slots.
        missing = [
            slot
            for slot, span in slots.items()
            if slot not in told and horizon.start < slot and span.end_at < horizon.end
        ]
        if len(missing) > MAX_MISSING:
            raise Malformed("a series lists far fewer occurrences than its rule has")
        found: list[Json] = []
        for slot in missing:
            row = self.occurrence(name, slot, all_day=event.master.span.all_day)
            found.append(row if row is not None else _left_out(master, slot))
        return found

    def _alone(self, name: str, answer: object) -> Reading:
        if answer is None or isinstance(answer, Refused):
            return Gone(name)
        if isinstance(answer, CalendarError):
            return Unknown(name, type(answer).__name__)
        assert isinstance(answer, dict)
        if is_cancelled(answer):
            return Gone(name)
        if id_of(answer) != name or master_of(answer) is not None:
            return Unreadable(name, None, "another-event")
        return seen_single(name, answer, self.reader)


def reading_of_series(name: str, family: Family | CalendarError, reader: Reader) -> Reading:
    """Return what a series shows."""
    if isinstance(family, CalendarError):
        return Unknown(name, type(family).__name__)
    if is_cancelled(family.master):
        return Gone(name)
    return seen_series(name, family.master, family.rows, family.horizon, reader)


def as_item(reading: Reading) -> Seen | Gone | Unreadable:
    """Return a reading as an item of a feed; the cursor must not pass over what could not be had."""
    if isinstance(reading, Unknown):
        raise Malformed(f"a changed series could not be read: {reading.reason}")
    return reading


def _is_living_master(row: Json) -> bool:
    return is_master(row) and not is_cancelled(row)


def _items(answer: Answer) -> list[Json]:
    items = answer.get("items", [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Malformed("a list without its rows")
    return items


def _bounds(horizon: Horizon) -> dict[str, str]:
    return {"timeMin": _stamp(horizon.start), "timeMax": _stamp(horizon.end)}


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _left_out(master: Json, slot: datetime) -> Json:
    """A row that says: nothing stands at this slot."""
    start = master.get("start")
    zone = start.get("timeZone", "UTC") if isinstance(start, dict) else "UTC"
    return {
        "status": "cancelled",
        "recurringEventId": master.get("id"),
        "originalStartTime": {"dateTime": _stamp(slot), "timeZone": zone},
    }


def rows_by_master(rows: Iterable[Json]) -> dict[str, list[Json]]:
    """Sort the rows of occurrences by their series."""
    found: dict[str, list[Json]] = {}
    for row in rows:
        master = master_of(row)
        if master is not None:
            found.setdefault(master, []).append(row)
    return found
