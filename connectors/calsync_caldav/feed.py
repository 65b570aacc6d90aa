"""The change feed: sync-collection (RFC 6578) where the server has it, else the CTag and a listing, else a listing.

A quiet pass is one request. A token is only ever a hint: where an answer looks like that of a server which did not
know the token, the calendar is listed in full (sheet 5.2). Pages are fetched as they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from calsync.connector.errors import CursorExpired, Malformed, Unavailable
from calsync.connector.protocol import Gone, Item, Known, Page, Reading, Seen, Unchanged, Unknown, Unreadable
from calsync_caldav.client import Answer
from calsync_caldav.collection import Collection, multistatus_of
from calsync_caldav.cursors import Cursor, Part, cursor_of
from calsync_caldav.errors import error_for
from calsync_caldav.mapping import Reader
from calsync_caldav.members import Members, absorb, members_of
from calsync_caldav.multistatus import Multistatus, parse_conditions
from calsync_caldav.parts import is_part, parts_of, read_whole, uid_places
from calsync_caldav.quirks import accepted_silently, in_this_second, token_refused
from calsync_caldav.reading import BATCH, is_servers_fault, read_all
from calsync_caldav.zones import zone_of_calendar

MAX_SYNC_PAGES = 100
MAX_FAILING = 50
# A stranger's event that the server never hands out is not asked for for ever; one of ours is.
TRIES_FOR_STRANGERS = 5


@dataclass(slots=True)
class _Look:
    """One look at the calendar: what it names, and what was found while fetching that."""

    members: Members
    cursor: Cursor
    familiar: Mapping[str, str] = field(default_factory=dict)
    full: bool = False
    failing: dict[str, int] = field(default_factory=dict)
    same: dict[str, str] = field(default_factory=dict)  # nothing new, unless a part of it turns up
    split: set[str] = field(default_factory=set)  # those to be read again with their parts
    text: str = ""


class Feed:
    """Follows one collection. `written`: versions that this process wrote, by id, whose echo is no news.

    `reader` reads with the calendar's own zone and `parts` holds what belongs together (see that module), both as of
    the cursor that was last followed. `_listed` keeps, beside the cursor that was handed out with it, the last full
    listing: events at the same version need no second look, but only where that cursor has come back, that is, where
    the listing's pages were recorded.
    """

    def __init__(self, collection: Collection, reader: Reader) -> None:
        self.collection = collection
        self.reader = reader
        self.parts: dict[str, Part] = {}
        self.written: dict[str, str] = {}
        self._listed: dict[str, dict[str, str]] = {}
        self._place: tuple[str, str, Cursor] | None = None
        self._quiet: tuple[Answer, Multistatus] | None = None

    def pages(self, cursor: str | None, known: Known) -> Iterator[Page]:
        """Yield what changed since the cursor, or everything; see `Calendar.changes`."""
        if cursor is None:
            yield from self._everything(known)
            return
        place = self._place_of(cursor)
        self.parts = dict(place.parts)
        if self.reader.floating != place.zone:
            self.reader = replace(self.reader, floating=place.zone)
        if place.mode == "sync":
            yield from self._synced(cursor, place, known)
        elif place.mode == "ctag" and place.token and not place.again and self.collection.ctag() == place.token:
            yield Page((), cursor)
        else:
            yield from self._everything(known, self._listed.get(cursor, {}), place.again)

    def read(self, remote_ids: Sequence[str]) -> Iterator[Reading]:
        """Yield exactly one reading for each id, those that are spread over several resources as one."""
        spread = {part.of for part in self.parts.values()}.intersection(remote_ids)
        yield from read_all(self.collection, [name for name in remote_ids if name not in spread], self.reader)
        for name in sorted(spread):
            yield read_whole(self.collection, name, self.parts, self.reader)

    def _place_of(self, cursor: str) -> Cursor:
        if self._place is None or self._place[:2] != (cursor, self.collection.url):
            self._place = (cursor, self.collection.url, cursor_of(cursor, self.collection.url))
        return self._place[2]

    # -- everything

    def _everything(
        self, known: Known, familiar: Mapping[str, str] | None = None, again: Mapping[str, int] | None = None
    ) -> Iterator[Page]:
        # The tag is taken before the listing: a change between the two is then seen twice, not never.
        abilities = self.collection.abilities()
        self.reader = replace(self.reader, floating=zone_of_calendar(abilities.zone_id, abilities.zone_text))
        token = abilities.sync_token
        if abilities.syncs and token is None:
            members, token = self._all_by_sync()
        else:
            members = members_of(self.collection.url, self.collection.listing())
        if abilities.syncs and token:
            cursor = Cursor("sync", token)
        elif abilities.ctag and not in_this_second(abilities.ctag, self.collection.last_headers):
            cursor = Cursor("ctag", abilities.ctag)
        else:
            # Without a tag, or with one that the next change may not move: the next look is a listing again.
            cursor = Cursor("ctag" if abilities.ctag else "inventory", "")
        look = _Look(members, replace(cursor, again=again or {}), familiar or {}, full=True)
        for name in [name for name in self.parts if name not in members.versions]:
            look.split.add(self.parts.pop(name).of)
        yield from self._paged(look, known)
        self._remember(look)

    def _remember(self, look: _Look) -> None:
        self._listed.clear()
        if look.cursor.mode != "sync":
            self._listed[look.text] = {
                name: tag for name, tag in look.members.versions.items() if tag and name not in look.failing
            }

    def _all_by_sync(self) -> tuple[Members, str]:
        members = Members()
        token = self._collect("", members)
        return members, token

    # -- what changed

    def _synced(self, cursor: str, place: Cursor, known: Known) -> Iterator[Page]:
        members = Members()
        token = self._collect(place.token, members)
        if token == place.token and not members.versions and not members.gone and not place.again:
            self.written.clear()
            yield Page((), cursor)
            return
        if self._looks_like_a_listing(members, known):
            yield from self._everything(known, again=place.again)
            return
        self.written.clear()
        for name in place.again:
            if name not in members.gone:
                members.versions[name] = None
        look = _Look(members, replace(place, token=token))
        look.split.update(self.parts.pop(name).of for name in members.gone.intersection(self.parts))
        yield from self._paged(look, known)

    def _collect(self, token: str, members: Members) -> str:
        # RFC 6578 3.6: a cut answer says 507 for the collection and carries a token to go on with.
        for _ in range(MAX_SYNC_PAGES):
            answer = self._sync_answer(token)
            cut = absorb(self.collection.url, answer, members)
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
        if self._quiet is not None and _same(answer, self._quiet[0]):
            return self._quiet[1]
        found = multistatus_of(answer, self.collection.client, "REPORT")
        self._quiet = None if found.responses else (answer, found)
        return found

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

    # -- from names to events

    def _paged(self, look: _Look, known: Known) -> Iterator[Page]:
        names = list(look.members.versions)
        batches = [names[at : at + BATCH] for at in range(0, len(names), BATCH)]
        for batch in batches[:-1]:
            yield Page(self._items(batch, look, known), None, look.full)
        items = list(self._items(batches[-1], look, known)) if batches else []
        items += [Gone(name) for name in sorted(look.members.gone)]
        items += [Unchanged(name, version) for name, version in look.same.items() if name not in look.split]
        for name in sorted(look.split):
            reading = read_whole(self.collection, name, self.parts, self.reader)
            items.append(reading if not isinstance(reading, Unknown) else self._failed(reading, look, ours=True))
        cursor = replace(look.cursor, again=look.failing, parts=self.parts, zone=self.reader.floating)
        look.text = cursor.text(self.collection.url)
        yield Page(tuple(items), look.text, look.full)

    def _items(self, batch: Sequence[str], look: _Look, known: Known) -> tuple[Item, ...]:
        booked = known.versions(batch)
        books = {**look.familiar, **booked}
        items: list[Item] = []
        fetch: list[str] = []
        for name in batch:
            version = look.members.versions[name]
            if name in look.members.doubled:
                items.append(Unreadable(name, None, "listed-twice"))
            elif version is not None and books.get(name) == version:
                look.same[name] = version
            else:
                fetch.append(name)
        for reading in read_all(self.collection, fetch, self.reader):
            if isinstance(reading, Unknown):
                items.append(self._failed(reading, look, ours=reading.remote_id in booked))
            elif not self._belongs_to_another(reading, look, known):
                items.append(reading)
        return tuple(items)

    def _failed(self, reading: Unknown, look: _Look, *, ours: bool) -> Item:
        if not is_servers_fault(reading):
            # The server lists it and does not let us see it: no reason to be blind to all others.
            return Unreadable(reading.remote_id, None, reading.reason)
        tries = look.cursor.again.get(reading.remote_id, 0) + 1
        if ours or tries < TRIES_FOR_STRANGERS:
            look.failing[reading.remote_id] = tries
        if len(look.failing) > MAX_FAILING:
            raise Unavailable("the server fails on many events")
        return reading

    def _belongs_to_another(self, reading: Seen | Gone | Unreadable, look: _Look, known: Known) -> bool:
        """Tell whether this is to be read as, or with, another resource; the one to read is then among `split`."""
        name = reading.remote_id
        if isinstance(reading, Seen) and is_part(reading.event):
            owner = self.parts[name].of if name in self.parts else self._owner(reading, known)
            if owner:
                self.parts[name] = Part(owner, reading.version)
                look.split.add(owner)
                return True
        elif name in self.parts:
            look.split.add(self.parts.pop(name).of)
        if parts_of(name, self.parts):
            look.split.add(name)
            return True
        return False

    def _owner(self, reading: Seen, known: Known) -> str | None:
        places = uid_places(self.collection, reading.event.uid, self.reader)
        return next(iter(known.versions([place for place in places if place != reading.remote_id])), None)


def _versions(known: Known, names: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    wanted = list(names)
    for at in range(0, len(wanted), BATCH):
        found.update(known.versions(wanted[at : at + BATCH]))
    return found


def _same(answer: Answer, before: Answer) -> bool:
    return answer.body == before.body and answer.content_type == before.content_type
