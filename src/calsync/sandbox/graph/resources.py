"""Events as JSON, as Graph shows them: what is asked for by preference, `$select` and `$expand`, and no more."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from calsync.sandbox.graph.ids import event_id
from calsync.sandbox.graph.state import CalendarBox, Item, Mailbox, When

Json = dict[str, Any]

_SEVEN = "%Y-%m-%dT%H:%M:%S"
_HTML_HEAD = '<html>\r\n<head>\r\n<meta http-equiv="Content-Type" content="text/html">\r\n</head>\r\n<body>\r\n'
_HTML_TAIL = "\r\n</body>\r\n</html>\r\n"


@dataclass(frozen=True, slots=True)
class Look:
    """How a request wants its answer."""

    immutable: bool = False
    zone: str = "UTC"
    tz: ZoneInfo = ZoneInfo("Etc/UTC")  # noqa: RUF009 - a value, never changed
    text: bool = False
    select: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    expand_calendar: bool = False
    expand_exceptions: bool = False
    government: bool = False

    @property
    def selects_all(self) -> bool:
        """`$select=*` brings out members that are else left out."""
        return "*" in self.select


def stamp(at: datetime) -> str:
    """An instant with seven digits."""
    return f"{at.astimezone(UTC):{_SEVEN}}.{at.microsecond:06d}0Z"


def event_json(box: Mailbox, item: Item, look: Look, slot: date | None = None, *, is_view: bool = False) -> Json:
    """Return an event, or one occurrence of a series."""
    own = item.exceptions.get(slot) if slot is not None else None
    when = item.when if slot is None else item.shown_when(slot)
    fields = {**item.fields, **(own.fields if own else {})}
    change = own.change if own is not None and own.change else item.change
    kind = ("seriesMaster" if item.recurrence else "singleInstance") if slot is None else _kind(own)
    master = event_id(item, immutable=look.immutable) if slot is not None else None
    members: Json = {
        "createdDateTime": stamp(item.created),
        "lastModifiedDateTime": stamp(item.modified),
        "changeKey": _key(change),
        **{name: value for name, value in fields.items() if name != "body"},
        "hasAttachments": False,
        "iCalUId": item.ical_uid,
        "bodyPreview": plain(fields["body"])[:255],
        "body": _body(fields["body"], look),
        "isAllDay": when.all_day,
        "isCancelled": item.is_cancelled or (own is not None and own.is_cancelled),
        "isOrganizer": item.is_organizer,
        "isDraft": False,
        "originalStartTimeZone": when.zone,
        "originalEndTimeZone": when.zone,
        "responseStatus": {"response": item.response, "time": "0001-01-01T00:00:00Z"},
        "organizer": {"emailAddress": {"name": box.upn, "address": box.upn}},
        "seriesMasterId": master,
        "type": kind,
        "webLink": "https://outlook.example.invalid/",
        "recurrence": item.recurrence if slot is None else None,
        "start": _moment(when, when.start, look),
        "end": _moment(when, when.end, look),
        "locations": [fields["location"]] if fields["location"].get("displayName") else [],
    }
    if item.transaction is not None:
        members["transactionId"] = item.transaction
    members |= _hidden(item, look, slot, is_view=is_view)
    chosen = members if not look.select or look.selects_all else {k: members[k] for k in look.select if k in members}
    answer: Json = {
        "@odata.etag": etag(change), "id": event_id(item, slot, immutable=look.immutable), **chosen,
    }  # fmt: skip
    return answer | _expanded(box, item, look, slot)


def _kind(own: object) -> str:
    return "occurrence" if own is None else "exception"


def _hidden(item: Item, look: Look, slot: date | None, *, is_view: bool) -> Json:
    if slot is not None:
        shown = not is_view or look.selects_all
        return {"originalStart": stamp(item.slot_when(slot).start) if shown else None}
    if item.recurrence is not None and look.selects_all and not look.government:
        master = event_id(item, immutable=look.immutable)
        return {"cancelledOccurrences": [f"OID.{master}.{day.isoformat()}" for day in sorted(item.deleted_slots)]}
    return {}


def _expanded(box: Mailbox, item: Item, look: Look, slot: date | None) -> Json:
    found: Json = {}
    props = [{"id": name, "value": value} for name, value in item.props.items() if name in look.properties]
    if props and slot is None:
        found["singleValueExtendedProperties"] = props
    if look.expand_calendar:
        found["calendar"] = calendar_json(box, box.calendars[item.calendar], immutable=look.immutable)
    if look.expand_exceptions and slot is None:
        inner = Look(look.immutable, look.zone, look.tz, look.text)
        found["exceptionOccurrences"] = [event_json(box, item, inner, day) for day in sorted(item.exceptions)]
    return found


def stub_json(item: Item, slot: date, look: Look) -> Json:
    """Return what a delta round shows of an occurrence that is as its series."""
    when = item.slot_when(slot)
    return {
        "@odata.type": "#microsoft.graph.event",
        "@odata.etag": etag(item.change),
        "id": event_id(item, slot, immutable=look.immutable),
        "seriesMasterId": event_id(item, immutable=look.immutable),
        "type": "occurrence",
        "start": _moment(when, when.start, look),
        "end": _moment(when, when.end, look),
    }


def calendar_json(box: Mailbox, calendar: CalendarBox, *, immutable: bool) -> Json:
    """Return a calendar."""
    from calsync.sandbox.graph.ids import calendar_id  # noqa: PLC0415 - ids know events, not the other way round

    can_write = calendar.role != "read"
    return {
        "id": calendar_id(calendar.number, immutable=immutable),
        "name": calendar.name,
        "color": "auto",
        "hexColor": "",
        "isDefaultCalendar": calendar.is_default,
        "changeKey": _key(calendar.number),
        "canShare": can_write,
        "canViewPrivateItems": can_write,
        "canEdit": can_write,
        "isTallyingResponses": calendar.is_default,
        "isRemovable": not calendar.is_default,
        "owner": {"name": box.upn, "address": box.upn},
    }


def etag(change: int) -> str:
    """A version."""
    return f'W/"{_key(change)}"'


def _key(change: int) -> str:
    return f"DwAAABYAAAB{change:08d}"


def _moment(when: When, at: datetime, look: Look) -> Json:
    if when.all_day:
        # Midnights stay midnights whatever zone is preferred (sheet 5.3).
        return {"dateTime": f"{at.astimezone(when.tz):%Y-%m-%dT00:00:00}.0000000", "timeZone": look.zone}
    wall = at.astimezone(look.tz)
    return {"dateTime": f"{wall:{_SEVEN}}.{wall.microsecond:06d}0", "timeZone": look.zone}


def _body(body: Json, look: Look) -> Json:
    if look.text:
        return {"contentType": "text", "content": plain(body).replace("\n", "\r\n")}
    if body["contentType"] == "html":
        return dict(body)
    lines = html.escape(str(body["content"]), quote=False).replace("\n", "<br>\r\n")
    return {"contentType": "html", "content": f"{_HTML_HEAD}{lines}{_HTML_TAIL}" if lines else ""}


def plain(body: Json) -> str:
    """A body as text, with plain line ends."""
    content = str(body["content"] or "")
    if body["contentType"] != "html":
        return content.replace("\r\n", "\n")
    inner = re.search(r"<body[^>]*>(.*)</body>", content, re.DOTALL | re.IGNORECASE)
    text = re.sub(r"[\r\n]+", "", inner[1] if inner else content)
    text = re.sub(r"<br\s*/?>|</p>|</div>", "\n", text, flags=re.IGNORECASE)
    return html.unescape(re.sub(r"<[^>]+>", "", text))
