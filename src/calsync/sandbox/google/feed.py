"""Lists: full and incremental, pages, sync tokens, expanded instances (contract sheet 7, 8.1, 16 rows 18-32)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from calsync.sandbox.google import faults
from calsync.sandbox.google.events import Place, find, instance, shown_event
from calsync.sandbox.google.faults import ApiError
from calsync.sandbox.google.resources import bare
from calsync.sandbox.google.state import Row, stamp_text
from calsync.sandbox.google.times import instant_of, slots

Json = dict[str, Any]
Query = dict[str, list[str]]

HORIZON = timedelta(days=28)
_NOT_WITH_TOKEN = (
    "timeMin", "timeMax", "updatedMin", "q", "orderBy", "iCalUID", "privateExtendedProperty", "sharedExtendedProperty",
)  # fmt: skip
_PAGING = ("pageToken", "syncToken", "maxResults", "alt", "fields", "prettyPrint", "quotaUser", "key", "userIp")


@dataclass(frozen=True, slots=True)
class Request:
    """What a list was asked for."""

    query: Query

    def text(self, name: str) -> str | None:
        """One parameter, None where it was not given."""
        values = self.query.get(name)
        return values[0] if values else None

    def flag(self, name: str) -> bool:
        """One switch."""
        return self.text(name) == "true"

    def time(self, name: str) -> datetime | None:
        """One time stamp."""
        text = self.text(name)
        return datetime.fromisoformat(text) if text else None

    @property
    def size(self) -> int:
        """How many rows a page may hold."""
        return max(1, min(int(self.text("maxResults") or 250), 2500))

    @property
    def print(self) -> str:
        """A print of the parameters that must stay the same."""
        kept = sorted((name, values) for name, values in self.query.items() if name not in _PAGING)
        return hashlib.sha256(json.dumps(kept).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class _Token:
    """What a page or sync token says. `since`: changes after that place; -1 for everything. `after`: last row told."""

    calendar: str
    epoch: int
    print: str
    since: int
    upto: int = 0
    after: str = ""

    def text(self) -> str:
        """As it goes over the wire."""
        values = [self.calendar, self.epoch, self.print, self.since, self.upto, self.after]
        return base64.urlsafe_b64encode(json.dumps(values).encode()).decode("ascii")


def list_events(place: Place, query: Query) -> Json:
    """One page of a list."""
    request = Request(query)
    if request.time("timeMin") and request.time("timeMax"):
        _check_range(request)
    if request.text("orderBy") == "startTime" and not request.flag("singleEvents"):
        raise faults.invalid("orderBy")
    page = request.text("pageToken")
    token = _page_token(place, request, page) if page else _first(place, request)
    return _page(place, request, token, first=not page)


def _check_range(request: Request) -> None:
    low, high = request.time("timeMin"), request.time("timeMax")
    if low is not None and high is not None and high <= low:
        raise ApiError(400, "timeRangeEmpty", domain="calendar")


def _first(place: Place, request: Request) -> _Token:
    calendar = place.calendar
    text = request.text("syncToken")
    since = -1
    if text is not None:
        token = _decoded(text)
        if token is None:
            raise faults.gone_token() if place.state.knobs.garbage_token_code == 410 else faults.invalid("syncToken")
        forbidden = [name for name in _NOT_WITH_TOKEN if name in request.query]
        if forbidden or request.text("showDeleted") == "false":
            raise faults.invalid(forbidden[0] if forbidden else "showDeleted")
        _check_alive(place, token, text)
        if token.print != request.print:
            place.state.strict_faults.append("list with other parameters under one token")
            raise faults.invalid("syncToken")
        since = token.since
    least = request.time("updatedMin")
    if least is not None and least < place.state.now() - HORIZON:
        raise ApiError(410, "updatedMinTooLongAgo", domain="calendar", location=("parameter", "updatedMin"))
    return _Token(calendar.id, calendar.epoch, request.print, since, calendar.seq)


def _check_alive(place: Place, token: _Token, text: str) -> None:
    calendar = place.calendar
    if (token.calendar, token.epoch) != (calendar.id, calendar.epoch):
        raise faults.gone_token()
    if place.state.knobs.token_uses_up:
        if text in calendar.used_tokens:
            raise faults.gone_token()
        calendar.used_tokens.add(text)


def _page_token(place: Place, request: Request, text: str) -> _Token:
    token = _decoded(text)
    if token is None or token.print != request.print or token.calendar != place.calendar.id:
        raise faults.invalid("pageToken")
    return token


def _page(place: Place, request: Request, token: _Token, *, first: bool) -> Json:
    knobs, calendar = place.state.knobs, place.calendar
    zone = request.text("timeZone")
    answer: Json = _head(place, zone)
    rows = [(key, body) for key, body in _rows(place, request, token) if key > token.after]
    if knobs.empty_pages and first and rows and token.since < 0:
        return {**answer, "nextPageToken": token.text(), "items": []}
    rows.sort(key=lambda one: one[0])
    size = max(1, request.size * 2 // 3) if knobs.short_pages and len(rows) > request.size // 2 else request.size
    told, left = rows[:size], rows[size:]
    answer["items"] = [shown_event(place, body, zone) for _, body in told]
    if left:
        onwards = _Token(token.calendar, token.epoch, token.print, token.since, token.upto, told[-1][0])
        return {**answer, "nextPageToken": onwards.text(), "items": answer.pop("items")}
    if "orderBy" not in request.query:
        upto = min([token.upto, *(row.seq - 1 for row in _lagging(place))])
        done = _Token(token.calendar, calendar.epoch, token.print, upto)
        return {**answer, "nextSyncToken": done.text(), "items": answer.pop("items")}
    return answer


def _head(place: Place, zone: str | None) -> Json:
    calendar = place.calendar
    return {
        "kind": "calendar#events",
        "etag": f'"p{calendar.seq}"',
        "summary": calendar.summary,
        "updated": stamp_text(calendar.stamp),
        "timeZone": zone or calendar.time_zone,
        "accessRole": calendar.role_of(place.account),
        "defaultReminders": [],
    }


def _lagging(place: Place) -> list[Row]:
    calendar, now = place.calendar, place.state.requests
    for name in [name for name, row in calendar.lagging.items() if now >= row.visible_at]:
        del calendar.lagging[name]
    return list(calendar.lagging.values())


def _rows(place: Place, request: Request, token: _Token) -> Iterator[tuple[str, Json]]:
    """Yield what belongs into the list, with a key that orders it: arbitrary but stable."""
    for row in _candidates(place, token):
        body, seq = row.body, row.seq
        if place.state.knobs.lag and place.state.requests < row.visible_at:
            if row.old is None:
                continue
            body, seq = row.old, row.old_seq
        if not token.since < seq <= token.upto or not _passes(place, request, body):
            continue
        if request.flag("singleEvents") and "recurrence" in body:
            yield from _expanded(place, request, body, token)
            continue
        if not _wanted(place, request, row, body, incremental=token.since >= 0):
            continue
        if not _inside(place, request, body):
            continue
        yield _order(place, row.id), _as_listed(place, request, body, incremental=token.since >= 0)


def _candidates(place: Place, token: _Token) -> list[Row]:
    calendar = place.calendar
    if token.since >= calendar.seq and not calendar.lagging:
        return []
    return [row for row in calendar.rows.values() if row.trash != "vanished"]


def _wanted(place: Place, request: Request, row: Row, body: Json, *, incremental: bool) -> bool:
    """Whether a deleted row belongs into the list [18]."""
    if request.flag("singleEvents") and row.master is not None:
        return False  # told among its series' instances
    if body["status"] != "cancelled" or request.flag("showDeleted"):
        return True
    if incremental or "updatedMin" in request.query:
        return True
    living = row.master is not None and not place.calendar.rows[row.master].cancelled
    return living and not request.flag("singleEvents")


def _as_listed(place: Place, request: Request, body: Json, *, incremental: bool) -> Json:
    if body["status"] != "cancelled":
        return body
    plain = "recurringEventId" not in body
    if plain and not place.state.knobs.bare_tombstones and (request.flag("showDeleted") or not incremental):
        return body
    return bare(body)


def _passes(place: Place, request: Request, body: Json) -> bool:
    uid, least = request.text("iCalUID"), request.time("updatedMin")
    if uid is not None and body.get("iCalUID") != uid:
        return False
    if "eventTypes" in request.query and body["eventType"] not in request.query["eventTypes"]:
        return False
    if least is not None and datetime.fromisoformat(body["updated"]) < least:
        return False
    for name, kind in (("privateExtendedProperty", "private"), ("sharedExtendedProperty", "shared")):
        for constraint in request.query.get(name, ()):
            key, _, value = constraint.partition("=")
            if body.get("extendedProperties", {}).get(kind, {}).get(key) != value:
                return False
    text = request.text("q")
    del place
    return text is None or text.lower() in json.dumps(body).lower()


def _inside(place: Place, request: Request, body: Json) -> bool:
    low, high = request.time("timeMin"), request.time("timeMax")
    if low is None and high is None:
        return True
    zone = place.zone
    if "recurrence" in body:
        length = instant_of(body["end"], zone) - instant_of(body["start"], zone)
        return any((low is None or at + length > low) and (high is None or at < high) for at in slots(body, zone))
    start, end = instant_of(body["start"], zone), instant_of(body["end"], zone)
    return (low is None or end > low) and (high is None or start < high)


def _expanded(place: Place, request: Request, master: Json, token: _Token) -> Iterator[tuple[str, Json]]:
    del token
    deleted = request.flag("showDeleted")
    for body in _instances(place, master):
        if (deleted or body["status"] != "cancelled") and _inside(place, request, body):
            yield _order(place, body["id"]), body


def _instances(place: Place, master: Json) -> Iterator[Json]:
    """Yield the occurrences of a series, each as it stands; stored exceptions without a slot come last."""
    zone = place.zone
    stored = {
        instant_of(row.body["originalStartTime"], zone): row.body for row in place.calendar.exceptions(master["id"])
    }
    for at in slots(master, zone):
        body = stored.pop(at, None)
        if body is None:
            body = instance(place, master, at)
            if master["status"] == "cancelled":
                body["status"] = "cancelled"
        yield body
    yield from stored.values()


def list_instances(place: Place, name: str, query: Query) -> Json:
    """One page of the occurrences of a series [32]; asked of an occurrence, that one alone."""
    request = Request(query)
    row = find(place, name)
    token = request.text("pageToken")
    after = _page_token(place, request, token).after if token else ""
    if row.master is not None:
        bodies = [row.body]
    elif "recurrence" in row.body:
        bodies = list(_instances(place, row.body))
    else:
        bodies = []
    wanted = [body for body in bodies if _answers(place, request, body)]
    zone = request.text("timeZone")
    start = int(after or 0)
    size = request.size
    told = wanted[start : start + size]
    answer = _head(place, zone)
    if start + size < len(wanted):
        onwards = _Token(place.calendar.id, 0, request.print, -1, 0, str(start + size))
        answer["nextPageToken"] = onwards.text()
    answer["items"] = [shown_event(place, body, zone) for body in told]
    return answer


def _answers(place: Place, request: Request, body: Json) -> bool:
    if body["status"] == "cancelled" and not request.flag("showDeleted"):
        return False
    original = request.text("originalStart")
    if original is not None:
        slot = body["originalStartTime"]
        if "date" in slot:
            return bool(slot["date"] == original[:10])
        return instant_of(slot, place.zone) == datetime.fromisoformat(original)
    return _inside(place, request, body)


def _order(place: Place, name: str) -> str:
    if not place.state.knobs.shuffled:
        return name
    return hashlib.sha256(f"{place.calendar.id}{name}".encode()).hexdigest()[:24]


def _decoded(text: str) -> _Token | None:
    try:
        values = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
        calendar, epoch, mark, since, upto, after = values
    except (ValueError, TypeError, UnicodeError):
        return None
    return _Token(calendar, epoch, mark, since, upto, after)
