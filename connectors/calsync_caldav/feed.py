"""The change feed: sync-collection (RFC 6578) where the server has it, else the CTag and a listing, else a listing.

A quiet pass is one request. A token is only ever a hint: where an answer looks like that of a server which did not
know the token, the calendar is listed in full (sheet 5.2). Pages are fetched as they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from calsync.connector.errors import CursorExpired, Malformed
from calsync.connector.protocol import Gone, Item, Known, Page, Seen, Unchanged, Unknown, Unreadable
from calsync_caldav.client import Answer
from calsync_caldav.collection import Collection, multistatus_of
from calsync_caldav.cursors import Cursor, cursor_of
from calsync_caldav.dav_xml import CALDAV, DAV, Multistatus, Response, parse_conditions
from calsync_caldav.errors import error_for
from calsync_caldav.hrefs import member_of
from calsync_caldav.mapping import Reader
from calsync_caldav.quirks import accepted_silently, strong_form, token_refused
from calsync_caldav.reading import BATCH, read_all

MAX_SYNC_PAGES = 100


@dataclass(slots=True)
class Members:
    """What a listing or a sync answer says: versions by id, ids reported as removed, and ids listed in two versions."""

    versions: dict[str, str | None] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)

    def add(self, remote_id: str, version: str | None) -> None:
        """Note a member; one that is also reported as removed was made again (sheet 5.1), so the member wins."""
        if remote_id in self.versions and self.versions[remote_id] != version:
            self.doubled.add(remote_id)
        self.versions[remote_id] = version
        self.gone.discard(remote_id)


@dataclass(frozen=True, slots=True)
class Feed:
    """Follows one collection. `written`: versions that this process wrote, by id, whose echo is no news.

    `listed` keeps, beside the cursor that was handed out with it, the last full listing: events at the same version
    need no second look, but only where that cursor has come back, that is, where the listing's pages were recorded.
    """

    collection: Collection
    reader: Reader
    written: dict[str, str] = field(default_factory=dict)
    listed: dict[str, dict[str, str]] = field(default_factory=dict)

    def pages(self, cursor: str | None, known: Known) -> Iterator[Page]:
        """Yield what changed since the cursor, or everything; see `Calendar.changes`."""
        if cursor is None:
            yield from self._everything(known, {})
            return
        place = cursor_of(cursor, self.collection.url)
        if place.mode == "sync":
            yield from self._synced(place.token, known)
        elif place.mode == "ctag" and place.token and self.collection.ctag() == place.token:
            yield Page((), cursor)
        else:
            yield from self._everything(known, self.listed.get(cursor, {}))

    def _everything(self, known: Known, familiar: dict[str, str]) -> Iterator[Page]:
        # The tag is taken before the listing: a change between the two is then seen twice, not never.
        abilities = self.collection.abilities()
        token = abilities.sync_token
        if abilities.syncs and token is None:
            members, token = self._all_by_sync()
        else:
            members = _members(self.collection, self.collection.listing())
        if abilities.syncs and token:
            cursor = Cursor("sync", token)
        elif abilities.ctag:
            cursor = Cursor("ctag", abilities.ctag)
        else:
            cursor = Cursor("inventory", "")
        text = cursor.text(self.collection.url)
        yield from self._paged(members, known, text, familiar=familiar, full=True)
        self._remember(cursor, text, members)

    def _remember(self, cursor: Cursor, text: str, members: Members) -> None:
        self.listed.clear()
        if cursor.mode != "sync":
            self.listed[text] = {name: tag for name, tag in members.versions.items() if tag}

    def _all_by_sync(self) -> tuple[Members, str]:
        members = Members()
        token = self._collect("", members)
        return members, token

    def _synced(self, token: str, known: Known) -> Iterator[Page]:
        members = Members()
        token = self._collect(token, members)
        if self._looks_like_a_listing(members, known):
            yield from self._everything(known, {})
            return
        self.written.clear()
        yield from self._paged(members, known, Cursor("sync", token).text(self.collection.url))

    def _collect(self, token: str, members: Members) -> str:
        # RFC 6578 3.6: a cut answer says 507 for the collection and carries a token to go on with.
        for _ in range(MAX_SYNC_PAGES):
            answer = self._sync_answer(token)
            cut = _absorb(self.collection, answer, members)
            if not answer.sync_token:
                raise Malformed("a sync answer carries no token")
            if not cut:
                return answer.sync_token
            if answer.sync_token == token:
                break
            token = answer.sync_token
        raise Malformed("a sync answer never ends")

    def _sync_answer(self, token: str) -> Multistatus:
        answer = self.collection.sync_answer(token)
        if answer.status != 207:
            self._refused(answer)
        return multistatus_of(answer, self.collection.client, "REPORT")

    def _refused(self, answer: Answer) -> None:
        if token_refused(answer.status, parse_conditions(answer.body)):
            self.collection.exists()  # a calendar that is gone answers alike
            raise CursorExpired(f"REPORT answered {answer.status}")
        if answer.status == 507:
            raise Malformed("the server cannot answer a sync in one piece")
        raise error_for("REPORT", answer.status, answer.headers)

    def _looks_like_a_listing(self, members: Members, known: Known) -> bool:
        news = [name for name, version in members.versions.items() if self.written.get(name) != version]
        books = _versions(known, news)
        same = sum(1 for name, version in books.items() if members.versions[name] == version)
        return accepted_silently(len(books), same)

    def _paged(
        self, members: Members, known: Known, cursor: str, *, familiar: dict[str, str] | None = None, full: bool = False
    ) -> Iterator[Page]:
        names = list(members.versions)
        removed: list[Item] = [Gone(name) for name in sorted(members.gone)]
        batches = [names[at : at + BATCH] for at in range(0, len(names), BATCH)]
        for number, batch in enumerate(batches, start=1):
            items = self._items(batch, members, known, familiar or {})
            last = number == len(batches)
            yield Page((*items, *removed) if last else items, cursor if last else None, full)
        if not batches:
            yield Page(tuple(removed), cursor, full)

    def _items(self, batch: list[str], members: Members, known: Known, familiar: dict[str, str]) -> tuple[Item, ...]:
        books = {**familiar, **known.versions(batch)}
        same: list[Item] = []
        fetch: list[str] = []
        for name in batch:
            version = members.versions[name]
            if name in members.doubled:
                same.append(Unreadable(name, None, "listed-twice"))
            elif version is not None and books.get(name) == version:
                same.append(Unchanged(name, version))
            else:
                fetch.append(name)
        return (*same, *(_item(reading) for reading in read_all(self.collection, fetch, self.reader)))


def _item(reading: Seen | Gone | Unreadable | Unknown) -> Item:
    # The feed says that it is there, and the server fails on this one event alone: no reason to be blind to all others.
    return Unreadable(reading.remote_id, None, reading.reason) if isinstance(reading, Unknown) else reading


def _versions(known: Known, names: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for at in range(0, len(names), BATCH):
        found.update(known.versions(names[at : at + BATCH]))
    return found


def _members(collection: Collection, answer: Multistatus) -> Members:
    members = Members()
    own = False
    for row in answer.responses:
        remote_id = member_of(collection.url, row.href)
        own = own or remote_id == ""
        if remote_id and _is_event(row) and row.status < 400:
            members.add(remote_id, strong_form(row.etag) if row.etag else None)
    if not own and not members.versions:
        raise Malformed("the listing does not speak about the calendar")
    return members


def _absorb(collection: Collection, answer: Multistatus, members: Members) -> bool:
    cut = False
    for row in answer.responses:
        remote_id = member_of(collection.url, row.href)
        if remote_id == "":
            cut = cut or row.status == 507
        elif remote_id is None:
            continue
        elif row.status in {404, 410}:
            if remote_id not in members.versions:
                members.gone.add(remote_id)
        elif row.status < 400 and _is_event(row):
            members.add(remote_id, strong_form(row.etag) if row.etag else None)
        elif row.status >= 400:
            raise Malformed(f"a sync answer says {row.status} about an event")
    return cut


def _is_event(row: Response) -> bool:
    types: Iterable[str] = row.inner.get(f"{DAV}resourcetype", ())
    return f"{DAV}collection" not in types and f"{CALDAV}calendar" not in types
