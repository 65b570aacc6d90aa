"""Reading events by id: multiget in batches, and whatever it leaves open settled by one GET each.

"Absent" and "could not look" stay apart: an event is `Gone` only when a GET of it alone says 404 or 410, and not even
then when the whole calendar answers the same (sheet 2, 4.4).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from calsync.connector.errors import Malformed
from calsync.connector.protocol import Gone, Reading, Seen, Unknown, Unreadable
from calsync_caldav.collection import Body, Collection, multistatus_of
from calsync_caldav.dav_xml import CALDAV
from calsync_caldav.errors import error_for
from calsync_caldav.hrefs import member_of
from calsync_caldav.ics_text import IcsRefused
from calsync_caldav.mapping import Reader, marker_in, read_event
from calsync_caldav.quirks import strong_form

BATCH = 50
_ABOUT_THE_SERVER = {408, 425, 429, 502, 503, 504}


def read_all(collection: Collection, remote_ids: Sequence[str], reader: Reader) -> Iterator[Reading]:
    """Yield exactly one reading for each id. NotFound where every event is gone and the calendar with them."""
    wanted = list(dict.fromkeys(remote_ids))
    found_one = False
    held: list[Reading] = []
    for start in range(0, len(wanted), BATCH):
        for reading in _batch(collection, wanted[start : start + BATCH], reader):
            found_one = found_one or not isinstance(reading, Gone)
            held.append(reading)
        if found_one:
            yield from held
            held = []
    if held:
        collection.exists()  # all gone: events, or the calendar, or our right to see it?
        yield from held


def _batch(collection: Collection, wanted: Sequence[str], reader: Reader) -> list[Reading]:
    bodies = _multiget(collection, wanted) if len(wanted) > 1 else {}
    return [
        reading_of(remote_id, bodies[remote_id], reader)
        if remote_id in bodies
        else _alone(collection, remote_id, reader)
        for remote_id in wanted
    ]


def _multiget(collection: Collection, wanted: Sequence[str]) -> dict[str, Body]:
    # Whatever this does not find, or finds in a form that is not to be trusted, is asked for alone.
    answer = collection.multiget_answer(wanted)
    if answer.status in {401, 403, 429} or answer.status > 500:
        raise error_for("REPORT", answer.status, answer.headers)
    try:
        rows = multistatus_of(answer, collection.client, "REPORT").responses if answer.status == 207 else ()
    except Malformed:
        if answer.content_type in {"text/html", "application/xhtml+xml"}:
            raise
        return {}  # one event with octets that XML cannot carry spoils the answer for all
    bodies: dict[str, Body] = {}
    twice: set[str] = set()
    for row in rows:
        remote_id = member_of(collection.url, row.href)
        text = row.props.get(f"{CALDAV}calendar-data")
        if not remote_id or text is None or row.status >= 400:
            continue
        if remote_id in bodies:
            twice.add(remote_id)
        bodies[remote_id] = Body(strong_form(row.etag) if row.etag else None, text.encode("utf-8"))
    return {remote_id: body for remote_id, body in bodies.items() if remote_id not in twice and body.version}


def _alone(collection: Collection, remote_id: str, reader: Reader) -> Reading:
    body = collection.get(remote_id)
    if isinstance(body, Body):
        return reading_of(remote_id, versioned(collection, remote_id, body), reader)
    if body in {404, 410}:
        return Gone(remote_id)
    if body in _ABOUT_THE_SERVER:
        raise error_for("GET", body, collection.last_headers)
    return Unknown(remote_id, f"status-{body}")


def is_servers_fault(reading: Unknown) -> bool:
    """Whether the server failed (5xx), so that a later try may succeed."""
    return reading.reason.startswith("status-5")


def versioned(collection: Collection, remote_id: str, body: Body) -> Body:
    """Return the body with its version, asked for where the GET did not carry one."""
    return body if body.version else Body(collection.version(remote_id), body.octets)


def reading_of(remote_id: str, body: Body, reader: Reader) -> Seen | Unreadable:
    """Return what a body says, or the rule that it breaks."""
    if body.version is None:
        return Unreadable(remote_id, None, "no-version", marker_in(body.octets))
    try:
        parsed = read_event(body.octets, reader)
    except IcsRefused as refusal:
        return Unreadable(remote_id, body.version, refusal.reason, marker_in(body.octets))
    return Seen(remote_id, body.version, parsed.event, parsed.marker)
