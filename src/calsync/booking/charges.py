"""Fees, refunds and credits, written down as decisions that happen once, whatever is repeated (I7).

calsync moves no money. Each decision has an idempotency key made of the session and what it is about.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import Connection

from calsync.booking.command import Command, note, rules_for
from calsync.booking.conditions import Weighed
from calsync.booking.rulebook import FeeKind, PracticeRules
from calsync.booking.rules import check_own, check_who, refuse
from calsync.domain.appointment import Appointment
from calsync.errors import NotFoundError
from calsync.settings.lifecycle import Fees
from calsync.store import money, packages
from calsync.store.known import known_appointment
from calsync.store.money import Fee, Payment, Refund
from calsync.store.packages import Credit, Package


@dataclass(frozen=True, slots=True)
class Charges:
    """What was recorded for one session: the fee, the decision about a refund, the package that got its credit back."""

    fee: Fee | None = None
    refund: Refund | None = None
    package: str | None = None


def charge_cancelled(
    conn: Connection, rules: PracticeRules, command: Command, one: Appointment, said: tuple[Weighed, bool]
) -> Charges:
    """Record what a cancellation came to; `said` is that, and whether the fee is waived."""
    weighed, waived = said
    fee = _charge(conn, rules, command, one, ("late-cancellation", weighed.fee, waived)) if weighed.late else None
    refund = None
    if weighed.refund is not None:
        payment = money.payment(conn, one.id)
        refund = Refund(
            id=f"{one.id}:refund",
            appointment=one.id,
            decision="yes" if weighed.refund else "no",
            amount=payment.amount if payment is not None else "",
            at=command.now,
            by=command.actor,
            note=command.note,
        )
        if money.put_refund(conn, refund):
            note(conn, command, "refund-decided", f"appointment:{one.id}", {"refund": refund.decision})
    keeps = weighed.late and rules.policy.packages.give_back == "in-time"
    return Charges(fee, refund, None if keeps else give_back_credit(conn, command, one))


def charge_no_show(
    conn: Connection, rules: PracticeRules, command: Command, one: Appointment, *, waived: bool
) -> Fee | None:
    """Record the fee of a no-show, if the practice has one."""
    return _charge(conn, rules, command, one, ("no-show", rules.fee("no-show", one.provider), waived))


def change_fee(conn: Connection, command: Command, fee_id: str, amount: Decimal, because: str) -> Fee:
    """Put another amount to a fee that is disputed (GT-11); zero waives it.

    Refused: `who-may-change-fee`, `reason-needed`, `no-change`.
    """
    fee = money.fee(conn, fee_id)
    if fee is None:
        raise NotFoundError("fee", fee_id)
    rules = rules_for(conn, command, fee.provider)
    check_who(rules, rules.policy.fees.change_by, "change-fee", command.actor, fee.id)
    check_own(command.actor, fee.provider, fee.client, fee.id)
    if not because.strip():
        raise refuse("reason-needed", "a fee is changed with a reason", "Say why with --because", fee.id)
    state = "owed" if amount else "waived"
    changed = replace(
        fee,
        amount=str(amount),
        state=state,
        changed_at=command.now,
        changed_by=command.actor,
        because=because,
    )
    if (fee.amount, fee.state) == (changed.amount, changed.state):
        raise refuse("no-change", f"it is {fee.amount} {fee.currency} already", "Say another amount", fee.id)
    money.change_fee(conn, changed)
    told = {"from": f"{fee.amount} {fee.state}", "to": f"{changed.amount} {state}", "because": because}
    note(conn, command, "fee-changed", f"appointment:{fee.appointment}", {"fee": fee.id, **told})
    return changed


def record_payment(conn: Connection, command: Command, appointment_id: str, amount: str = "") -> bool:
    """Record that a session is paid; False if it was known. The payment goes with the session when it is moved."""
    one = known_appointment(conn, appointment_id)
    if command.role == "client":
        raise refuse("not-yours", "the practice records payments", "Please contact the practice", one.id)
    done = money.put_payment(conn, Payment(one.id, amount, command.now, command.actor))
    if done:
        note(conn, command, "payment-recorded", f"appointment:{one.id}", {"amount": amount})
    return done


def add_package(conn: Connection, command: Command, key: str, client: str, sessions: int) -> Package:
    """Put a package of sessions on the books. Refused: `id-taken`."""
    package = Package(key, client, sessions, command.now, command.actor)
    if not packages.put(conn, package):
        raise refuse("id-taken", f"there is a package {key!r} already", "Choose another id")
    note(conn, command, "package-added", f"package:{key}", {"sessions": sessions})
    return package


def use_credit(conn: Connection, command: Command, package_id: str, one: Appointment) -> None:
    """Use one of a package's sessions for a booking. Refused: `package-of-another`, `no-credit`."""
    package = packages.lock(conn, package_id)
    if package is None:
        raise NotFoundError("package", package_id)
    if package.client != one.client:
        raise refuse("package-of-another", "the package belongs to another client", "Name the client's own", package_id)
    if packages.credits_left(conn, package) < 1:
        raise refuse(
            "no-credit", "all its sessions are used or booked", "Book without it, or add a package", package_id
        )
    packages.record(conn, Credit(f"{one.id}:used", package.id, one.id, -1, command.now, command.actor))
    note(conn, command, "credit-used", f"appointment:{one.id}", {"package": package.id})


def give_back_credit(conn: Connection, command: Command, one: Appointment) -> str | None:
    """Give a session's credit back to its package, once; the package, or None if there was nothing to give back."""
    used = packages.used_by(conn, one.id)
    if used is None:
        return None
    back = Credit(f"{one.id}:given-back", used.package, one.id, 1, command.now, command.actor)
    if not packages.record(conn, back):
        return None
    note(conn, command, "credit-given-back", f"appointment:{one.id}", {"package": used.package})
    return used.package


def _charge(
    conn: Connection,
    rules: PracticeRules,
    command: Command,
    one: Appointment,
    owed: tuple[FeeKind, Decimal | None, bool],
) -> Fee | None:
    kind, amount, waived = owed
    if not amount:
        return None
    fee = _fee(rules.policy.fees, command, one, (kind, amount, waived))
    if money.put_fee(conn, fee):
        note(
            conn,
            command,
            "fee-waived" if waived else "fee-recorded",
            f"appointment:{one.id}",
            {"fee": fee.id, "amount": f"{fee.amount} {fee.currency}"},
        )
    return fee


def _fee(fees: Fees, command: Command, one: Appointment, owed: tuple[FeeKind, Decimal, bool]) -> Fee:
    kind, amount, waived = owed
    return Fee(
        id=f"{one.id}:{kind}",
        appointment=one.id,
        provider=one.provider,
        client=one.client,
        kind=kind,
        amount=str(amount),
        currency=fees.currency,
        state="waived" if waived else "owed",
        at=command.now,
        by=command.actor,
        note=command.note,
    )
