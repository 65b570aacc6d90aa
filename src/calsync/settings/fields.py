"""The kinds of values that config keys may have. A refused value raises ValueError with a sentence for its writer."""

import difflib
import re
from datetime import time, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from calsync.settings.durations import format_duration, parse_duration


class Section(BaseModel):
    """A table of the config: frozen, and closed to keys that it does not name."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, hide_input_in_errors=True)


def _not_zero(duration: timedelta) -> timedelta:
    if not duration:
        raise ValueError('zero would make it run without pause: write at least "1s"')
    return duration


_DURATION_SCHEMA: Final = {
    "type": "string",
    "pattern": "^[0-9]{1,10}[smhdwy]$",
    "examples": ["90s", "5m", "24h", "60d"],
}

DurationOrZero = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(_DURATION_SCHEMA),
]
"""A duration that may be nothing at all."""

Duration = Annotated[DurationOrZero, AfterValidator(_not_zero)]
"""A duration of at least a second."""


def _parse_clock_time(value: object) -> object:
    if isinstance(value, str):
        if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
            raise ValueError('not a time of day: write hours and minutes, such as "17:30"')
        return time(int(value[:2]), int(value[3:]))
    if not isinstance(value, time):
        raise ValueError('not a time of day: write it in quotes, such as "17:30"')  # noqa: TRY004 - see `_no_bool`
    return value


ClockTime = Annotated[
    time,
    BeforeValidator(_parse_clock_time),
    PlainSerializer(lambda at: f"{at:%H:%M}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["17:30"]}),
]
"""A time of day, on whose clock the key's description says."""


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("not a number: true and false are not numbers")  # noqa: TRY004 - pydantic listens for ValueError
    return value


Count = Annotated[int, BeforeValidator(_no_bool), Field(strict=True, ge=1, le=1_000_000_000)]
"""A whole number of things, at least one."""

Share = Annotated[float, BeforeValidator(_no_bool), Field(gt=0, le=1, allow_inf_nan=False)]
"""A part of a whole: 0.2 is a fifth. More than 0, at most 1."""

Flag = Annotated[bool, Field(strict=True)]
"""true or false, without quotes."""


@cache
def known_zones() -> frozenset[str]:
    """Names of the IANA zones that this machine knows."""
    return frozenset(available_timezones()) - {"Factory", "localtime", "posixrules"}


def parse_zone(name: object) -> str:
    """The name of a known zone; ValueError, naming the nearest, for a folder, a path, or anything else."""
    if not isinstance(name, str):
        raise ValueError('not a zone name: write an IANA name in quotes, such as "Europe/Berlin"')  # noqa: TRY004
    if name not in known_zones():
        raise ValueError(f"not a known time zone{_zone_hint(name)}")
    return name


def _zone_hint(name: str) -> str:
    near = difflib.get_close_matches(name, known_zones(), n=1, cutoff=0.75) if len(name) <= 40 else []
    cities = sorted(zone for zone in known_zones() if zone.rpartition("/")[2].lower() == name.lower())
    guess = next(iter(cities + near), None)
    return f': did you mean "{guess}"?' if guess else ': write an IANA name, such as "Europe/Berlin"'


Zone = Annotated[str, BeforeValidator(parse_zone)]
"""An IANA zone name."""

_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}")
_EMAIL: Final = re.compile(r"[^\s@,;<>()\[\]\\\"]{1,64}@[A-Za-z0-9.-]{1,253}")


def _parse_key(text: str) -> str:
    if not _KEY.fullmatch(text):
        raise ValueError("not an id: letters, digits and . _ - @ + only, at most 128, starting with a letter or digit")
    return text


def _parse_email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError("not an e-mail address: exactly one, as in ada@example.org")
    return text


def _parse_line(text: str) -> str:
    if not text.strip() or any(ord(character) < 32 or character in "\x7f\u2028\u2029" for character in text):
        raise ValueError("empty, or holding a line break or another control character")
    return text


Text = Annotated[str, Field(strict=True, max_length=2000), AfterValidator(_parse_line)]
"""One line of text."""

Id = Annotated[str, Field(strict=True), AfterValidator(_parse_key)]
"""An id as it appears in files, URLs and logs."""

Email = Annotated[str, Field(strict=True), AfterValidator(_parse_email)]
"""One e-mail address without a display name."""

SecretFile = Annotated[Path, Field(json_schema_extra={"secret_file": True})]
"""A file that holds one secret; relative to the config file's folder. Other users may not read or write it."""


def split_listen(text: Any) -> tuple[str, int]:
    """Host and port of a listening address such as `127.0.0.1:8080` or `[::1]:8080`; ValueError if it is not one."""
    host, colon, port = str(text).rpartition(":")
    if not (colon and host and port.isascii() and port.isdecimal() and int(port) <= 65_535):
        raise ValueError('not an address to listen on: write host and port, such as "127.0.0.1:8080"')
    return host.strip("[]"), int(port)


def _parse_listen(text: str) -> str:
    split_listen(text)
    return text


Listen = Annotated[str, Field(strict=True), AfterValidator(_parse_listen)]
"""Host and port."""
