"""How calendars in memory differ from each other: one switch for each thing that real services do differently.

The switches come from what was measured or documented of real services; each says what it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from calsync.connector.traits import Traits


class FeedStyle(StrEnum):
    """How a service tells what changed."""

    SYNC = "sync"  # ids and versions since the cursor; what is not known is fetched in further requests
    CTAG = "ctag"  # one tag for the whole calendar: if it moved, an inventory of all versions
    ROWS = "rows"  # whole events since the cursor, no further requests


class VersionStyle(StrEnum):
    """Where versions come from."""

    COUNTER = "counter"  # never the same twice
    CONTENT = "content"  # a hash: an edit made and undone gives the old version again
    PER_RESOURCE = "per-resource"  # counts from zero for each event: made anew, it carries its first version again


class UidScope(StrEnum):
    """Where a UID may exist only once."""

    NOWHERE = "nowhere"
    CALENDAR = "calendar"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Personality:
    """Every switch. The defaults are a well-behaved service; see the ready-made ones below."""

    name: str
    traits: Traits
    feed: FeedStyle = FeedStyle.SYNC
    versions: VersionStyle = VersionStyle.CONTENT
    uids: UidScope = UidScope.CALENDAR
    page_size: int = 50

    # Writing.
    guards_creates: bool = True  # False: a create overwrites what is there, user's fields and all
    guards_deletes: bool = True  # False: a stale delete is carried out
    updates_make_missing: bool = False  # an update of an event that is gone creates it
    reserves_ids: bool = False  # the id of a deleted event stays taken: a create under it is rejected
    revives: bool = False  # an update of a deleted event brings it back under its id
    names_events: bool = False  # the service chooses ids; the asked one only keeps a repeat from doubling
    answers_event: bool = False  # a write's answer holds the event as stored
    false_conflict_each: int = 0  # every n-th conditional write is refused although the version is right
    touches_after_write: bool = False  # the version moves once more after a write, the content does not

    # The feed.
    whole_seconds: bool = False  # changes within the second of the last look are not told
    feed_lag: timedelta = timedelta(0)  # a change shows in the feed only after so long
    window_bound: bool = False  # an event outside the window is told as removed
    says_unchanged: bool = True  # known versions come as `Unchanged`
    newest_first: bool = False  # order of items: the newest first
    repeats_rows: bool = False  # every item comes twice in a change feed
    empty_pages: bool = False  # a page without items stands before each page
    phantom_removals: bool = False  # removals of events that nobody ever saw
    restless_cursor: bool = False  # the cursor differs at each look, though nothing changed
    cursor_text: str = "{seq}:{second}:{look}"  # how a cursor is written; opaque to everybody else

    # Reading and people.
    reads_backwards: bool = False  # readings come in another order than asked for
    ids_change_on_move: bool = False  # an event moved to another calendar gets a new id
    series_drag_drops_overrides: bool = False  # a person dragging a whole series loses its single changes


_CALDAV = Traits(read_batch=50, write_batch=1, makes_calendars=True, busy=True, keeps_uids=True)

CALDAV_SYNC: Final = Personality(name="caldav-sync", traits=_CALDAV)
"""A CalDAV server with sync-collection and content ETags (Radicale, Xandikos, Cyrus)."""

CALDAV_CTAG: Final = Personality(
    name="caldav-ctag", traits=_CALDAV, feed=FeedStyle.CTAG, uids=UidScope.NOWHERE, reads_backwards=True
)
"""A CalDAV server without sync-collection, which takes one UID twice (old SabreDAV)."""

CALDAV_SOGO: Final = Personality(
    name="caldav-sogo",
    traits=_CALDAV,
    versions=VersionStyle.PER_RESOURCE,
    guards_creates=False,
    guards_deletes=False,
    updates_make_missing=True,
    whole_seconds=True,
)
"""SOGo: If-None-Match ignored, stale DELETE carried out, If-Match on a missing event creates it, whole seconds."""

GOOGLE: Final = Personality(
    name="google",
    traits=Traits(push=True, read_batch=50, write_batch=50, feed_proves=True, makes_calendars=True, busy=True),
    feed=FeedStyle.ROWS,
    versions=VersionStyle.COUNTER,
    uids=UidScope.NOWHERE,
    reserves_ids=True,
    revives=True,
    answers_event=True,
)
"""Google Calendar: ids of deleted events stay taken and are revived by an update; the feed proves."""

GRAPH: Final = Personality(
    name="graph",
    traits=Traits(push=True, read_batch=20, write_batch=20, makes_calendars=True, busy=True),
    feed=FeedStyle.ROWS,
    versions=VersionStyle.COUNTER,
    uids=UidScope.NOWHERE,
    names_events=True,
    answers_event=True,
    false_conflict_each=7,
    touches_after_write=True,
    feed_lag=timedelta(seconds=1),
    window_bound=True,
    newest_first=True,
    repeats_rows=True,
    ids_change_on_move=True,
    series_drag_drops_overrides=True,
)
"""Microsoft Graph: delta without order and with repeats, versions that move by themselves, false conflicts."""

NASTY: Final = Personality(
    name="nasty",
    traits=Traits(push=True, read_batch=3, write_batch=2),
    feed=FeedStyle.ROWS,
    versions=VersionStyle.CONTENT,
    uids=UidScope.ACCOUNT,
    page_size=3,
    reserves_ids=True,
    false_conflict_each=3,
    feed_lag=timedelta(seconds=2),
    says_unchanged=False,
    newest_first=True,
    repeats_rows=True,
    empty_pages=True,
    phantom_removals=True,
    restless_cursor=True,
    cursor_text="{look}/¶ {second}\t{seq}\u2028'\"",
    reads_backwards=True,
    ids_change_on_move=True,
    series_drag_drops_overrides=True,
)
"""Keeps every written promise of the protocol and no other."""

PERSONALITIES: Final = (CALDAV_SYNC, CALDAV_CTAG, CALDAV_SOGO, GOOGLE, GRAPH, NASTY)
"""All ready-made ones."""
