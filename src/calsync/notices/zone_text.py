"""A zone's rules as VTIMEZONE lines (RFC 5545 3.6.5), so that a client's calendar needs no table of its own. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from calsync.domain.span import zone_named
from calsync.domain.zone_rules import Observance, observances, offset_text

_YEARS: Final = 10


@lru_cache(maxsize=256)
def zone_lines(name: str, year: int) -> tuple[str, ...]:
    """The lines of a zone's definition that holds from the year before `year` for ten years on."""
    parts = [line for one in observances(zone_named(name), year - 1, _YEARS) for line in _lines(one)]
    return ("BEGIN:VTIMEZONE", f"TZID:{name}", *parts, "END:VTIMEZONE")


def _lines(one: Observance) -> list[str]:
    name = "DAYLIGHT" if one.summer else "STANDARD"
    rule = [f"RRULE:{one.rule}"] if one.rule else []
    offsets = [f"TZOFFSETFROM:{offset_text(one.before)}", f"TZOFFSETTO:{offset_text(one.after)}"]
    return [f"BEGIN:{name}", f"DTSTART:{one.onset:%Y%m%dT%H%M%S}", *rule, *offsets, f"END:{name}"]
