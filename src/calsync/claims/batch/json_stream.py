"""JSON read piece by piece: the entries of a bundle, or one value a line; bounded in memory, depth and number of keys.

Doubled keys are an error: of two dates of service under one key, one would be lost without a word.
"""

from __future__ import annotations

import io
import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO, Final

import ijson

from calsync.claims.batch.lines import FileRefused
from calsync.claims.reasons import ReasonCode

DEEPEST: Final = 60
LONGEST_ENTRY: Final = 200_000
"""Values in one entry."""

LONGEST_NUMBER: Final = 1000
"""Digits in a row. Past 4,300 Python makes no number of them, and ijson's parser in C ends the process over it."""

_TOO_LONG: Final = re.compile(rb"[0-9]{%d}" % (LONGEST_NUMBER + 1))

Event = tuple[str, Any]


class _Source:
    """A file as its parser may see it: ValueError before a number that is too long for it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._end = b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        part = self._file.read(size)
        seen = self._end + part
        if _TOO_LONG.search(seen):
            raise ValueError("a number of too many digits")
        self._end = seen[-LONGEST_NUMBER:]
        return part


class _Builder:
    """Puts one value together from a parser's events."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._left = LONGEST_ENTRY

    def value(self, event: Event, depth: int = 0) -> Any:
        """The value that begins with this event."""
        self._left -= 1
        if depth > DEEPEST or self._left < 0:
            raise FileRefused(ReasonCode.FILE_UNREADABLE, "it is nested too deeply, or an entry is too large")
        kind, told = event
        if kind == "start_map":
            return self._map(depth)
        if kind == "start_array":
            return self._array(depth)
        return told

    def _map(self, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        while (event := next(self._events))[0] != "end_map":
            if event[1] in made:
                raise FileRefused(ReasonCode.FILE_UNREADABLE, "a key stands twice in one object")
            made[event[1]] = self.value(next(self._events), depth + 1)
        return made

    def _array(self, depth: int) -> list[Any]:
        made: list[Any] = []
        while (event := next(self._events))[0] != "end_array":
            made.append(self.value(event, depth + 1))
        return made


def past_mark(file: BinaryIO) -> BinaryIO:
    """The file from where its text begins: behind the mark that some editors put before UTF-8."""
    file.seek(len(BOM_UTF8) if file.read(len(BOM_UTF8)) == BOM_UTF8 else 0)
    return file


def bundle_entries(file: BinaryIO) -> Iterator[Any]:
    """The members of the top object's `entry` list, one after the other; then one dict of everything beside it.

    A top object without `entry` yields that dict alone. Raises FileRefused, possibly after many entries.
    """
    try:
        yield from _entries(iter(ijson.basic_parse(_Source(past_mark(file)))))
    except (ijson.JSONError, StopIteration, UnicodeDecodeError, ValueError, RuntimeError, ArithmeticError):
        # A generator turns StopIteration into RuntimeError, an exponent beyond all bounds is an ArithmeticError; all of
        # them mean that the text is no JSON.
        raise FileRefused(ReasonCode.FILE_UNREADABLE, "it is no whole JSON text") from None


def one_value(line: str) -> Any:
    """The value of one line of JSON. Raises ValueError for what is none, and for doubled keys."""
    try:
        events = iter(ijson.basic_parse(_Source(io.BytesIO(line.encode()))))
        value = _Builder(events).value(next(events))
        if next(events, None) is not None:
            raise ValueError("more than one value")
    except (ijson.JSONError, StopIteration, FileRefused, UnicodeEncodeError, ArithmeticError) as problem:
        raise ValueError("no JSON value") from problem
    return value


def _entries(events: Iterator[Event]) -> Iterator[Any]:
    if next(events)[0] != "start_map":
        raise FileRefused(ReasonCode.FILE_UNREADABLE, "it is no JSON object")
    beside: dict[str, Any] = {}
    while (named := next(events))[0] != "end_map":
        key = named[1]
        if key in beside:
            raise FileRefused(ReasonCode.FILE_UNREADABLE, "a key stands twice in one object")
        event = next(events)
        if key == "entry" and event[0] == "start_array":
            beside[key] = None
            while (member := next(events))[0] != "end_array":
                yield _Builder(events).value(member)
        else:
            beside[key] = _Builder(events).value(event)
    # Reads to the end: what stands behind the object is an error of the parser's.
    if next(events, None) is not None:
        raise FileRefused(ReasonCode.FILE_UNREADABLE, "something stands behind the object")
    yield Beside({key: value for key, value in beside.items() if key != "entry"})


class Beside(dict[str, Any]):
    """What stands beside `entry` in the top object."""


def as_text(value: Any) -> str:
    """JSON text of a value as it was read; numbers keep their digits."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{as_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(as_text, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
