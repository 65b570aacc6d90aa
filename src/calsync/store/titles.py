"""Titles that a person typed, made unreadable before they are stored: they may name a client (R-6). Pure.

A mark made of the title's hash stands for it: equal titles stay equal, so that a title that was changed is still seen
to differ, and to be the same one the next time.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from calsync.domain.event import Appearance, Event

_SIGN = "#"
_DIGITS = 24


def hidden_title(title: str) -> str:
    """The mark that stands for a title; an empty title and a mark stay as they are."""
    if not title or _is_mark(title):
        return title
    return _SIGN + sha256(title.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def titles_of(event: Event | None) -> frozenset[str]:
    """Every title that an event shows."""
    if event is None:
        return frozenset()
    return frozenset((event.master.title, *(one.appearance.title for one in event.overrides)))


def hide_title(seen: Appearance, ours: frozenset[str]) -> Appearance:
    """The appearance with its title hidden, unless it is one of ours."""
    return seen if seen.title in ours else replace(seen, title=hidden_title(seen.title))


def hide_titles(event: Event, ours: frozenset[str]) -> Event:
    """The event with every title hidden that is not one of ours."""
    return replace(
        event,
        master=hide_title(event.master, ours),
        overrides=tuple(replace(one, appearance=hide_title(one.appearance, ours)) for one in event.overrides),
    )


def without_marks(event: Event, title: str) -> Event:
    """The event with every mark replaced by a title of ours, fit to be written to a calendar."""

    def plain(one: Appearance) -> Appearance:
        return replace(one, title=title) if _is_mark(one.title) else one

    return replace(
        event,
        master=plain(event.master),
        overrides=tuple(replace(one, appearance=plain(one.appearance)) for one in event.overrides),
    )


def _is_mark(title: str) -> bool:
    digits = title.removeprefix(_SIGN)
    return len(digits) == _DIGITS and digits != title and all(one in "0123456789abcdef" for one in digits)
