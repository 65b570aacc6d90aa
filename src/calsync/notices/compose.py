"""From facts to a mail: subject, plain text, and HTML that says the same. Pure but for the templates it is handed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from calsync.domain.drift import DriftKind, Phase
from calsync.domain.span import Span, instant, wall_time
from calsync.notices import wording
from calsync.notices.compose_news import day_item, news_item, office_item
from calsync.notices.facts import (
    CalendarFacts,
    DaySheetFacts,
    EditedSession,
    EditFacts,
    Fact,
    Fate,
    FleetStopped,
    Letter,
    MailsHeld,
    MoveOffer,
    OfficeFacts,
    SessionNews,
)
from calsync.notices.invitation import Invitation
from calsync.notices.items import Button, Item
from calsync.notices.schedule import steps
from calsync.notices.texts import Texts

_TEMPLATES = {
    Fate.RESTORED: "edit-restored",
    Fate.RESTORING: "edit-restored",
    Fate.LEFT: "edit-left",
    Fate.GONE: "edit-gone",
    Fate.PAST: "edit-past",
    Fate.CANCELLED: "edit-cancelled",
}
_FOR_PROVIDER = frozenset({"calendar-needs-reconnect"})
_TO_A_TIME = frozenset({DriftKind.MOVED, DriftKind.RESIZED})


@dataclass(frozen=True, slots=True)
class Mail:
    """What a mail says. `text` is complete without `html`; `invitations` are for the recipient's own calendar."""

    subject: str
    text: str
    html: str
    invitations: tuple[Invitation, ...] = ()


def compose(letter: Letter, texts: Texts) -> Mail:
    """Write the mail. What a person sees first is the earliest session, or the calendar that is in trouble."""
    items = [item for fact in letter.facts for item in _items(fact, letter, texts)]
    facts = {
        "subject": _subject(items),
        "items": items,
        "support": letter.support,
        "for_people": any(item.for_people for item in items),
    }
    words = texts.words("mail", facts)
    invitations = tuple(one for item in items for one in item.invitations)
    return Mail(words.subject, words.body + "\n", texts.page("mail", facts), invitations)


def _subject(items: list[Item]) -> str:
    more = len(items) - 1
    return items[0].subject if more == 0 else f"{items[0].subject} ({more} more inside)"


def _items(fact: Fact, letter: Letter, texts: Texts) -> Iterator[Item]:
    match fact:
        case SessionNews():
            yield news_item(fact, letter, texts)
        case DaySheetFacts():
            yield day_item(fact, letter, texts)
        case OfficeFacts():
            yield office_item(fact, texts)
        case MailsHeld():
            words = texts.words("mails-held", {"limit": fact.limit})
            yield Item(words.subject, words.body, for_people=False)
        case FleetStopped():
            words = texts.words("fleet-stopped", {"because": fact.because})
            yield Item(words.subject, words.body, for_people=False)
        case CalendarFacts():
            yield _calendar_item(fact, letter, texts)
        case EditFacts():
            yield from _edit_items(fact, letter, texts)


def _calendar_item(fact: CalendarFacts, letter: Letter, texts: Texts) -> Item:
    words = texts.words(fact.trouble, _calendar_words(fact, letter))
    mine = fact.trouble in _FOR_PROVIDER
    buttons = (Button("Reconnect", fact.url),) if fact.url is not None and mine else ()
    return Item(words.subject, words.body, buttons=buttons, asks=mine, for_people=mine)


def _edit_items(fact: EditFacts, letter: Letter, texts: Texts) -> Iterator[Item]:
    url = fact.answer_url
    groups = [("edit-cleared-day", sorted(fact.sessions, key=_order))] if fact.is_cleared_day else None
    for name, sessions in groups or _by_template(fact.sessions):
        facts = _edit_words(fact, sessions, letter)
        words = texts.words(name, facts)
        asks = sessions[0].fate is not Fate.CANCELLED
        buttons = tuple(_answers(fact, sessions, letter, url)) if url is not None and asks else ()
        quote = facts["first"]["number"]
        yield Item(words.subject, words.body, buttons=buttons, asks=asks, once=True, quote=quote)
        if not asks:
            continue
        # One address answers the whole edit, however many parts the mail tells it in.
        url = None


def _answers(fact: EditFacts, sessions: list[EditedSession], letter: Letter, url: str) -> Iterator[Button]:
    """One tap for each answer where the mail asks one thing; else one to the page with all of them."""
    if fact.is_cleared_day:
        yield Button("It was a slip", f"{url}?do=keep", "All of them stay booked.")
        yield Button("Cancel these sessions", f"{url}?do=cancel", "Each client gets a mail.")
        return
    if len(letter.facts) > 1 or len(fact.sessions) > 1 or sessions[0].expected is None:
        yield Button("Answer", url)
        return
    one = sessions[0]
    booked, seen = one.expected, one.observed if one.kind in _TO_A_TIME else None
    assert booked is not None
    if one.fate is Fate.PAST or booked.start_at <= letter.now:
        yield Button(f"{wording.short_span(booked, letter.zone)}, as booked", f"{url}?do=stands")
        if seen is not None and not seen.all_day:
            yield Button(wording.short_span(seen, letter.zone), f"{url}?do=seen")
        yield Button("Another time", f"{url}?do=time")
        yield Button("It did not take place", f"{url}?do=none")
        return
    elsewhere = fact.offer.elsewhere if fact.offer is not None else None
    if elsewhere and seen is not None:
        hint = f"Enter {wording.short_span(seen, letter.zone)} there."
        yield Button("Change it on your platform", elsewhere, hint)
    if seen is not None and not seen.all_day and (fact.offer is None or fact.offer.may_move):
        when = _where_to(booked, seen, letter.zone)
        yield Button(f"Move it to {when}", f"{url}?do=move", "Your client gets a mail, and your calendar follows.")
    yield Button(f"Keep {wording.clock(wall_time(booked.start_at, letter.zone))}", f"{url}?do=keep", "It was a slip.")
    if elsewhere is None:
        yield Button("Something else", f"{url}?do=other", "Another time, or cancel it.")


def _where_to(booked: Span, seen: Span, zone: str) -> str:
    same_day = wall_time(booked.start_at, zone).date() == wall_time(seen.start_at, zone).date()
    if booked.start_at == seen.start_at:
        return f"{wording.clock(wall_time(seen.start_at, zone))}-{wording.clock(wall_time(seen.end_at, zone))}"
    return wording.clock(wall_time(seen.start_at, zone)) if same_day else wording.short_moment(seen.start_at, zone)


def _by_template(sessions: Iterable[EditedSession]) -> Iterator[tuple[str, list[EditedSession]]]:
    groups: dict[str, list[EditedSession]] = {}
    for session in sorted(sessions, key=_order):
        groups.setdefault(_TEMPLATES[session.fate], []).append(session)
    yield from groups.items()


def _order(session: EditedSession) -> tuple[bool, float, str]:
    # What is still ahead comes first: it is what can still go wrong.
    span = session.expected or session.observed
    return (session.fate is Fate.PAST, span.start_at.timestamp() if span is not None else 0.0, session.drift)


def _edit_words(fact: EditFacts, sessions: list[EditedSession], letter: Letter) -> dict[str, Any]:
    day = _support_day(fact, letter)
    return {
        "first": _session_words(sessions[0], letter.zone),
        "more": len(sessions) - 1,
        "sessions": [_session_words(one, letter.zone) for one in sessions],
        "service": wording.service_name(fact.service),
        "seen": wording.moment_seen(fact.detected_at, letter.now, letter.zone),
        "restoring": any(one.fate is Fate.RESTORING for one in sessions),
        "claimed": any(one.phase is Phase.CLAIMED for one in sessions),
        "reminds": fact.reminds,
        "elsewhere": fact.offer is not None and fact.offer.elsewhere is not None,
        "days": _days(sessions, letter.zone),
        "offer": _offer_words(fact.offer, sessions, letter.zone),
        "support_day": wording.long_day(wall_time(day, letter.zone)) if day is not None else None,
        "last_day": wording.long_day(fact.last_day) if fact.last_day is not None else None,
    }


def _support_day(fact: EditFacts, letter: Letter) -> datetime | None:
    """When support asks if nobody answers: sooner where the last day to bill is near."""
    if letter.support_day is None or fact.last_day is None:
        return letter.support_day
    last = instant(datetime.combine(fact.last_day, time()), letter.zone)
    return min(letter.support_day, steps(letter.now, last).support_at)


def _days(sessions: list[EditedSession], zone: str) -> str:
    found = sorted({wall_time(one.expected.start_at, zone).date() for one in sessions if one.expected is not None})
    return " and ".join(map(wording.long_day, found[:2])) if found else ""


def _offer_words(offer: MoveOffer | None, sessions: list[EditedSession], zone: str) -> dict[str, Any] | None:
    seen = sessions[0].observed
    if offer is None or offer.may_move or seen is None or seen.all_day or offer.elsewhere is not None:
        return None
    return {
        "wanted": wording.clock(wall_time(seen.start_at, zone)),
        "because": offer.because,
        "free": [wording.clock(at) for at in offer.free[:6]],
    }


def _session_words(session: EditedSession, zone: str) -> dict[str, Any]:
    span = session.expected or session.observed
    known = {"number": session.appointment or "unknown", "happened": wording.what_happened(session, zone)}
    if span is None:
        return {
            **known,
            "short": "A",
            "long": "an unknown day",
            "short_span": "unknown day",
            "starts": "then",
            "clock": "then",
        }
    return {
        **known,
        "short": wording.short_moment(span.start_at, zone),
        "long": wording.long_span(span, zone),
        "short_span": wording.short_span(span, zone),
        "starts": wording.long_moment(span.start_at, zone),
        "clock": "the whole day" if span.all_day else wording.clock(wall_time(span.start_at, zone)),
    }


def _calendar_words(fact: CalendarFacts, letter: Letter) -> dict[str, Any]:
    return {
        "calendar": fact.calendar,
        "provider": fact.provider,
        "service": wording.service_name(fact.service),
        "company": wording.company_name(fact.service),
        "since": wording.long_moment(fact.since, letter.zone),
        "since_short": wording.short_moment(fact.since, letter.zone),
        "since_day": wording.short_day(wall_time(fact.since, letter.zone)),
        "because": fact.because,
        "waiting": fact.waiting,
        "numbers": fact.numbers,
        "is_last": fact.is_last,
    }
