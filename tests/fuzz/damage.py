"""Strategies that take something sound and break it: texts by lines, tokens and characters; JSON by its parts."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

Draw = st.DrawFn

ODD_TEXTS = (
    "", " ", "\0", "\x1b[31m", "\u202e", "\u2028", "\ud800", "\ufeff", "é", "💩", "٢٠٢٦", "-1", "0",
    "99999999999999999999", "NaN", "1e999", "true", "null", "../..", "/etc/passwd", "a" * 300, "<script>", "{{7*7}}",
    "%s%n", "'--", '"', "\\",
    "2026-02-30", "0001-01-01T00:00:00", "9999-12-31T23:59:59", "2026-W01-1", "20260101T250000Z", "+25:00", "P99999W",
    "Europe", "Mars", "Europe/Berlin", "UTC", "tzone://Microsoft/Custom", "FREQ=SECONDLY", "FREQ=DAILY;INTERVAL=0",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "UNTIL=20260101", "COUNT=99999999", 'W/"x"', "id/../id",
)  # fmt: skip

texts = st.sampled_from(ODD_TEXTS) | st.text(max_size=12)
scalars = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)


@st.composite
def broken_text(draw: Draw, samples: Sequence[str], tokens: Sequence[str] = ODD_TEXTS, separator: str = "\n") -> str:
    """One of the samples after a few blows."""
    parts = draw(st.sampled_from(samples)).split(separator)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(parts) - 1))
        other = draw(st.integers(0, len(parts) - 1))
        blow = draw(st.sampled_from(("drop", "double", "swap", "token", "cut", "replace", "move")))
        if blow == "drop" and len(parts) > 1:
            del parts[at]
        elif blow == "double":
            parts.insert(other, parts[at])
        elif blow == "swap":
            parts[at], parts[other] = parts[other], parts[at]
        elif blow == "cut":
            parts[at] = parts[at][: draw(st.integers(0, len(parts[at])))]
        elif blow == "move":
            parts.insert(other, parts.pop(at))
        else:
            place = draw(st.integers(0, len(parts[at])))
            length = draw(st.integers(0, 12)) if blow == "replace" else 0
            token = draw(st.sampled_from(tokens) | texts)
            parts[at] = parts[at][:place] + token + parts[at][place + length :]
    return separator.join(parts)


@st.composite
def broken_json(draw: Draw, sample: Any, known: Sequence[Any] = ()) -> Any:
    """A sample of which a few parts, at any depth, became something else; `known`: values that suit somewhere."""
    told = copy.deepcopy(sample)
    kinds = values | st.sampled_from(known) if known else values
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(told))
        if not places:
            break
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        if isinstance(holder, dict) and draw(st.booleans()):
            del holder[key]
        else:
            holder[key] = copy.deepcopy(draw(kinds))
    return told


def _places(value: Any) -> Any:
    if isinstance(value, dict):
        keys: Any = list(value)
    elif isinstance(value, list):
        keys = range(len(value))
    else:
        return
    for key in keys:
        yield value, key
        yield from _places(value[key])
