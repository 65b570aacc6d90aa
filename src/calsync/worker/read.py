"""Steps one and two of a pass: what the calendar shows, as far as it concerns our events. Talks to the calendar only.

Foreign events are dropped page by page and never kept. An event that is missing counts as gone only after a read by id
has said so, too; what could not be read is unknown, which is neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from calsync.connector.errors import CursorExpired
from calsync.connector.protocol import Gone, Item, Seen, Unchanged, Unknown, Unreadable
from calsync.domain.marker import verify_marker
from calsync.store import copies, links
from calsync.worker.context import PassContext
from calsync.worker.two_clocks import Exchange

# Above so many vanished events nobody asks the account's other calendars one by one: that is the brakes' business.
LOCATE_AT_MOST = 5


@dataclass(slots=True)
class Sights:
    """What one pass has seen. `items` by remote id; `unknown` could not be read.

    `read_at` is when each read began, by the slower of our clock and the service's; `ahead` how far ours was in front
    at most, `apart` how far it was last, if the service tells.
    """

    items: dict[str, Item] = field(default_factory=dict)
    mentioned: set[str] = field(default_factory=set)  # listed under the version on our books: nothing new
    unknown: set[str] = field(default_factory=set)
    read_at: dict[str, datetime] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    cursor: str | None = None
    full: bool = False
    count: int = 0
    ahead: timedelta = timedelta(0)
    apart: timedelta | None = None

    def take(self, items: Iterable[Item | Unknown], exchange: Exchange) -> None:
        """Keep the newest word about each event. To be called right after the answer."""
        began_at = exchange.read_at()
        self.ahead, self.apart = max(self.ahead, exchange.ahead), exchange.apart
        for item in items:
            if isinstance(item, Unknown):
                self.unknown.add(item.remote_id)
                continue
            if isinstance(item, Unchanged):
                self.mentioned.add(item.remote_id)
                continue
            self.unknown.discard(item.remote_id)
            self.items[item.remote_id] = item
            self.read_at[item.remote_id] = began_at
            self.count += 1


class KnownVersions:
    """The books' versions, asked in batches and only for what a feed names."""

    def __init__(self, context: PassContext) -> None:
        self._context = context

    def versions(self, remote_ids: Sequence[str]) -> dict[str, str]:
        """See `calsync.connector.protocol.Known`.

        Nothing is known until the calendar was compared with books that went back to an older copy: a service may have
        given an event that was made since the version that an earlier one had.
        """
        if self._context.row.books_restored_at is not None:
            return {}
        with self._context.worker.database.reading() as conn:
            return links.versions(conn, self._context.row.id, remote_ids)


def read_changes(context: PassContext, cursor: str | None, ours: frozenset[str]) -> Sights:
    """Read the feed from the cursor, or in full when there is none or it has expired.

    `ours`: remote ids that are about to be linked and not on the books yet. Raises connector errors, and keeps nothing
    then.
    """
    try:
        return _read_feed(context, cursor, ours)
    except CursorExpired:
        # Deletions that happened meanwhile show only as absences: a full listing finds them.
        return _read_feed(context, None, ours)


def read_by_id(context: PassContext, sights: Sights, remote_ids: Iterable[str], told_gone: Iterable[str] = ()) -> None:
    """Read these events now, and those that were `told_gone`; the answers replace what the feed said.

    A deletion needs two signals: what is missing though nothing told so is asked for once more. Raises connector
    errors.
    """
    told = set(told_gone)
    _read(context, sights, [*remote_ids, *told_gone])
    _read(context, sights, [one for one, item in sights.items.items() if isinstance(item, Gone) and one not in told])


def read_beside(context: PassContext, sights: Sights, copies_of: Mapping[str, Sequence[str]]) -> None:
    """Read the copies beside events of ours that are gone: one may take the place, and only as it is now.

    `copies_of`: their remote ids, by that of the event. What cannot be read leaves open what became of that.
    """
    wanted = [one for those in copies_of.values() for one in those if one not in sights.items]
    _read(context, sights, wanted)
    _read(context, sights, [one for one in wanted if isinstance(sights.items.get(one), Gone)])
    sights.unknown |= {own for own, those in copies_of.items() if not sights.unknown.isdisjoint(those)}


def _read(context: PassContext, sights: Sights, remote_ids: Iterable[str]) -> None:
    wanted = list(dict.fromkeys(remote_ids))
    size = max(1, context.calendar.traits.read_batch)
    for first in range(0, len(wanted), size):
        context.keep_lease()
        exchange = Exchange.begin(context)
        batch = wanted[first : first + size]
        sights.take(list(context.calendar.read(batch)), exchange)


def absences(context: PassContext, sights: Sights) -> list[str]:
    """Remote ids of our events that the feed called gone or a full listing did not mention: to be confirmed by id."""
    missing = [remote_id for remote_id, item in sights.items.items() if isinstance(item, Gone)]
    return [*missing, *_unmentioned(context, sights)] if sights.full else missing


def doubted(sights: Sights) -> list[str]:
    """Remote ids of our events that a full listing shows otherwise than the books have them: to be read by id.

    A listing may lag behind what the same service told before; that looks like an edit, or like a copy, and is none.
    """
    return [one for one, item in sights.items.items() if isinstance(item, Seen | Unreadable)] if sights.full else []


def locate_gone(context: PassContext, sights: Sights, uids: Sequence[tuple[str, str]]) -> None:
    """Look in the account's other calendars for the few that are gone; pairs of remote id and UID."""
    if len(uids) <= LOCATE_AT_MOST:
        for remote_id, uid in uids:
            place = context.calendar.locate(uid)
            if place is not None:
                sights.elsewhere[remote_id] = place


def _read_feed(context: PassContext, cursor: str | None, ours: frozenset[str]) -> Sights:
    sights = Sights()
    exchange = Exchange.begin(context)
    for page in context.calendar.changes(cursor, context.window, KnownVersions(context)):
        sights.take(_ours(context, page.items, ours), exchange)
        context.keep_lease()
        sights.full = sights.full or page.full
        sights.cursor = page.cursor or sights.cursor
    return sights


def _ours(context: PassContext, items: Sequence[Item], ours: frozenset[str]) -> list[Item]:
    """Keep what is on our books under its name, or carries our genuine marker; forget everything else."""
    if not items:
        return []
    with context.worker.database.reading() as conn:
        booked = {link.remote_id for link in links.by_remote_ids(conn, context.row.id, [i.remote_id for i in items])}
        copied = copies.ids_among(conn, context.row.id, [i.remote_id for i in items])
    known = booked | ours | copied
    kept = [
        item
        for item in items
        if item.remote_id in known
        or (isinstance(item, Seen | Unreadable) and verify_marker(context.worker.keys, item.marker or "") is not None)
    ]
    if len(kept) < len(items):
        context.note_stranger()
    return kept


def _unmentioned(context: PassContext, sights: Sights) -> list[str]:
    """Events of ours, and copies with our marker, of which a full listing said nothing."""
    with context.worker.database.reading() as conn:
        calendar = context.row.id
        own = [remote_id for _, remote_id, version in links.all_remote_ids(conn, calendar) if version is not None]
        known = dict.fromkeys([*own, *copies.all_ids(conn, calendar)])
    return [one for one in known if one not in sights.items and one not in sights.mentioned]
