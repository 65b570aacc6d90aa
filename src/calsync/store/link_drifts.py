"""What a pass asks of the drifts of its links: open ones, answers that stand, what was put back, what just changed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, func, or_, select

from calsync.domain.appointment import Subject, SubjectKind
from calsync.domain.drift import NOTES, Disposition, Drift, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import OriginalStart
from calsync.reconcile.case import PastRevert, RecentChange
from calsync.reconcile.shown import same_state
from calsync.store.drift_values import IDS, IN_ORDER, OPEN, SHAPE, grouped
from calsync.store.recent_changes import NOT_COUNTED, recent_changes
from calsync.store.rows import chunks
from calsync.store.schema import drifts, links, stops


def open_of_links(conn: Connection, link_ids: Iterable[str]) -> dict[str, tuple[Drift, ...]]:
    """Per link its open drifts and, per occurrence, the latest answered one whose seen state is accepted (R-10).

    An answer ends once what it accepted was taken back to what the record says: that was noted as withdrawn at once.
    """
    found: dict[str, tuple[Drift, ...]] = {}
    for link, known in grouped(conn, _STANDING, link_ids, lambda drift: drift.link).items():
        accepted: dict[tuple[OriginalStart, str | None, DriftKind | None], Drift] = {}
        for drift in sorted(known, key=lambda one: one.episode):
            if drift.resolution is not Resolution.OPEN:
                # Each copy beside the event has an answer of its own, and a note is none about what is seen.
                copy = drift.copy_id if drift.kind is DriftKind.DUPLICATED else None
                key = (drift.original_start, copy, drift.kind if drift.kind in NOTES else None)
                if drift.accepted:
                    accepted[key] = drift
                elif key in accepted and _takes_back(drift, accepted[key]):
                    del accepted[key]
        still_open = [drift for drift in known if drift.resolution is Resolution.OPEN]
        found[link] = (*still_open, *accepted.values())
    return found


def _takes_back(withdrawn: Drift, accepted: Drift) -> bool:
    from_there = same_state(withdrawn.expected, accepted.observed)
    return from_there and not same_state(withdrawn.observed, accepted.observed)


def open_in_mode(conn: Connection, calendars: Iterable[str], *, observing: bool) -> list[tuple[str, Subject]]:
    """Provider and subject of what has an edit open that was judged while the practice observed, or while it acted."""
    judged = _c.disposition.in_(_OBSERVED) if observing else _c.disposition.not_in(_OBSERVED)
    query = (
        select(links.c.provider, links.c.subject_kind, links.c.subject)
        .join(drifts, _c.link == links.c.id)
        .where(_c.calendar.in_(IDS), OPEN, judged)
        .distinct()
    )
    return [
        (row.provider, Subject(SubjectKind(row.subject_kind), row.subject))
        for part in chunks(sorted(calendars))
        for row in conn.execute(query, {"ids": part})
    ]


def reverts_of_links(conn: Connection, link_ids: Iterable[str], since: datetime) -> dict[str, tuple[PastRevert, ...]]:
    """Per link what was put back at or after `since`, the first one first; links without any are left out."""
    found: dict[str, tuple[PastRevert, ...]] = {}
    for part in chunks(sorted(set(link_ids))):
        for row in conn.execute(_REVERTS, {"ids": part, "since": since}):
            past = PastRevert(row.original_start, row.reverted_at, row.observed)
            found[row.link] = (*found.get(row.link, ()), past)
    return found


def next_episode(conn: Connection, link: str, original_start: OriginalStart) -> int:
    """The number of the episode that a new drift of this occurrence begins."""
    return int(conn.execute(_LAST_EPISODE, {"the_link": link, "the_start": original_start}).scalar_one() or 0) + 1


def recent_whole(conn: Connection, calendar: str, since: datetime) -> list[RecentChange]:
    """Links that vanished or changed as a whole at or after `since`, or earlier and are still open (R-13), by link.

    Only what was upcoming then and was not over by `since`. What a person let through when releasing an earlier stop
    does not count again.
    """
    return recent_changes(SHAPE.all(conn, _RECENT, {"the_calendar": calendar, "since": since}))


_c = drifts.c
_OBSERVED = (Disposition.WOULD_REVERT.value, Disposition.WOULD_FLAG.value)
_STANDING = (
    select(*SHAPE.columns)
    .where(_c.link.in_(IDS), or_(OPEN, _c.accepted.is_(True), _c.resolution == Resolution.WITHDRAWN.value))
    .order_by(_c.link, *IN_ORDER)
)
_SINCE = bindparam("since", type_=_c.detected_at.type)
_REVERTS = (
    select(_c.link, _c.original_start, _c.reverted_at, _c.observed)
    .where(_c.link.in_(IDS), _c.reverted_at >= _SINCE)
    .order_by(_c.reverted_at, _c.id)
)
_LAST_EPISODE = select(func.max(_c.episode)).where(
    _c.link == bindparam("the_link"), _c.original_start == bindparam("the_start", type_=_c.original_start.type)
)
_HERE = _c.calendar == bindparam("the_calendar")
_LET_THROUGH = (
    select(func.coalesce(func.max(stops.c.handled_at), -1))
    .where(stops.c.calendar == bindparam("the_calendar"))
    .scalar_subquery()
)
_COUNTED = (
    _HERE,
    _c.kind.not_in(NOT_COUNTED),
    or_(_c.scope == Scope.SERIES.value, _c.original_start == bindparam("single", None, type_=_c.original_start.type)),
    _c.detected_at > _LET_THROUGH,
)
# Edits of what is over say nothing about the events that are still to come.
_OVER = exists().where(links.c.id == _c.link, links.c.last_end <= bindparam("since", type_=links.c.last_end.type))
_RECENT = (
    select(*SHAPE.columns)
    .where(
        *_COUNTED,
        _c.phase == Phase.UPCOMING.value,
        ~_OVER,
        or_(OPEN, _c.changed_at >= _SINCE),
        _c.resolution.not_in([Resolution.WITHDRAWN.value, Resolution.IGNORED.value]),
    )
    .order_by(_c.link, *IN_ORDER)
)
