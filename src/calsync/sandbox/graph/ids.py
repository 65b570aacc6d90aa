"""Ids in both forms: the default one changes with the calendar, the immutable one does not (sheet 5.1)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import date

from calsync.sandbox.graph.faults import Fault, bad
from calsync.sandbox.graph.state import Item


@dataclass(frozen=True, slots=True)
class Named:
    """What an id says: the event, and the occurrence of it, by date and build."""

    item: int
    slot: date | None = None
    build: int = 0


def event_id(item: Item, slot: date | None = None, *, immutable: bool) -> str:
    """Return an id in one of the two forms."""
    place = "I" if immutable else f"R{item.calendar}"
    return _packed(f"{place}|{item.number}|{slot.isoformat() if slot else ''}|{item.build if slot else 0}")


def calendar_id(number: int, *, immutable: bool) -> str:
    """Return a calendar's id; it differs with the preference (sheet 4)."""
    return _packed(f"{'CI' if immutable else 'CR'}|{number}")


def parse_event_id(text: str) -> Named:
    """Read an id in either form; a Fault for anything else."""
    parts = _unpacked(text)
    if len(parts) != 4 or not (parts[0].startswith("R") or parts[0] == "I"):
        raise bad("ErrorInvalidIdMalformed", "Id is malformed.")
    return Named(int(parts[1]), date.fromisoformat(parts[2]) if parts[2] else None, int(parts[3]))


def parse_calendar_id(text: str) -> int:
    """Read a calendar's id."""
    parts = _unpacked(text)
    if len(parts) != 2 or parts[0] not in ("CI", "CR"):
        raise bad("ErrorInvalidIdMalformed", "Id is malformed.")
    return int(parts[1])


def _packed(text: str) -> str:
    return "AAMk" + base64.urlsafe_b64encode(f"{text:<42}".encode()).decode()


def _unpacked(text: str) -> list[str]:
    try:
        assert text.startswith("AAMk")
        return base64.urlsafe_b64decode(text[4:].encode()).decode().rstrip().split("|")
    except (ValueError, AssertionError, Fault):
        raise bad("ErrorInvalidIdMalformed", "Id is malformed.") from None
