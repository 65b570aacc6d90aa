"""Refusals in Graph's shape (contract sheet 8.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Fault(Exception):
    """A request is answered with this status and code."""

    status: int
    code: str
    message: str = "The stand-in refuses."
    headers: dict[str, str] = field(default_factory=dict)

    def body(self, request_id: str, date: str) -> dict[str, Any]:
        """The JSON that is sent."""
        inner = {"date": date, "request-id": request_id, "client-request-id": request_id}
        return {"error": {"code": self.code, "message": self.message, "innerError": inner}}


def bad(code: str = "ErrorInvalidRequest", message: str = "Bad request.") -> Fault:
    """400."""
    return Fault(400, code, message)


def missing() -> Fault:
    """404 about an event or a calendar."""
    return Fault(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def throttled(seconds: int | None = 1) -> Fault:
    """429."""
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return Fault(429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.", headers)
