"""The cursor: the delta link, the stretch of time that it is about, and the series of ours that it has told of."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from calsync.connector.errors import CursorExpired
from calsync.domain.span import Window

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Cursor:
    """`series`: ids of ours; a removed occurrence of theirs is told by an id that nobody has heard of."""

    link: str
    extent: Window
    series: tuple[str, ...] = ()

    def text(self, calendar: str) -> str:
        """Return the text to be stored, bound to a calendar."""
        stretch = [self.extent.start.isoformat(), self.extent.end.isoformat()]
        data = {"v": _FORMAT, "at": _place(calendar), "link": self.link, "of": stretch, "series": list(self.series)}
        return json.dumps(data, separators=(",", ":"))


def cursor_of(text: str, calendar: str) -> Cursor:
    """Return the cursor of a text of ours; CursorExpired for another form or another calendar."""
    try:
        data = json.loads(text)
        if data["v"] != _FORMAT or data["at"] != _place(calendar) or not isinstance(data["link"], str):
            raise CursorExpired("the cursor is of another form or of another calendar")
        start, end = (datetime.fromisoformat(at).astimezone(UTC) for at in data["of"])
        return Cursor(data["link"], Window(start, end), tuple(str(one) for one in data["series"]))
    except (ValueError, KeyError, TypeError):
        raise CursorExpired("the cursor is damaged") from None


def _place(calendar: str) -> str:
    return hashlib.sha256(calendar.encode()).hexdigest()[:12]
