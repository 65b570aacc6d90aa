"""Creating and changing events: what Graph refuses, what it fills in, and the mails that it would send (sheet 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from calsync.sandbox.graph.faults import Fault, bad, missing
from calsync.sandbox.graph.recurrence import checked
from calsync.sandbox.graph.resources import etag
from calsync.sandbox.graph.state import CalendarBox, Changed, GraphState, Item, Mailbox, When
from calsync.sandbox.graph.zones import zone_of

Json = dict[str, Any]

_READ_ONLY = {
    "id", "changeKey", "createdDateTime", "lastModifiedDateTime", "isCancelled", "isOrganizer", "isDraft", "type",
    "seriesMasterId", "iCalUId", "bodyPreview", "webLink", "organizer", "responseStatus", "hasAttachments",
    "originalStartTimeZone", "originalEndTimeZone", "originalStart", "cancelledOccurrences", "onlineMeeting",
}  # fmt: skip
_PLAIN = {
    "subject", "location", "categories", "showAs", "sensitivity", "importance", "isReminderOn", "attendees",
    "reminderMinutesBeforeStart", "responseRequested", "allowNewTimeProposals", "hideAttendees", "isOnlineMeeting",
    "onlineMeetingProvider",
}  # fmt: skip
_SPECIAL = {
    "start", "end", "isAllDay", "recurrence", "body", "singleValueExtendedProperties", "transactionId", "locations",
}  # fmt: skip
_SHOW_AS = {"free", "tentative", "busy", "oof", "workingElsewhere", "unknown"}


def create(state: GraphState, box: Mailbox, calendar: CalendarBox, body: Json) -> Item:
    """Make an event, or return the one that this transactionId made."""
    _known_members(body)
    if calendar.role == "read":
        raise Fault(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    if "start" not in body or "end" not in body:
        raise bad("ErrorPropertyValidationFailure", "start and end are wanted")
    when = _when(body, None)
    transaction = body.get("transactionId")
    if isinstance(transaction, str) and transaction in box.transactions:
        return _again(box, transaction, when)
    recurrence = _recurrence(body.get("recurrence"), when)
    item = state.add(box, calendar.number, when, _fields(body, {}))
    item.recurrence = recurrence
    item.props = {entry["id"]: str(entry["value"]) for entry in body.get("singleValueExtendedProperties", ())}
    if isinstance(transaction, str):
        item.transaction = transaction
        box.transactions[transaction] = item.number
    _mail(box, "invitation", item)
    return item


def _again(box: Mailbox, transaction: str, when: When) -> Item:
    former = box.items.get(box.transactions[transaction])
    if former is None or (former.when.start, former.when.end) != (when.start, when.end):
        raise Fault(409, "ErrorDuplicateTransactionId", "Duplicate transaction id.")
    return former


def check_version(state: GraphState, item: Item, slot: date | None, headers: Mapping[str, str]) -> None:
    """Hold a write to its If-Match."""
    asked = headers.get("if-match", "*").strip()
    own = item.exceptions.get(slot) if slot is not None else None
    now = etag(own.change if own is not None and own.change else item.change)
    if state.knobs.honours_if_match and asked not in ("*", now):
        raise Fault(412, "ErrorIrresolvableConflict", "The send or update operation could not be performed.")


def patch(state: GraphState, box: Mailbox, item: Item, slot: date | None, body: Json) -> None:
    """Change the given members of an event or occurrence."""
    _known_members(body)
    if box.calendars[item.calendar].role == "read":
        raise Fault(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    if "transactionId" in body:
        raise bad("ErrorInvalidPropertySet", "transactionId is set at creation only")
    if slot is None:
        _patch_whole(state, item, body)
    else:
        _patch_occurrence(item, slot, body)
    state.touch(box, item, slot)
    _mail(box, "update", item)
    if slot is None:
        for _ in item.exceptions:
            _mail(box, "update", item)


def _patch_whole(state: GraphState, item: Item, body: Json) -> None:
    when = _when(body, item.when) if {"start", "end", "isAllDay"} & body.keys() else item.when
    recurrence = item.recurrence
    if "recurrence" in body:
        recurrence = _recurrence(body["recurrence"], when)
    elif recurrence is not None and when != item.when:
        # The time of a series moves with its master; its first date with it.
        first = when.start.astimezone(zone_of(recurrence["range"]["recurrenceTimeZone"])).date()
        recurrence = {**recurrence, "range": {**recurrence["range"], "startDate": first.isoformat()}}
    fields = _fields(body, item.fields)
    if recurrence is not None and (when != item.when or "recurrence" in body):
        state.rebuild(item)
    if recurrence is None:
        item.exceptions.clear()
        item.deleted_slots.clear()
    item.when, item.recurrence, item.fields = when, recurrence, fields
    for entry in body.get("singleValueExtendedProperties", ()):
        item.props[entry["id"]] = str(entry["value"])


def _patch_occurrence(item: Item, slot: date, body: Json) -> None:
    if "recurrence" in body and body["recurrence"] is not None:
        raise bad("ErrorInvalidRequest", "an occurrence has no recurrence of its own")
    own = item.exceptions.get(slot) or Changed(item.slot_when(slot))
    when = _when(body, own.when) if {"start", "end", "isAllDay"} & body.keys() else own.when
    if when != own.when:
        _boundary(item, slot, when)
    whole = {**item.fields, **own.fields}
    fields = {name: value for name, value in _fields(body, whole).items() if name in body or name in own.fields}
    item.exceptions[slot] = replace(own, when=when, fields=fields)


def _boundary(item: Item, slot: date, when: When) -> None:
    """An occurrence may not reach or cross the day of a neighbour, not even that of a deleted one (sheet 5.5)."""
    assert item.recurrence is not None
    tz = zone_of(item.recurrence["range"]["recurrenceTimeZone"])
    days = list(item.slots(date(slot.year + 2, 1, 1)))
    at = days.index(slot)
    first, last = when.start.astimezone(tz).date(), when.end.astimezone(tz).date()
    before = item.shown_when(days[at - 1]).start.astimezone(tz).date() if at else None
    after = item.shown_when(days[at + 1]).start.astimezone(tz).date() if at + 1 < len(days) else None
    if (before is not None and first <= before) or (after is not None and last >= after):
        raise bad("ErrorOccurrenceCrossingBoundary", "Cannot modify this occurrence so that it crosses another one.")


def delete(state: GraphState, box: Mailbox, item: Item, slot: date | None) -> None:
    """Remove an event, or one occurrence."""
    if box.calendars[item.calendar].role == "read":
        raise Fault(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    _mail(box, "cancellation", item)
    if slot is None:
        state.remove(box, item)
        return
    item.exceptions.pop(slot, None)
    item.deleted_slots.add(slot)
    state.touch(box, item, slot)


def occurrence_stands(item: Item, slot: date, build: int) -> None:
    """Raise the Fault of an id whose occurrence is not, or is no more."""
    if slot in item.deleted_slots or build != item.build or item.recurrence is None:
        raise missing()
    if slot not in set(item.slots(slot)):
        raise missing()


def _known_members(body: Json) -> None:
    unknown = [name for name in body if name not in _PLAIN | _SPECIAL | _READ_ONLY and "@odata" not in name]
    if unknown:
        raise bad("UnableToDeserializePostBody", "unknown member")


def _fields(body: Json, now: Json) -> Json:
    fields = {**now, **{name: body[name] for name in _PLAIN if name in body}}
    if fields.get("showAs", "busy") not in _SHOW_AS:
        raise bad("UnableToDeserializePostBody")
    if "body" in body:
        given = body["body"] or {"contentType": "text", "content": ""}
        fields["body"] = {"contentType": given["contentType"].lower(), "content": given.get("content") or ""}
    if body.get("location") is None and "location" in body:
        fields["location"] = {"displayName": ""}
    return fields


def _recurrence(given: Json | None, when: When) -> Json | None:
    if given is None:
        return None
    zone = (given.get("range") or {}).get("recurrenceTimeZone") or when.zone
    first = when.start.astimezone(when.tz if when.all_day else zone_of(zone)).date()
    return checked(given, first, when.zone)


def _when(body: Json, now: When | None) -> When:
    all_day = bool(body.get("isAllDay", now.all_day if now else False))
    if now is not None and all_day != now.all_day and not {"start", "end", "isAllDay"} <= body.keys():
        raise bad("ErrorPropertyValidationFailure", "isAllDay wants start and end beside it")
    start, zone = _moment(body["start"]) if "start" in body else (now.start if now else None, now.zone if now else "")
    end, end_zone = _moment(body["end"]) if "end" in body else (now.end if now else None, zone)
    if start is None or end is None:
        raise bad("ErrorPropertyValidationFailure")
    when = When(start, end, zone, all_day)
    if end < start:
        raise bad("ErrorPropertyValidationFailure", "end before start")
    if all_day:
        walls = (start.astimezone(zone_of(zone)), end.astimezone(zone_of(end_zone)))
        if any((w.hour, w.minute, w.second) != (0, 0, 0) for w in walls) or start == end or zone != end_zone:
            raise bad("ErrorPropertyValidationFailure", "all-day wants midnights")
    return when


def _moment(given: Json) -> tuple[datetime, str]:
    text, zone = given.get("dateTime"), given.get("timeZone") or "UTC"
    tz = zone_of(zone)
    try:
        wall = datetime.fromisoformat(str(text))
    except ValueError:
        raise bad("UnableToDeserializePostBody", "no date and time") from None
    if wall.tzinfo is not None:
        raise bad("UnableToDeserializePostBody", "an offset beside a zone")
    return wall.replace(tzinfo=tz).astimezone(UTC), zone


def _mail(box: Mailbox, kind: str, item: Item) -> None:
    for attendee in item.fields.get("attendees") or ():
        box.outbox.append((kind, str(attendee.get("emailAddress", {}).get("address"))))
