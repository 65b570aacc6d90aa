"""What a person is shown before they decide: the practice's policy, limits, fees, and what they may do (PB-2, GT-13).

Looks only. What it says is asked again when the command comes: time may have passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection

from calsync.booking.command import Command, rules_for
from calsync.booking.conditions import check_may_cancel, refund_is_asked
from calsync.booking.rulebook import PracticeRules
from calsync.booking.rules import (
    caused_by,
    check_not_over,
    check_notice,
    check_open,
    check_own,
    check_who,
)
from calsync.domain.appointment import Appointment
from calsync.errors import Refused
from calsync.settings.lifecycle import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeTerms:
    """A practice's terms as a client reads them before booking (GT-13). Amounts are None where nothing is owed.

    `text`: the policy in the practice's words. `notice`: elapsed time before the start until which a cancellation is
    free. `contact`: whom clients are told to contact.
    """

    text: str | None
    contact: str
    notice: timedelta
    late_fee: Decimal | None
    no_show_fee: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One thing that a person may do with a session, or why not.

    `code` and `why` are None where they may; `until`: the last instant for clients, None where there is no limit.
    `reason`: what is wanted as a reason, `none`, `text` or `list`; `reasons`: the list.
    """

    allowed: bool
    code: str | None
    why: str | None
    until: datetime | None
    reason: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What one person may do with one session now.

    `late`: whether cancelling it at this very moment would be late (by their own doing), and `fee` what that would
    cost, None for nothing. `formats`: those that may be chosen for a move; empty: any. `asks_refund`: whether
    cancelling asks for a decision about a refund.
    """

    practice: PracticeTerms
    cancel: Choice
    move: Choice
    late: bool
    fee: Decimal | None
    asks_refund: bool
    formats: tuple[str, ...]


def practice_terms(conn: Connection, command: Command, provider: str) -> PracticeTerms:
    """Return the terms on which sessions with a provider are booked; `NotFoundError` for an unknown one."""
    return _practice_terms(rules_for(conn, command, provider), provider)


def terms_of(conn: Connection, command: Command, one: Appointment) -> Terms:
    """Return what `command.actor` may do with a session as of `command.now`."""
    rules = rules_for(conn, command, one.provider)
    late = rules.is_late(one, caused_by(None, command.role), command.now)
    return Terms(
        practice=_practice_terms(rules, one.provider),
        cancel=_cancel(rules, command, one),
        move=_move(rules, command, one),
        late=late,
        fee=(rules.fee("late-cancellation", one.provider) or None) if late else None,
        asks_refund=refund_is_asked(conn, rules, command, one),
        formats=rules.policy.reschedule.formats,
    )


def _practice_terms(rules: PracticeRules, provider: str) -> PracticeTerms:
    policy = rules.policy
    return PracticeTerms(
        text=policy.policy.text,
        contact=policy.policy.contact,
        notice=max(policy.cancel.late_notice, policy.cancel.client_notice),
        late_fee=rules.fee("late-cancellation", provider) or None,
        no_show_fee=rules.fee("no-show", provider) or None,
        currency=policy.fees.currency,
    )


def _cancel(rules: PracticeRules, command: Command, one: Appointment) -> Choice:
    refusal = None
    try:
        check_open(one, "cancelled")
        check_may_cancel(rules, command, one)
    except Refused as problem:
        refusal = problem
    limited = rules.policy.cancel.client_late == "refuse"
    until = one.span.start_at - (rules.notice("cancel") if limited else timedelta(0))
    return Choice(
        allowed=refusal is None,
        code=refusal.code if refusal is not None else None,
        why=str(refusal.problems[0]) if refusal is not None else None,
        until=until if command.role == "client" else None,
        reason=rules.reason_need("cancel", command.role),
        reasons=rules.reasons("cancel", command.role),
    )


def _move(rules: PracticeRules, command: Command, one: Appointment) -> Choice:
    policy = rules.policy.reschedule
    refusal = None
    try:
        check_who(rules, policy.by, "reschedule", command.actor, one.id)
        check_own(command.actor, one.provider, one.client, one.id)
        check_open(one, "moved")
        check_not_over(policy.after_start, one, command.role, command.now)
        check_notice(rules, "reschedule", one, command.actor, command.now)
    except Refused as problem:
        refusal = problem
    return Choice(
        allowed=refusal is None,
        code=refusal.code if refusal is not None else None,
        why=str(refusal.problems[0]) if refusal is not None else None,
        until=one.span.start_at - rules.notice("reschedule") if command.role == "client" else None,
        reason=rules.reason_need("reschedule", command.role),
        reasons=rules.reasons("reschedule", command.role),
    )
