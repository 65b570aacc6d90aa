"""Recurrence rules of a file, checked by the domain's own reader before anything is made of them."""

from __future__ import annotations

from calsync.domain.rule import RuleRefused, parse_rule
from calsync_caldav.ics_text import IcsRefused


def checked_rule(text: str) -> str:
    """Return an RRULE value in upper case; IcsRefused (`rule-…`) for what the domain would refuse to expand."""
    rule = text.strip().upper().removesuffix(";")
    try:
        parse_rule(rule)
    except RuleRefused as refusal:
        raise IcsRefused(f"rule-{refusal.broken}") from None
    return rule
