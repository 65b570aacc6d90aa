"""Free slots: where a client may put a session. Shown to whoever asks, and checked again when one is taken (PB-4).

A slot lies in the provider's working times, in no session, block or busy time of a connected calendar, and within the
practice's limits for bookings. For a provider whose working times nobody has said there are no slots to offer; a
client who names a time is then held to all the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice

from sqlalchemy import Connection

from calsync.booking.command import Command, rules_for
from calsync.booking.free_time import check_free
from calsync.booking.rulebook import PracticeRules
from calsync.domain.appointment import Appointment
from calsync.domain.free_starts import Interval, free_starts
from calsync.domain.span import Span, Window, instant, wall_time
from calsync.domain.working_times import WorkingTimes
from calsync.errors import Problem, Refused
from calsync.store import availability, booked_time, busy
from calsync.store.known import known_appointment, known_provider
from calsync.store.providers import ProviderRow

NO_TIMES = "working-times-unknown"
PAUSED = "provider-paused"
NONE_FREE = "none-free"
LONGEST_LIST = timedelta(days=400)
_FRESH_AT_MOST = 10
_FRESH_WITHIN = timedelta(days=14)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotTerms:
    """A practice's limits: a slot starts at least `lead` and at most `ahead` from now. Elapsed time."""

    lead: timedelta = timedelta(0)
    ahead: timedelta = timedelta(days=365)

    @classmethod
    def of(cls, rules: PracticeRules) -> SlotTerms:
        """The limits that a practice's rules set; what they leave out is not limited further."""
        return cls(lead=rules.booking_lead, ahead=rules.booking_ahead or cls().ahead)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotQuery:
    """Slots of a provider that start from `since` to before `until` (aware instants) and last `length` (elapsed).

    `format`: only where the provider takes sessions of that format. `leaving`: appointments that give up their time,
    as when one of them is moved; its own time is then no obstacle, and a pause of new bookings is none either.
    """

    provider: str
    since: datetime
    until: datetime
    length: timedelta
    format: str | None = None
    leaving: Collection[str] = ()


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One time that is free, from and to aware UTC instants; `zone` is the provider's."""

    start_at: datetime
    end_at: datetime
    zone: str

    @property
    def span(self) -> Span:
        """The same as wall times of the provider's zone."""
        return Span.between(self.start_at, self.end_at, self.zone)


@dataclass(frozen=True, slots=True)
class Slots:
    """The answer: slots by start. Without any, `why` says so: `provider-paused`, `working-times-unknown`, `none-free`.

    `hint` is a sentence for the client.
    """

    slots: tuple[Slot, ...] = ()
    why: str | None = None
    hint: str = ""


class SlotTaken(Refused):
    """Refusal (code `slot-taken`) of a time that is not, or no longer, free; `slots` are some that are right now."""

    def __init__(self, problems: Sequence[Problem], slots: Sequence[Slot]) -> None:
        super().__init__(problems, code="slot-taken")
        self.slots = tuple(slots)


def free_slots(conn: Connection, command: Command, query: SlotQuery) -> Slots:
    """Find free slots as of `command.now`. Looks only: who takes one must be checked by `check_slots`.

    `NotFoundError` for an unknown provider; `Refused` (`bad-time`) if the question is of no time or no length, or of
    more than 400 days.
    """
    provider = known_provider(conn, query.provider)
    if query.since >= query.until or query.length <= timedelta(0) or query.until - query.since > LONGEST_LIST:
        what = "the end is not after the start" if query.since >= query.until else "it is too long or of no length"
        raise Refused(
            [Problem(what, "slots", "Ask for at most 400 days, and for sessions of some length")], code="bad-time"
        )
    if provider.paused and not query.leaving:
        return Slots(why=PAUSED, hint="No new bookings are taken at the moment. Please contact the practice")
    times = availability.get(conn, provider.id)
    if times is None:
        return Slots(why=NO_TIMES, hint="Times cannot be chosen online. Please contact the practice")
    terms = SlotTerms.of(rules_for(conn, command, provider.id))
    found = tuple(_find(conn, provider, times, _limited(query, terms, command.now)))
    if not found:
        return Slots(why=NONE_FREE, hint="No time is free then. Choose other days, or contact the practitioner")
    return Slots(found)


def slots_of_day(
    conn: Connection, command: Command, query: SlotQuery, day: date, *, leaving: Collection[str] = ()
) -> Slots:
    """Free slots that start on one date of the provider's calendar; `since` and `until` of the query do not matter."""
    zone = known_provider(conn, query.provider).zone
    since, until = (instant(datetime.combine(one, time()), zone) for one in (day, day + _DAY))
    whole = SlotQuery(
        provider=query.provider,
        since=since,
        until=until,
        length=query.length,
        format=query.format,
        leaving=leaving or query.leaving,
    )
    return free_slots(conn, command, whole)


def slots_for_move(conn: Connection, command: Command, appointment_id: str, day: date) -> Slots:
    """Return where a known session would fit on a date, for whoever was refused another time (PB-4, R-17)."""
    one = known_appointment(conn, appointment_id)
    query = SlotQuery(
        provider=one.provider, since=command.now, until=command.now, length=one.span.length, format=one.format
    )
    return slots_of_day(conn, command, query, day, leaving=[one.id])


def check_slots(
    conn: Connection, command: Command, wanted: Sequence[Appointment], leaving: Collection[str] = ()
) -> None:
    """Refuse with `SlotTaken` sessions of one provider that a client puts where no slot is.

    Takes the provider's time first, so that of two clients who ask at once the second one sees what the first one got.
    """
    if not wanted:
        return
    provider = known_provider(conn, wanted[0].provider)
    booked_time.lock(conn, provider.id)
    gone = {one.id for one in wanted} | set(leaving)
    terms = SlotTerms.of(rules_for(conn, command, provider.id))
    times = availability.get(conn, provider.id)
    first = min(wanted, key=lambda one: one.span.start_at)
    # The limits are for the time that was chosen, not for what a series makes of it later.
    outside = [] if _is_within(first, terms, command.now) else [first]
    problems = [
        Problem("that time is not free", f"{one.span.start:%a %d %b %Y, %H:%M}", "Choose one of the free times")
        for one in outside or [one for one in wanted if not _is_free(conn, provider, times, _exactly(one, gone))]
    ]
    if problems:
        raise SlotTaken(problems, _fresh(conn, command, first, gone))


def take_time(conn: Connection, command: Command, wanted: Sequence[Appointment], leaving: Collection[str] = ()) -> None:
    """Refuse sessions for which there is no time: clients get slots only, others any time that is not booked.

    `leaving` are appointments that give up their present time in the same command. Raises `SlotTaken` for clients,
    `Refused` (`overlaps`) for others.
    """
    if command.role == "client":
        check_slots(conn, command, wanted, leaving)
    elif wanted:
        check_free(conn, rules_for(conn, command, wanted[0].provider), wanted, leaving)


def _limited(query: SlotQuery, terms: SlotTerms, now: datetime) -> SlotQuery:
    return SlotQuery(
        provider=query.provider,
        since=max(query.since, now + terms.lead),
        until=min(query.until, now + terms.ahead),
        length=query.length,
        format=query.format,
        leaving=query.leaving,
    )


def _is_within(one: Appointment, terms: SlotTerms, now: datetime) -> bool:
    return now + terms.lead <= one.span.start_at < now + terms.ahead


def _exactly(one: Appointment, leaving: Collection[str]) -> SlotQuery:
    start = one.span.start_at
    return SlotQuery(
        provider=one.provider,
        since=start,
        until=start + timedelta(microseconds=1),
        length=one.span.length,
        format=one.format,
        leaving=leaving,
    )


def _find(conn: Connection, provider: ProviderRow, times: WorkingTimes, query: SlotQuery) -> Iterator[Slot]:
    if query.since >= query.until:
        return
    first = wall_time(query.since, provider.zone).date() - _DAY
    last = wall_time(query.until + query.length, provider.zone).date()
    windows = list(times.windows(first, last, provider.zone, query.format))
    taken = _taken(conn, query, timedelta(minutes=times.gap))
    for start in free_starts(windows, taken, query.length, timedelta(minutes=times.every)):
        if query.since <= start < query.until:
            yield Slot(start, start + query.length, provider.zone)


def _is_free(conn: Connection, provider: ProviderRow, times: WorkingTimes | None, query: SlotQuery) -> bool:
    if times is not None:
        return any(_find(conn, provider, times, query))
    whole = (query.since, query.since + query.length)
    return bool(free_starts([whole], _taken(conn, query, timedelta(0)), query.length, query.length))


def _taken(conn: Connection, query: SlotQuery, gap: timedelta) -> list[Interval]:
    around = Window(query.since - gap, query.until + query.length + gap)
    booked = [
        (one.start_at - gap, one.end_at + gap) if one.kind == "appointment" else (one.start_at, one.end_at)
        for one in booked_time.seen_between(conn, query.provider, around.start, around.end)
        if one.id not in query.leaving
    ]
    return booked + busy.between(conn, query.provider, around)


def _fresh(conn: Connection, command: Command, one: Appointment, leaving: Collection[str]) -> list[Slot]:
    """Some free slots near the time that was wanted: of its day first, then of the days after."""
    day = instant(datetime.combine(one.span.local_date, time()), one.span.zone)
    since = max(day, command.now)
    query = SlotQuery(
        provider=one.provider,
        since=since,
        until=since + _FRESH_WITHIN,
        length=one.span.length,
        format=one.format,
        leaving=leaving,
    )
    return list(islice(free_slots(conn, command, query).slots, _FRESH_AT_MOST))
