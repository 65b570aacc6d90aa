"""One CalDAV calendar in the `Calendar` protocol."""

from __future__ import annotations

from collections.abc import Collection as Names
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from calsync.connector.errors import CalendarError
from calsync.connector.protocol import Finding, Known, Outcome, Page, Reading, Watch, Write, WriteResult
from calsync.connector.told_time import told_time
from calsync.connector.traits import Traits
from calsync.domain.span import Span, Window
from calsync.ports import Clock
from calsync_caldav.busy import busy_spans
from calsync_caldav.client import Client
from calsync_caldav.collection import Collection
from calsync_caldav.discovery import Discovery, elsewhere
from calsync_caldav.feed import Feed
from calsync_caldav.mapping import Reader
from calsync_caldav.parts import uid_places
from calsync_caldav.quirks import makes_missing_calendars
from calsync_caldav.reading import BATCH
from calsync_caldav.selftest import self_test
from calsync_caldav.writing import Writer

TRAITS = Traits(
    push=False,
    read_batch=BATCH,
    write_batch=10,
    feed_proves=False,
    makes_calendars=True,
    series=True,
    busy=True,
    keeps_uids=True,
)
_MOST_CALENDARS = 30


class CaldavCalendar:
    """A calendar collection. A remote id is the decoded last part of the href, with the `.ics` it ends in."""

    def __init__(self, client: Client, url: str, reader: Reader, clock: Clock) -> None:
        self._client = client
        self._collection = Collection(client, url)
        self._reader = reader
        self._clock = clock
        self._feed = Feed(self._collection, reader)

    @property
    def traits(self) -> Traits:
        """What CalDAV can do."""
        return TRAITS

    @property
    def requests_made(self) -> int:
        """How many requests this calendar has sent."""
        return self._client.requests

    @property
    def told_at(self) -> datetime | None:
        """What the service's clock said with its last answer."""
        return told_time(self._client.date)

    def changes(self, cursor: str | None, window: Window, known: Known) -> Iterator[Page]:
        """Yield pages of what changed; the whole collection is followed, since servers filter by time wrongly."""
        del window
        yield from self._feed.pages(cursor, known)

    def read(self, remote_ids: Sequence[str]) -> Iterable[Reading]:
        """Read events by id, in batches of one request."""
        return self._feed.read(remote_ids)

    def write(self, batch: Sequence[Write]) -> Iterator[WriteResult]:
        """Carry out writes, one exchange after the other."""
        if batch and makes_missing_calendars(self._collection.url):
            self._collection.exists()
        for write in batch:
            feed = self._feed
            result = Writer(self._collection, feed.reader, self._clock.now(), feed.parts).carry_out(write)
            if result.outcome is Outcome.WRITTEN and result.version is not None:
                self._feed.written[result.remote_id] = result.version
            yield result

    def locate(self, uid: str) -> str | None:
        """Return the address of another calendar of the account that holds this UID."""
        for found in elsewhere(Discovery(self._client), self._collection.url)[:_MOST_CALENDARS]:
            try:
                if uid_places(Collection(self._client, found.url), uid, self._reader):
                    return found.url
            except CalendarError:
                continue  # one calendar that cannot be searched says nothing about the others
        return None

    def busy(self, window: Window, without: Names[str] = ()) -> Iterator[Span]:
        """Yield busy spans of other events, those that the owner declined left out."""
        yield from busy_spans(self._collection, self._feed.reader, window, frozenset(without))

    def watch(self, callback_url: str, secret: str, lifetime: timedelta) -> Watch | None:
        """None: CalDAV does not call back (sheet 5.5)."""
        del callback_url, secret, lifetime
        return None

    def unwatch(self, watch: Watch) -> None:
        """Nothing to end."""

    def check(self) -> Iterator[Finding]:
        """Test the connection live, leaving nothing behind."""
        return self_test(self._collection, self._reader, self._clock.now())

    def close(self) -> None:
        """Give back connections."""
        self._client.close()
