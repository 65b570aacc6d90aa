"""What a practice asks before a cancellation, and what follows from it: late or not, fee, refund, block. Decides only.

`weigh` reads and raises; `calsync.booking.charges` records what it came to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import Connection

from calsync.booking.command import Command
from calsync.booking.rulebook import PracticeRules
from calsync.booking.rules import (
    Scope,
    caused_by,
    check_answers,
    check_not_over,
    check_notice,
    check_open,
    check_own,
    check_reason,
    check_who,
    refuse,
)
from calsync.domain.appointment import Appointment
from calsync.errors import Problem, Refused
from calsync.settings.lifecycle import CausedBy, Reason
from calsync.store import money


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """What is said with a cancellation.

    `scope`: needed for a member of a series. `refund`: the answer to the refund question, None if not given. `block`:
    put an out-of-office time over the old one. `answers`: to the reason's questions, by their ids.
    """

    scope: Scope | None = None
    waive_fee: bool = False
    refund: bool | None = None
    client_aware: bool = False
    suggest_others: bool = False
    block: bool = False
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a cancellation of one session comes to. `fee` None: nothing is owed. `refund` None: it is no question."""

    reason: Reason | None
    caused_by: CausedBy
    late: bool
    fee: Decimal | None
    refund: bool | None


def weigh(conn: Connection, rules: PracticeRules, command: Command, one: Appointment, wish: Cancellation) -> Weighed:
    """Say what cancelling a session comes to. `Refused` with the rule's code where one says no."""
    check_open(one, "cancelled")
    check_may_cancel(rules, command, one)
    reason = check_reason(rules, "cancel", command.role, command.reason)
    check_answers(reason, wish.answers)
    _check_said(rules, command, one, wish)
    _check_block(rules, command, reason, wish)
    cause = caused_by(reason, command.role)
    late = rules.is_late(one, cause, command.now)
    fee = rules.fee("late-cancellation", one.provider) if late else None
    if wish.waive_fee and late:
        check_waiver(rules, command, one)
    return Weighed(reason, cause, late, fee, _refund(conn, rules, command, one, wish))


def check_may_cancel(rules: PracticeRules, command: Command, one: Appointment) -> None:
    """Whether this actor may cancel the session now, whatever else is to be said."""
    allowed = rules.cancel_terms(one.kind).by
    if command.role == "provider" and "provider" not in allowed:
        # HT-1: the provider is told whom to ask, and with what.
        raise refuse(
            "who-may-cancel",
            f"an {one.kind} session is not cancelled by its provider" if one.kind == "initial" else "providers cannot",
            f"Ask support to cancel it, and tell them: {'; '.join(_needed(rules, one, command))}",
            one.id,
        )
    check_who(rules, allowed, "cancel", command.actor, one.id)
    check_own(command.actor, one.provider, one.client, one.id)
    check_not_over(rules.policy.cancel.after_start, one, command.role, command.now)
    check_notice(rules, "cancel", one, command.actor, command.now)


def check_waiver(rules: PracticeRules, command: Command, one: Appointment) -> None:
    """A fee is waived by those whom the practice names, and with a note (GT-4)."""
    check_who(rules, rules.policy.fees.waive_by, "waive-fee", command.actor, one.id)
    if not (command.note or "").strip():
        raise refuse("waive-needs-note", "a fee is waived with a note", "Say why with --note", one.id)


def refund_is_asked(conn: Connection, rules: PracticeRules, command: Command, one: Appointment) -> bool:
    """Whether the practice wants to be told, for this session and now, whether to refund (HT-1, HT-3)."""
    terms = rules.cancel_terms(one.kind)
    if command.role not in ("provider", "support") or terms.refund == "never":
        return False
    if terms.refund_within is not None and one.span.start_at - command.now >= terms.refund_within:
        return False
    return terms.refund == "always" or money.payment(conn, one.id) is not None


def _refund(
    conn: Connection, rules: PracticeRules, command: Command, one: Appointment, wish: Cancellation
) -> bool | None:
    if wish.refund is not None:
        if command.role == "client":
            raise refuse("refund-not-yours", "whether to refund is the practice's decision", "Leave it out", one.id)
        return wish.refund
    if refund_is_asked(conn, rules, command, one):
        raise refuse(
            "refund-answer-needed",
            "whether to refund this session is not said",
            "Decide, and repeat it with --refund yes or --refund no",
            one.id,
        )
    terms = rules.cancel_terms(one.kind)
    in_time = terms.refund_within is not None and one.span.start_at - command.now >= terms.refund_within
    paid = terms.refund != "never" and in_time and money.payment(conn, one.id) is not None
    return True if paid else None


def _check_said(rules: PracticeRules, command: Command, one: Appointment, wish: Cancellation) -> None:
    problems = []
    needed = rules.cancel_terms(one.kind).require if command.role in ("provider", "support") else ()
    if "client-aware" in needed and not wish.client_aware:
        what = "it is not said that the client knows of it"
        problems.append(Problem(what, one.id, "Tell the client, and repeat it with --client-aware"))
    if "note" in needed and not (command.note or "").strip():
        problems.append(Problem("a note is needed", one.id, "Add --note"))
    if problems:
        code = "client-aware-needed" if "client knows" in problems[0].what else "note-needed"
        raise Refused(problems, code=code)
    if wish.suggest_others and not rules.policy.cancel.suggest_others:
        raise refuse("suggest-not-offered", "this practice suggests no other providers", "Leave it out", one.id)


def _check_block(rules: PracticeRules, command: Command, reason: Reason | None, wish: Cancellation) -> None:
    if wish.block:
        check_who(rules, rules.policy.blocks.by, "block", command.actor)
        if reason is not None and reason.block == "no":
            raise refuse(
                "block-not-offered", f"with the reason {reason.code!r} the old time is given back", "Leave it out"
            )
    elif reason is not None and reason.block == "must" and command.role != "system":
        raise refuse(
            "block-needed",
            f"with the reason {reason.code!r} the old time must be blocked, or it would be booked again",
            "Repeat it with --block",
        )


def _needed(rules: PracticeRules, one: Appointment, command: Command) -> list[str]:
    terms = rules.cancel_terms(one.kind)
    needed = ["the reason"]
    if "client-aware" in terms.require:
        needed.append("that the client is aware")
    near = terms.refund_within is None or one.span.start_at - command.now < terms.refund_within
    if terms.refund != "never" and near:
        needed.append("whether to refund")
    return needed
