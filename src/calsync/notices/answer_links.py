"""The address in a mail under which its recipient answers without a login. Only its hash is kept."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from calsync.ports import Ids
from calsync.store import action_links
from calsync.store.action_links import ActionLink

ANSWER_EDIT: Final = "answer-edit"
"""The kind of link that answers an edit; its payload is `{"edit": ID}`."""

LIFE: Final = timedelta(days=30)
_TOKEN_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class AnswerLinks:
    """Makes such addresses under `public_url`; none without it."""

    public_url: str | None
    ids: Ids

    def for_edit(self, conn: Connection, edit: str, recipient: str, now: datetime) -> str | None:
        """A fresh address for one recipient and edit, on the books with the caller's transaction."""
        if self.public_url is None:
            return None
        token = base64.urlsafe_b64encode(self.ids.token_bytes(_TOKEN_BYTES)).rstrip(b"=").decode("ascii")
        link = ActionLink(
            hash=action_links.hash_of(token),
            kind=ANSWER_EDIT,
            recipient=recipient,
            payload={"edit": edit},
            created_at=now,
            expires_at=now + LIFE,
        )
        action_links.insert(conn, link)
        return f"{self.public_url.rstrip('/')}/a/{token}"
