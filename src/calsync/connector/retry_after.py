"""How long a service asks to be left alone (RFC 9110 10.2.3). Pure; for connectors that speak HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_WAIT: Final = 24 * 3600.0
"""Seconds; whoever asks for more is asked again after a day."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds to wait, at most a day; None where the service does not say clearly.

    Names of headers in lower case. A date counts from the service's own `Date`, so that a wrong clock on either side
    does no harm.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:12]), LONGEST_WAIT)
    until, now = _date(text), _date(headers.get("date", ""))
    if until is None or now is None:
        return None
    return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT)


def _date(text: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return parsed if parsed.tzinfo is not None else None
