"""The page of a client's booking link, and the one on which a client chooses another time as asked (GT-13, GT-26)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from fastapi.responses import Response
from sqlalchemy import Connection

from calsync.booking.command import rules_for
from calsync.booking.commands import Booking, book, respond
from calsync.booking.slots import SlotQuery
from calsync.domain.span import Span, wall_time
from calsync.errors import Refused
from calsync.notices import wording
from calsync.store import clients, providers, records, requests
from calsync.store.providers import ProviderRow
from calsync.store.records import AppointmentFilter
from calsync.web.client_pages import move_query, moved, session_facts, zone_of
from calsync.web.policy_words import policy_of
from calsync.web.slot_choice import Chooser, read_stamp, stamp
from calsync.web.visit import Unclear, Visit

_USUAL: Final = timedelta(minutes=50)
_WHEN: Final = "Please choose a time. Nothing was changed."


@dataclass(frozen=True, slots=True)
class BooksSessions:
    """What a client's booking link shows and does. It is never used up; one page books once."""

    def show(self, visit: Visit) -> Response | None:
        """Free times; with one chosen, fee and policy and the button that books it."""
        with visit.site.database.reading() as conn:
            provider = providers.get(conn, str(visit.link.payload.get("provider")))
            if provider is None:
                return None
            zone = _client_zone(conn, visit.person, provider.zone)
            rules = rules_for(conn, visit.command(), provider.id)
            wanted, at = visit.wish("format"), read_stamp(visit.wish("at"))
            chooser = Chooser(visit.command(), zone, {"format": wanted})
            length = _length(conn, visit.person, provider.id)
            facts: dict[str, Any] = {
                "with_whom": wording.on_one_line(provider.name),
                "policy": policy_of(conn, visit.command(), provider.id),
            }
            if at is not None and not visit.problem:
                span = Span.between(at, at + length, provider.zone)
                return visit.show(
                    "client-book-confirm",
                    **facts,
                    when=wording.long_span(span, zone),
                    zone=wording.zone_words(zone),
                    at=stamp(at),
                    format=wanted,
                    format_words=wording.format_words(wanted),
                    back=chooser.address(),
                )
            formats = [
                {"name": wording.format_words(each), "url": chooser.address(format=each), "is_on": each == wanted}
                for each in rules.policy.reschedule.formats
            ]
            query = SlotQuery(
                provider=provider.id, since=visit.now, until=visit.now, length=length, format=wanted or None
            )
            choice = chooser.choice(conn, query, visit.wish("from"))
            return visit.show("client-book", **facts, choice=choice, formats=formats)

    def act(self, visit: Visit) -> Response | None:
        """Book the time that was chosen."""
        at = read_stamp(visit.given.get("at", ""))
        if at is None:
            raise Unclear(_WHEN)
        if visit.given.get("sure") != "yes":
            raise Unclear("Please tick the box to confirm. Nothing was booked.")
        with visit.site.database.transaction() as conn:
            provider = providers.get(conn, str(visit.link.payload.get("provider")))
            if provider is None:
                return None
            booking = self._booking(conn, visit, provider, at)
            try:
                book(conn, visit.command(), booking)
            except Refused as refusal:
                if refusal.code == "id-taken":
                    # The same page handed in again: it is booked already.
                    return None
                raise
            zone = _client_zone(conn, visit.person, provider.zone)
        text = (
            f"{wording.long_span(booking.span, zone)} ({wording.zone_words(zone)}). You and your provider get a mail."
        )
        return visit.told("Your session is booked", text)

    def _booking(self, conn: Connection, visit: Visit, provider: ProviderRow, at: datetime) -> Booking:
        length = _length(conn, visit.person, provider.id)
        told = f"{visit.link.hash}\n{visit.given.get('field', '')}\n{stamp(at)}"
        return Booking(
            id=f"b-{sha256(told.encode()).hexdigest()[:12]}",
            provider=provider.id,
            client=visit.person,
            span=Span.between(at, at + length, provider.zone),
            format=visit.given.get("format") or None,
            client_zone=_client_zone(conn, visit.person, provider.zone),
        )


@dataclass(frozen=True, slots=True)
class ChoosesTimes:
    """What a link of kind `answer-request` shows and does: the provider asked for another time."""

    def show(self, visit: Visit) -> Response | None:
        """Free times; with one chosen, the button that takes it."""
        with visit.site.database.reading() as conn:
            one = records.appointment(conn, str(visit.link.payload.get("appointment")))
            asked = str(visit.link.payload.get("request"))
            number = str(visit.link.payload.get("appointment"))
            known = next((each for each in requests.of_appointment(conn, number) if each.id == asked), None)
            if one is None or known is None or known.state != "open" or one.client != visit.person:
                return None
            zone = zone_of(conn, one)
            chooser = Chooser(visit.command(), zone, {})
            facts = session_facts(conn, one, zone) | {"until": wording.long_moment(known.expires_at, zone)}
            at = read_stamp(visit.wish("at"))
            if at is None or visit.problem:
                query = move_query(one, visit.now, one.format or "")
                choice = chooser.choice(conn, query, visit.wish("from"), one.span.start_at)
                return visit.show("client-choose", **facts, choice=choice)
            new = wording.long_span(moved(one, at), zone)
            return visit.show("client-choose-confirm", **facts, new=new, at=stamp(at), back="?")

    def act(self, visit: Visit) -> Response | None:
        """Move the session there and close the request; a second answer finds it closed."""
        at = read_stamp(visit.given.get("at", ""))
        if at is None:
            raise Unclear(_WHEN)
        if visit.given.get("sure") != "yes":
            raise Unclear("Please tick the box to confirm. Nothing was changed.")
        with visit.site.database.transaction() as conn:
            one = records.appointment(conn, str(visit.link.payload.get("appointment")))
            if one is None or one.client != visit.person:
                return None
            visit.use(conn)
            respond(conn, visit.token, wall_time(at, one.span.zone), visit.command())
            zone = zone_of(conn, one)
            text = f"Your session is now on {wording.long_span(moved(one, at), zone)} ({wording.zone_words(zone)})."
        return visit.told("Thank you: your session has a new time", f"{text} You and your provider get a mail.")


def _client_zone(conn: Connection, client: str, fallback: str) -> str:
    known = clients.get(conn, client)
    return (known.zone if known is not None else None) or fallback


def _length(conn: Connection, client: str, provider: str) -> timedelta:
    """As long as the client's last session with the provider, else as sessions usually are."""
    found = list(records.appointments(conn, AppointmentFilter(provider=provider, client=client)))
    return found[-1].span.length if found else _USUAL
