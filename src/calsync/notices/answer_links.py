"""The addresses in mails under which their recipients act without a login. Only their hashes are kept."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from calsync.ports import Ids
from calsync.store import action_links
from calsync.store.action_links import ActionLink

ANSWER_EDIT: Final = "answer-edit"
"""The kind of link that answers an edit; its payload is `{"edit": ID}`."""
MANAGE: Final = "manage"
"""A client changes or cancels their own sessions: `{"appointments": [ID, …]}`."""
CHOOSE: Final = "answer-request"
"""A client chooses another time for a session, as its provider asked: `{"request": ID, "appointment": ID}`."""
DAY_SHEET: Final = "day-sheet"
"""A provider says what became of a day's sessions: `{"day": "2026-11-24"}`."""
RECONNECT: Final = "reconnect"
"""A provider lets calsync into a calendar again: `{"calendar": ID}`."""

LIFE: Final = timedelta(days=30)
_TOKEN_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class AnswerLinks:
    """Makes such addresses under `public_url`; none without it."""

    public_url: str | None
    ids: Ids

    def for_edit(self, conn: Connection, edit: str, recipient: str, now: datetime) -> str | None:
        """A fresh address for one recipient and edit, on the books with the caller's transaction."""
        return self.make(conn, ANSWER_EDIT, recipient, {"edit": edit}, now=now)

    def make(
        self,
        conn: Connection,
        kind: str,
        recipient: str,
        payload: Mapping[str, Any],
        *,
        now: datetime,
        expires_at: datetime | None = None,
    ) -> str | None:
        """A fresh address of any kind; good for 30 days unless `expires_at` says otherwise. Payloads hold ids only."""
        if self.public_url is None:
            return None
        token = base64.urlsafe_b64encode(self.ids.token_bytes(_TOKEN_BYTES)).rstrip(b"=").decode("ascii")
        link = ActionLink(
            hash=action_links.hash_of(token),
            kind=kind,
            recipient=recipient,
            payload=dict(payload),
            created_at=now,
            expires_at=expires_at or now + LIFE,
        )
        action_links.insert(conn, link)
        room = "connect" if kind == RECONNECT else "a"
        return f"{self.public_url.rstrip('/')}/{room}/{token}"
