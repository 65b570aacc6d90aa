"""Single events, series and their instances: insert, get, patch, update, delete, move (contract sheet 4, 5, 8)."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from calsync.sandbox.google import faults
from calsync.sandbox.google.faults import ApiError
from calsync.sandbox.google.knobs import Exceptions
from calsync.sandbox.google.resources import check_event, merged, shown
from calsync.sandbox.google.state import CalendarState, GoogleState, Row
from calsync.sandbox.google.times import end_of, instant_of, moment_at, slots

Json = dict[str, Any]

_ID = re.compile(r"[a-v0-9]{5,1024}")
_READ_ONLY = ("kind", "etag", "created", "updated", "htmlLink", "creator", "organizer", "eventType", "hangoutLink")
_FIXED = (*_READ_ONLY, "id", "iCalUID", "recurringEventId", "originalStartTime")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call works: the state, the calendar and who calls."""

    state: GoogleState
    calendar: CalendarState
    account: str

    @property
    def zone(self) -> str:
        """The calendar's time zone."""
        return self.calendar.time_zone


def insert(place: Place, body: Json) -> Json:
    """Add an event; the id must never have been used in this calendar [5-9]."""
    state, calendar = place.state, place.calendar
    name = body.get("id")
    if name is None:
        state.made += 1
        digest = hashlib.sha256(f"{calendar.id}\n{state.made}".encode()).digest()[:16]
        name = base64.b32hexencode(digest).decode("ascii").rstrip("=").lower()
    elif not isinstance(name, str) or not _ID.fullmatch(name):
        raise faults.invalid("id")
    fresh = {key: value for key, value in body.items() if key not in _READ_ONLY and value is not None}
    fresh["id"] = name
    check_event(fresh, state.knobs)
    if name in calendar.rows or name in calendar.told:
        raise ApiError(409, "duplicate")
    stored = _born(place, fresh)
    row = state.store(calendar, stored)
    _mail(place, "insert", row.body)
    state.changed(calendar)
    return row.body


def _born(place: Place, fresh: Json) -> Json:
    calendar, state = place.calendar, place.state
    now = state.now().astimezone(UTC)
    person: Json = {"email": place.account}
    if calendar.primary:
        organizer: Json = {"email": calendar.owner, "self": True}
        person = {**person, "self": True} if place.account == calendar.owner else person
    else:
        organizer = {"email": calendar.id, "displayName": calendar.summary, "self": True}
    link = base64.urlsafe_b64encode(f"{fresh['id']} {calendar.id}".encode()).decode().rstrip("=")
    return {
        "kind": "calendar#event",
        "etag": "",
        "id": fresh["id"],
        "status": "confirmed",
        "htmlLink": f"https://www.google.com/calendar/event?eid={link}",
        "created": now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "creator": person,
        "organizer": organizer,
        "iCalUID": f"{fresh['id']}@google.com",
        "reminders": {"useDefault": True},
        **fresh,
        "sequence": int(fresh.get("sequence", 0)),
        "eventType": "default",
    }


def find(place: Place, name: str) -> Row:
    """Return the row of an id, a made-up one for an instance that nobody changed; 404 where there is none."""
    calendar = place.calendar
    row = calendar.rows.get(name)
    if row is not None and row.trash != "vanished":
        return row
    known = calendar.named.get(name)
    if row is not None or known is None:
        raise faults.not_found()
    master = calendar.rows.get(known[0])
    if master is None or master.cancelled or "recurrence" not in master.body:
        raise faults.not_found()
    at = datetime.fromisoformat(known[1])
    if at not in set(slots(master.body, place.zone)):
        raise faults.not_found()
    return Row(instance(place, master.body, at))


def get(place: Place, name: str) -> Json:
    """The event as stored, deleted ones too [16]."""
    return find(place, name).body


def patch(place: Place, name: str, body: Json, if_match: str | None) -> Json:
    """Merge a body into an event, or into one occurrence of a series, which makes an exception [12, 17, 33]."""
    row = find(place, name)
    _not_in_trash(place, row, revives=body.get("status") == "confirmed")
    _match(row, if_match)
    if body.get("status") == "cancelled":
        delete(place, name, if_match)
        return find(place, name).body
    changes = {key: value for key, value in body.items() if key not in _FIXED}
    fresh = merged(row.body, changes)
    if fresh == row.body and place.state.knobs.no_op_patch_keeps_etag:
        return row.body
    return _change(place, row, fresh)


def update(place: Place, name: str, body: Json, if_match: str | None) -> Json:
    """Replace an event: what is left out is gone [13]."""
    row = find(place, name)
    _not_in_trash(place, row, revives=body.get("status", "confirmed") == "confirmed")
    _match(row, if_match)
    if if_match is None:
        place.state.strict_faults.append("update without If-Match")
    for part in ("start", "end"):
        if part not in body:
            raise faults.required(part)
    sequence = row.body["sequence"]
    if place.state.knobs.put_without_sequence_refused and int(body.get("sequence", 0)) < sequence:
        raise faults.invalid("sequence")
    kept = {key: row.body[key] for key in _FIXED if key in row.body}
    given = {key: value for key, value in body.items() if key not in _FIXED and value is not None}
    fresh = {"reminders": {"useDefault": True}, **kept, **given, "status": "confirmed", "sequence": sequence}
    return _change(place, row, fresh)


def _change(place: Place, row: Row, fresh: Json) -> Json:
    state, calendar = place.state, place.calendar
    before = row.body
    check_event(fresh, state.knobs)
    moved = any(fresh.get(part) != before.get(part) for part in ("start", "end", "recurrence", "location", "status"))
    fresh["sequence"] = before["sequence"] + (1 if moved else 0)
    if row.master is not None:
        fresh.pop("recurrence", None)
    stored = state.store(calendar, fresh)
    if row.master is not None:
        _series_touched(place, row.master)
    elif "recurrence" in before:
        if any(fresh.get(part) != before.get(part) for part in ("start", "recurrence")):
            _realign(place, stored)
        if state.knobs.one_entity_series and "recurrence" in fresh:
            state.touch_family(calendar, stored.id)
    _mail(place, "update", stored.body)
    state.changed(calendar)
    return stored.body


def _series_touched(place: Place, master: str) -> None:
    state, calendar = place.state, place.calendar
    if state.knobs.one_entity_series:
        state.touch_family(calendar, master)
    elif state.knobs.master_reappears:
        state.store(calendar, calendar.rows[master].body)


def _realign(place: Place, master: Row) -> None:
    """The master's time or rule changed: what becomes of its exceptions is a switch [35]."""
    how = place.state.knobs.exceptions_on_master_change
    starts = set(slots(master.body, place.zone)) if "recurrence" in master.body else set()
    for exception in list(place.calendar.exceptions(master.id)):
        at = instant_of(exception.body["originalStartTime"], place.zone)
        if how is Exceptions.RESET or (how is Exceptions.KEPT and at not in starts):
            place.state.drop(place.calendar, exception.id)


def delete(place: Place, name: str, if_match: str | None) -> None:
    """Cancel an event, a series with all of it, or one occurrence [16, 34, 38]."""
    row = find(place, name)
    if row.cancelled:
        raise ApiError(410, "deleted")
    _match(row, if_match)
    state, calendar = place.state, place.calendar
    _mail(place, "delete", row.body)
    state.store(calendar, {**row.body, "status": "cancelled", "sequence": row.body["sequence"] + 1})
    if row.master is not None:
        _series_touched(place, row.master)
    elif "recurrence" in row.body and state.knobs.tombstone_exceptions:
        for exception in list(calendar.exceptions(row.id)):
            state.store(calendar, {**exception.body, "status": "cancelled"})
    state.changed(calendar)


def move(place: Place, name: str, destination: CalendarState, if_match: str | None) -> Json:
    """Give the event to another calendar under the same id [40]."""
    row = find(place, name)
    if row.cancelled:
        raise ApiError(410, "deleted")
    _match(row, if_match)
    if row.body["eventType"] != "default" or row.master is not None:
        raise faults.invalid("eventId")
    return relocate(place, row, destination)


def relocate(place: Place, row: Row, destination: CalendarState) -> Json:
    """Do the moving: exceptions go along; the old calendar keeps a tombstone of each."""
    state, calendar = place.state, place.calendar
    for one in [row, *list(calendar.exceptions(row.id))]:
        organizer = {"email": destination.id, "self": True}
        if not destination.primary:
            organizer["displayName"] = destination.summary
        state.store(destination, {**one.body, "organizer": organizer})
        key = next((pair for pair, known in calendar.names.items() if known == one.id), None)
        if key is not None:
            destination.names[key], destination.named[one.id] = one.id, key
        state.store(calendar, {**one.body, "status": "cancelled"})
    state.changed(calendar)
    state.changed(destination)
    return calendar.rows[row.id].body


def instance(place: Place, master: Json, at: datetime) -> Json:
    """The occurrence at an original start as a resource of its own [31]."""
    zone = place.zone
    inherited = {key: value for key, value in master.items() if key != "recurrence"}
    return {
        **inherited,
        "id": instance_id(place, master, at),
        "recurringEventId": master["id"],
        "originalStartTime": moment_at(at, master["start"], zone),
        "start": moment_at(at, master["start"], zone),
        "end": moment_at(end_of(master, at, zone), master["end"], zone),
    }


def instance_id(place: Place, master: Json, at: datetime) -> str:
    """The name of an occurrence: opaque, or in the old form; the same for ever."""
    calendar, knobs = place.calendar, place.state.knobs
    key = (master["id"], at.isoformat())
    if key not in calendar.names:
        base = master["id"]
        if knobs.tail_ids_from_base:
            base = re.sub(r"_R[0-9T]+$", "", base)
        if knobs.opaque_instance_ids:
            digest = hashlib.sha256(f"{calendar.id}\n{key}".encode()).digest()[:16]
            name = base64.b32hexencode(digest).decode("ascii").rstrip("=").lower()
        elif "date" in master["start"]:
            name = f"{base}_{at.astimezone(ZoneInfo(place.zone)):%Y%m%d}"
        else:
            name = f"{base}_{at:%Y%m%dT%H%M%SZ}"
        calendar.names[key], calendar.named[name] = name, key
    return calendar.names[key]


def shown_event(place: Place, body: Json, zone: str | None) -> Json:
    """An event as the wire shows it, times in a zone; remembers that its id was told."""
    if "recurringEventId" in body:
        place.calendar.told.add(body["id"])
    return shown(body, zone or place.zone)


def _match(row: Row, if_match: str | None) -> None:
    if if_match not in (None, "*", row.body["etag"]):
        raise faults.stale()


def _not_in_trash(place: Place, row: Row, *, revives: bool) -> None:
    if not row.cancelled:
        return
    if row.trash == "purged":
        raise ApiError(403, "forbidden") if place.state.knobs.trash_refuses else faults.not_found()
    if not revives:
        raise ApiError(410, "deleted")


def _mail(place: Place, what: str, body: Json) -> None:
    guests = [one["email"] for one in body.get("attendees", ()) if not one.get("self")]
    if guests:
        place.state.mails.append({"what": what, "event": body["id"], "guests": guests})
