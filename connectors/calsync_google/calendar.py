"""One Google calendar in the `Calendar` protocol."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from calsync.connector.errors import Forbidden, Malformed
from calsync.connector.protocol import Finding, Known, Outcome, Page, Reading, Watch, Write, WriteResult
from calsync.connector.told_time import told_time
from calsync.connector.traits import Traits
from calsync.domain.span import Span, Window
from calsync.domain.write import WriteKind
from calsync_google.account_lock import AccountLocks
from calsync_google.client import BATCH, Client
from calsync_google.errors import USER_LOCK, Refused
from calsync_google.feed import Feed
from calsync_google.mapping import Reader, RowRefused, appearance, is_cancelled, uid_of
from calsync_google.ours import UID
from calsync_google.reading import Shelf
from calsync_google.selftest import self_test
from calsync_google.writing import Writer, is_legal_id

# Writes go one by one: parts of a batch are carried out in any order, and may clash with each other (sheet 3.5).
TRAITS = Traits(
    push=True, read_batch=BATCH, write_batch=1, feed_proves=True, makes_calendars=True, series=True, busy=True
)
_MOST_CALENDARS = 30
_MOST_PAGES = 50


class GoogleCalendar:
    """A calendar of one account. A remote id is Google's event id."""

    def __init__(
        self, client: Client, calendar_id: str, reader: Reader, *, account: str, locks: AccountLocks, searches: bool
    ) -> None:
        self._client = client
        self._id = calendar_id
        self._shelf = Shelf(client, calendar_id, reader)
        self._feed = Feed(self._shelf)
        self._account = account
        self._locks = locks
        self._searches = searches

    @property
    def traits(self) -> Traits:
        """What Google Calendar can do."""
        return TRAITS

    @property
    def requests_made(self) -> int:
        """How many requests this calendar has sent."""
        return self._client.requests

    @property
    def told_at(self) -> datetime | None:
        """What the service's clock said with its last answer."""
        return told_time(self._client.wire.date)

    def changes(self, cursor: str | None, window: Window, known: Known) -> Iterator[Page]:
        """Yield pages of what changed; the whole calendar is followed, series are looked at inside the window."""
        self._shelf.window = window
        yield from self._feed.pages(cursor, known)

    def read(self, remote_ids: Sequence[str]) -> Iterable[Reading]:
        """Read events by id, in batches."""
        return self._shelf.read(remote_ids) if remote_ids else ()

    def write(self, batch: Sequence[Write]) -> Iterator[WriteResult]:
        """Carry out writes, one after the other."""
        for write in batch:
            self._locks.check(self._account)
            try:
                result = Writer(self._shelf).carry_out(write)
            except Exception as problem:
                self._note_lock(problem)
                raise
            self._note(write, result)
            yield result

    def _note(self, write: Write, result: WriteResult) -> None:
        if result.outcome is not Outcome.WRITTEN:
            return
        if write.kind is WriteKind.DELETE:
            self._feed.written.pop(result.remote_id, None)
        elif result.version is not None:
            self._feed.written[result.remote_id] = result.version

    def _note_lock(self, problem: Exception) -> None:
        """The account is over its own limits: nobody writes to it for an hour, and reading goes on."""
        if "quotaExceeded" in str(problem):
            self._locks.lock(self._account, max(getattr(problem, "retry_after", None) or 0.0, USER_LOCK))
            self._locks.check(self._account)

    def locate(self, uid: str) -> str | None:
        """Return the id of another calendar of the account that holds this UID; None where it may not look."""
        others = self._others()
        # Our own UIDs begin with the event's id, which a move keeps (sheet 5.6); all calendars are asked at once.
        name = uid.partition("@")[0]
        if others and is_legal_id(name):
            answers = self._client.several("get", {one: self._client.get_request(one, name) for one in others})
            for calendar, row in answers.items():
                if isinstance(row, dict) and not is_cancelled(row) and uid_of(row) == uid:
                    return calendar
        return next((calendar for calendar in others if self._holds(calendar, uid)), None)

    def _holds(self, calendar: str, uid: str) -> bool:
        query: dict[str, Any] = {"privateExtendedProperty": f"{UID}={uid}", "maxResults": 50, "singleEvents": False}
        for _ in range(_MOST_PAGES):
            answer = self._client.list_events(calendar, 403, 404, **query)
            if isinstance(answer, Refused):
                return False  # a calendar that cannot be searched says nothing about the others
            if any(isinstance(row, dict) and not is_cancelled(row) for row in answer.get("items", [])):
                return True
            query["pageToken"] = answer.get("nextPageToken")
            if not query["pageToken"]:
                return False
        return False

    def _others(self) -> list[str]:
        if not self._searches:
            return []
        answer = self._client.calendar_list(minAccessRole="reader", maxResults=_MOST_CALENDARS)
        rows = [] if isinstance(answer, Refused) else answer.get("items", [])
        names = [row.get("id") for row in rows if isinstance(row, dict) and not _is_this(row, self._id)]
        return [name for name in names if isinstance(name, str)]

    def busy(self, window: Window, without: Collection[str] = ()) -> Iterable[Span]:
        """Return busy spans inside the window, without anything else about the events."""
        left_out = frozenset(without)
        query: dict[str, Any] = {
            "singleEvents": True,
            "timeMin": _stamp(window.start),
            "timeMax": _stamp(window.end),
            "maxResults": 2500,
            "fields": "nextPageToken,items(id,recurringEventId,status,start,end,transparency,eventType)",
        }
        for _ in range(_MOST_PAGES):
            answer = self._client.list_events(self._id, **query)
            assert not isinstance(answer, Refused)
            yield from self._spans(answer.get("items", []), left_out)
            token = answer.get("nextPageToken")
            if not isinstance(token, str):
                return
            query["pageToken"] = token
        raise Malformed("a list of busy times never ends")

    def _spans(self, rows: object, left_out: frozenset[str]) -> Iterator[Span]:
        for row in rows if isinstance(rows, list) else ():
            if not isinstance(row, Mapping) or is_cancelled(row) or row.get("transparency") == "transparent":
                continue
            if row.get("eventType") in ("workingLocation", "birthday"):
                continue
            if left_out.intersection((row.get("id"), row.get("recurringEventId"))):
                continue
            try:
                yield appearance(row, self._shelf.reader).span
            except RowRefused:
                continue

    def watch(self, callback_url: str, secret: str, lifetime: timedelta) -> Watch | None:
        """Open a channel whose token is `secret`; its id is made from the secret, which must be new each time."""
        name = "calsync-" + hashlib.sha256(f"{secret}\n{self._id}".encode()).hexdigest()[:40]
        body = {
            "id": name,
            "type": "web_hook",
            "address": callback_url,
            "token": secret,
            "params": {"ttl": str(int(lifetime.total_seconds()))},
        }
        answer = self._client.watch(self._id, body)
        resource, expires = answer.get("resourceId"), answer.get("expiration")
        if answer.get("id") != name or not isinstance(resource, str) or not str(expires).isdecimal():
            raise Malformed("a channel without its resource or its end")
        try:
            ends = datetime.fromtimestamp(int(str(expires)) / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            raise Malformed("a channel that ends at no time") from None
        return Watch(name, resource, ends)

    def unwatch(self, watch: Watch) -> None:
        """End a channel; one that Google no longer knows is fine."""
        self._client.stop({"id": watch.id, "resourceId": watch.resource})

    def check(self) -> Iterator[Finding]:
        """Test the connection live, leaving nothing behind."""

        def follow(cursor: str | None) -> tuple[set[str], str]:
            told: set[str] = set()
            last = ""
            for page in Feed(self._shelf).pages(cursor, _Nothing()):
                told |= {item.remote_id for item in page.items}
                last = page.cursor or last
            return told, last

        return self_test(self._shelf, follow)

    def close(self) -> None:
        """Give back connections."""
        self._client.close()


class _Nothing:
    """No version is on the books."""

    def versions(self, remote_ids: Sequence[str]) -> Mapping[str, str]:
        """None of them."""
        del remote_ids
        return {}


def role_of(client: Client, calendar_id: str) -> str:
    """Return the account's role on a calendar; NotFound when it is not there, or not for this account."""
    answer = client.list_events(calendar_id, maxResults=1)
    assert not isinstance(answer, Refused)
    role = answer.get("accessRole")
    return role if isinstance(role, str) else ""


def require_writer(role: str) -> None:
    """Raise Forbidden unless the role may change events (sheet 12)."""
    if role not in ("owner", "writer"):
        raise Forbidden(f"the account is only {role or 'nobody'} of the calendar")


def _is_this(row: Mapping[str, Any], calendar_id: str) -> bool:
    return row.get("id") == calendar_id or (calendar_id == "primary" and row.get("primary") is True)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
