"""The change feed: sync tokens, pages, tombstones; rows of a series brought together whatever page they came on.

Singles are handed on page by page. Rows of series wait for the last page, because Google promises no order between a
master and its exceptions (contract sheet 7.5). The parameters are the same for every call (sheet 7.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from calsync.connector.errors import CursorExpired, Malformed
from calsync.connector.protocol import Gone, Item, Known, Page, Seen, Unchanged, Unreadable
from calsync_google.aggregate import (
    horizon_of,
    is_series_version,
    master_etag,
    occurrences,
    orphans,
    seen_series,
    seen_single,
)
from calsync_google.client import Answer
from calsync_google.cursors import cursor_text, token_of
from calsync_google.errors import Refused
from calsync_google.mapping import (
    Json,
    RowRefused,
    bare_event,
    etag_of,
    id_of,
    is_cancelled,
    is_master,
    marker_of,
    master_of,
)
from calsync_google.reading import Shelf, as_item, reading_of_series

PAGE = 1000
MAX_PAGES = 1000


@dataclass(slots=True)
class _Series:
    """The rows of one series that a listing has told."""

    master: Json | None = None
    rows: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Feed:
    """Follows one calendar. `written`: versions that this process wrote and whose echo the feed has not shown yet.

    A list may lag behind a write (sheet 7.5); what it says about such an event counts only after a read by id.
    """

    shelf: Shelf
    written: dict[str, str] = field(default_factory=dict)

    def pages(self, cursor: str | None, known: Known) -> Iterator[Page]:
        """Yield what changed since the cursor, or everything; see `Calendar.changes`."""
        full = cursor is None
        token = None if cursor is None else token_of(cursor, self.shelf.calendar)
        series: dict[str, _Series] = {}
        for answer in self._answers(token):
            rows = _rows(answer)
            singles = [row for row in rows if not self._put_aside(row, series)]
            items = self._singles(singles, series, known, full=full)
            done = answer.get("nextSyncToken")
            if done is None:
                if items:
                    yield Page(items, None, full)
                continue
            items = (*items, *self._series(series, known, full=full))
            yield Page(items, cursor_text(self.shelf.calendar, done), full)

    def _answers(self, token: str | None) -> Iterator[Answer]:
        query: dict[str, Any] = {"singleEvents": False, "showDeleted": True, "maxResults": PAGE}
        if token is not None:
            query["syncToken"] = token
        page: str | None = None
        seen: set[str] = set()
        for _ in range(MAX_PAGES):
            paged = query if page is None else {**query, "pageToken": page}
            answer = self.shelf.client.list_events(self.shelf.calendar, *((400, 410) if token else ()), **paged)
            if isinstance(answer, Refused):
                raise _token_refused(answer, first=page is None)
            following, done = answer.get("nextPageToken"), answer.get("nextSyncToken")
            if not isinstance(following or done, str) or (following is None) == (done is None):
                raise Malformed("a page with both or neither of the next page and the sync token")
            yield answer
            if done is not None:
                return
            if following in seen:
                break
            page = following
            seen.add(str(page))
        raise Malformed("a list never ends")

    def _put_aside(self, row: Json, series: dict[str, _Series]) -> bool:
        """Keep a row of a series for the end; tell whether it was one."""
        name, master = id_of(row), master_of(row)
        if master is not None:
            series.setdefault(master, _Series()).rows.append(row)
            return True
        if name is not None and is_master(row) and not is_cancelled(row):
            series.setdefault(name, _Series()).master = row
            return True
        return False

    def _singles(
        self, rows: Sequence[Json], series: dict[str, _Series], known: Known, *, full: bool
    ) -> tuple[Item, ...]:
        items: list[Item] = []
        living = {name: row for row in rows if (name := id_of(row)) is not None and not is_cancelled(row)}
        books = known.versions(list(living)) if living else {}
        unsure: list[str] = []
        for row in rows:
            name = id_of(row)
            if name is None:
                items.append(Unreadable(f"unusable-{len(items)}", None, "bad-id"))
            elif is_cancelled(row):
                # A deleted series takes its single changes along; in a full listing a tombstone is no event.
                series.pop(name, None)
                self._tell_gone(name, items, unsure, full=full)
            elif books.get(name) is not None and books[name] == etag_of(row):
                self.written.pop(name, None)
                items.append(Unchanged(name, books[name]))
            elif self._is_echo_due(name, etag_of(row)):
                unsure.append(name)
            else:
                items.append(seen_single(name, row, self.shelf.reader))
        return (*items, *self._read_again(unsure))

    def _tell_gone(self, name: str, items: list[Item], unsure: list[str], *, full: bool) -> None:
        if name in self.written:
            unsure.append(name)
        elif not full:
            items.append(Gone(name))

    def _is_echo_due(self, name: str, etag: str | None) -> bool:
        """Whether we wrote the event, and the list shows another version than ours: news, or an old state still."""
        version = self.written.get(name)
        if version is not None and etag == master_etag(version):
            del self.written[name]
            return False
        return version is not None

    def _read_again(self, names: Sequence[str]) -> tuple[Item, ...]:
        for name in names:
            self.written.pop(name, None)
        return tuple(as_item(reading) for reading in self.shelf.read(names)) if names else ()

    # -- series

    def _series(self, series: dict[str, _Series], known: Known, *, full: bool) -> tuple[Item, ...]:
        books = known.versions(list(series)) if series else {}
        items: list[Item] = []
        to_read: dict[str, Json] = {}
        unseen: list[str] = []
        for name, one in series.items():
            version = books.get(name)
            item = self._without_asking(name, one, version, full=full)
            if item is not None:
                items.append(item)
            elif one.master is not None and name not in self.written:
                to_read[name] = one.master
            elif one.master is not None or _concerns_us(one, version):
                unseen.append(name)
        families = self.shelf.families(to_read)
        items += [as_item(reading_of_series(name, family, self.shelf.reader)) for name, family in families.items()]
        if unseen:
            for name in unseen:
                self.written.pop(name, None)
            items += [as_item(reading) for reading in self.shelf.whole_families(unseen).values()]
        return tuple(items)

    def _without_asking(self, name: str, one: _Series, version: str | None, *, full: bool) -> Item | None:
        """Return what can be said from the rows at hand; None where Google has to be asked."""
        if one.master is None:
            return None
        if version is not None and _is_untouched(one, version):
            self.written.pop(name, None)
            return Unchanged(name, version)
        if self._is_echo_due(name, etag_of(one.master)):
            return None
        foreign = version is None and marker_of(one.master) is None and not any(map(marker_of, one.rows))
        if (full or foreign) and (foreign or not self._is_strange(one)):
            item = self._assembled(name, one)
            unchanged = isinstance(item, Seen) and item.version == version
            return Unchanged(name, item.version) if unchanged and isinstance(item, Seen) else item
        return None

    def _assembled(self, name: str, one: _Series) -> Seen | Unreadable:
        reader = self.shelf.reader
        assert one.master is not None
        try:
            horizon = horizon_of(one.master, self.shelf.window, reader)
        except RowRefused:
            horizon = None
        return seen_series(name, one.master, one.rows, horizon, reader)

    def _is_strange(self, one: _Series) -> bool:
        """Whether a single change stands for no slot of its series: only Google knows whether people see it."""
        reader = self.shelf.reader
        assert one.master is not None
        try:
            return bool(orphans(bare_event(one.master, reader), occurrences(one.rows, reader)))
        except RowRefused:
            return True


def _is_untouched(one: _Series, version: str) -> bool:
    """Whether master and all told rows still carry the master's etag that our books know.

    Where each record has its own version, an edited occurrence brings a row with another one.
    """
    assert one.master is not None
    tag = master_etag(version)
    return is_series_version(version) and all(etag_of(row) == tag for row in (one.master, *one.rows))


def _concerns_us(one: _Series, version: str | None) -> bool:
    """Whether rows without their master may be ours: on the books, marked, or too bare to tell."""
    if version is not None or any(marker_of(row) is not None for row in one.rows):
        return True
    return any(is_cancelled(row) and "extendedProperties" not in row and "start" not in row for row in one.rows)


def _rows(answer: Mapping[str, Any]) -> list[Json]:
    items = answer.get("items", [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Malformed("a list without its rows")
    return items


def _token_refused(answer: Refused, *, first: bool) -> Exception:
    """A dead or unknown token: 410 by the book, 400 by experience (sheet 7.3); both mean a full listing."""
    if answer.status == 410 or (first and answer.status == 400):
        return CursorExpired(f"list answered {answer.status} {answer.reason}")
    return answer.error()
