"""The cursor: our own JSON text, opaque to everyone else, that says how this calendar is followed and from where."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from calsync.connector.errors import CursorExpired
from calsync_caldav.hrefs import path_of

Mode = Literal["sync", "ctag", "inventory"]

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Part:
    """A resource that holds overrides of another one's series: of which, and its version when it was last read."""

    of: str
    version: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """`mode`: sync-collection; CTag and listing; or a listing each time. `token`: the server's, "" for none.

    `again`: ids of events that could not be read, with how often that was tried. `parts`: see `parts`. `zone`: the
    calendar's own zone for floating times, "" for none.
    """

    mode: Mode
    token: str
    again: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, Part] = field(default_factory=dict)
    zone: str = ""

    def text(self, collection: str) -> str:
        """Return the text to be stored; bound to the collection, so that a server move starts anew."""
        data: dict[str, Any] = {"v": _FORMAT, "mode": self.mode, "token": self.token, "at": _place(collection)}
        if self.again:
            data["again"] = dict(sorted(self.again.items()))
        if self.parts:
            data["parts"] = {name: [part.of, part.version] for name, part in sorted(self.parts.items())}
        if self.zone:
            data["zone"] = self.zone
        return json.dumps(data, separators=(",", ":"))


def cursor_of(text: str, collection: str) -> Cursor:
    """Return the cursor that a text of ours holds; CursorExpired for another format or another collection."""
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict) or data.get("v") != _FORMAT or data.get("at") != _place(collection):
        raise CursorExpired("the cursor is of another form or of another calendar")
    mode, token = data.get("mode"), data.get("token")
    if mode not in ("sync", "ctag", "inventory") or not isinstance(token, str):
        raise CursorExpired("the cursor is damaged")
    try:
        again = {str(name): int(tries) for name, tries in data.get("again", {}).items()}
        parts = {str(name): Part(str(of), str(version)) for name, (of, version) in data.get("parts", {}).items()}
    except (AttributeError, TypeError, ValueError):
        raise CursorExpired("the cursor is damaged") from None
    return Cursor(mode, token, again, parts, str(data.get("zone", "")))


@lru_cache(maxsize=1024)
def _place(collection: str) -> str:
    return hashlib.sha256(path_of(collection).encode()).hexdigest()[:12]
