"""Read a `Case` and a `ClaimsPolicy` from plain JSON data (the form of the gate scenarios and of stored evidence).

Instants are ISO 8601 with an offset, session times ISO 8601 with or without one, durations `"90s"`, `"2m"`, `"24h"`,
`"5d"`. A value that cannot be read raises ValueError, KeyError or TypeError: half a case must never reach the gate.
Unknown keys are left aside.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from calsync.claims.case import (
    Ask,
    Case,
    Decision,
    Drift,
    NextRead,
    Observation,
    Other,
    Presence,
    Provider,
    ReadResult,
    Record,
    Says,
    Sent,
    SessionRow,
    Statement,
)
from calsync.claims.policy import ClaimsPolicy

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
Reader = Callable[[Any], Any]
T = TypeVar("T")


def instant(text: str) -> datetime:
    """An aware UTC instant; ValueError when `text` carries no offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("an instant needs an offset")
    return moment.astimezone(UTC)


def duration(text: str) -> timedelta:
    """A length of time such as `"90s"` or `"5d"`."""
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if match is None:
        raise ValueError("a duration is a whole number and one of s, m, h, d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def case_from_json(data: Mapping[str, Any]) -> Case:
    """The case in `data`, whose keys are those of `Case`; a missing key means: nothing of that kind is known."""
    record = data.get("record")
    return Case(
        record=None if record is None else _build(Record, record),
        appointment=data.get("appointment"),
        provider=_build(Provider, data.get("provider") or {}),
        drifts=_each(Drift, data.get("drifts")),
        observations=_each(Observation, data.get("observations")),
        next_reads=tuple(NextRead(calendar=key, due_at=instant(due)) for key, due in _pairs(data.get("next_reads"))),
        evidence=_each(SessionRow, data.get("evidence")),
        statements=_each(Statement, data.get("statements")),
        others=_each(Other, data.get("others")),
        asks=_each(Ask, data.get("asks")),
        decisions=_each(Decision, data.get("decisions")),
        filed=_sent(data.get("filed")),
        issued=_sent(data.get("issued")),
    )


def policy_from_json(data: Mapping[str, Any]) -> ClaimsPolicy:
    """The policy whose keys `data` sets; the others keep the product's defaults. An unknown key raises TypeError."""
    return ClaimsPolicy(**{key: _POLICY.get(key, _as_is)(value) for key, value in data.items()})


def _as_is(value: Any) -> Any:
    return value


def _optional(read: Reader) -> Reader:
    return lambda value: None if value is None else read(value)


_WALL = _optional(datetime.fromisoformat)
_INSTANT = _optional(instant)
_DATE = _optional(date.fromisoformat)
_SESSION_TIMES = {"start": _WALL, "end": _WALL}
_READERS: dict[type, dict[str, Reader]] = {
    Record: {**_SESSION_TIMES, "pending_until": _INSTANT, "times_since": _INSTANT, "read_at": _INSTANT},
    Provider: {"since": _DATE},
    Drift: {"detected_at": _INSTANT, "changed_at": _INSTANT, "observed_start": _WALL, "observed_end": _WALL},
    Observation: {"read_at": _INSTANT, "result": ReadResult, "confirmed_at": _INSTANT, "written_at": _INSTANT},
    SessionRow: {"start": instant, "end": instant, "who": _optional(Presence)},
    Statement: {**_SESSION_TIMES, "at": instant, "says": Says, "saw": frozenset, "date": _DATE},
    Other: {**_SESSION_TIMES, "date": _DATE, "cleared_codes": frozenset},
    Ask: {"at": instant, "next_at": _INSTANT},
    Decision: {"at": instant},
    Sent: {"date": date.fromisoformat},
}
_POLICY: dict[str, Reader] = {
    **dict.fromkeys(("settle", "trusted_overlap", "evidence_tolerance", "review_silence"), duration),
    **dict.fromkeys(("trusted_evidence", "internal_codes"), frozenset),
}


def _build(kind: type[T], data: Mapping[str, Any]) -> T:
    names = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    readers = _READERS[kind]
    return kind(**{key: readers.get(key, _as_is)(value) for key, value in data.items() if key in names})


def _each(kind: type[T], rows: list[Mapping[str, Any]] | None) -> tuple[T, ...]:
    return tuple(_build(kind, row) for row in rows or [])


def _sent(data: Mapping[str, Any] | None) -> Sent | None:
    return None if data is None else _build(Sent, data)


def _pairs(data: Mapping[str, str] | None) -> Iterable[tuple[str, str]]:
    return (data or {}).items()
