"""The cursor: our own JSON text, opaque to everyone else, that says how this calendar is followed and from where."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from calsync.connector.errors import CursorExpired
from calsync_caldav.hrefs import path_of

Mode = Literal["sync", "ctag", "inventory"]

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Cursor:
    """`mode`: sync-collection; CTag and listing; or a listing each time. `token`: the server's, "" for none."""

    mode: Mode
    token: str

    def text(self, collection: str) -> str:
        """Return the text to be stored; bound to the collection, so that a server move starts anew."""
        place = _place(collection)
        return json.dumps({"v": _FORMAT, "mode": self.mode, "token": self.token, "at": place}, separators=(",", ":"))


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
    return Cursor(mode, token)


def _place(collection: str) -> str:
    return hashlib.sha256(path_of(collection).encode()).hexdigest()[:12]
