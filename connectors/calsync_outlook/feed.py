"""What changed: delta rounds over a wide window. Rows are hints, and everything that counts is read again (sheet 6).

A round is read to its end before anything is told, so that a link that expires midway costs nothing but the round.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from calsync.connector.errors import CursorExpired, Malformed, Unavailable
from calsync.connector.protocol import Gone, Item, Known, Page, Seen, Unchanged, Unknown, Unreadable
from calsync.domain.span import Window
from calsync_outlook.client import Answer
from calsync_outlook.cursors import Cursor, cursor_of
from calsync_outlook.errors import Refused
from calsync_outlook.mailbox import BATCH, Mailbox
from calsync_outlook.reading import Loader, reading_of
from calsync_outlook.rows import id_of, version_of

Json = dict[str, Any]

_PAGE_SIZE = {"Prefer": 'IdType="ImmutableId", outlook.timezone="UTC", outlook.body-content-type="text", '
              'odata.maxpagesize=200'}  # fmt: skip
_MOST_PAGES = 1000
_BEFORE, _AFTER = timedelta(days=30), timedelta(days=90)
_LONGEST = timedelta(days=1800)


@dataclass(slots=True)
class Round:
    """What the rows of one round named. `singles` with the version that they came with."""

    singles: dict[str, str | None] = field(default_factory=dict)
    series: dict[str, None] = field(default_factory=dict)
    removed: dict[str, None] = field(default_factory=dict)
    odd: int = 0
    link: str = ""

    def take(self, row: Json) -> None:
        """Sort one row."""
        name = id_of(row)
        if name is None:
            self.odd += 1
        elif "@removed" in row:
            self.removed[name] = None
        elif row.get("seriesMasterId") is not None:
            master = id_of({"id": row["seriesMasterId"]})
            if master is None:
                self.odd += 1
            else:
                self.series[master] = None
        elif row.get("type") == "seriesMaster":
            self.series[name] = None
        else:
            self.singles[name] = version_of(row)


class Feed:
    """The change feed of one calendar."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._mailbox: Mailbox = loader.mailbox

    def pages(self, cursor: str | None, window: Window, known: Known) -> Iterator[Page]:
        """See `Calendar.changes`."""
        former = cursor_of(cursor, self._mailbox.calendar) if cursor is not None else None
        if former is None or not _covers(former.extent, window):
            yield from self._full(_widened(window), known)
        else:
            yield from self._news(former, known)

    def _full(self, extent: Window, known: Known) -> Iterator[Page]:
        try:
            told = self._round(self._mailbox.delta_path(extent))
        except CursorExpired:
            raise Unavailable("the service lost its own link in the middle of a full listing") from None
        yield from self._told(told, known, Cursor(told.link, extent), full=True)

    def _news(self, former: Cursor, known: Known) -> Iterator[Page]:
        told = self._round(former.link)
        unknown = [name for name in told.removed if name not in told.series and name not in told.singles]
        strangers = set(unknown) - set(_versions(known, unknown)) - set(former.series)
        if strangers:
            # A removed occurrence, or somebody's event: an id alone does not tell (sheet 6.4).
            told.series |= dict.fromkeys(former.series)
        for name in strangers:
            del told.removed[name]
        yield from self._told(told, known, former)

    def _round(self, link: str) -> Round:
        told = Round()
        seen: set[str] = set()
        for _ in range(_MOST_PAGES):
            answer = self._mailbox.client.call("GET", link, headers=_PAGE_SIZE)
            page = _page_of(answer)
            for row in page["value"]:
                told.take(row)
            following, last = page.get("@odata.nextLink"), page.get("@odata.deltaLink")
            onward = last if following is None else following
            if (following is None) == (last is None) or not isinstance(onward, str) or onward in seen:
                raise Malformed("a delta page with neither, both or the same link")
            link = self._mailbox.client.address(onward)
            seen.add(link)
            if last is not None:
                told.link = link
                return told
        raise Malformed("a delta round without an end")

    def _told(self, told: Round, known: Known, former: Cursor, *, full: bool = False) -> Iterator[Page]:
        versions = _versions(known, list(told.singles))
        same = {name: version for name, version in told.singles.items() if version and versions.get(name) == version}
        removed = [name for name in told.removed if name not in told.singles and name not in told.series]
        fetch = [*(name for name in told.singles if name not in same), *told.series, *removed]
        ours = dict.fromkeys(former.series)
        unchanged: list[Item] = [Unchanged(name, version) for name, version in same.items()]
        chunks = [unchanged[at : at + 200] for at in range(0, len(unchanged), 200)]
        batches: list[list[Item]] = [list(chunk) for chunk in chunks]
        for items in batches[:-1] if not fetch else batches:
            yield Page(tuple(items), None, full)
        held: list[Item] = batches[-1] if batches and not fetch else []
        for at in range(0, len(fetch), BATCH):
            held = self._items(fetch[at : at + BATCH], told, known, ours)
            if at + BATCH < len(fetch):
                yield Page(tuple(held), None, full)
        cursor = Cursor(told.link, former.extent, tuple(ours))
        yield Page(tuple(held), cursor.text(self._mailbox.calendar), full)

    def _items(self, names: list[str], told: Round, known: Known, ours: dict[str, None]) -> list[Item]:
        # Rows of this calendar's own round lie in it; what was told as removed may lie in another one.
        live = [name for name in names if name in told.singles or name in told.series]
        readings = [reading_of(name, loaded) for name, loaded in self._loader.load(live).items()]
        gone = [name for name in names if name not in live]
        items = [_item(one) for one in readings + (self._loader.read(gone) if gone else [])]
        books = _versions(known, names)
        for item in items:
            name = item.remote_id
            if isinstance(item, Gone):
                ours.pop(name, None)
            elif name in told.series and (name in books or (isinstance(item, Seen | Unreadable) and item.marker)):
                ours[name] = None
        return items


def _page_of(answer: Answer | Refused) -> Json:
    if isinstance(answer, Refused):
        if answer.is_lost_sync:
            raise CursorExpired(f"the delta link is no longer known ({answer.status} {answer.code})")
        raise answer.error()
    page = answer.object()
    rows = page.get("value")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Malformed("a delta page without rows")
    return page


def _item(reading: Seen | Gone | Unreadable | Unknown) -> Item:
    # The feed says that it is there, and the service fails on this one alone: no reason to be blind to the others.
    return Unreadable(reading.remote_id, None, reading.reason) if isinstance(reading, Unknown) else reading


def _versions(known: Known, names: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for at in range(0, len(names), 200):
        found.update(known.versions(names[at : at + 200]))
    return found


def _covers(extent: Window, window: Window) -> bool:
    return extent.start <= window.start and (extent.end >= window.end or extent.end - extent.start >= _LONGEST)


def _widened(window: Window) -> Window:
    start = window.start - _BEFORE
    return Window(start, min(window.end + _AFTER, start + _LONGEST))
