"""One event of Graph's, read into plain values; what cannot be understood is refused by name. Pure.

Times come in UTC, as every request prefers; all-day ones are dates, taken as they stand (contract sheet 5.3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from calsync.connector import strict_json
from calsync.domain.span import Span, ZoneUnknown, zone_named
from calsync_outlook.zones import UTC_ZONE, iana_of

Json = dict[str, Any]

_WALL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,7})?", re.ASCII)
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,7})?Z", re.ASCII)
_ETAG = re.compile(r'W/"([!-~]{1,500})"')
_LONGEST_ID = 1000
_ANSWERS = {"accepted": "accepted", "tentativelyAccepted": "tentative", "declined": "declined"}
_FIRST_YEAR, _LAST_YEAR = 1900, 2200


class EventRefused(ValueError):
    """The event breaks a rule; `reason` is the same word for every such event, and holds none of its content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Row:
    """What one event, occurrence or master shows. `start`, `end`: aware UTC; for all-day ones naive midnights."""

    id: str
    version: str
    kind: str
    start: datetime
    end: datetime
    all_day: bool
    title: str = ""
    cancelled: bool = False
    show_as: str = "busy"
    sensitivity: str = ""
    answer: str = ""
    proposed: Span | None = None
    location: str = ""
    text: str = ""
    uid: str = ""
    zone_name: str | None = None
    recurrence: Json | None = None
    series: str | None = None
    original_start: datetime | None = None
    cancelled_dates: frozenset[str] | None = None  # None: the service does not tell
    is_organizer: bool = True
    has_attendees: bool = False
    props: dict[str, str] = field(default_factory=dict)

    @property
    def busy(self) -> bool:
        """Whether it blocks time."""
        return self.show_as != "free"


def id_of(data: object) -> str | None:
    """Return the id of a row if it is one that can be used in a path, else None (reliability tests, row 84)."""
    found = data.get("id") if isinstance(data, dict) else None
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_ID or "/../" in found or not found.isprintable():
        return None
    return found


def series_of(data: Json) -> str | None:
    """Return the id of the series that a row is an occurrence of; EventRefused for what is none; None without one."""
    if data.get("seriesMasterId") is None:
        return None
    found = id_of({"id": data["seriesMasterId"]})
    if found is None:
        raise EventRefused("no-series")
    return found


def version_of(data: Json) -> str | None:
    """Return the version of an event: the inner part of its etag."""
    found = _ETAG.fullmatch(str(data.get("@odata.etag", "")))
    return found[1] if found else None


def read_row(data: Json) -> Row:
    """Read an event; EventRefused names the rule that it breaks."""
    event_id, version = id_of(data), version_of(data)
    if event_id is None or version is None:
        raise EventRefused("no-id" if event_id is None else "no-version")
    all_day = data.get("isAllDay") is True
    start, end = _moment(data.get("start"), all_day=all_day), _moment(data.get("end"), all_day=all_day)
    if end < start:
        raise EventRefused("end-before-start")
    recurrence = data.get("recurrence")
    attendees = data.get("attendees") or []
    range_zone = _member(_member(recurrence, "range"), "recurrenceTimeZone")
    return Row(
        id=event_id,
        version=version,
        kind=str(data.get("type") or "singleInstance"),
        start=start,
        end=end,
        all_day=all_day,
        title=_text(data.get("subject")),
        cancelled=data.get("isCancelled") is True,
        show_as=str(data.get("showAs") or "busy"),
        sensitivity=str(data.get("sensitivity") or ""),
        answer=_answer(data),
        proposed=_proposed(attendees),
        location=_text(_member(data.get("location"), "displayName")),
        text=_text(_member(data.get("body"), "content")),
        uid=_text(data.get("iCalUId")),
        zone_name=_text(range_zone) or _text(data.get("originalStartTimeZone")) or None,
        recurrence=recurrence if isinstance(recurrence, dict) else None,
        series=series_of(data),
        original_start=_original_start(data.get("originalStart")),
        cancelled_dates=_cancelled_dates(data.get("cancelledOccurrences")),
        is_organizer=data.get("isOrganizer") is not False,
        has_attendees=bool(attendees),
        props=properties_of(data),
    )


def properties_of(data: Json) -> dict[str, str]:
    """Return the extended properties that came with an event; Graph may write ids in another case."""
    found = data.get("singleValueExtendedProperties")
    return {
        str(one.get("id")).lower(): _text(one.get("value"))
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict)
    }


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _moment(value: object, *, all_day: bool) -> datetime:
    text, zone = (value.get("dateTime"), value.get("timeZone")) if isinstance(value, dict) else (None, None)
    if not isinstance(text, str) or not _WALL.fullmatch(text):
        raise EventRefused("no-time" if text is None else "bad-time")
    try:
        wall = datetime.fromisoformat(text[:19])
    except ValueError:
        raise EventRefused("bad-time") from None
    if not _FIRST_YEAR <= wall.year <= _LAST_YEAR:
        raise EventRefused("year-out-of-range")
    if all_day:
        if wall.hour or wall.minute or wall.second:
            raise EventRefused("all-day-with-time")
        return wall
    name = iana_of(zone if isinstance(zone, str) else "UTC")
    if name is None:
        raise EventRefused("zone-unknown")
    return wall.replace(tzinfo=UTC) if name == UTC_ZONE else _in_zone(wall, name)


def _in_zone(wall: datetime, name: str) -> datetime:
    try:
        return wall.replace(tzinfo=zone_named(name)).astimezone(UTC)
    except ZoneUnknown:
        raise EventRefused("zone-unknown") from None


def _original_start(value: object) -> datetime | None:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value[:19]).replace(tzinfo=UTC)
    except ValueError:
        raise EventRefused("bad-time") from None


def _cancelled_dates(value: object) -> frozenset[str] | None:
    if not isinstance(value, list):
        return None
    return frozenset(str(one).rpartition(".")[2] for one in value)


def _answer(data: Json) -> str:
    status = data.get("responseStatus")
    return _ANSWERS.get(str(status.get("response")), "") if isinstance(status, dict) else ""


def _proposed(attendees: object) -> Span | None:
    for one in attendees if isinstance(attendees, list) else []:
        slot = one.get("proposedNewTime") if isinstance(one, dict) else None
        if isinstance(slot, dict):
            try:
                start, end = _moment(slot.get("start"), all_day=False), _moment(slot.get("end"), all_day=False)
                return Span.between(start, end, UTC_ZONE)
            except ValueError:  # an odd proposal says nothing about the event itself
                continue
    return None


def _text(value: object) -> str:
    # Graph ends lines as mails do.
    return strict_json.text_of(value).replace("\r\n", "\n")
