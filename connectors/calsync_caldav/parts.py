"""One UID spread over several resources, which RFC 4791 4.1 forbids and some servers take (sheet 3.5: DAViCal, Sabre).

A client that saves a changed occurrence as a resource of its own leaves our resource, and its version, as they were:
the event that people see is both together. Such a resource is recognised by holding overrides only; the one that it
belongs to is asked for by UID. From then on both are read as one, and putting the event back removes what was added.
"""

from __future__ import annotations

from collections.abc import Mapping

from calsync.connector.protocol import Gone, Reading, Unknown, Unreadable
from calsync.domain.event import Event
from calsync_caldav import dav_xml
from calsync_caldav.collection import Body, Collection
from calsync_caldav.cursors import Part
from calsync_caldav.dav_xml import CALDAV
from calsync_caldav.hrefs import member_of
from calsync_caldav.ics_text import IcsRefused, parse, serialise
from calsync_caldav.mapping import Reader, marker_in, read_event
from calsync_caldav.reading import reading_of, versioned


def is_part(event: Event) -> bool:
    """Whether a resource holds overrides and no master."""
    return event.recurrence is None and bool(event.overrides)


def uid_places(collection: Collection, uid: str, reader: Reader) -> list[str]:
    """Return the remote ids of the resources with this UID in a collection; hits are checked (sheet 4.3)."""
    found = []
    for row in collection.query(dav_xml.uid_query(uid)).responses:
        remote_id = member_of(collection.url, row.href)
        text = row.props.get(f"{CALDAV}calendar-data", "")
        if not remote_id or uid not in text:
            continue
        try:
            if read_event(text.encode(), reader).event.uid == uid:
                found.append(remote_id)
        except IcsRefused:
            continue
    return found


def parts_of(remote_id: str, parts: Mapping[str, Part]) -> list[str]:
    """Return the resources that belong to one."""
    return [name for name, part in parts.items() if part.of == remote_id]


def read_whole(collection: Collection, remote_id: str, parts: dict[str, Part], reader: Reader) -> Reading:
    """Read a resource with those that belong to it as one event; its version is that of the resource itself.

    The versions at which the others were read are put into `parts`; those that are gone are taken out.
    """
    body = collection.get(remote_id)
    if not isinstance(body, Body):
        return Gone(remote_id) if body in {404, 410} else Unknown(remote_id, f"status-{body}")
    whole = body.octets
    for name in parts_of(remote_id, parts):
        other = collection.get(name)
        if not isinstance(other, Body):
            if other not in {404, 410}:
                return Unknown(remote_id, f"status-{other}")
            del parts[name]
            continue
        other = versioned(collection, name, other)
        parts[name] = Part(remote_id, other.version or "")
        try:
            whole = _joined(whole, other.octets)
        except IcsRefused as refusal:
            return Unreadable(remote_id, body.version, refusal.reason, marker_in(body.octets))
    return reading_of(remote_id, versioned(collection, remote_id, Body(body.version, whole)), reader)


def _joined(whole: bytes, part: bytes) -> bytes:
    calendar, other = parse(whole), parse(part)
    known = {line.value for zone in calendar.named("VTIMEZONE") if (line := zone.first("TZID"))}
    zones = [zone for zone in other.named("VTIMEZONE") if (line := zone.first("TZID")) and line.value not in known]
    calendar.children = [*zones, *calendar.children, *other.named("VEVENT")]
    return serialise(calendar)
