"""Calendars, the calendar list, access rules and free/busy (contract sheet 12, 16 rows 50, 51)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from calsync.sandbox.google import faults
from calsync.sandbox.google.events import Place
from calsync.sandbox.google.faults import ApiError
from calsync.sandbox.google.feed import list_events
from calsync.sandbox.google.state import ROLES, CalendarState, GoogleState

Json = dict[str, Any]


def show(calendar: CalendarState) -> Json:
    """A calendar as `calendars.get` gives it."""
    return {
        "kind": "calendar#calendar",
        "etag": f'"c{calendar.epoch}"',
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "dataOwner": calendar.owner,
    }


def entry(calendar: CalendarState, account: str) -> Json:
    """A calendar as the list of an account's calendars gives it."""
    listed = {
        **show(calendar),
        "kind": "calendar#calendarListEntry",
        "etag": f'"l{calendar.epoch}"',
        "accessRole": calendar.role_of(account),
        "selected": True,
        "defaultReminders": [],
    }
    if calendar.primary and calendar.owner == account:
        listed["primary"] = True
    return listed


def insert(state: GoogleState, account: str, body: Json) -> Json:
    """Make a secondary calendar; the caller owns its data."""
    summary = body.get("summary")
    if not isinstance(summary, str) or not summary:
        raise faults.required("summary")
    return show(state.add_calendar(account, summary, str(body.get("timeZone") or "UTC")))


def change(calendar: CalendarState, body: Json) -> Json:
    """Rename a calendar or give it another zone."""
    calendar.summary = str(body.get("summary", calendar.summary))
    calendar.time_zone = str(body.get("timeZone", calendar.time_zone))
    return show(calendar)


def delete(state: GoogleState, account: str, calendar: CalendarState) -> None:
    """Delete a secondary calendar with all its events, without any tombstone."""
    if calendar.primary:
        raise faults.invalid("calendarId")
    if calendar.owner != account:
        raise ApiError(403, "forbidden")
    del state.calendars[calendar.id]


def clear(place: Place) -> None:
    """Empty a primary calendar; a secondary one refuses."""
    if not place.calendar.primary:
        raise faults.invalid("calendarId")
    for row in list(place.calendar.rows.values()):
        if not row.cancelled:
            place.state.store(place.calendar, {**row.body, "status": "cancelled"})


def calendar_list(state: GoogleState, account: str, query: dict[str, list[str]]) -> Json:
    """All calendars that the account may know of."""
    least = ROLES.index(query.get("minAccessRole", ["none"])[0])
    own = [one for one in state.calendars.values() if one.role_of(account) != "none"]
    items = [entry(one, account) for one in own if ROLES.index(one.role_of(account)) >= least]
    return {"kind": "calendar#calendarList", "etag": '"l0"', "nextSyncToken": "list", "items": items}


def rules(calendar: CalendarState) -> Json:
    """Who may do what."""
    known = {calendar.owner: "owner", **calendar.roles}
    items = [
        {
            "kind": "calendar#aclRule",
            "etag": f'"a{calendar.epoch}"',
            "id": f"user:{name}",
            "scope": {"type": "user", "value": name},
            "role": role,
        }
        for name, role in known.items()
        if role != "none"
    ]
    return {"kind": "calendar#acl", "etag": '"a0"', "nextSyncToken": "acl", "items": items}


def free_busy(state: GoogleState, account: str, body: Json) -> Json:
    """When the calendars asked for are taken; nothing else about them."""
    for name in ("timeMin", "timeMax"):
        if name not in body:
            raise faults.required(name)
    low, high = body["timeMin"], body["timeMax"]
    if datetime.fromisoformat(high) <= datetime.fromisoformat(low):
        raise ApiError(400, "timeRangeEmpty", domain="calendar")
    answer: Json = {"kind": "calendar#freeBusy", "timeMin": low, "timeMax": high, "calendars": {}}
    for item in body.get("items", []):
        calendar = state.calendar(account, item["id"])
        if calendar is None:
            answer["calendars"][item["id"]] = {"errors": [{"domain": "global", "reason": "notFound"}], "busy": []}
            continue
        answer["calendars"][item["id"]] = {"busy": _busy(Place(state, calendar, account), low, high)}
    return answer


def _busy(place: Place, low: str, high: str) -> list[Json]:
    query = {"singleEvents": ["true"], "timeMin": [low], "timeMax": [high], "maxResults": ["2500"], "timeZone": ["UTC"]}
    spans = []
    while True:
        page = list_events(place, query)
        spans += [
            {"start": one["start"]["dateTime"], "end": one["end"]["dateTime"]}
            for one in page["items"]
            if one.get("transparency") != "transparent" and "dateTime" in one["start"]
        ]
        if "nextPageToken" not in page:
            return sorted(spans, key=lambda one: str(one["start"]))
        query["pageToken"] = [page["nextPageToken"]]
