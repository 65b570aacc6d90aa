"""The transactions around a mail's dialogue: what goes is committed before it, what became of it after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from calsync.notices import message, schedule
from calsync.notices.collect import KINDS, LAST_REMINDER, Collector, Facts
from calsync.notices.compose import compose
from calsync.notices.facts import EditFacts, Letter, SessionNews
from calsync.notices.filing_limit import last_moment
from calsync.notices.mailer import Envelope
from calsync.notices.recipients import Person, held_until, is_soon, person_of
from calsync.notices.station import ACTOR, Station, note
from calsync.store import asks, audit, claims, drifts, outbox, providers
from calsync.store.asks import AskRow
from calsync.store.outbox import OutboxItem

_log = structlog.get_logger(__name__)

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail that is committed to go.

    `keys` are the messages that it speaks for, `asked` the appointment and drift of each question in it.
    """

    key: str
    keys: tuple[str, ...]
    envelope: Envelope
    recipient: str
    zone: str
    asked: tuple[tuple[str, str], ...]
    attempts: int


def prepare(station: Station, recipient: str) -> Outgoing | None:
    """Decide what goes to a recipient now and commit that it is going; None if nothing is."""
    with station.database.transaction() as conn:
        now = station.clock.now()
        waiting = outbox.waiting(conn, recipient, KINDS)
        soon = bool(waiting) and is_soon(conn, waiting, now)
        if not waiting or (schedule.burst_ends(waiting) > now and not soon):
            return None
        person = person_of(conn, station, recipient)
        ready = [one for one in waiting if one.due_at <= now]
        if person is None or not ready:
            return None
        until = held_until(conn, station, recipient, None if soon else person.zone)
        if until is not None:
            outbox.hold(conn, [one.key for one in ready], until)
            return None
        return _begin(conn, station, ready, person)


def prepare_repeat(station: Station, key: str, before: datetime) -> Outgoing | None:
    """Commit that a mail of unknown end goes once more; None if it must not, or another process was faster."""
    with station.database.transaction() as conn:
        item = next((one for one in outbox.stuck(conn, before) if one.key == key), None)
        if item is None:
            return None
        person = person_of(conn, station, item.recipient)
        members = _members(conn, item)
        again = person is not None and item.repeats == 0
        facts = _facts(conn, station, members, person.zone) if person is not None and again else {}
        if person is None or not facts:
            _give_up(conn, station, item, "repeated-once" if item.repeats else "settled-meanwhile")
            return None
        outbox.mark_repeating(conn, key, station.clock.now())
        note(conn, station, "mail-repeated", item, {"message_id": item.message_id})
        return _outgoing(station, item, person, facts, members)


def note_sent(station: Station, outgoing: Outgoing) -> None:
    """The server took it: the questions in it count as asked from now on (R-18)."""
    with station.database.transaction() as conn:
        now = station.clock.now()
        if not outbox.mark_sent(conn, outgoing.key, now):
            return
        for appointment, drift in outgoing.asked:
            _ask(conn, station, outgoing, appointment, drift)
        claims.touch(conn, [appointment for appointment, _ in outgoing.asked])
        for key in outgoing.keys:
            _remind_of_calendar(conn, key, now)
        detail = {"to": outgoing.recipient, "says": list(outgoing.keys), "message_id": _id_of(outgoing)}
        audit.append(conn, at=now, actor=ACTOR, what="mail-sent", subject=f"mail:{outgoing.key}", detail=detail)


def note_failed(station: Station, outgoing: Outgoing, code: str, retry_at: datetime | None) -> None:
    """The server did not take it; `retry_at` None: it is given up."""
    _log.warning("mail_failed", mail=outgoing.key, because=code, again=retry_at.isoformat() if retry_at else None)
    with station.database.transaction() as conn:
        outbox.mark_failed(conn, outgoing.key, code, retry_at)
        if retry_at is None:
            detail = {"to": outgoing.recipient, "because": code}
            now = station.clock.now()
            audit.append(conn, at=now, actor=ACTOR, what="mail-failed", subject=f"mail:{outgoing.key}", detail=detail)


def _begin(conn: Connection, station: Station, ready: list[OutboxItem], person: Person) -> Outgoing | None:
    now = station.clock.now()
    members = [part for one in ready for part in _members(conn, one)]
    facts = _facts(conn, station, members, person.zone)
    for item in ready:
        if not any(part.key in facts for part in _members(conn, item)):
            outbox.withdraw(conn, item.key, now)
            note(conn, station, "mail-dropped", item, {"because": "settled"})
    left = [one for one in ready if any(part.key in facts for part in _members(conn, one))]
    if not left:
        return None
    leader, sender = left[0], station.sender
    assert sender is not None
    others = [part.key for part in members if part.key in facts and part.key != leader.key]
    outbox.set_payload(conn, leader.key, {**leader.payload, "with": others})
    outbox.merge(conn, [one.key for one in left[1:]], now)
    outbox.mark_sending(conn, leader.key, message.message_id(leader.key, sender.address), now)
    begun = outbox.get(conn, leader.key)
    assert begun is not None
    return _outgoing(station, begun, person, facts, [one for one in members if one.key in facts])


def _outgoing(station: Station, item: OutboxItem, person: Person, facts: Facts, members: list[OutboxItem]) -> Outgoing:
    now, sender = station.clock.now(), station.sender
    assert sender is not None
    letter = Letter(
        zone=person.zone,
        now=now,
        facts=tuple(fact for found in facts.values() for fact in found),
        support=station.settings.mail.support,
        support_day=now + schedule.SUPPORT_AFTER,
    )
    mail_id = item.message_id or message.message_id(item.key, sender.address)
    of_news = (one.practice for one in letter.facts if isinstance(one, SessionNews))
    practice = person.practice or next(of_news, "")
    mail = compose(letter, station.texts.of(practice) if practice else station.texts)
    return Outgoing(
        key=item.key,
        keys=tuple(one.key for one in members if one.key in facts),
        envelope=message.build(mail, sender, person.address, mail_id=mail_id, now=now),
        recipient=item.recipient,
        zone=person.zone,
        asked=tuple(_asked(facts)),
        attempts=item.attempts,
    )


def _asked(facts: Facts) -> list[tuple[str, str]]:
    edits = [fact for found in facts.values() for fact in found if isinstance(fact, EditFacts)]
    return [(one.appointment, one.drift) for edit in edits for one in edit.sessions if one.appointment is not None]


def _facts(conn: Connection, station: Station, members: list[OutboxItem], zone: str) -> Facts:
    collector = Collector(
        settings=station.settings,
        links=station.links,
        book=station.book,
        now=station.clock.now(),
        zone=zone,
    )
    return collector.collect(conn, members)


def _members(conn: Connection, item: OutboxItem) -> list[OutboxItem]:
    """The message itself and those that it speaks for since an earlier try."""
    others = (outbox.get(conn, str(key)) for key in item.payload.get("with", ()))
    return [item, *(one for one in others if one is not None)]


def _ask(conn: Connection, station: Station, outgoing: Outgoing, appointment: str, drift: str) -> None:
    known = asks.of_appointments(conn, [appointment]).get(appointment, [])
    if any(one.about == drift and one.answered_at is None for one in known):
        return
    now = station.clock.now()
    ask = AskRow(
        id=station.ids.new_id("ask"),
        appointment=appointment,
        about=drift,
        who=outgoing.recipient.partition(":")[0],
        at=now,
        next_at=_first_step(conn, station, drift, now),
    )
    asks.insert(conn, ask)


def _first_step(conn: Connection, station: Station, drift: str, now: datetime) -> datetime:
    found = drifts.get(conn, drift)
    known = providers.get(conn, found.provider) if found is not None else None
    if found is None or known is None:
        return now
    sooner = schedule.steps(now, last_moment(conn, station.settings, found, known)).after(now)
    return min(schedule.next_step(now, known.zone), sooner or now)


def _remind_of_calendar(conn: Connection, key: str, now: datetime) -> None:
    """A lost calendar is told again the next day and two days after that, and then not any more."""
    item = outbox.get(conn, key)
    if item is None or item.kind != "calendar-needs-reconnect" or "/again-" in key:
        return
    for suffix, pause in (("/again-1", _DAY), (LAST_REMINDER, 3 * _DAY)):
        due = {"now": now + pause - schedule.BURST, "due_at": now + pause}
        outbox.put(conn, key + suffix, item.kind, item.recipient, item.payload, **due)


def _give_up(conn: Connection, station: Station, item: OutboxItem, because: str) -> None:
    outbox.mark_failed(conn, item.key, because, None)
    note(conn, station, "mail-unknown", item, {"because": because, "message_id": item.message_id})


def _id_of(outgoing: Outgoing) -> str:
    return str(outgoing.envelope.message["Message-ID"])
