"""JSON read strictly: what `json` alone takes for fine (reliability tests, rows 72-77) is refused as a whole. Pure.

For connectors whose service speaks JSON.
"""

from __future__ import annotations

import json
import math
import re
from itertools import islice
from typing import Any

_MAX_DIGITS = 30
MAX_MARKS = 600_000
"""Strings, commas and brackets of one answer, three times those of a page of 1,000 full events: each takes far more
memory than its octets."""
_LARGE = 1 << 20  # a smaller answer cannot hold enough to matter
_MARK = re.compile(rb'[,\[{]|"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


class BadJson(ValueError):
    """The text is not JSON as anybody should send it. `reason` names the rule, never the content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse(content: bytes | str) -> Any:
    """Return the value that a body holds; BadJson for what is cut, doubled, endless, too deep or not UTF-8."""
    octets = content if isinstance(content, bytes) else b""
    if len(octets) > _LARGE and _is_crowded(octets):
        raise BadJson("too-many-values")
    try:
        text = octets.decode("utf-8") if isinstance(content, bytes) else content
        return json.loads(
            text,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_short_int,
            object_pairs_hook=_once_each,
        )
    except BadJson:
        raise
    except RecursionError:
        raise BadJson("too-deep") from None
    except (ValueError, MemoryError):
        raise BadJson("not-json") from None


def text_of(value: object) -> str:
    """Return a text as databases take it: NULs and lone surrogates become U+FFFD; "" for what is no text."""
    if not isinstance(value, str):
        return ""
    if value.isascii() and "\0" not in value:
        return value
    return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_crowded(octets: bytes) -> bool:
    return next(islice(_MARK.finditer(octets), MAX_MARKS, None), None) is not None


def _no_constant(_name: str) -> float:
    raise BadJson("not-a-number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise BadJson("not-finite")
    return value


def _short_int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise BadJson("long-number")
    return int(text)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise BadJson("doubled-key")
    return made
