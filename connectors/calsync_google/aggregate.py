"""From rows to aggregates: a master with its single changes, known by original start (contract sheet 8). Pure.

A deleted occurrence is one that the series leaves out. A single change that looks like its slot is none. Both ways of
getting the rows, a list of masters with exceptions and the occurrences of one series, give the same event.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from calsync.connector.protocol import Seen, Unreadable
from calsync.domain.event import Appearance, Event, Override
from calsync.domain.recurrence import RuleRefused, slots_between
from calsync.domain.span import Span, Window
from calsync_google.mapping import (
    Json,
    Reader,
    RowRefused,
    appearance,
    bare_event,
    etag_of,
    is_cancelled,
    marker_of,
    original_start,
    recurrence,
)

MAX_CHANGES = 200
_MARGIN = timedelta(days=1)
_WITHOUT_END = timedelta(days=3 * 366)


@dataclass(frozen=True, slots=True)
class Horizon:
    """The stretch of time within which the occurrences of a series are looked at: aware UTC instants."""

    start: datetime
    end: datetime

    def holds(self, slot: datetime, span: Span | None) -> bool:
        """Whether an occurrence has to do with it, by its slot or by where it lies now."""
        moved = span is not None and span.start_at < self.end and span.end_at > self.start
        return moved or self.start <= slot < self.end


def horizon_of(master: Json, window: Window | None, reader: Reader) -> Horizon:
    """Return the horizon for a series: the window with a margin, else three years from its first occurrence."""
    if window is not None:
        return Horizon(window.start - _MARGIN, window.end + _MARGIN)
    first = appearance(master, reader).span.start_at
    return Horizon(first - _MARGIN, first + _WITHOUT_END)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One row of a series: its slot, and its look (None: deleted)."""

    slot: datetime
    look: Appearance | None
    row: Json


def occurrences(rows: Iterable[Json], reader: Reader) -> list[Occurrence]:
    """Read the rows of a series; RowRefused when one of them cannot be understood."""
    found: dict[datetime, Occurrence] = {}
    for row in rows:
        slot = original_start(row, reader)
        look = None if is_cancelled(row) else appearance(row, reader)
        # A living row beside a deleted one of the same slot is what people see.
        if slot not in found or found[slot].look is None:
            found[slot] = Occurrence(slot, look, row)
    return [found[slot] for slot in sorted(found)]


def planned(event: Event, horizon: Horizon) -> dict[datetime, Span]:
    """Return the slots of a series inside the horizon; RowRefused for a rule that nobody should run."""
    try:
        return slots_between(event, horizon.start, horizon.end)
    except RuleRefused as refusal:
        raise RowRefused(f"rule-{refusal.broken}") from None


def series_event(master: Json, rows: Iterable[Occurrence], horizon: Horizon, reader: Reader) -> Event:
    """Return the series as it is seen: exclusions are what is left out, overrides what differs from its slot."""
    event = bare_event(master, reader)
    recurring = event.recurrence
    if recurring is None:
        return event
    slots = planned(event, horizon)
    changes: list[Override] = []
    left_out: set[datetime] = set()
    for one in rows:
        if not horizon.holds(one.slot, one.look.span if one.look is not None else None):
            continue
        span = slots.get(one.slot) or _slot(event, one.slot)
        if one.look is None:
            if span is not None:
                left_out.add(one.slot)
        elif span is None or one.look != replace(event.master, span=span):
            changes.append(Override(one.slot, one.look))
    if len(changes) > MAX_CHANGES or len(left_out) > 2 * MAX_CHANGES:
        raise RowRefused("too-many-overrides")
    excluded = tuple(sorted({*recurring.excluded, *left_out}))
    return replace(event, recurrence=replace(recurring, excluded=excluded), overrides=tuple(changes))


def orphans(event: Event, rows: Iterable[Occurrence]) -> list[Occurrence]:
    """Return living rows whose slot the series does not have: whether people see them, only Google knows."""
    return [one for one in rows if one.look is not None and _slot(event, one.slot) is None]


def seen_single(remote_id: str, row: Json, reader: Reader) -> Seen | Unreadable:
    """Return what a single event shows, or the rule that it breaks."""
    etag = etag_of(row)
    if etag is None:
        return Unreadable(remote_id, None, "no-version", marker_of(row))
    try:
        return Seen(remote_id, etag, bare_event(row, reader), marker_of(row))
    except RowRefused as refusal:
        return Unreadable(remote_id, etag, refusal.reason, marker_of(row))


def seen_series(
    remote_id: str, master: Json, rows: Iterable[Json], horizon: Horizon | None, reader: Reader
) -> Seen | Unreadable:
    """Return what a series shows, or the rule that it breaks. No horizon: the master was not to be understood."""
    etag = etag_of(master)
    if etag is None or horizon is None:
        reason = "no-version" if etag is None else _why(master, reader)
        return Unreadable(remote_id, etag, reason, marker_of(master))
    try:
        event = series_event(master, occurrences(rows, reader), horizon, reader)
        return Seen(remote_id, series_version(etag, master, event, reader), event, marker_of(master))
    except RowRefused as refusal:
        return Unreadable(remote_id, etag, refusal.reason, marker_of(master))


def series_version(etag: str, master: Json, event: Event, reader: Reader) -> str:
    """Return a version that moves when the master moves or any single change looks different.

    Google may version a series as one, or each record by itself (sheet, addendum); this is right for both.
    """
    own = recurrence(master, event.master.span, reader)
    excluded = event.recurrence.excluded if event.recurrence is not None else ()
    deleted = sorted(set(excluded) - set(own.excluded if own is not None else ()))
    if not event.overrides and not deleted:
        return f"{etag}~"
    text = repr((event.overrides, deleted)).encode("utf-8", "replace")
    return f"{etag}~{hashlib.sha256(text).hexdigest()[:20]}"


def master_etag(version: str) -> str:
    """Return the master's (or the single event's) own etag out of a version."""
    return version.partition("~")[0]


def is_series_version(version: str) -> bool:
    """Whether a version is that of a series."""
    return "~" in version


def _slot(event: Event, at: datetime) -> Span | None:
    try:
        return slots_between(event, at, at).get(at)
    except RuleRefused as refusal:
        raise RowRefused(f"rule-{refusal.broken}") from None


def _why(master: Json, reader: Reader) -> str:
    try:
        bare_event(master, reader)
    except RowRefused as refusal:
        return refusal.reason
    return "not-read"
