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
# A password in an address, and what follows the names under which tokens travel.
_SECRET: Final = re.compile(
    r"(://[^/@\s:]*:"
    r"|(?<![a-z])(?:token|secret|password|passwd|key|sig|signature|authorization)[\"']?\s*[=:]\s*[\"']?(?:bearer\s+)?"
    r"|[?&]code=|bearer\s+|/a/)[^\s&\"'@/]+",
    re.IGNORECASE,
)


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
        if isinstance(value, str):
            event[name] = _SECRET.sub(r"\1***", value[:_LONGEST_VALUE])
        elif not isinstance(value, int | float | None) and len(shown := repr(value)) > _LONGEST_VALUE:
            event[name] = _SECRET.sub(r"\1***", shown[:_LONGEST_VALUE])
    return event


def describe_frames(trace: TracebackType | None, most: int = 12) -> list[str]:
    """Where an error came from, innermost last: file, line and function, without any value that may be private."""
    frames = traceback.extract_tb(trace)[-most:]
    return [f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}" for frame in frames]
