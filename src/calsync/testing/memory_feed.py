"""What a service in memory tells about changes: rows since a place, or a full listing, bent by weather."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from calsync.connector.errors import CursorExpired
from calsync.connector.protocol import Gone, Seen, Unreadable
from calsync.domain.span import Window
from calsync.testing.memory_state import CalendarState, Change, Place, StoredEvent
from calsync.testing.personality import FeedStyle
from calsync.testing.weather import FaultKind, Strike


@dataclass(frozen=True, slots=True)
class Row:
    """An event as named by a feed or listing; `stored` None for a removal."""

    remote_id: str
    stored: StoredEvent | None


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a calendar: the rows, whether they are a full listing, and the cursor for the next look."""

    rows: tuple[Row, ...]
    full: bool
    cursor: str


def look(state: CalendarState, cursor: str | None, window: Window, strike: Strike) -> Look:
    """Return what the service tells since `cursor`, or all with None. Raises `CursorExpired`."""
    place = _place(state, cursor)
    visible = _visible(state, strike)
    upto = visible[-1].seq if visible else 0
    full = place is None or (state.personality.feed is FeedStyle.CTAG and _changed(state, place, visible) != [])
    if place is None or full:
        lag = strike.find(FaultKind.LAG)
        events = state.view(lag.count) if lag else state.events
        rows = [Row(stored.remote_id, stored) for stored in events.values()]
    else:
        upto = max(upto, place.seq)
        rows = [Row(remote_id, state.events.get(remote_id)) for remote_id in _changed(state, place, visible)]
    rows = _bent_by_personality(state, rows, window, full=full)
    return Look(tuple(_bent_by_weather(rows, strike)), full, _next_cursor(state, upto, strike))


def reading_of(stored: StoredEvent) -> Seen | Unreadable:
    """Return an event as a reader sees it."""
    if stored.unreadable is not None:
        return Unreadable(stored.remote_id, stored.version, stored.unreadable, stored.marker)
    return Seen(stored.remote_id, stored.version, stored.event, stored.marker)


def current(state: CalendarState, remote_id: str) -> Seen | Unreadable | Gone:
    """Return what stands under an id now."""
    stored = state.events.get(remote_id)
    return Gone(remote_id) if stored is None else reading_of(stored)


def _place(state: CalendarState, cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    try:
        return state.cursors[cursor]
    except KeyError:
        raise CursorExpired("the service does not know this cursor") from None


def _visible(state: CalendarState, strike: Strike) -> list[Change]:
    until = state.clock.now() - state.personality.feed_lag
    visible = [change for change in state.journal if change.at <= until]
    if lag := strike.find(FaultKind.LAG):
        visible = visible[: max(0, len(state.journal) - lag.count)]
    return visible


def _changed(state: CalendarState, place: Place, visible: list[Change]) -> list[str]:
    hidden_until = _second(place.at) if state.personality.whole_seconds else None
    ids = [
        change.remote_id
        for change in visible
        if change.seq > place.seq and (hidden_until is None or _second(change.at) > hidden_until)
    ]
    return list(dict.fromkeys(reversed(ids)))[::-1]  # each id once, by its newest change


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _bent_by_personality(state: CalendarState, rows: list[Row], window: Window, *, full: bool) -> list[Row]:
    personality = state.personality
    if personality.window_bound:
        rows = [row if _inside(row, window) else replace(row, stored=None) for row in rows]
        rows = [row for row in rows if row.stored is not None or not full]
    if personality.phantom_removals and rows and not full:
        rows = [*rows, Row(f"never-there-{len(state.journal)}", None)]
    if personality.newest_first:
        rows = rows[::-1]
    return rows * 2 if personality.repeats_rows and not full else rows


def _inside(row: Row, window: Window) -> bool:
    if row.stored is None:
        return True
    span = row.stored.event.master.span
    # Where a series ends is not worked out here: a service tells of every series that has begun.
    return span.start_at < window.end if row.stored.event.is_series else window.touches(span)


def _bent_by_weather(rows: list[Row], strike: Strike) -> list[Row]:
    if strike.find(FaultKind.EMPTIED):
        return []
    if strike.find(FaultKind.TOMBSTONE_MISSING):
        rows = [row for row in rows if row.stored is not None]
    if cut := strike.find(FaultKind.TRUNCATED):
        rows = rows[: max(0, len(rows) - cut.count)]
    if strike.find(FaultKind.ON_TWO_PAGES):
        rows = rows + rows[:1]
    if strike.find(FaultKind.REPEATED):
        rows = rows * 2
    return rows[::-1] if strike.find(FaultKind.SHUFFLED) else rows


def _next_cursor(state: CalendarState, upto: int, strike: Strike) -> str:
    if strike.find(FaultKind.CURSOR_EMPTY):
        return ""
    if back := strike.find(FaultKind.CURSOR_BACK):
        upto = max(0, upto - back.count)
    now = state.clock.now()
    second = int(now.timestamp()) if state.personality.whole_seconds else 0
    restless = len(state.cursors) if state.personality.restless_cursor else 0
    cursor = state.personality.cursor_text.format(seq=upto, second=second, look=restless)
    state.cursors[cursor] = Place(upto, now)
    return cursor
