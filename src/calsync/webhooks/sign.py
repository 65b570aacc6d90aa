"""What is posted, and how the receiver knows that it is ours: the standard-webhooks scheme. Pure."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

PREFIX: Final = "whsec_"


def body_of(event_id: str, event_type: str, at: datetime, seq: int, data: Mapping[str, Any]) -> bytes:
    """The body of an event: ids, dates and codes only. `seq` grows with time and tells which of two is the later."""
    told = {"id": event_id, "type": event_type, "at": _text(at), "seq": seq, "data": dict(data)}
    return json.dumps(told, separators=(",", ":"), sort_keys=True).encode()


def headers_of(event_id: str, body: bytes, now: datetime, secrets: str) -> dict[str, str]:
    """The headers: the event's id, the instant of this attempt, and a signature by each line of the secrets."""
    stamp = str(int(now.timestamp()))
    signed = f"{event_id}.{stamp}.".encode() + body
    signatures = ["v1," + base64.b64encode(hmac.new(key, signed, sha256).digest()).decode() for key in keys_of(secrets)]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
        "content-type": "application/json",
        "user-agent": "calsync-webhooks",
    }


def keys_of(secrets: str) -> list[bytes]:
    """The keys in a secret file's text, one a line: base64 after `whsec_`, else the line itself."""
    return [_key(line.strip()) for line in secrets.splitlines() if line.strip()]


def _key(line: str) -> bytes:
    if line.startswith(PREFIX):
        try:
            return base64.b64decode(line.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            return line.encode()
    return line.encode()


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
