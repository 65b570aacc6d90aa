"""Subscriptions: Graph calls back when something changes. A hint, never news (contract sheet 7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from calsync.connector.errors import Malformed
from calsync.connector.protocol import Watch
from calsync_outlook.errors import Refused
from calsync_outlook.mailbox import Mailbox, instant_text

LONGEST = timedelta(minutes=4200)
_SHORTEST = timedelta(minutes=46)
_LONGEST_SECRET = 128

Json = dict[str, Any]


def watch(mailbox: Mailbox, callback_url: str, secret: str, lifetime: timedelta, now: datetime) -> Watch | None:
    """Subscribe to the calendar, or where that is refused to its mailbox; the service decides how long it lasts.

    None where Graph would not call: it does so over https only, and keeps at most 128 characters of a secret.
    """
    if not callback_url.startswith("https://") or len(secret) > _LONGEST_SECRET:
        return None
    expires_at = now + min(max(lifetime, _SHORTEST), LONGEST)
    body: Json = {
        "changeType": "created,updated,deleted",
        "notificationUrl": callback_url,
        "lifecycleNotificationUrl": callback_url,
        "expirationDateTime": instant_text(expires_at),
        "clientState": secret,
    }
    owner = mailbox.prefix.lstrip("/")
    narrow = f"{owner}/calendars/{mailbox.calendar}/events"
    answer = mailbox.send("POST", "/subscriptions", {**body, "resource": narrow})
    if isinstance(answer, Refused) and answer.status in (400, 404):
        # The documented resource is the whole mailbox; the calendar's own is what clients use (sheet 7).
        answer = mailbox.send("POST", "/subscriptions", {**body, "resource": f"{owner}/events"})
    if isinstance(answer, Refused):
        raise answer.error()
    told = answer.object()
    name, until = told.get("id"), told.get("expirationDateTime")
    if not isinstance(name, str) or not isinstance(until, str):
        raise Malformed("a subscription without an id or an end")
    return Watch(name, str(told.get("resource", narrow)), _instant(until))


def unwatch(mailbox: Mailbox, watch_id: str) -> None:
    """End a subscription; one that is gone already is fine."""
    answer = mailbox.send("DELETE", f"/subscriptions/{quote(watch_id, safe='')}")
    if isinstance(answer, Refused) and answer.status not in (404, 410):
        raise answer.error()


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
    except ValueError:
        raise Malformed("a subscription's end that is no time") from None
