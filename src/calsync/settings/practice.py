"""`practices/*.toml`: what one practice decides for itself. The file's name without `.toml` is the practice's id."""

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from calsync.domain.drift import Disposition, DriftKind, Phase
from calsync.reconcile.disposition import DEFAULT_DISPOSITIONS
from calsync.settings.claims import PracticeClaims
from calsync.settings.fields import Flag, Section
from calsync.settings.lifecycle import (
    Act,
    AskRules,
    BlockRules,
    BookingRules,
    CancelRules,
    Fees,
    Limits,
    NoShowRules,
    Packages,
    Pausing,
    PolicyText,
    Reason,
    RescheduleRules,
)
from calsync.settings.messages import PracticeMail

DEFAULT_PRACTICE: Final = "default"
"""The practice of a provider that names none; it exists even without a file."""

# An edit that may become the booking is left as it is until the practice's rules have been asked.
_ADOPTED: Final = ((DriftKind.MOVED, Phase.UPCOMING), (DriftKind.RESIZED, Phase.UPCOMING))

Mode = Literal["act", "observe"]
Title = Literal["id", "initials", "first-name", "full-name"]
WriteBack = Literal["ignore", "revert", "flag", "revert-and-flag"]
HandsOff = Literal["ignore", "flag"]
Noted = Literal["ignore", "revert", "flag"]


def _default_rules(kind: DriftKind) -> dict[str, str]:
    return {phase.value: DEFAULT_DISPOSITIONS[kind, phase].value for phase in Phase}


class PhaseRules(Section):
    """What to do with one kind of edit, by how far the session had come. A phase left out keeps the default."""

    upcoming: WriteBack | None = Field(None, description="Before the session starts.")
    started: HandsOff | None = Field(None, description="From its start to its end; never written back.")
    past: HandsOff | None = Field(None, description="After its end; never written back, as it may be evidence.")
    claimed: HandsOff | None = Field(None, description="After its claim was filed; never written back.")


class LookOnlyRules(PhaseRules):
    """The same for an edit that no write of calsync's could undo."""

    upcoming: HandsOff | None = Field(None, description="Before the session starts; never written back.")


class NotedRules(Section):
    """The same for what says nothing of when a session was: it is told, and put back whenever that is."""

    upcoming: Noted | None = Field(None, description="Before the session starts.")
    started: Noted | None = Field(None, description="From its start to its end.")
    past: Noted | None = Field(None, description="After its end.")
    claimed: Noted | None = Field(None, description="After its claim was filed.")


def _spread(value: object) -> object:
    return dict.fromkeys(Phase, value) if isinstance(value, str) else value


KindRules = Annotated[PhaseRules, BeforeValidator(_spread)]
LookOnly = Annotated[LookOnlyRules, BeforeValidator(_spread)]
AnyTime = Annotated[NotedRules, BeforeValidator(_spread)]


class DriftRules(Section):
    """`[drift.policy]`: kind of edit to phase to disposition.

    One word instead of a table holds for all four phases, so it can only be "ignore" or "flag".
    """

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"))

    moved: KindRules | None = Field(
        None, examples=[_default_rules(DriftKind.MOVED)], description="Another start, same length."
    )
    resized: KindRules | None = Field(None, examples=[_default_rules(DriftKind.RESIZED)], description="Another length.")
    deleted: KindRules | None = Field(
        None, examples=[_default_rules(DriftKind.DELETED)], description="No longer there."
    )
    cancelled: KindRules | None = Field(
        None, examples=[_default_rules(DriftKind.CANCELLED)], description="Still there, marked as cancelled."
    )
    zone_changed: KindRules | None = Field(
        None,
        examples=[_default_rules(DriftKind.ZONE_CHANGED)],
        description="Another zone, and with it another instant.",
    )
    made_all_day: KindRules | None = Field(
        None, examples=[_default_rules(DriftKind.MADE_ALL_DAY)], description="Turned into a whole day."
    )
    recurrence_changed: KindRules | None = Field(
        None, examples=[_default_rules(DriftKind.RECURRENCE_CHANGED)], description="Another rule of a series."
    )
    split: KindRules | None = Field(
        None, examples=[_default_rules(DriftKind.SPLIT)], description='"This and following" changed in the calendar.'
    )
    relocated: KindRules | None = Field(
        None, examples=[_default_rules(DriftKind.RELOCATED)], description="Moved to another calendar of the account."
    )
    duplicated: KindRules | None = Field(None, examples=[_default_rules(DriftKind.DUPLICATED)], description="Copied.")
    marker_lost: KindRules | None = Field(
        None, examples=[_default_rules(DriftKind.MARKER_LOST)], description="Still there, without calsync's marker."
    )
    declined: LookOnly | None = Field(
        None, examples=[_default_rules(DriftKind.DECLINED)], description="Declined by the provider."
    )
    new_time_proposed: LookOnly | None = Field(
        None, examples=[_default_rules(DriftKind.NEW_TIME_PROPOSED)], description="Another time proposed."
    )
    marked_free: KindRules | None = Field(
        None, examples=[_default_rules(DriftKind.MARKED_FREE)], description="Shown as free time."
    )
    made_public: AnyTime | None = Field(
        None, examples=[_default_rules(DriftKind.MADE_PUBLIC)], description="Shown to all who may see the calendar."
    )
    unreadable: LookOnly | None = Field(
        None, examples=[_default_rules(DriftKind.UNREADABLE)], description="There, and not to be understood."
    )
    retitled: KindRules | None = Field(
        None,
        examples=[_default_rules(DriftKind.RETITLED)],
        description="Another title. By default the provider's own business.",
    )


class PracticeDrift(Section):
    """What happens to edits made in the calendar."""

    adopt: Flag = Field(
        False,
        description="Whether a session that was dragged to another time, ahead of both, is rescheduled to it when "
        "every rule of the practice allows that; both are mailed. About what a rule forbids the provider is asked. "
        "Off by default: a drag may be a slip.",
    )
    policy: DriftRules = Field(DriftRules(), description="Kind of edit to phase to disposition.")


class PracticeSync(Section):
    """How far calsync goes for this practice."""

    mode: Mode | None = Field(
        None,
        examples=["observe"],
        description='"observe" records edits and changes nothing; "act" puts back and holds. Default: sync.mode.',
    )


class Privacy(Section):
    """What an event in a provider's calendar tells whoever looks over their shoulder."""

    title: Title = Field(
        "id",
        description='How a title names the client: "id" (the session\'s number only), "initials", "first-name", or '
        '"full-name". Calendars are synchronised to many devices, so the default says least.',
    )


class Practice(Section):
    """One practice's own rules."""

    sync: PracticeSync = Field(PracticeSync(), description="How far calsync goes for this practice.")
    drift: PracticeDrift = Field(PracticeDrift(), description="What happens to edits made in the calendar.")
    claims: PracticeClaims = Field(PracticeClaims(), description="Overrides of [claims] for this practice.")
    privacy: Privacy = Field(Privacy(), description="What events show.")
    mail: PracticeMail = Field(PracticeMail(), description="Which mails its clients and providers get.")
    policy: PolicyText = Field(PolicyText(), description="The practice's words about changes.")
    booking: BookingRules = Field(BookingRules(), description="Who may book, and what a booking needs.")
    cancel: CancelRules = Field(CancelRules(), description="Who may cancel, until when, and what it costs.")
    reschedule: RescheduleRules = Field(RescheduleRules(), description="Who may move a session, and until when.")
    ask_to_reschedule: AskRules = Field(AskRules(), description="Asking the client for another time.")
    no_show: NoShowRules = Field(NoShowRules(), description="Recording that the client did not come.")
    fees: Fees = Field(Fees(), description="What clients owe; calsync records it and moves no money.")
    packages: Packages = Field(Packages(), description="Sessions that clients have bought in advance.")
    limits: Limits = Field(Limits(), description="How often a provider may upset plans before support looks.")
    pausing: Pausing = Field(Pausing(), description="Pausing a provider's bookings.")
    blocks: BlockRules = Field(BlockRules(), description="Out-of-office times.")
    reasons: tuple[Reason, ...] = Field((), description="The practice's list of reasons.")

    @model_validator(mode="after")
    def _reasons_fit(self) -> Self:
        codes = [one.code for one in self.reasons]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"the reason {twice[0]!r} stands in [[reasons]] twice")
        needs: dict[Act, CancelRules | RescheduleRules | AskRules] = {
            "cancel": self.cancel,
            "reschedule": self.reschedule,
            "ask-to-reschedule": self.ask_to_reschedule,
        }
        for act, rules in needs.items():
            for role, need in rules.reason.items():
                listed = any(act in one.acts and role in one.by for one in self.reasons)
                if need == "list" and role in rules.by and not listed:
                    raise ValueError(f"no entry of [[reasons]] is for {act} by {role}, who must choose from the list")
        return self

    @cached_property
    def dispositions(self) -> dict[tuple[DriftKind, Phase], Disposition]:
        """What to do with every kind of edit in every phase: the practice's word, else the default."""
        adopted = dict.fromkeys(_ADOPTED, Disposition.FLAG) if self.drift.adopt else {}
        return {**DEFAULT_DISPOSITIONS, **adopted, **dict(self._own_dispositions())}

    def _own_dispositions(self) -> Iterator[tuple[tuple[DriftKind, Phase], Disposition]]:
        for kind in DriftKind:
            rules = getattr(self.drift.policy, kind.value.replace("-", "_"))
            for phase in Phase:
                word = getattr(rules, phase.value, None)
                if word is not None:
                    yield (kind, phase), Disposition(word)
