"""One Outlook calendar in the `Calendar` protocol."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from calsync.connector.protocol import Finding, Known, Page, Reading, Watch, Write, WriteResult
from calsync.connector.told_time import told_time
from calsync.connector.traits import Traits
from calsync.domain.span import Span, Window
from calsync_outlook import watching
from calsync_outlook.composing import why_not_held
from calsync_outlook.errors import Refused
from calsync_outlook.feed import Feed
from calsync_outlook.mailbox import BATCH, Mailbox
from calsync_outlook.mapping import span_of
from calsync_outlook.ours import UID, property_filter
from calsync_outlook.reading import Loader
from calsync_outlook.rows import EventRefused, read_row
from calsync_outlook.selftest import self_test
from calsync_outlook.writing import Writer

Json = dict[str, Any]

TRAITS = Traits(push=True, read_batch=BATCH, feed_proves=False, makes_calendars=True, busy=True, unheld=why_not_held)
_MOST_CALENDARS = 30


class OutlookCalendar:
    """A calendar of a mailbox. A remote id is Graph's immutable id of the event."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._mailbox: Mailbox = loader.mailbox
        self._feed = Feed(loader)
        self._writer = Writer(loader)

    @property
    def traits(self) -> Traits:
        """What Outlook can do."""
        return TRAITS

    @property
    def requests_made(self) -> int:
        """How many requests this calendar has sent to Graph."""
        return self._mailbox.client.requests

    @property
    def told_at(self) -> datetime | None:
        """What the service's clock said with its last answer."""
        return told_time(self._mailbox.client.date)

    def changes(self, cursor: str | None, window: Window, known: Known) -> Iterator[Page]:
        """Yield pages of what changed; a window that has rolled past what the cursor covers is listed anew."""
        yield from self._feed.pages(cursor, window, known)

    def read(self, remote_ids: Sequence[str]) -> Iterable[Reading]:
        """Read events by id, series with all their occurrences."""
        return self._loader.read(remote_ids)

    def write(self, batch: Sequence[Write]) -> Iterator[WriteResult]:
        """Carry out writes, one after the other."""
        for write in batch:
            yield self._writer.carry_out(write)

    def locate(self, uid: str) -> str | None:
        """Return the id of another calendar of the mailbox that holds an event of ours with this UID."""
        query = f"$filter={quote(property_filter(UID, uid), safe='')}&$select=id&$top=1"
        others = self._mailbox.listing(f"{self._mailbox.prefix}/calendars")
        for calendar in [one for one in others if one.get("id") != self._mailbox.calendar][:_MOST_CALENDARS]:
            path = f"{self._mailbox.prefix}/calendars/{quote(str(calendar.get('id')), safe='')}/events?{query}"
            answer = self._mailbox.client.call("GET", path)
            if not isinstance(answer, Refused) and answer.object().get("value"):
                return str(calendar.get("id"))
        return None

    def busy(self, window: Window, without: Collection[str] = ()) -> Iterator[Span]:
        """Yield busy spans, in UTC; days are those of the provider's zone."""
        left_out = frozenset(without)
        path = self._mailbox.view_path(window, "start,end,isAllDay,showAs,isCancelled,type,seriesMasterId")
        for data in self._mailbox.listing(path):
            try:
                row = read_row(data)
            except EventRefused:
                continue  # somebody's event that cannot be understood; calsync's own are read by their ids
            if row.busy and not row.cancelled and not left_out.intersection((row.id, row.series)):
                yield span_of(row, self._loader.home if row.all_day else "Etc/UTC")

    def watch(self, callback_url: str, secret: str, lifetime: timedelta) -> Watch | None:
        """Ask Graph to call back; for at most 4,200 minutes, whatever is asked for."""
        return watching.watch(self._mailbox, callback_url, secret, lifetime, self._loader.clock.now())

    def unwatch(self, watch: Watch) -> None:
        """End a subscription."""
        watching.unwatch(self._mailbox, watch.id)

    def check(self) -> Iterator[Finding]:
        """Test the connection live, leaving nothing behind."""
        self._mailbox.client.tokens.forget_failures()
        return self_test(self._writer, self._loader.clock.now())

    def close(self) -> None:
        """Give back connections."""
        self._mailbox.client.close()
