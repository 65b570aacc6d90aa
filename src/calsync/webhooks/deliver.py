"""From the books to the receivers: at least once, each session's events in order, with growing pauses between tries.

An attempt is committed before it begins: a process that dies in the middle repeats it after the lease, under the same
id, by which the receiver knows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from calsync.errors import ConfigError
from calsync.ports import Clock, Ids, Stop
from calsync.settings.model import Settings
from calsync.settings.secrets import read_secret_file
from calsync.settings.webhooks import Webhook
from calsync.store import audit, webhooks
from calsync.store.database import Database
from calsync.store.webhooks import EventRow
from calsync.webhooks.post import HttpPoster, Poster, Reply
from calsync.webhooks.sign import body_of, headers_of

_log = structlog.get_logger(__name__)

AT_ONCE: Final = 20
"""Events posted to one receiver before others have their turn."""

KEPT: Final = timedelta(days=30)
"""How long events stay that every receiver has: as long as they can be replayed."""

_PAUSES_S: Final = (5, 30, 120, 600, 1800, 3600, 3 * 3600, 6 * 3600)
_LEASE_BEYOND_TIMEOUT: Final = timedelta(seconds=60)


def poster_of(hook: Webhook) -> Poster:
    """Posts to a configured receiver."""
    return HttpPoster(hook.timeout.total_seconds(), hook.ca_file)


@dataclass(frozen=True, slots=True)
class Courier:
    """Brings events to the receivers of an installation."""

    database: Database
    settings: Settings
    clock: Clock
    ids: Ids
    stop: Stop | None = None
    posters: Callable[[Webhook], Poster] = poster_of

    def sort(self) -> int:
        """Find out who is to get the new events; how many there were."""
        with self.database.transaction() as conn:
            return webhooks.fan_out(conn, self._receivers, self.clock.now())

    def deliver(self, hook: Webhook) -> int:
        """Post what is due to one receiver; how many arrived."""
        arrived = 0
        poster = self.posters(hook)
        while True:
            with self.database.transaction() as conn:
                lease = hook.timeout * AT_ONCE + _LEASE_BEYOND_TIMEOUT
                taken = webhooks.take(conn, hook.id, self.clock.now(), lease, AT_ONCE)
            for event, attempts in taken:
                if self.stop is not None and self.stop.is_set():
                    return arrived
                arrived += self._post(hook, poster, event, attempts)
            # An event that arrived lets the next one about the same session go.
            if not taken:
                return arrived

    def forget_old(self, now: datetime) -> None:
        """Drop events that are too old to be replayed."""
        with self.database.transaction() as conn:
            webhooks.forget(conn, now - KEPT)

    def _receivers(self, event_type: str) -> list[str]:
        return [hook.id for hook in self.settings.webhooks if hook.wants(event_type)]

    def _post(self, hook: Webhook, poster: Poster, event: EventRow, attempts: int) -> bool:
        body = body_of(event.id, event.type, event.at, event.seq, event.payload)
        try:
            headers = headers_of(event.id, body, self.clock.now(), read_secret_file(hook.secret_file))
            reply = poster.post(hook.url, headers, body)
        except ConfigError:
            reply = Reply(None, "its secret file cannot be read")
        now = self.clock.now()
        with self.database.transaction() as conn:
            if reply.is_taken:
                webhooks.mark(conn, hook.id, event.seq, "delivered", at=now)
            elif now - event.at >= hook.give_up_after and attempts > 0:
                webhooks.mark(conn, hook.id, event.seq, "failed", at=now, error=reply.words)
                detail = {"endpoint": hook.id, "event": event.id, "because": reply.words}
                audit.append(
                    conn, at=now, actor="system", what="webhook-given-up", subject=event.subject, detail=detail
                )
            else:
                due = now + self._pause(attempts, reply)
                webhooks.mark(conn, hook.id, event.seq, "due", at=now, due_at=due, error=reply.words)
        if not reply.is_taken:
            _log.warning("webhook_failed", endpoint=hook.id, webhook_event=event.id, fault=reply.words)
        return reply.is_taken

    def _pause(self, attempts: int, reply: Reply) -> timedelta:
        pause = _PAUSES_S[min(attempts, len(_PAUSES_S) - 1)] * self.ids.jitter(0.8, 1.2)
        return timedelta(seconds=max(pause, reply.retry_after or 0))
