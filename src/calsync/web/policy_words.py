"""A practice's policy as its clients read it before they book, move or cancel: text, limit, fee, and what is so now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import Connection

from calsync.booking.command import Command, rules_for
from calsync.booking.conditions import check_may_cancel
from calsync.booking.rules import PracticeRules, check_not_over, check_notice, check_open, check_own, check_who
from calsync.domain.appointment import Appointment
from calsync.errors import Refused
from calsync.notices import wording
from calsync.web.visit import sentence


@dataclass(frozen=True, slots=True)
class Policy:
    """What is shown. `cannot_cancel` and `cannot_move` say why something is not offered; empty where it is."""

    text: str
    lines: tuple[str, ...]
    contact: str
    is_late: bool = False
    now: str = ""  # what cancelling this very session now would mean
    cannot_cancel: str = ""
    cannot_move: str = ""


def policy_for(conn: Connection, command: Command, one: Appointment, zone: str) -> Policy:
    """The policy as it applies to a client's session now; times are told in `zone`."""
    rules = rules_for(conn, command, one.provider)
    late = rules.is_late(one, "client", command.now)
    return Policy(
        text=rules.policy.policy.text or "",
        lines=_lines(rules, one.provider),
        contact=rules.policy.policy.contact,
        is_late=late,
        now=_now(rules, one, zone, is_late=late),
        cannot_cancel=_refusal(lambda: check_may_cancel(rules, command, one)),
        cannot_move=_refusal(lambda: _check_may_move(rules, command, one)),
    )


def policy_of(rules: PracticeRules, provider: str) -> Policy:
    """The policy as such, shown before a booking is confirmed (GT-13)."""
    return Policy(rules.policy.policy.text or "", _lines(rules, provider), rules.policy.policy.contact)


def _check_may_move(rules: PracticeRules, command: Command, one: Appointment) -> None:
    policy = rules.policy.reschedule
    check_who(rules, policy.by, "reschedule", command.actor, one.id)
    check_own(command.actor, one.provider, one.client, one.id)
    check_open(one, "moved")
    check_not_over(policy.after_start, one, command.role, command.now)
    check_notice(rules, "reschedule", one, command.actor, command.now)


def _refusal(check: Callable[[], None]) -> str:
    try:
        check()
    except Refused as refusal:
        return sentence(refusal)
    return ""


def _lines(rules: PracticeRules, provider: str) -> tuple[str, ...]:
    told = []
    cancel, limit = rules.policy.cancel, rules.policy.cancel.late_notice
    fee = _money(rules, rules.fee("late-cancellation", provider))
    if "client" not in cancel.by:
        told.append(f"Sessions are not cancelled here: please contact {rules.policy.policy.contact}.")
    elif limit:
        told.append(f"You can cancel free of charge until {length(limit)} before the session starts.")
    if limit and fee:
        told.append(f"A later cancellation costs {fee}.")
    if cancel.client_notice and cancel.client_late == "refuse" and "client" in cancel.by:
        told.append(f"Later than {length(cancel.client_notice)} before, please contact {rules.policy.policy.contact}.")
    no_show = _money(rules, rules.fee("no-show", provider))
    if no_show:
        told.append(f"A session that you miss costs {no_show}.")
    if fee or no_show:
        told.append("Insurance does not pay these fees.")
    return tuple(told)


def _now(rules: PracticeRules, one: Appointment, zone: str, *, is_late: bool) -> str:
    limit = rules.policy.cancel.late_notice
    fee = _money(rules, rules.fee("late-cancellation", one.provider))
    if is_late:
        cost = f"You would owe {fee}; insurance does not pay it." if fee else "It is recorded as late."
        return f"Cancelling now is late: it is less than {length(limit)} before the start. {cost}"
    if limit:
        until = wording.long_moment(one.span.start_at - limit, zone)
        return f"You are in time: until {until} cancelling costs nothing."
    return "Cancelling costs nothing."


def _money(rules: PracticeRules, amount: Decimal | None) -> str:
    return f"{amount:.2f} {rules.policy.fees.currency}" if amount else ""


def length(of_time: timedelta) -> str:
    """`24 hours`, `2 days`, `90 minutes`: a length of time as people say it."""
    minutes = int(of_time.total_seconds()) // 60
    if minutes % 60:
        return f"{minutes} minutes"
    hours = minutes // 60
    return f"{hours // 24} days" if hours % 24 == 0 and hours > 48 else f"{hours} hour{'' if hours == 1 else 's'}"
