"""Empties the outbox: decides what goes now, commits that it goes, hands it over, commits that it went (I7).

What is found on its way long after it was begun (the process died, or the connection was lost after the text) is handed
over once more under the same Message-ID, and never a third time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from calsync.notices import dispatching
from calsync.notices.collect import KINDS
from calsync.notices.dispatching import Outgoing
from calsync.notices.mailer import MailDeferred, Mailer, MailRefused, MailUnknown
from calsync.notices.station import Station
from calsync.ports import Stop
from calsync.store import outbox

_log = structlog.get_logger(__name__)

# Longer than any dialogue can take: whatever is still on its way then has lost its process.
LOST_AFTER: Final = timedelta(minutes=10)
_LONGEST_PAUSE: Final = timedelta(hours=2)
_TRIES: Final = 20


@dataclass(slots=True)
class PostOffice:
    """All of an installation's outgoing mail. Several processes may each have one on the same database."""

    station: Station
    mailer: Mailer
    stop: Stop | None = None
    _told: bool = field(default=False, init=False)

    def drain(self) -> int:
        """Send what may go now; how many mails left. Call it again and again: it never waits for a mail's time."""
        if self.station.sender is None:
            self._tell_once()
            return 0
        sent = 0
        try:
            for outgoing in itertools.chain(self._lost(), self._due()):
                sent += self._hand_over(outgoing)
        except _ServerAway:
            _log.warning("mail_server_away")
        return sent

    def _lost(self) -> Iterator[Outgoing]:
        before = self.station.clock.now() - LOST_AFTER
        with self.station.database.reading() as conn:
            lost = [one.key for one in outbox.stuck(conn, before) if one.kind in KINDS]
        for key in lost:
            if not self._is_stopping() and (outgoing := dispatching.prepare_repeat(self.station, key, before)):
                yield outgoing

    def _due(self) -> Iterator[Outgoing]:
        with self.station.database.reading() as conn:
            recipients = outbox.recipients(conn, KINDS, self.station.clock.now())
        for recipient in recipients:
            if not self._is_stopping() and (outgoing := dispatching.prepare(self.station, recipient)):
                yield outgoing

    def _hand_over(self, outgoing: Outgoing) -> int:
        """One dialogue, outside of any transaction. Whatever ends it unforeseen leaves the mail on its way."""
        try:
            self.mailer.send(outgoing.envelope)
        except MailDeferred as problem:
            pause = min(_LONGEST_PAUSE, timedelta(minutes=1) * 2.0 ** min(outgoing.attempts, 10))
            again = self.station.clock.now() + pause if outgoing.attempts < _TRIES else None
            dispatching.note_failed(self.station, outgoing, problem.code, again)
            if problem.everywhere:
                raise _ServerAway from None
            return 0
        except MailRefused as problem:
            dispatching.note_failed(self.station, outgoing, problem.code, None)
            return 0
        except MailUnknown as problem:
            _log.warning("mail_end_unknown", mail=outgoing.key, because=problem.code)
            return 0
        dispatching.note_sent(self.station, outgoing)
        return 1

    def _is_stopping(self) -> bool:
        return self.stop is not None and self.stop.is_set()

    def _tell_once(self) -> None:
        if self._told:
            return
        with self.station.database.reading() as conn:
            waiting = len(outbox.recipients(conn, KINDS, self.station.clock.now()))
        if waiting:
            self._told = True
            _log.warning("mails_wait", because="no [mail] sender is configured", recipients=waiting)


class _ServerAway(Exception):
    """The mail server cannot be reached at all: no use in trying the next mail now."""


def drain_outbox(office: PostOffice, now: datetime) -> int:
    """What the worker's timer calls; the instant that it is called with does not matter."""
    del now
    return office.drain()
