"""Writing one event: conditional, merged into what is there, and never believed without a version (sheet 3).

Every function answers a `WriteResult` about its one event, or raises what is true of the calendar or the connection. A
status that redirects is never a success. `REJECTED` reasons are stable: `uid-conflict`, `name-refused`, `too-large`,
`unsupported`, `unreadable-NAME`, `refused-STATUS`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from calsync.connector.errors import Forbidden, Malformed
from calsync.connector.protocol import NAME_REFUSED, UID_TAKEN, Outcome, Write, WriteResult
from calsync.domain.event import Event
from calsync.domain.write import WriteKind
from calsync_caldav.client import Answer
from calsync_caldav.collection import Body, Collection
from calsync_caldav.composing import Order, compose, merge
from calsync_caldav.cursors import Part
from calsync_caldav.dav_xml import DAV
from calsync_caldav.errors import error_for
from calsync_caldav.ics_text import IcsRefused
from calsync_caldav.mapping import Reader, read_event
from calsync_caldav.multistatus import parse_conditions, usable_etag
from calsync_caldav.parts import parts_of, uid_places
from calsync_caldav.quirks import ignores_preconditions, may_be_uid_conflict, names_uid_conflict
from calsync_caldav.reading import versioned

_REFUSED_FOR_GOOD = {405: "refused-405", 413: "too-large", 415: "unsupported", 422: "refused-422"}
_WRITE_PRIVILEGES = {f"{DAV}write", f"{DAV}write-content", f"{DAV}bind", f"{DAV}all"}


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes into one collection. `now` (aware UTC) stamps what is written; `reader` tells how it reads.

    `parts`: resources that belong to others (see that module); they are removed before what they belong to is written.
    """

    collection: Collection
    reader: Reader
    now: datetime
    parts: dict[str, Part] = field(default_factory=dict)

    def carry_out(self, write: Write) -> WriteResult:
        """Carry out one write."""
        if write.kind is WriteKind.CREATE:
            return self._create(write, named(write.remote_id))
        if write.kind is WriteKind.UPDATE:
            return self._update(write)
        return self._delete(write)

    # -- create

    def _create(self, write: Write, name: str, *, again: bool = True) -> WriteResult:
        if self._unconditional() and (taken := self._taken_name(write, name)) is not None:
            return taken
        answer = self.collection.put(name, compose(self._order(write)), {"If-None-Match": "*"})
        if _stored(answer):
            return self._confirmed(write, name, answer, None)
        result = self._general_refusal(write, name, answer) or self._taken(write, name, answer)
        if result is not None:
            return result
        if answer.status == 409:
            return _rejected(write, name, "refused-409")
        if again:
            return self._create(write, name, again=False)
        # Twice refused under a name where nothing is: a trash bin remembers the name or the UID (sheet 6, Nextcloud).
        return _rejected(write, name, NAME_REFUSED)

    def _taken(self, write: Write, name: str, answer: Answer) -> WriteResult | None:
        """Return the result where the name or the UID is in use already."""
        if names_uid_conflict(parse_conditions(answer.body)):
            return _rejected(write, name, UID_TAKEN)
        taken = self._taken_name(write, name)
        if taken is None and may_be_uid_conflict(answer.status) and self._uid_is_there(write):
            return _rejected(write, name, UID_TAKEN)
        return taken

    def _taken_name(self, write: Write, name: str) -> WriteResult | None:
        """Return the result where something stands under the name; what a person put there keeps it for good."""
        body = self._body(name)
        if body is None:
            return None
        try:
            parsed = read_event(body.octets, self.reader)
        except IcsRefused:
            parsed = None
        if parsed is not None and parsed.marker is None and parsed.event.uid != _event(write).uid:
            return _rejected(write, name, NAME_REFUSED)
        return WriteResult(write.key, Outcome.CONFLICT, name, reason="exists")

    # -- update

    def _update(self, write: Write) -> WriteResult:
        name = write.remote_id
        body = self.collection.get(name)
        if not isinstance(body, Body):
            return self._not_there(write, body)
        version = versioned(self.collection, name, body).version
        if version is None or version != write.version:
            return WriteResult(write.key, Outcome.CONFLICT, name, version, reason="other-version")
        return self._without_parts(write) or self._put_over(write, version, self._merged(write, body))

    def _put_over(self, write: Write, version: str, merged: bytes) -> WriteResult:
        name = write.remote_id
        answer = self.collection.put(name, merged, {"If-Match": version})
        if _stored(answer):
            return self._confirmed(write, name, answer, merged)
        if names_uid_conflict(parse_conditions(answer.body)):
            return _rejected(write, name, UID_TAKEN)
        if answer.status in {404, 409, 410, 412}:
            self.collection.exists()
            return WriteResult(write.key, Outcome.CONFLICT, name, reason=f"status-{answer.status}")
        return self._general_refusal(write, name, answer) or _rejected(write, name, f"refused-{answer.status}")

    def _merged(self, write: Write, body: Body) -> bytes:
        try:
            return merge(body.octets, self._order(write), self.reader)
        except IcsRefused:
            # Nobody can read it, so nothing in it can be kept; the condition still protects what was decided on.
            return compose(self._order(write))

    def _not_there(self, write: Write, status: int) -> WriteResult:
        if status not in {404, 410}:
            raise error_for("GET", status, self.collection.last_headers)
        self.collection.exists()
        return WriteResult(write.key, Outcome.CONFLICT, write.remote_id, reason="absent")

    # -- delete

    def _delete(self, write: Write) -> WriteResult:
        name, version = write.remote_id, write.version
        if version is None or self._unconditional():
            there = self.collection.version(name)
            if there is None:
                return self._absent(write)
            if version is not None and there != version:
                return WriteResult(write.key, Outcome.CONFLICT, name, there, reason="other-version")
            version = there
        return self._without_parts(write) or self._remove(write, version)

    def _remove(self, write: Write, version: str) -> WriteResult:
        name = write.remote_id
        answer = self.collection.delete(name, {"If-Match": version})
        if answer.status in {200, 202, 204} and not _is_page(answer):
            return WriteResult(write.key, Outcome.WRITTEN, name)
        if answer.status in {404, 410} or (answer.status in {409, 412} and not self._is_there(name)):
            return self._absent(write)
        if answer.status in {409, 412}:
            return WriteResult(write.key, Outcome.CONFLICT, name, reason=f"status-{answer.status}")
        return self._general_refusal(write, name, answer) or _rejected(write, name, f"refused-{answer.status}")

    def _without_parts(self, write: Write) -> WriteResult | None:
        """Remove what belongs to the event, as it was when it was last read; return a conflict where it was not."""
        for name in parts_of(write.remote_id, self.parts):
            answer = self.collection.delete(name, {"If-Match": self.parts[name].version})
            if answer.status not in {200, 202, 204, 404, 410} or _is_page(answer):
                return WriteResult(write.key, Outcome.CONFLICT, write.remote_id, reason=f"part-{answer.status}")
            del self.parts[name]
        return None

    def _absent(self, write: Write) -> WriteResult:
        self.collection.exists()  # a calendar that hides answers 404 for every event (sheet 2)
        return WriteResult(write.key, Outcome.WRITTEN, write.remote_id)

    # -- shared

    def _order(self, write: Write) -> Order:
        return Order(_event(write), write.marker, self.now, write.title_was)

    def _confirmed(self, write: Write, name: str, answer: Answer, merged: bytes | None) -> WriteResult:
        etag = usable_etag(answer.headers.get("etag"))
        if etag and not etag.startswith("W/"):
            stored = self._read(merged) if merged is not None else None
            return WriteResult(write.key, Outcome.WRITTEN, name, etag, stored)
        # No strong version: the server changed what we sent (RFC 4791 5.3.4), so its own copy is the truth.
        body = self.collection.get(name)
        if not isinstance(body, Body):
            return WriteResult(write.key, Outcome.UNKNOWN, name, reason=f"read-back-{body}")
        body = versioned(self.collection, name, body)
        if body.version is None:
            return WriteResult(write.key, Outcome.UNKNOWN, name, reason="no-version")
        return WriteResult(write.key, Outcome.WRITTEN, name, body.version, self._read(body.octets))

    def _read(self, body: bytes) -> Event | None:
        try:
            return read_event(body, self.reader).event
        except IcsRefused:
            return None

    def _general_refusal(self, write: Write, name: str, answer: Answer) -> WriteResult | None:
        """Return the result of statuses that mean the same for every write, None for those that depend on the kind."""
        status = answer.status
        if status in _REFUSED_FOR_GOOD:
            return _rejected(write, name, _REFUSED_FOR_GOOD[status])
        if status == 423:
            return WriteResult(write.key, Outcome.UNKNOWN, name, reason="locked")
        if status == 403 and not self._may_write(answer):
            raise Forbidden("writing answered 403")
        if status in {404, 409, 410, 500}:
            self.collection.exists()  # DAViCal answers 500 to a write into a calendar that is gone
        if status in {404, 409, 410}:
            return None if status == 409 else _rejected(write, name, f"refused-{status}")
        if status in {400, 403, 412}:
            return None
        if status < 300:
            raise Malformed(f"writing answered {status} in a way that no calendar server does")
        raise error_for(write.kind.value.upper(), status, answer.headers)

    def _may_write(self, answer: Answer) -> bool:
        # A 403 about the event names its condition; a bare one counts as such only if the server says we may write
        # here.
        conditions = parse_conditions(answer.body)
        if "need-privileges" in conditions:
            return False
        return bool(conditions) or not _WRITE_PRIVILEGES.isdisjoint(self.collection.privileges())

    def _unconditional(self) -> bool:
        return ignores_preconditions(self.collection.url, self.collection.last_headers)

    def _is_there(self, name: str) -> bool:
        return self._body(name) is not None

    def _body(self, name: str) -> Body | None:
        body = self.collection.get(name)
        if isinstance(body, Body):
            return body
        if body in {404, 410}:
            return None
        raise error_for("GET", body, self.collection.last_headers)

    def _uid_is_there(self, write: Write) -> bool:
        return bool(uid_places(self.collection, _event(write).uid, self.reader))


def named(remote_id: str) -> str:
    """Return the name under which an id asked for is created: the last part of the href, ending in `.ics`."""
    return remote_id if remote_id.endswith(".ics") else f"{remote_id}.ics"


def _event(write: Write) -> Event:
    if write.event is None:
        raise Malformed("a write without an event")
    return write.event


def _stored(answer: Answer) -> bool:
    return answer.status in {200, 201, 204} and not _is_page(answer)


def _is_page(answer: Answer) -> bool:
    return answer.content_type in {"text/html", "application/xhtml+xml"} and bool(answer.body.strip())


def _rejected(write: Write, name: str, reason: str) -> WriteResult:
    return WriteResult(write.key, Outcome.REJECTED, name, reason=reason)
