"""The contract of a connector: one service's API turned into calendars, and nothing more.

Words: a *remote id* is the service's opaque name of an event inside its calendar (for CalDAV the decoded last part of
the href), unique there and stable while the event lives. A *version* is its opaque tag for conditional writes. A
*cursor* is the opaque place in the calendar's change feed. A connector holds no policy, no database and no retry loop;
every method may raise any error of `calsync.connector.errors`, and no other error leaves it. Instances are used by one
thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel

from calsync.connector.traits import Traits
from calsync.domain.event import Event
from calsync.domain.span import Span, Window
from calsync.domain.write import WriteKind

PROTOCOL_VERSION = 1

NAME_REFUSED = "name-refused"
"""Reason of a rejected CREATE: the service will not take this name again, as a trash bin or a reservation holds it.

The worker then goes on under the next generation's name.
"""

UID_TAKEN = "uid-conflict"
"""Reason of a rejected CREATE: another event of the account has its UID, such as ours that a person carried elsewhere.

The write stays owed: the worker tries again, slowly, for that event may go.
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as the service shows it now: the whole aggregate. `marker` is the raw text of our property, if any."""

    remote_id: str
    version: str
    event: Event
    marker: str | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """An event whose version is the one that `known` gave: nothing was fetched."""

    remote_id: str
    version: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The service reports the event as removed (in a feed), or does not have it (in a read)."""

    remote_id: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An event that exists and cannot be understood; `reason` names the rule it breaks, never its content."""

    remote_id: str
    version: str | None
    reason: str
    marker: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A read of this one event failed while others succeeded: neither present nor absent.

    In a feed: it changed, and could not be read; the cursor keeps it in mind, so that later passes try again.
    """

    remote_id: str
    reason: str


Item = Seen | Unchanged | Gone | Unreadable | Unknown
Reading = Seen | Gone | Unreadable | Unknown


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a change feed. `cursor` is set on the last page only: where the next pass goes on.

    `full` marks the pages of a full listing: after the last one, whatever was not mentioned was not seen (and still has
    to be confirmed absent by `read` before it counts as deleted).
    """

    items: tuple[Item, ...]
    cursor: str | None = None
    full: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """One event to write.

    CREATE: make `event` under `remote_id` unless something is there (then Conflict as a result).
    UPDATE: bring the owned fields (times, recurrence, overrides, status, our title, our description part, marker) to
    `event`, on condition that the version is still `version`; keep every field that is the user's (colour, reminders,
    notes, categories, attendees, unknown properties). `title_was` is the title we last wrote: a title that differs from
    it was changed by the user and stays.
    DELETE: remove it on condition of `version`; already gone is success.
    `key` is the idempotency key of the effect, the same for every repeat.
    """

    key: str
    kind: WriteKind
    remote_id: str
    event: Event | None = None
    marker: str | None = None
    version: str | None = None
    title_was: str | None = None


class Outcome(StrEnum):
    """How one write ended. `UNKNOWN`: it may have taken effect or not; `REJECTED`: the service will never take it."""

    WRITTEN = "written"
    CONFLICT = "conflict"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The answer to one write.

    After WRITTEN (but for a delete) `version` is the new tag and `event`, where the service tells it, what it stored
    (None: as sent). `remote_id` may differ from the one asked for where the service names events.
    """

    key: str
    outcome: Outcome
    remote_id: str
    version: str | None = None
    event: Event | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a self-test: what was tried, whether it held, and what to do when it did not."""

    what: str
    ok: bool
    detail: str = ""
    remedy: str = ""


class Known(Protocol):
    """The versions that are on our books, asked for in batches so that a quiet pass reads none."""

    def versions(self, remote_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the last confirmed version of those of our events that are among `remote_ids`."""


class Calendar(Protocol):
    """One calendar of one account. See the module for the words."""

    @property
    def traits(self) -> Traits:
        """What this service can do."""

    def changes(self, cursor: str | None, window: Window, known: Known) -> Iterator[Page]:
        """Yield pages of what changed since `cursor`; with None, a full listing. The last page carries the next cursor.

        At least one page is yielded. With nothing changed: one request, one page, no items. `CursorExpired` may come
        before any page only. An event listed with a version that `known` has may be given as `Unchanged`, unfetched.
        """

    def read(self, remote_ids: Sequence[str]) -> Iterable[Reading]:
        """Read events by id, now: exactly one reading for each id, in any order.

        `Gone` means that the service itself says so.
        """

    def write(self, batch: Sequence[Write]) -> Iterable[WriteResult]:
        """Carry out writes in order, yielding exactly one result per write as it is known.

        Errors about one event are results; an error about the calendar or the connection is raised, and the writes
        without a result are then of unknown effect.
        """

    def locate(self, uid: str) -> str | None:
        """Return where else in the account an event with this UID lies (an opaque name); None: nowhere or unknown."""

    def busy(self, window: Window, without: Collection[str] = ()) -> Iterable[Span]:
        """Return busy spans that touch the window, and nothing else of the events (R-22); only where `traits.busy`.

        Events under the remote ids `without` are left out, series with all their occurrences.
        """

    def watch(self, callback_url: str, secret: str, lifetime: timedelta) -> Watch | None:
        """Ask the service to call back on changes; None where it cannot."""

    def unwatch(self, watch: Watch) -> None:
        """End a watch; one that the service no longer knows is fine."""

    def check(self) -> Iterable[Finding]:
        """Test the connection live, for `calsync doctor`: create, read, conflict, delete, leaving nothing behind."""

    def close(self) -> None:
        """Give back connections. Safe to call twice."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A running push subscription. `expires_at` is aware UTC."""

    id: str
    resource: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CalendarPlace:
    """Where a calendar lies, as opened: `remote` is the service's own address of it, kept for the next start."""

    remote: str
    made: bool = False


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """What a connector needs to open one calendar.

    Its keys from the config (validated by its own settings models), the secret, the provider's zone (for floating
    times) and, for a dedicated calendar, where it was put before.
    """

    calendar_id: str
    connector_settings: BaseModel
    calendar_settings: BaseModel
    placement: str  # "dedicated" | "existing"
    zone: str
    secret: Callable[[], str]
    remote: str | None = None
    dedicated_name: str = "Appointments"
    dedicated_id: str = ""  # derived id under which a dedicated calendar is made, so that a repeat finds it
    # Set where a person's own login is kept outside the config's files: called with a secret that takes its place.
    keep_secret: Callable[[str], None] | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)


class Connector(Protocol):
    """A plug-in, found through the entry point group `calsync.connectors`; a module-level object named CONNECTOR."""

    name: str
    protocol_version: int
    connector_settings: type[BaseModel]  # [connectors.NAME]
    calendar_settings: type[BaseModel]  # the connector's keys of [[providers.calendars]]

    def locate(self, request: OpenRequest) -> CalendarPlace:
        """Find (existing) or find-or-make (dedicated) the calendar; raises UserError naming what was found instead."""

    def open(self, request: OpenRequest, place: CalendarPlace) -> Calendar:
        """Return the calendar at a place, without any request yet."""
