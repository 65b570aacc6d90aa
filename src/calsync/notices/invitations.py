"""From the books to what a client's own calendar is told: which object, under which UID, as which change.

A single session has an object of its own. One of a series is told in place of its slot; a series that was booked, or
that goes on otherwise from now on, is told whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import Connection

from calsync.domain.appointment import Appointment, AppointmentStatus, Series
from calsync.notices.facts import NewsKind
from calsync.notices.invitation import TITLE, Invitation, Method, Single
from calsync.reconcile.expect import expect_series
from calsync.store import news_rows, records

_METHODS = {
    NewsKind.BOOKED: Method.REQUEST,
    NewsKind.CHANGED: Method.REQUEST,
    NewsKind.CANCELLED: Method.CANCEL,
}


def invite(conn: Connection, kind: NewsKind, found: Iterable[Appointment], now: datetime) -> tuple[Invitation, ...]:
    """The objects that go with such news; none with news that changes no time."""
    method = _METHODS.get(kind)
    if method is None:
        return ()
    of_series: dict[str, list[Appointment]] = {}
    objects: list[Invitation] = []
    for one in found:
        if one.series is not None and one.original_start is not None:
            of_series.setdefault(one.series, []).append(one)
        else:
            session = Single(one.span, one.version - 1)
            objects.append(Invitation(method, f"{one.id}@calsync", (session,), zone=one.span.zone))
    for key, members in of_series.items():
        series = records.series(conn, key)
        if series is not None:
            objects += _of_series(conn, kind, series, (members, now))
    return tuple(objects)


def _of_series(
    conn: Connection, kind: NewsKind, series: Series, about: tuple[list[Appointment], datetime]
) -> Iterator[Invitation]:
    changed, now = about
    members = records.appointments_of_series(conn, series.id)
    stands = any(one.status is AppointmentStatus.SCHEDULED and one.span.start_at > now for one in members)
    goes_on = kind is NewsKind.CHANGED and len(changed) > 1
    if kind is NewsKind.BOOKED or goes_on or not stands:
        yield _whole(conn, series, members)
        if goes_on and series.continues is not None:
            before = records.series(conn, series.continues)
            if before is not None:
                yield _whole(conn, before, records.appointments_of_series(conn, before.id))
        return
    sequence = {one.id: news_rows.last_change(conn, series.id, [one.id]) for one in changed}
    sessions = tuple(Single(one.span, sequence[one.id], one.original_start) for one in changed)
    yield Invitation(_METHODS[kind], _uid(series), sessions, zone=series.span.zone)


def _whole(conn: Connection, series: Series, members: list[Appointment]) -> Invitation:
    sequence = news_rows.last_change(conn, series.id, [one.id for one in members])
    event = expect_series(series, members, title=TITLE, uid=_uid(series))
    if event is None:
        session = Single(series.span, sequence)
        return Invitation(Method.CANCEL, _uid(series), (session,), zone=series.span.zone)
    return Invitation(Method.REQUEST, _uid(series), event=event, sequence=sequence, zone=series.span.zone)


def _uid(series: Series) -> str:
    return f"{series.id}@calsync"
