"""From facts to a mail: subject, plain text, and HTML that says the same. Pure but for the templates it is handed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from calsync.domain.drift import Phase
from calsync.domain.span import wall_time
from calsync.notices import wording
from calsync.notices.facts import CalendarFacts, EditedSession, EditFacts, Fact, Fate, FleetStopped, Letter, MailsHeld
from calsync.notices.texts import Texts

_TEMPLATES = {
    Fate.RESTORED: "edit-restored",
    Fate.RESTORING: "edit-restored",
    Fate.LEFT: "edit-left",
    Fate.PAST: "edit-past",
}
_FOR_PROVIDER = frozenset({"calendar-needs-reconnect"})


@dataclass(frozen=True, slots=True)
class Mail:
    """What a mail says. `text` is complete without `html`."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _Item:
    """One of the things that a mail tells."""

    subject: str
    body: str
    url: str | None = None
    asks: bool = False
    quote: str | None = None
    for_provider: bool = True


def compose(letter: Letter, texts: Texts) -> Mail:
    """Write the mail. What a person sees first is the earliest session, or the calendar that is in trouble."""
    items = [item for fact in letter.facts for item in _items(fact, letter, texts)]
    facts = {
        "subject": _subject(items),
        "items": items,
        "support": letter.support,
        "for_provider": any(item.for_provider for item in items),
    }
    words = texts.words("mail", facts)
    return Mail(words.subject, words.body + "\n", texts.page("mail", facts))


def _subject(items: list[_Item]) -> str:
    more = len(items) - 1
    return items[0].subject if more == 0 else f"{items[0].subject} ({more} more inside)"


def _items(fact: Fact, letter: Letter, texts: Texts) -> Iterator[_Item]:
    if isinstance(fact, MailsHeld):
        words = texts.words("mails-held", {"limit": fact.limit})
        yield _Item(words.subject, words.body, for_provider=False)
        return
    if isinstance(fact, FleetStopped):
        words = texts.words("fleet-stopped", {"because": fact.because})
        yield _Item(words.subject, words.body, for_provider=False)
        return
    if isinstance(fact, CalendarFacts):
        words = texts.words(fact.trouble, _calendar_words(fact, letter))
        mine = fact.trouble in _FOR_PROVIDER
        yield _Item(words.subject, words.body, asks=mine, for_provider=mine)
        return
    url = fact.answer_url
    for name, sessions in _by_template(fact.sessions):
        facts = _edit_words(fact, sessions, letter)
        words = texts.words(name, facts)
        yield _Item(words.subject, words.body, url=url, asks=True, quote=facts["first"]["number"])
        # One address answers the whole edit, however many parts the mail tells it in.
        url = None


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
    day = letter.support_day
    return {
        "first": _session_words(sessions[0], letter.zone),
        "more": len(sessions) - 1,
        "sessions": [_session_words(one, letter.zone) for one in sessions],
        "service": wording.service_name(fact.service),
        "seen": wording.moment_seen(fact.detected_at, letter.now, letter.zone),
        "restoring": any(one.fate is Fate.RESTORING for one in sessions),
        "claimed": any(one.phase is Phase.CLAIMED for one in sessions),
        "support_day": wording.long_day(wall_time(day, letter.zone)) if day is not None else None,
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
    }
