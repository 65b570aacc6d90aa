"""Pausing a provider's bookings, and taking them up again. Sessions that are booked stay (HT-6, HT-10)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from calsync.booking.command import Command, note, rules_for
from calsync.booking.rules import check_own, check_who, refuse
from calsync.store import claims, providers
from calsync.store.known import known_provider


def pause(conn: Connection, command: Command, provider: str) -> bool:
    """Take no more bookings for a provider; False if it was so already.

    Refused: `who-may-pause`, `not-yours`, `reason-needed`.
    """
    rules = rules_for(conn, command, provider)
    check_who(rules, rules.policy.pausing.by, "pause", command.actor, provider)
    return _set(conn, command, provider, paused=True)


def resume(conn: Connection, command: Command, provider: str) -> bool:
    """Take bookings again; False if it was so already. Refused: `who-may-resume`, `not-yours`, `reason-needed`."""
    rules = rules_for(conn, command, provider)
    check_who(rules, rules.policy.pausing.resume_by, "resume", command.actor, provider)
    return _set(conn, command, provider, paused=False)


def _set(conn: Connection, command: Command, provider: str, *, paused: bool) -> bool:
    rules = rules_for(conn, command, provider)
    check_own(command.actor, provider, where=provider)
    why = (command.reason or command.note or "").strip()
    if rules.policy.pausing.require_reason and command.role == "support" and not why:
        raise refuse("reason-needed", "a reason is needed", "Say why with --reason", provider)
    known = known_provider(conn, provider)
    if known.paused == paused:
        return False
    providers.put(conn, replace(known, paused=paused))
    claims.touch_provider(conn, provider)
    note(conn, command, "provider-paused" if paused else "provider-resumed", f"provider:{provider}", {})
    return True
