"""Column types: instants as integers, original starts, enums and JSON, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from calsync.domain.event import Appearance, Event
from calsync.domain.notation import appearance_from_text, appearance_to_text, event_from_text, event_to_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# The key of the only occurrence of an event that does not repeat: NULL would defeat unique keys.
SINGLE = -(2**62)


def to_micros(at: datetime) -> int:
    """Return microseconds since 1970 of an aware instant; a naive one is a programming error (`TypeError`)."""
    return (at - EPOCH) // MICROSECOND


def from_micros(value: int) -> datetime:
    """Return the aware UTC instant of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=value)


def _instant(value: int | None) -> datetime | None:
    return None if value is None else EPOCH + timedelta(microseconds=value)


def wall_to_text(wall: datetime) -> str:
    """Write a naive wall time as ISO text, with `+1` behind it for the second reading of a repeated hour."""
    return wall.replace(fold=0).isoformat() + ("+1" if wall.fold else "")


def wall_from_text(text: str) -> datetime:
    """Read what `wall_to_text` wrote."""
    return datetime.fromisoformat(text.removesuffix("+1")).replace(fold=1 if text.endswith("+1") else 0)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as integer microseconds since 1970, so that the database compares numbers."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        """Store an aware instant."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        """Give back an aware UTC instant."""
        return _instant(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """The same without the steps in between: no column is read more often."""
        del dialect, coltype
        return _instant


class OriginalStartColumn(TypeDecorator[datetime]):
    """An original start; None (the only occurrence of a single event) is stored as a number outside all times."""

    impl = BigInteger
    cache_ok = True

    def coerce_compared_value(self, _op: Any, _value: Any) -> Any:
        """Compare None as a value, too."""
        return self

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int:
        """Store an aware instant, or the single's number."""
        return SINGLE if value is None else to_micros(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        """Give back an aware UTC instant, or None for a single."""
        return None if value is None or value == SINGLE else from_micros(value)


class Json(TypeDecorator[Any]):
    """JSON as canonical text: sorted keys, no spaces, so that equal values are equal bytes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str | None:
        """Store canonical text."""
        return None if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def process_result_value(self, value: Any, _dialect: Dialect) -> Any:
        """Give back the value."""
        return None if value is None else json.loads(value)


class Wall(TypeDecorator[datetime]):
    """A naive wall time, stored as ISO text with its fold, to be read by people; never compared in SQL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> str | None:
        """Store `2026-11-24T10:00:00`, with `+1` behind it for the second reading of a repeated hour."""
        return None if value is None else wall_to_text(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        """Give back the naive wall time."""
        return None if value is None else wall_from_text(value)


class EventColumn(TypeDecorator[Event]):
    """An event as canonical JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Event | None, _dialect: Dialect) -> str | None:
        """Store canonical text."""
        return None if value is None else event_to_text(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> Event | None:
        """Give back the event."""
        return None if value is None else event_from_text(value)


class AppearanceColumn(TypeDecorator[Appearance]):
    """How one occurrence looked, as canonical JSON text; NULL: it was not there."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Appearance | None, _dialect: Dialect) -> str | None:
        """Store canonical text."""
        return appearance_to_text(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> Appearance | None:
        """Give back the appearance."""
        return appearance_from_text(value)


class Instants(TypeDecorator[tuple[datetime | None, ...]]):
    """Several instants or original starts, as a JSON list of microseconds; null for a single's only occurrence."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Iterable[datetime | None] | None, _dialect: Dialect) -> str | None:
        """Store the list."""
        return None if value is None else json.dumps([None if at is None else to_micros(at) for at in value])

    def process_result_value(self, value: Any, _dialect: Dialect) -> tuple[datetime | None, ...] | None:
        """Give back a tuple."""
        return None if value is None else tuple(None if at is None else from_micros(at) for at in json.loads(value))
