"""Writing one event: conditional, only what is ours and differs, and never so that Outlook sends mail (sheet 5.7-5.9).

Graph names events itself; the id asked for becomes the transactionId, so that a repeat makes no second event. Every
function answers a `WriteResult` about its one event, or raises what is true of the calendar or the connection. Reasons
of REJECTED are stable: those of `recurrence` and `composing`, `name-refused`, `not-organizer`, `would-send-mail`,
`crossing-boundary`, `occurrence-cannot-return`, `cancelled-for-good`, `refused-STATUS-CODE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from calsync.connector.errors import Forbidden, Malformed, NotFound
from calsync.connector.protocol import NAME_REFUSED, Gone, Outcome, Write, WriteResult
from calsync.domain.event import Event
from calsync.domain.write import WriteKind
from calsync_outlook.client import PREFER_HTML
from calsync_outlook.composing import (
    Order,
    changes_of_look,
    changes_of_rest,
    check_held,
    times,
    wants_other_text,
    whole_body,
)
from calsync_outlook.errors import Refused
from calsync_outlook.mailbox import Mailbox
from calsync_outlook.mapping import Aggregate, event_of, look_of, zone_of
from calsync_outlook.ours import NAME, property_filter, with_our_part
from calsync_outlook.reading import Loader
from calsync_outlook.recurrence import NotHeld, recurrence_for
from calsync_outlook.rows import EventRefused, read_row
from calsync_outlook.series_writing import bring_occurrences, needs_new_shape
from calsync_outlook.zones import windows_of

Json = dict[str, Any]

_OLD = timedelta(minutes=2)
_FOR_GOOD = {400, 405, 413, 415, 422}


class Stop(Exception):
    """A write ends here, with this outcome."""

    def __init__(self, outcome: Outcome, reason: str, version: str | None = None) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason
        self.version = version


@dataclass(slots=True)
class Writer:
    """Writes into one calendar. `made`: remote ids by the names under which this client created them."""

    loader: Loader
    made: dict[str, str] = field(default_factory=dict)

    @property
    def mailbox(self) -> Mailbox:
        """Where to."""
        return self.loader.mailbox

    def carry_out(self, write: Write) -> WriteResult:
        """Carry out one write."""
        steps = {WriteKind.CREATE: self._create, WriteKind.UPDATE: self._update, WriteKind.DELETE: self._delete}
        try:
            return steps[write.kind](write)
        except Stop as stop:
            return WriteResult(write.key, stop.outcome, write.remote_id, stop.version, reason=stop.reason)
        except NotHeld as refusal:
            return WriteResult(write.key, Outcome.REJECTED, write.remote_id, reason=refusal.reason)

    # -- create

    def _create(self, write: Write) -> WriteResult:
        name = write.remote_id
        order = _order(write)
        body = whole_body(order, name)
        if name in self.made and self._stands(self.made[name]):
            return WriteResult(write.key, Outcome.CONFLICT, self.made[name], reason="exists")
        answer = self.mailbox.send("POST", f"{self.mailbox.calendar_path}/events", body)
        if isinstance(answer, Refused):
            return self._not_created(write, answer)
        told = answer.object()
        row_id = str(told.get("id", ""))
        if _is_old(told, answer.headers):
            found = self._former(write, row_id, order)
            if found is not None:
                return found
        self.made[name] = row_id
        if order.event.recurrence is not None:
            problem = self._occurrences(row_id, order)
            return self._stored(write, row_id, order, problem)
        return self._told(write, row_id, told, order)

    def _not_created(self, write: Write, refused: Refused) -> WriteResult:
        if refused.status == 409:
            # The transactionId was used for something else: for this very event, changed since, or one removed since.
            there = self._by_name(write.remote_id)
            if there is not None:
                return WriteResult(write.key, Outcome.CONFLICT, there, reason="exists")
            return WriteResult(write.key, Outcome.REJECTED, write.remote_id, reason=NAME_REFUSED)
        self._refuse(refused)
        raise refused.error()

    def _former(self, write: Write, row_id: str, order: Order) -> WriteResult | None:
        """Return the result where the answer was about an event made earlier; None: go on as with a new one."""
        if not self._stands(row_id):
            return WriteResult(write.key, Outcome.REJECTED, write.remote_id, reason=NAME_REFUSED)
        self.made[write.remote_id] = row_id
        whole = self.loader.load([row_id])[row_id].whole
        if whole is None:
            return WriteResult(write.key, Outcome.UNKNOWN, row_id, reason="not-readable")
        try:
            same = _shows_the_same(event_of(whole), order.event)
        except EventRefused:
            same = False
        if same or (order.event.recurrence is not None and not _is_touched(whole)):
            return None
        return WriteResult(write.key, Outcome.CONFLICT, row_id, reason="exists")

    def _by_name(self, name: str) -> str | None:
        path = f"{self.mailbox.calendar_path}/events"
        for row in self.mailbox.listing(f"{path}?{_filter(property_filter(NAME, name))}"):
            if isinstance(row.get("id"), str):
                return str(row["id"])
        return None

    def _stands(self, remote_id: str) -> bool:
        return not isinstance(next(iter(self.loader.read([remote_id]))), Gone)

    # -- update

    def _update(self, write: Write) -> WriteResult:
        order = _order(write)
        check_held(order.event)
        whole = self._as_decided_on(write)
        _check_quiet(whole)
        changes = self._changes(whole, order)
        version = whole.master.version
        if changes:
            version = self._patch(write, whole, changes)
        problem = ""
        if order.event.recurrence is not None:
            problem = self._occurrences(write.remote_id, order)
        elif changes:
            return self._stored(write, write.remote_id, order, problem)
        else:
            return WriteResult(write.key, Outcome.WRITTEN, write.remote_id, version, order.event)
        return self._stored(write, write.remote_id, order, problem)

    def _as_decided_on(self, write: Write) -> Aggregate:
        """Load the event and hold it to the version that the write was decided on (If-Match is best effort here)."""
        loaded = self.loader.load([write.remote_id])[write.remote_id]
        if loaded.whole is None:
            if isinstance(loaded.otherwise, Gone):
                self.mailbox.exists()
                raise Stop(Outcome.CONFLICT, "absent")
            if loaded.otherwise is not None and getattr(loaded.otherwise, "version", None) == write.version:
                raise Stop(Outcome.REJECTED, f"unreadable-{loaded.otherwise.reason}")
            raise Stop(Outcome.CONFLICT, "not-readable")
        if loaded.whole.version != write.version:
            raise Stop(Outcome.CONFLICT, "other-version", loaded.whole.version)
        return loaded.whole

    def _changes(self, whole: Aggregate, order: Order) -> Json:
        row, event = whole.master, order.event
        changes = changes_of_rest(row, order)
        if wants_other_text(row, event):
            changes["body"] = {"contentType": "html", "content": self._page(row.id, event)}
        try:
            now = look_of(row, zone_of(row, whole.home))
        except EventRefused:
            # Its zone is not known: the times are set, whatever they are.
            return {**changes, **self._shape(event), "subject": event.master.title}
        if now.cancelled:
            raise Stop(Outcome.REJECTED, "cancelled-for-good")
        look = changes_of_look(event, event.master, now, order)
        if needs_new_shape(whole, event):
            look |= self._shape(event)
        elif event.recurrence is not None:
            for member in ("start", "end", "isAllDay"):
                look.pop(member, None)
        return changes | look

    def _shape(self, event: Event) -> Json:
        if event.recurrence is None:
            return {**times(event, event.master.span), "recurrence": None}
        span = event.master.span
        shape = recurrence_for(event.recurrence, span, windows_of(span.zone) or "UTC")
        return {**times(event, span), "recurrence": shape}

    def _page(self, remote_id: str, event: Event) -> str:
        # As HTML, so that what a person wrote around our part keeps its form.
        path = self.mailbox.event_path(remote_id, "?$select=body")
        body = self.mailbox.client.get(path, headers={"Prefer": PREFER_HTML}).get("body") or {}
        return with_our_part(str(body.get("content") or ""), event.description)

    def _patch(self, write: Write, whole: Aggregate, changes: Json) -> str:
        path = self.mailbox.event_path(write.remote_id)
        answer = self.mailbox.send("PATCH", path, changes, version=whole.master.version)
        if isinstance(answer, Refused) and answer.status == 412:
            # The service itself may have been at it (sheet 5.2): once more, if nothing else changed.
            self._as_decided_on(write)
            answer = self.mailbox.send("PATCH", path, changes, version=whole.master.version)
        if isinstance(answer, Refused):
            if answer.status in (404, 409, 410, 412) and not answer.is_about_mailbox:
                self.mailbox.exists()
                raise Stop(Outcome.CONFLICT, f"status-{answer.status}")
            self._refuse(answer)
            raise answer.error()
        return read_row(answer.object()).version

    # -- delete

    def _delete(self, write: Write) -> WriteResult:
        loaded = self.loader.load([write.remote_id])[write.remote_id]
        if isinstance(loaded.otherwise, Gone):
            self.mailbox.exists()
            return WriteResult(write.key, Outcome.WRITTEN, write.remote_id)
        if write.version is not None and loaded.whole is not None and loaded.whole.version != write.version:
            return WriteResult(
                write.key, Outcome.CONFLICT, write.remote_id, loaded.whole.version, reason="other-version"
            )
        version = None
        if loaded.whole is not None:
            _check_quiet(loaded.whole)
            version = loaded.whole.master.version
        answer = self.mailbox.send("DELETE", self.mailbox.event_path(write.remote_id), version=version)
        if isinstance(answer, Refused) and answer.status not in (404, 410):
            if answer.status in (409, 412):
                return WriteResult(write.key, Outcome.CONFLICT, write.remote_id, reason=f"status-{answer.status}")
            if answer.status == 403 and not self._stands(write.remote_id):
                return WriteResult(write.key, Outcome.WRITTEN, write.remote_id)
            self._refuse(answer)
            raise answer.error()
        if isinstance(answer, Refused):
            self.mailbox.exists()
        return WriteResult(write.key, Outcome.WRITTEN, write.remote_id)

    # -- shared

    def _occurrences(self, remote_id: str, order: Order) -> str:
        loaded = self.loader.load([remote_id])[remote_id]
        if loaded.whole is None:
            raise Stop(Outcome.UNKNOWN, "not-readable")
        try:
            return bring_occurrences(self.mailbox, loaded.whole, order)
        except EventRefused as refusal:
            return f"unreadable-{refusal.reason}"

    def _stored(self, write: Write, remote_id: str, order: Order, problem: str) -> WriteResult:
        """Read back what stands now: the versions of a series come from all its parts."""
        whole = self.loader.load([remote_id])[remote_id].whole
        if whole is None:
            return WriteResult(write.key, Outcome.UNKNOWN, remote_id, reason="not-readable")
        if problem:
            return WriteResult(write.key, Outcome.REJECTED, remote_id, whole.version, reason=problem)
        try:
            stored = event_of(whole)
        except EventRefused:
            stored = order.event
        return WriteResult(write.key, Outcome.WRITTEN, remote_id, whole.version, stored)

    def _told(self, write: Write, remote_id: str, told: Json, order: Order) -> WriteResult:
        """Return the result from the answer itself; it lacks our properties, which are known."""
        try:
            row = read_row(
                {**told, "singleValueExtendedProperties": whole_body(order, "")["singleValueExtendedProperties"]}
            )
            whole = Aggregate(row, self.loader.extent, self.loader.home)
            return WriteResult(write.key, Outcome.WRITTEN, remote_id, whole.version, event_of(whole))
        except EventRefused:
            return WriteResult(write.key, Outcome.UNKNOWN, remote_id, reason="not-readable")

    def _refuse(self, refused: Refused) -> None:
        """Raise what a refusal says about this event, or about the calendar."""
        if refused.code == "erroroccurrencecrossingboundary":
            raise Stop(Outcome.REJECTED, "crossing-boundary")
        if refused.status in _FOR_GOOD:
            raise Stop(Outcome.REJECTED, f"refused-{refused.status}-{refused.code or 'unsaid'}")
        if refused.status == 403:
            raise Forbidden(f"{refused.method} answered 403 {refused.code}")
        if refused.is_absent:
            self.mailbox.exists()
            raise NotFound(f"{refused.method} answered {refused.status}")


def _order(write: Write) -> Order:
    if write.event is None:
        raise Malformed("a write without an event")
    return Order(write.event, write.marker, write.title_was)


def _check_quiet(whole: Aggregate) -> None:
    """Stop where a write would send mail, or is not ours to make: only the organizer's copy counts (sheet 5.7, 5.9)."""
    if not whole.master.is_organizer:
        raise Stop(Outcome.REJECTED, "not-organizer")
    if whole.master.has_attendees or any(row.has_attendees for row in whole.occurrences):
        raise Stop(Outcome.REJECTED, "would-send-mail")


def _is_touched(whole: Aggregate) -> bool:
    return any(row.kind == "exception" for row in whole.occurrences)


def _shows_the_same(stored: Event, wanted: Event) -> bool:
    looks = replace(stored.master, span=wanted.master.span) == wanted.master
    same_time = stored.master.span.same_time_as(wanted.master.span)
    single = stored.recurrence is None and wanted.recurrence is None
    return single and looks and same_time and stored.location == wanted.location


def _is_old(told: Json, headers: Mapping[str, str]) -> bool:
    """Tell by the service's own clock whether an event was made before the request that this answers."""
    try:
        made = datetime.fromisoformat(str(told.get("createdDateTime", ""))[:19] + "+00:00")
        return parsedate_to_datetime(headers.get("date", "")) - made > _OLD
    except (TypeError, ValueError):
        return False


def _filter(text: str) -> str:
    return f"$filter={quote(text, safe='')}&$select=id"
