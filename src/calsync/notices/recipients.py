"""To whom mail goes and whether it may go now: their address, the day's limit, the fleet's limit (R-14)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from calsync.notices import message, schedule
from calsync.notices.collect import KINDS
from calsync.notices.folding import SESSION_KINDS
from calsync.notices.station import Station, note
from calsync.store import clients, installation, outbox, providers, records
from calsync.store.outbox import OutboxItem

_log = structlog.get_logger(__name__)

_HOUR: Final = timedelta(hours=1)
_FOR_PEOPLE: Final = ("provider:", "client:")


@dataclass(frozen=True, slots=True)
class Person:
    """Where a recipient gets mail, in which zone, and of which practice."""

    address: str
    zone: str
    practice: str = ""


def person_of(conn: Connection, station: Station, recipient: str) -> Person | None:
    """Where a recipient gets mail; None if nowhere yet, and for clients without an address for good."""
    kind, _, name = recipient.partition(":")
    mail = station.settings.mail
    address, zone, practice = {"billing": mail.billing or mail.support}.get(kind, mail.support) or "", "UTC", ""
    if kind == "provider":
        known = providers.get(conn, name)
        address, zone, practice = (known.email, known.zone, known.practice) if known is not None else ("", "UTC", "")
    elif kind == "client":
        client = clients.get(conn, name)
        address, zone = (client.email, client.zone or "UTC") if client is not None else ("", "UTC")
    if message.is_address(address):
        return Person(address, zone, practice)
    waiting = outbox.waiting(conn, recipient, KINDS)
    if kind == "client":
        for item in waiting:
            outbox.withdraw(conn, item.key, station.clock.now())
            note(conn, station, "mail-dropped", item, {"because": "no-address"})
        return None
    _log.warning("mail_without_address", recipient=recipient)
    outbox.hold(conn, [one.key for one in waiting], station.clock.now() + _HOUR)
    return None


def is_soon(conn: Connection, waiting: list[OutboxItem], now: datetime) -> bool:
    """Whether it would be no use to wait for others: a session begins, or a claim must not be sent any more."""
    if any(one.kind == "claim-recall" and one.payload.get("action") == "stop" and one.due_at <= now for one in waiting):
        return True
    about = {str(number) for one in waiting if one.kind in SESSION_KINDS for number in one.payload["appointments"]}
    sessions = records.appointments_by_ids(conn, about).values()
    return any(now < one.span.start_at <= now + schedule.SOON for one in sessions)


def held_until(conn: Connection, station: Station, recipient: str, zone: str | None) -> datetime | None:
    """Until when mails to a recipient wait; `zone` None: the day's limit does not matter for what goes now."""
    now = station.clock.now()
    if not recipient.startswith(_FOR_PEOPLE):
        # Alarms for support and billing are what tells people that something is wrong with everything else.
        return None
    if installation.fleet_stop(conn) is not None:
        return now + schedule.BURST
    if zone is not None:
        begun = outbox.begun_for(conn, recipient, schedule.Day.of(now, zone).start)
        until = schedule.held_until(begun, now, zone)
        if until is not None:
            return until
    if outbox.count_begun(conn, now - _HOUR) < station.settings.fleet.max_mails_per_hour:
        return None
    _alarm(conn, station, now)
    return now + schedule.BURST


def _alarm(conn: Connection, station: Station, now: datetime) -> None:
    """Tell support that mails wait (R-14): once an hour, however many they are."""
    limit = station.settings.fleet.max_mails_per_hour
    if outbox.put(
        conn, f"mails-held:{now:%Y-%m-%dT%H}", "mails-held", "support", {"limit": limit}, now=now, due_at=now
    ):
        _log.error("mails_held", because="fleet.max_mails_per_hour", limit=limit)
