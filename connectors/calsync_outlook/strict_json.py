"""JSON read strictly: what `json` alone lets pass (reliability tests, rows 72-77) makes the whole answer bad. Pure."""

from __future__ import annotations

import json
import math
from typing import Any

_LONGEST_INT = 30


class BadJson(ValueError):
    """Not JSON as a calendar service sends it. `reason` names the rule, never the content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse(content: bytes) -> Any:
    """Return the value that a body holds; BadJson for NaN, endless numbers, doubled keys, depth, bad UTF-8."""
    try:
        return json.loads(
            content.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_bounded,
            object_pairs_hook=_unique,
        )
    except BadJson:
        raise
    except RecursionError:
        raise BadJson("too-deep") from None
    except (ValueError, MemoryError):
        raise BadJson("not-json") from None


def text_of(value: object) -> str:
    """Return a text as databases take it: NULs and lone surrogates become U+FFFD, CRLF a line feed; "" for no text."""
    if not isinstance(value, str):
        return ""
    plain = value.replace("\r\n", "\n").replace("\0", "\ufffd")
    return plain if plain.isascii() else plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _refuse_constant(_name: str) -> float:
    raise BadJson("not-a-number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadJson("not-finite")
    return number


def _bounded(text: str) -> int:
    if len(text) > _LONGEST_INT:
        raise BadJson("long-number")
    return int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise BadJson("doubled-key")
    return made
