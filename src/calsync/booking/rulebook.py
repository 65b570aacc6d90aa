"""Each practice's rules as values: what its file says, and what follows from that for one session.

The permissive defaults hold where the file says nothing. `calsync.booking.rules` asks them and refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from calsync.domain.appointment import Appointment, AppointmentKind
from calsync.settings.lifecycle import Act, CausedBy, Reason, Roles
from calsync.settings.model import Settings
from calsync.settings.practice import Practice
from calsync.settings.records import Records

FeeKind = Literal["late-cancellation", "no-show"]
_PLAIN: Final = Practice()


@dataclass(frozen=True, slots=True)
class CancelTerms:
    """What holds for cancelling sessions of one kind: `[cancel]` with the overrides for initial sessions."""

    by: Roles
    require: tuple[str, ...]
    refund: str
    refund_within: timedelta | None


@dataclass(frozen=True, slots=True)
class PracticeRules:
    """One practice's rules: its values, and what follows from them for one session."""

    policy: Practice = field(default_factory=Practice)

    @property
    def booking_lead(self) -> timedelta:
        """Least time between a client's booking and the start."""
        return self.policy.booking.client_notice

    @property
    def booking_ahead(self) -> timedelta | None:
        """How far ahead a client may book; None: not limited."""
        return self.policy.booking.client_ahead

    @property
    def double_booking(self) -> bool:
        """Whether one provider may have two sessions at a time."""
        return self.policy.booking.double_booking

    def cancel_terms(self, kind: AppointmentKind) -> CancelTerms:
        """What holds for cancelling a session of this kind."""
        plain = self.policy.cancel
        own = plain.initial if kind is AppointmentKind.INITIAL else type(plain.initial)()
        return CancelTerms(
            by=plain.by if own.by is None else own.by,
            require=plain.require if own.require is None else own.require,
            refund=plain.refund if own.refund is None else own.refund,
            refund_within=plain.refund_within if own.refund_within is None else own.refund_within,
        )

    def reasons(self, act: Act, role: str) -> tuple[Reason, ...]:
        """The practice's reasons that this role may give for this change."""
        return tuple(one for one in self.policy.reasons if act in one.acts and role in one.by)

    def reason_need(self, act: Act, role: str) -> str:
        """What this role gives as a reason for this change: `none`, `text` or one of the `list`."""
        needs = {
            "cancel": self.policy.cancel.reason,
            "reschedule": self.policy.reschedule.reason,
            "ask-to-reschedule": self.policy.ask_to_reschedule.reason,
        }[act]
        return next((need for known, need in needs.items() if known == role), "none" if role == "system" else "text")

    def notice(self, act: Act) -> timedelta:
        """Elapsed time before the start until which clients do this on their own."""
        return self.policy.cancel.client_notice if act == "cancel" else self.policy.reschedule.client_notice

    def fee(self, kind: FeeKind, provider: str) -> Decimal | None:
        """What a client of this provider owes; None or zero: nothing."""
        fees = self.policy.fees
        if kind == "no-show":
            return fees.no_show_of.get(provider, fees.no_show)
        return fees.late_cancellation_of.get(provider, fees.late_cancellation)

    def is_late(self, one: Appointment, caused_by: CausedBy, now: datetime) -> bool:
        """Whether cancelling it now is a late cancellation: the client's doing, nearer to the start than allowed."""
        return caused_by == "client" and one.span.start_at - now < self.policy.cancel.late_notice


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules of every practice, by its id; the permissive ones for a practice that has no file."""

    practices: Mapping[str, Practice] = field(default_factory=dict)
    elsewhere: Records | None = None  # where records belong to another platform: commands are off

    @classmethod
    def of_settings(cls, settings: Settings) -> Rulebook:
        """The rules as configured."""
        return cls(settings.practices, settings.records if settings.records.is_elsewhere else None)

    def of(self, practice: str) -> PracticeRules:
        """One practice's rules."""
        return PracticeRules(self.practices.get(practice, _PLAIN))


PERMISSIVE: Final = Rulebook()
