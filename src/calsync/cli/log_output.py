"""Where a process's own log goes: the error output, as JSON under systemd and as one plain line for a person."""

import io
import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, TextIO, cast

import structlog
from structlog.typing import EventDict

_LONGEST_VALUE: Final = 2000
_NAMES: Final = (
    "token|secret|password|passwd|passphrase|pwd|key|sig|signature|authorization|cookie|credentials?|assertion|verifier"
    "|client_?state"
)
# Three ways in which a secret shows: the password in an address, what follows a name under which one travels (to the
# end of the word, slashes included, for some tokens hold them), and the known shape of a token that stands alone.
_SECRET: Final = re.compile(
    r"(://[^/@\s:]*:)[^\s\"']+(?=@)"
    rf"|((?<![a-z])(?:{_NAMES})[\"']?\s*[=:]\s*(?:b?[\"'])?(?:(?:bearer|basic|digest)\s+)?"
    r"|[?&](?:code|state)=|\b(?:bearer|basic)\s+|/a/|/connect/(?!return/))[^\s&\"',;<>]+"
    r"|(\b(?:calsync_|whsec_|ya29\.|1//0|eyJ|GOCSPX-))[A-Za-z0-9._~+/=-]{16,}",
    re.IGNORECASE,
)
_BLOTTED: Final = r"\1\2\3***"
_NAMED_SECRET: Final = re.compile(rf"(?:.*_)?(?:{_NAMES.replace('|key', '')})", re.IGNORECASE)


class _ErrorOutput(io.TextIOBase):
    """The error output as it is at the moment of writing, even if it was replaced since logging was set up."""

    def write(self, text: str, /) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def set_up_logging(environ: Mapping[str, str] = os.environ) -> None:
    """Send log events to the error output. Level: $CALSYNC_LOG (debug, info, warning, error), else warning."""
    levels = {name.lower(): number for name, number in logging.getLevelNamesMapping().items()}
    under_systemd = "INVOCATION_ID" in environ or "JOURNAL_STREAM" in environ
    level = levels.get(environ.get("CALSYNC_LOG", "").lower(), logging.INFO if under_systemd else logging.WARNING)
    renderer = (
        structlog.processors.JSONRenderer()
        if under_systemd
        else structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"])
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_in_bounds,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _ErrorOutput())),
    )


def keep_in_bounds(_logger: object, _method: str, event: EventDict) -> EventDict:
    """The last step before an event is written: whatever was logged stays one short line without secrets.

    Line breaks and terminal codes are escaped by the renderers. An exception is told by its place, never by its text.
    """
    if event.pop("exc_info", None):
        event["frames"] = describe_frames(sys.exc_info()[2])
    for name, value in event.items():
        if isinstance(value, int | float | None):
            continue
        if _NAMED_SECRET.fullmatch(name):
            event[name] = "***"
        elif isinstance(value, str):
            event[name] = _blot(value)
        elif (shown := repr(value)) != (kept := _blot(shown)):
            event[name] = kept
    return event


def _blot(text: str) -> str:
    return _SECRET.sub(_BLOTTED, text[:_LONGEST_VALUE])


def describe_frames(trace: TracebackType | None, most: int = 12) -> list[str]:
    """Where an error came from, innermost last: file, line and function, without any value that may be private."""
    frames = traceback.extract_tb(trace)[-most:]
    return [f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}" for frame in frames]
