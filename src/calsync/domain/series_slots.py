"""The slots of a series of our own, and the sessions that stand in them. Pure; called by imports, booking and timers.

A slot is an original start: the aware UTC instant at which the series puts a session, wherever that session is now.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, Self

from dateutil.rrule import rrulestr

from calsync.domain.appointment import Appointment, AppointmentKind, AppointmentStatus, Series
from calsync.domain.event import Appearance, Event, Recurrence
from calsync.domain.recurrence import slots_between
from calsync.domain.span import Span, wall_time

MAX_SLOTS: Final = 3000
"""More occurrences than this up to the horizon are a slip in the rule (daily sessions for eight years)."""


@dataclass(frozen=True, slots=True)
class SeriesDefaults:
    """What sessions of a series have in common when they are made; the kind is `follow-up` for all but the first."""

    kind: AppointmentKind = AppointmentKind.FOLLOW_UP
    code: str | None = None
    payer: str = "insurance"
    format: str | None = None
    client_zone: str | None = None
    said_rule: str | None = None  # the rule as an import last gave it, whatever became of the series here

    @classmethod
    def of(cls, first: Appointment) -> Self:
        """What the first session of a series hands on."""
        return cls(code=first.code, payer=first.payer, format=first.format, client_zone=first.client_zone)

    @classmethod
    def from_json(cls, stored: dict[str, Any] | None) -> Self:
        """The defaults as `as_json` wrote them; keys not known are passed over."""
        known = {name: value for name, value in (stored or {}).items() if name in cls.__slots__}
        if "kind" in known:
            known["kind"] = AppointmentKind(known["kind"])
        return cls(**known)

    def as_json(self) -> dict[str, Any]:
        """The defaults as plain values."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "kind"} | {"kind": self.kind.value}


def rule_slots(first: Span, rule: str, until: datetime) -> list[datetime]:
    """Return the slots of a rule in normal form from `first` on that start before `until`, in order.

    `ValueError` if there are more than `MAX_SLOTS`. An hour that clocks skip is read as `recurrence` says.
    """
    event = Event(uid="", master=Appearance(first), recurrence=Recurrence(rule))
    if until <= first.start_at:
        return []
    slots = list(islice(slots_between(event, first.start_at, until), MAX_SLOTS + 1))
    if len(slots) > MAX_SLOTS:
        raise ValueError(f"the rule gives more than {MAX_SLOTS} sessions: write a COUNT, an UNTIL or a later start")
    return sorted(slot for slot in slots if slot < until)


def starts_its_rule(first: Span, rule: str) -> bool:
    """Whether the rule itself gives the first session; calendars disagree about series that begin off their rule."""
    plain = ";".join(part for part in rule.split(";") if not part.startswith(("UNTIL=", "COUNT=")))
    day_after = first.start.replace(fold=0) + timedelta(days=1)
    bounded = f"{plain};UNTIL={day_after:%Y%m%dT%H%M%S}"
    return next(iter(rrulestr(bounded, dtstart=first.start.replace(fold=0))), None) == first.start.replace(fold=0)


def series_slots(series: Series, until: datetime) -> list[datetime]:
    """Return all slots of a series before `until`, added ones too and excluded ones not, in order."""
    if series.cancelled:
        return []
    slots = set(rule_slots(series.span, series.rule, until)) | {at for at in series.added if at < until}
    return sorted(slots.difference(series.excluded))


def occurrence_id(series: str, slot: datetime, zone: str) -> str:
    """Return the id of the session that is made for a slot: the series and the wall time, as in `S-7@20261124T1000`."""
    wall = wall_time(slot, zone)
    clock = f"{wall:%Y%m%dT%H%M%S}" if wall.second else f"{wall:%Y%m%dT%H%M}"
    return f"{series}@{clock}{'-2' if wall.fold else ''}"


def slot_span(series: Series, slot: datetime) -> Span:
    """Return the time of a session that stands in its slot."""
    return series.span.starting(wall_time(slot, series.span.zone))


def make_sessions(series: Series, defaults: SeriesDefaults, slots: Iterable[datetime]) -> list[Appointment]:
    """Return a scheduled session, as the series' defaults have it, for each slot."""
    return [
        Appointment(
            id=occurrence_id(series.id, slot, series.span.zone),
            provider=series.provider,
            client=series.client,
            span=slot_span(series, slot),
            kind=defaults.kind,
            status=AppointmentStatus.SCHEDULED,
            series=series.id,
            original_start=slot,
            code=defaults.code,
            payer=defaults.payer,
            format=defaults.format,
            client_zone=defaults.client_zone,
        )
        for slot in slots
    ]


def is_in_slot(appointment: Appointment, series: Series) -> bool:
    """Whether a session stands where its series put it, with the series' own length."""
    slot = appointment.original_start
    return slot is not None and appointment.span.same_time_as(slot_span(series, slot))


def add_slots(series: Series, slots: Iterable[datetime]) -> Series:
    """Return the series with dates added outside its rule (RDATE)."""
    return replace(series, added=tuple(sorted({*series.added, *slots})))
