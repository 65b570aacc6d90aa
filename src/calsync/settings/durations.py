"""Durations as the config writes them: `"90s"`, `"5m"`, `"24h"`, `"60d"`, `"2w"`, `"7y"`. Pure."""

import re
from datetime import timedelta
from typing import Final

_UNITS: Final = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    # Years are only used to keep things: with leap days counted in, "7y" is never shorter than seven years.
    "y": timedelta(days=366),
}
_FORM: Final = re.compile(r"([0-9]{1,10})([smhdwy])", re.ASCII)
LONGEST: Final = timedelta(days=36_600)
"""A hundred years; anything longer is a slip."""


def parse_duration(text: object) -> timedelta:
    """The duration that `text` writes; ValueError, with a sentence for the person who wrote it, for anything else."""
    if isinstance(text, timedelta):
        return text
    form = _FORM.fullmatch(text) if isinstance(text, str) else None
    if form is None:
        raise ValueError(
            'not a duration: write a whole number and a unit in quotes, such as "90s", "5m", "24h" or "60d"'
        )
    count, unit = int(form[1]), _UNITS[form[2]]
    if count > LONGEST // unit:
        raise ValueError("longer than a hundred years")
    return count * unit


def format_duration(duration: timedelta) -> str:
    """The shortest way to write a whole number of seconds: `format_duration(timedelta(minutes=5)) == "5m"`."""
    for letter in "ydhms":
        unit = _UNITS[letter]
        if duration and duration % unit == timedelta(0) and (letter != "d" or duration >= 2 * unit):
            return f"{duration // unit}{letter}"
    return f"{int(duration.total_seconds())}s"
