"""The cursor: Google's sync token in a text of our own that names the calendar it belongs to."""

from __future__ import annotations

import hashlib
import json

from calsync.connector.errors import CursorExpired

_FORMAT = 1


def cursor_text(calendar_id: str, token: str) -> str:
    """Return the text to be stored."""
    return json.dumps({"v": _FORMAT, "at": _place(calendar_id), "token": token}, separators=(",", ":"))


def token_of(cursor: str, calendar_id: str) -> str:
    """Return the sync token; CursorExpired for a text of another form or another calendar."""
    try:
        data = json.loads(cursor)
    except ValueError:
        data = None
    if not isinstance(data, dict) or data.get("v") != _FORMAT or data.get("at") != _place(calendar_id):
        raise CursorExpired("the cursor is of another form or of another calendar")
    token = data.get("token")
    if not isinstance(token, str) or not token:
        raise CursorExpired("the cursor is damaged")
    return token


def _place(calendar_id: str) -> str:
    return hashlib.sha256(calendar_id.encode()).hexdigest()[:12]
