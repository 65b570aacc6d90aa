"""Subscriptions: the handshake, notifications with their repeats, lifecycle messages (sheet 7)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from calsync.sandbox.graph.faults import Fault, bad
from calsync.sandbox.graph.ids import event_id
from calsync.sandbox.graph.resources import etag, stamp
from calsync.sandbox.graph.state import Change, GraphState, Mailbox

Json = dict[str, Any]
# Sends a POST: address, body, content type; returns status, content type and body of the answer.
Post = Callable[[str, bytes, str], tuple[int, str, bytes]]

_SHORTEST = timedelta(minutes=45)


@dataclass(slots=True)
class Subscription:
    """One subscription to a mailbox, or to one of its calendars."""

    id: str
    mailbox: str
    calendar: int | None
    body: Json
    expires_at: datetime
    immutable: bool
    paused: bool = False


@dataclass(slots=True)
class Subscriptions:
    """All of them. Notifications wait in `queue` until `deliver` sends them, as they come later than the write."""

    state: GraphState
    post: Post
    tenant: str = "00000000-0000-4000-8000-0000000000ff"
    rows: dict[str, Subscription] = field(default_factory=dict)
    queue: list[tuple[str, Json]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def create(self, body: Json, mailbox: Mailbox, calendar: int | None, *, immutable: bool) -> Json:
        """Make one, after the handshake with both addresses."""
        if len(body.get("clientState") or "") > 128:
            raise bad("InvalidRequest", "clientState is too long")
        expires_at = self._expiry(body.get("expirationDateTime"))
        urls = [body.get("notificationUrl"), body.get("lifecycleNotificationUrl")]
        for url in [url for url in urls if url is not None]:
            self._shake_hands(str(url))
        made_id = f"00000000-0000-4000-9000-{self.state.next_number():012d}"
        row = Subscription(made_id, mailbox.guid, calendar, dict(body), expires_at, immutable)
        self.rows[made_id] = row
        return self.shown(row)

    def renew(self, row: Subscription, body: Json) -> Json:
        """Set a new expiry, which also ends a pause."""
        row.expires_at = self._expiry(body.get("expirationDateTime"))
        row.paused = False
        return self.shown(row)

    def find(self, subscription: str) -> Subscription:
        """The one with this id; a Fault if it never was or has run out."""
        row = self.rows.get(subscription)
        if row is None or row.expires_at <= self.state.clock.now():
            raise Fault(404, "ResourceNotFound", "The subscription is gone.")
        return row

    def shown(self, row: Subscription) -> Json:
        """A subscription as JSON."""
        return {**row.body, "id": row.id, "expirationDateTime": stamp(row.expires_at)}

    def changed(self, box: Mailbox, change: Change) -> None:
        """Queue what a change tells the subscribers."""
        item = box.items.get(change.item) or box.bin.get(change.item)
        for row in self.rows.values():
            fits = row.mailbox == box.guid and row.calendar in (None, change.calendar)
            if item is None or not fits or row.paused or row.expires_at <= self.state.clock.now():
                continue
            eid = event_id(item, immutable=row.immutable)
            note = {
                **self._envelope(row),
                "changeType": change.kind,
                "resource": f"Users/{box.guid}/Events/{eid}",
                "resourceData": {
                    "@odata.type": "#Microsoft.Graph.Event", "@odata.id": f"Users/{box.guid}/Events/{eid}",
                    "@odata.etag": etag(item.change), "id": eid,
                },
            }  # fmt: skip
            url = str(row.body["notificationUrl"])
            self.queue.append((url, note))
            if change.kind == "created" and self.state.knobs.duplicate_notifications:
                self.queue.append((url, {**note, "changeType": "updated"}))

    def lifecycle(self, row: Subscription, event: str) -> None:
        """Queue a lifecycle message; a removed subscription is gone, one to be reauthorised is silent."""
        url = row.body.get("lifecycleNotificationUrl")
        if url is not None:
            self.queue.append((str(url), {**self._envelope(row), "lifecycleEvent": event}))
        if event == "subscriptionRemoved":
            del self.rows[row.id]
        if event == "reauthorizationRequired":
            row.paused = True

    def deliver(self) -> int:
        """Send what waits, several at once; what is not answered 2xx stays. Returns how many were taken."""
        waiting, self.queue = self.queue, []
        taken = 0
        for url in dict.fromkeys(url for url, _ in waiting):
            notes = [note for where, note in waiting if where == url]
            status, _, _ = self.post(url, json.dumps({"value": notes}).encode(), "application/json")
            self.answers.append(status)
            if 200 <= status < 300:
                taken += len(notes)
            else:
                self.queue += [(url, note) for note in notes]
        return taken

    def _envelope(self, row: Subscription) -> Json:
        return {
            "subscriptionId": row.id, "subscriptionExpirationDateTime": stamp(row.expires_at),
            "clientState": row.body.get("clientState"), "tenantId": self.tenant,
        }  # fmt: skip

    def _expiry(self, text: object) -> datetime:
        try:
            asked = datetime.fromisoformat(str(text))
            assert asked.tzinfo is not None
        except (ValueError, AssertionError):
            raise bad("InvalidRequest", "Could not process subscription creation payload.") from None
        now = self.state.clock.now()
        if asked > now + self.state.knobs.longest_subscription:
            raise bad("InvalidRequest", "Subscription expiration is too far away.")
        return max(asked, now + _SHORTEST)

    def _shake_hands(self, url: str) -> None:
        token = f"Validation: made+up {self.state.next_number()}"
        joint = "&" if "?" in url else "?"
        address = f"{url}{joint}validationToken={quote(token, safe='')}"
        status, kind, body = self.post(address, b"", "text/plain; charset=utf-8")
        if status != 200 or not kind.startswith("text/plain") or body.decode("utf-8", "replace") != token:
            raise bad("ValidationError", "Subscription validation request failed.")
