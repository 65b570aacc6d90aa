"""Parts of mails about sessions, about a provider's day, and for the office. Pure but for the templates."""

from __future__ import annotations

from typing import Any, Final

from calsync.domain.span import wall_time
from calsync.notices import wording
from calsync.notices.facts import DaySheetFacts, Letter, NewsKind, OfficeFacts, SessionNews, ToldSession
from calsync.notices.items import Button, Item
from calsync.notices.texts import Texts

_WHO: Final = {"client": "your client", "provider": "you", "support": "the practice", "system": "the practice"}


def news_item(news: SessionNews, letter: Letter, texts: Texts) -> Item:
    """What became of sessions, for client or provider."""
    name = f"{'client' if news.for_client else 'provider'}-{news.kind}"
    words = texts.words(name, _news_words(news, letter))
    return Item(
        words.subject,
        words.body,
        buttons=tuple(_buttons(news)),
        asks=news.kind is NewsKind.ASKED and news.for_client,
        quote=news.sessions[0].appointment,
        invitations=news.invitations,
    )


def day_item(facts: DaySheetFacts, letter: Letter, texts: Texts) -> Item:
    """A day with something still open."""
    told = {
        "day": wording.long_day(facts.day),
        "short_day": wording.short_day(facts.day),
        "sessions": facts.sessions,
        "open": [_session(one, letter.zone) for one in facts.open[: wording.LISTED]],
        "open_count": len(facts.open),
        "more": max(0, len(facts.open) - wording.LISTED),
        "asked": [_session(one, letter.zone) for one in facts.asked[: wording.LISTED]],
        "asked_count": len(facts.asked),
    }
    words = texts.words("day-sheet", told)
    first = (*facts.open, *facts.asked)[0]
    buttons = (Button("Open the day", facts.url),) if facts.url is not None else ()
    return Item(words.subject, words.body, buttons=buttons, asks=True, quote=first.appointment)


def office_item(facts: OfficeFacts, texts: Texts) -> Item:
    """Something for support or billing."""
    words = texts.words(facts.name, facts.words)
    return Item(words.subject, words.body, for_people=False)


def _buttons(news: SessionNews) -> list[Button]:
    found = []
    if news.choose_url is not None:
        found.append(Button("Choose another time", news.choose_url))
    if news.manage_url is not None:
        several = len(news.sessions) > 1
        found.append(Button("Change or cancel sessions" if several else "Change or cancel", news.manage_url))
    if news.book_url is not None:
        found.append(Button("Book another time", news.book_url))
    return found


def _news_words(news: SessionNews, letter: Letter) -> dict[str, Any]:
    first = news.sessions[0]
    return {
        "first": _session(first, letter.zone),
        "sessions": [_session(one, letter.zone) for one in news.sessions[: wording.LISTED]],
        "count": len(news.sessions),
        "more": len(news.sessions) - 1,
        "unlisted": max(0, len(news.sessions) - wording.LISTED),
        "with_whom": wording.on_one_line(news.with_whom),
        "by": news.by,
        "who": _WHO.get(news.by, "the practice"),
        "repeats": news.repeats,
        "choose_by": wording.long_moment(news.choose_by, first.zone) if news.choose_by is not None else "",
        "fee": news.fee,
        "resources": news.resources,
        "can_change": news.manage_url is not None,
        "can_book": news.book_url is not None,
        "support": letter.support,
    }


def _session(one: ToldSession, zone: str) -> dict[str, Any]:
    here = one.zone or zone
    start = wall_time(one.span.start_at, here)
    former = one.former
    return {
        "number": one.appointment,
        "short": wording.short_moment(one.span.start_at, here),
        "long": f"{wording.long_span(one.span, here)} ({wording.zone_words(here)})",
        "short_span": wording.short_span(one.span, here),
        "zone": wording.zone_words(here),
        "clock": wording.clock(start),
        "day": wording.long_day(start),
        "was": wording.long_span(former, here) if former is not None else "",
        "was_short": wording.short_moment(former.start_at, here) if former is not None else "",
        "format": wording.format_words(one.format),
    }
