"""Bookings that the provider confirms, and how often a provider has upset plans (HT-7, HT-9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from calsync.booking.command import Command, Outcome, note, rules_for
from calsync.booking.rulebook import Rulebook
from calsync.booking.rules import check_own, check_who, refuse
from calsync.domain.appointment import Appointment
from calsync.settings.lifecycle import Limits
from calsync.store import plan_changes, providers
from calsync.store.known import known_appointment
from calsync.store.plan_changes import Confirmation


@dataclass(frozen=True, slots=True)
class Review:
    """A provider with more changes in the practice's rolling period than it allows: a person looks at it.

    `changes`: cancellations and moves that the provider caused; `unconfirmed`: bookings left unconfirmed too long.
    """

    provider: str
    changes: int
    unconfirmed: int
    limit: int
    since: datetime


def expect_confirmation(conn: Connection, command: Command, one: Appointment) -> None:
    """Have the provider confirm what somebody else booked, where the practice wants that."""
    limit = rules_for(conn, command, one.provider).policy.booking.confirm_within
    if limit is None or command.role == "provider" or one.span.start_at <= command.now:
        return
    due_at = min(command.now + limit, one.span.start_at)
    plan_changes.expect_confirmation(conn, [Confirmation(one.id, one.provider, due_at)])


def confirm(conn: Connection, command: Command, appointment_id: str) -> Outcome:
    """The provider confirms a booking. Refused: `who-may-confirm`, `not-yours`, `nothing-to-confirm`."""
    one = known_appointment(conn, appointment_id)
    rules = rules_for(conn, command, one.provider)
    check_who(rules, ("provider", "support"), "confirm", command.actor, one.id)
    check_own(command.actor, one.provider, one.client, one.id)
    if not plan_changes.confirm(conn, one.id, command.now, command.actor):
        raise refuse("nothing-to-confirm", "there is nothing to confirm about it", "Nothing needs to be done", one.id)
    note(conn, command, "booking-confirmed", f"appointment:{one.id}", {})
    return Outcome(appointments=(one.id,))


def reviews(conn: Connection, rulebook: Rulebook, now: datetime) -> list[Review]:
    """Return the providers who are over their practice's limit now, by id. Nothing happens to them by it."""
    of_practice: dict[str, list[str]] = {}
    for provider in providers.rows(conn):
        of_practice.setdefault(provider.practice, []).append(provider.id)
    found = [
        review
        for practice, those in of_practice.items()
        for review in _of_practice(conn, rulebook.of(practice).policy.limits, those, now)
    ]
    return sorted(found, key=lambda one: one.provider)


def _of_practice(conn: Connection, limits: Limits, those: list[str], now: datetime) -> Iterator[Review]:
    if limits.provider_changes is None:
        return
    since = now - limits.period
    acts = [act for act in limits.count if act != "unconfirmed"]
    changes = plan_changes.caused_by_providers(conn, acts, since, now)
    left = plan_changes.left_unconfirmed(conn, since, now) if "unconfirmed" in limits.count else {}
    for provider in those:
        if changes.get(provider, 0) + left.get(provider, 0) > limits.provider_changes:
            yield Review(provider, changes.get(provider, 0), left.get(provider, 0), limits.provider_changes, since)
