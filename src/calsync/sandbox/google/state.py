"""What the stand-in holds: accounts, calendars, event rows, the log of calls. The server keeps the lock around it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from calsync.ports import Clock
from calsync.sandbox.google.knobs import Knobs

Json = dict[str, Any]

ROLES = ("none", "freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Row:
    """One stored event: a single, a master or an exception. `old` is what lists still show while the change lags.

    `trash`: "" while it can be had; "purged" (kept, and cannot be revived) or "vanished" (its name is burnt).
    """

    body: Json
    seq: int = 0
    old: Json | None = None
    old_seq: int = 0
    visible_at: int = 0
    trash: str = ""

    @property
    def id(self) -> str:
        """The event's id."""
        return str(self.body["id"])

    @property
    def master(self) -> str | None:
        """The id of the series that it is an exception of."""
        return self.body.get("recurringEventId")

    @property
    def cancelled(self) -> bool:
        """Whether it is deleted."""
        return bool(self.body["status"] == "cancelled")


@dataclass(slots=True)
class CalendarState:
    """One calendar. `epoch` changes when all its sync tokens die."""

    id: str
    summary: str
    time_zone: str
    owner: str
    primary: bool = False
    roles: dict[str, str] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    family: dict[str, list[str]] = field(default_factory=dict)  # exceptions by master
    names: dict[tuple[str, str], str] = field(default_factory=dict)  # instance ids by master and original start
    named: dict[str, tuple[str, str]] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)  # instance ids that an answer has held
    seq: int = 0
    stamp: int = 0
    epoch: int = 0
    used_tokens: set[str] = field(default_factory=set)
    lagging: dict[str, Row] = field(default_factory=dict)

    def role_of(self, account: str) -> str:
        """The role of an account."""
        return "owner" if account == self.owner and self.owner not in self.roles else self.roles.get(account, "none")

    def exceptions(self, master: str) -> Iterator[Row]:
        """The stored exceptions of a series."""
        return (self.rows[name] for name in self.family.get(master, ()) if name in self.rows)


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it arrived: who, which method, which parameters and body, and how it was answered."""

    account: str
    method: str
    path: dict[str, str]
    query: dict[str, list[str]]
    body: Json | None
    status: int
    batched: bool = False


@dataclass(slots=True)
class GoogleState:
    """Everything. `calls` can be switched off for long runs by `keep_calls`."""

    clock: Clock
    knobs: Knobs = field(default_factory=Knobs)
    calendars: dict[str, CalendarState] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)  # e-mail -> time zone
    calls: list[Call] = field(default_factory=list)
    keep_calls: bool = True
    requests: int = 0
    mails: list[Json] = field(default_factory=list)  # what would have been sent to guests
    strict_faults: list[str] = field(default_factory=list)  # what a careful client never does [53]
    listeners: list[Callable[[CalendarState], None]] = field(default_factory=list)
    made: int = 0

    def now(self) -> datetime:
        """The virtual present."""
        return self.clock.now()

    def add_account(self, email: str, zone: str = "America/New_York") -> CalendarState:
        """Add a person with a primary calendar."""
        self.accounts[email] = zone
        return self._add(CalendarState(email, email, zone, email, primary=True))

    def add_calendar(self, owner: str, summary: str, zone: str = "") -> CalendarState:
        """Add a secondary calendar; its id is of Google's form."""
        self.made += 1
        name = hashlib.sha256(f"{owner}\n{summary}\n{self.made}".encode()).hexdigest()[:26]
        calendar_id = f"c_{name}@group.calendar.google.com"
        return self._add(CalendarState(calendar_id, summary, zone or self.accounts[owner], owner))

    def _add(self, calendar: CalendarState) -> CalendarState:
        self.calendars[calendar.id] = calendar
        return calendar

    def calendar(self, account: str, name: str) -> CalendarState | None:
        """The calendar of that name as far as the account may know of it."""
        found = self.calendars.get(account if name == "primary" else name)
        return found if found is not None and found.role_of(account) != "none" else None

    def next_stamp(self, calendar: CalendarState) -> int:
        """A new time stamp in microseconds, whole milliseconds, later than all others of the calendar [54]."""
        now = (self.now() - _EPOCH) // timedelta(milliseconds=1) * 1000
        calendar.stamp = max(now, calendar.stamp + 1000)
        return calendar.stamp

    def store(self, calendar: CalendarState, body: Json, *, stamp: int | None = None) -> Row:
        """Write an event body down as a change: new etag, new place in the feed, watchers told."""
        at = self.next_stamp(calendar) if stamp is None else stamp
        calendar.seq += 1
        row = calendar.rows.get(body["id"])
        body = {**body, "etag": f'"{2 * at}"', "updated": stamp_text(at)}
        if row is None:
            row = calendar.rows[body["id"]] = Row(body)
            if row.master is not None:
                calendar.family.setdefault(row.master, []).append(row.id)
        elif self.requests >= row.visible_at:
            row.old, row.old_seq = row.body, row.seq
        row.body, row.seq, row.trash = body, calendar.seq, ""
        row.visible_at = self.requests + self.knobs.lag if self.knobs.lag else 0
        if self.knobs.lag:
            calendar.lagging[row.id] = row
        return row

    def touch_family(self, calendar: CalendarState, master: str) -> None:
        """Give a series one version: the master and all its exceptions get the same etag and are told again."""
        stamp = self.next_stamp(calendar)
        for row in [calendar.rows[master], *calendar.exceptions(master)]:
            self.store(calendar, row.body, stamp=stamp)

    def drop(self, calendar: CalendarState, name: str) -> None:
        """Forget a row without a tombstone."""
        row = calendar.rows.pop(name)
        if row.master is not None:
            calendar.family[row.master].remove(name)

    def changed(self, calendar: CalendarState) -> None:
        """Tell those who watch the calendar."""
        for listener in self.listeners:
            listener(calendar)

    def expire_tokens(self, calendar: CalendarState) -> None:
        """Let all sync tokens of the calendar die."""
        calendar.epoch += 1

    def set_role(self, calendar: CalendarState, account: str, role: str) -> None:
        """Change the access of an account; sync tokens die with it [50]."""
        calendar.roles[account] = role
        self.expire_tokens(calendar)


def stamp_text(microseconds: int) -> str:
    """A time stamp as `updated` shows it."""
    at = _EPOCH + timedelta(microseconds=microseconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
