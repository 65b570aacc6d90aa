"""A calendar that was stopped: what vanished, what probably happened, and what each way on would write. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from calsync.answers.calling_off import Proposal, proposal_of, to_cancel
from calsync.claims.gate import Gate
from calsync.claims.reasons import Verdict
from calsync.domain.appointment import Appointment, SubjectKind
from calsync.domain.link import Link
from calsync.domain.span import wall_time
from calsync.notices.wording import short_day
from calsync.store import calendars, connections, links, providers, records, stops
from calsync.store.calendars import CalendarRow
from calsync.store.records import AppointmentFilter
from calsync.store.stops import StopRow
from calsync.support.words import known_zone, moment_text, span_text

LISTED: Final = 200
"""Events and sessions that a page lists one by one; the numbers always count all."""

_RECENTLY: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Cause:
    """What may have happened, and what speaks for it. The likeliest comes first."""

    what: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suspect:
    """One event that vanished or changed. `write` is what putting it back would do, `when` the first session of it."""

    name: str
    what: str
    when: str
    sessions: int
    write: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopStory:
    """Everything that somebody needs who decides about a stop."""

    stop: StopRow
    zone: str
    changed: int
    upcoming: int
    vanished: int | None
    read_before: str
    found: str
    suspects: tuple[Suspect, ...]
    more: int
    sessions: int
    coming_sessions: int
    days: tuple[tuple[str, int], ...]
    claims: int
    causes: tuple[Cause, ...]
    to_cancel: int
    clients: int
    proposal: Proposal | None


def load_stop(gate: Gate, calendar: str) -> StopStory | None:
    """The calendar's standing stop; None if nothing stops it, or a person only paused it."""
    now = gate.clock.now()
    with gate.database.reading() as conn:
        row, stop = calendars.get(conn, calendar), stops.standing(conn, calendar)
        if row is None or stop is None or stop.kind == "pause":
            return None
        provider = providers.get(conn, row.provider)
        zone = known_zone(provider.zone if provider is not None else "UTC")
        touched = list(records.appointments(conn, AppointmentFilter(ids=tuple(stop.touched))))
        suspects = links.by_ids(conn, [str(one) for one in stop.evidence.get("links", ())])
        causes = _causes(conn, row, stop, _Facts(touched, suspects, zone))
        off = to_cancel(conn, stop, now) if stop.kind == "stampede" else []
    held = gate.look([one.id for one in touched if one.span.end_at <= now])
    gone = stop.evidence.get("vanished")
    listed = tuple(_suspect(one, touched, gone, zone) for one in suspects[:LISTED])
    return StopStory(
        stop=stop,
        zone=zone,
        changed=int(stop.evidence.get("changed", 0)),
        upcoming=int(stop.evidence.get("upcoming", 0)),
        vanished=None if gone is None else len(gone),
        read_before=moment_text(row.last_read_at, zone),
        found=moment_text(stop.started_at, zone),
        suspects=listed,
        more=max(0, len(suspects) - LISTED),
        sessions=len(touched),
        coming_sessions=sum(one.span.start_at > now for one in touched),
        days=_days(touched, zone),
        claims=sum(one.answer.verdict is Verdict.HELD for one in held),
        causes=causes,
        to_cancel=len(off),
        clients=len({one.client for one in off}),
        proposal=proposal_of(stop),
    )


@dataclass(frozen=True, slots=True)
class _Facts:
    touched: Sequence[Appointment]
    suspects: Sequence[Link]
    zone: str


def _suspect(link: Link, touched: Sequence[Appointment], gone: object, zone: str) -> Suspect:
    ours = [one for one in touched if _subject_of(one) == link.subject.id]
    is_gone = isinstance(gone, list) and link.id in gone
    what = "vanished" if is_gone else "vanished or changed" if gone is None else "changed"
    first = min(ours, key=lambda one: one.span.start_at, default=None)
    name = {SubjectKind.SERIES: "series", SubjectKind.BLOCK: "block"}.get(link.subject.kind, "session")
    write = "written anew" if is_gone else "put back as booked" if gone is not None else "written again as booked"
    return Suspect(
        name=f"{name} {link.subject.id}",
        what=what,
        when=span_text(first.span, zone) if first is not None else "",
        sessions=len(ours),
        write=write,
    )


def _subject_of(one: Appointment) -> str:
    return one.series or one.id


def _days(touched: Sequence[Appointment], zone: str) -> tuple[tuple[str, int], ...]:
    """How many sessions each day loses, the first two weeks of them."""
    counts: dict[str, int] = {}
    for one in touched:
        day = short_day(wall_time(one.span.start_at, zone))
        counts[day] = counts.get(day, 0) + 1
    return tuple(counts.items())[:14]


def _causes(conn: Connection, row: CalendarRow, stop: StopRow, facts: _Facts) -> tuple[Cause, ...]:
    if stop.kind == "lost":
        said = "the service answered that there is no such calendar"
        return (Cause("The calendar was deleted, or this account may not see it any more", (said,)),)
    changed, upcoming = int(stop.evidence.get("changed", 0)), int(stop.evidence.get("upcoming", 0))
    gone = stop.evidence.get("vanished")
    vanished = len(gone) if isinstance(gone, list) else None
    when = _between(row, stop, facts.zone)
    whole = Cause(
        "The calendar was emptied or replaced in one go",
        tuple(
            filter(
                None,
                (
                    f"{changed} of {upcoming} events are concerned",
                    when,
                    _still_there(row),
                    _all_gone(vanished, changed),
                ),
            )
        ),
    )
    shifted = Cause(
        "Another program, or a changed time zone, moved everything",
        tuple(filter(None, (_mostly_changed(vanished, changed), when))),
    )
    by_hand = Cause("Somebody changed them one by one, and meant it", (_spread(facts),))
    order = [whole, by_hand] if vanished is None or vanished * 2 >= changed else [shifted, by_hand, whole]
    renewed = _renewed(conn, row, stop)
    return (*([renewed] if renewed is not None else []), *order)


def _between(row: CalendarRow, stop: StopRow, zone: str) -> str:
    found = moment_text(stop.started_at, zone)
    before = f"; when it was read at {moment_text(row.last_read_at, zone)} they were there" if row.last_read_at else ""
    return f"found at {found}{before}"


def _still_there(row: CalendarRow) -> str:
    return "the calendar itself is still there" if row.remote is not None else ""


def _all_gone(vanished: int | None, changed: int) -> str:
    if vanished is None:
        return ""
    return "all of them vanished, none was moved" if vanished == changed else f"{vanished} vanished, the others changed"


def _mostly_changed(vanished: int | None, changed: int) -> str:
    return "" if vanished is None else f"{changed - vanished} of {changed} are still there, at other times"


def _spread(facts: _Facts) -> str:
    weeks = {wall_time(one.span.start_at, facts.zone).isocalendar()[:2] for one in facts.touched}
    return f"the sessions lie in {len(weeks)} different weeks" if len(weeks) != 1 else "all sessions lie in one week"


def _renewed(conn: Connection, row: CalendarRow, stop: StopRow) -> Cause | None:
    known = connections.get(conn, row.connection) if row.connection else None
    if known is None or known.created_at is None or stop.started_at - known.created_at > _RECENTLY:
        return None
    when = moment_text(known.created_at, "UTC")
    return Cause("The account was connected anew, and shows another calendar", (f"connected {when} UTC",))
