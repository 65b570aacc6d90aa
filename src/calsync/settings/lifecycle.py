"""What a practice decides about bookings and their changes: the tables `[booking]` to `[blocks]` of `practices/*.toml`.

The defaults allow what harms nobody, so that a practice writes down only what it restricts. Every limit counts elapsed
time, across changes of the clock. `calsync.booking.rules` is the one place that applies them.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from calsync.settings.fields import Count, Duration, DurationOrZero, Flag, Id, Section, Text

Role = Literal["provider", "client", "support", "system"]
Roles = tuple[Role, ...]
ReasonNeed = Literal["none", "text", "list"]
Act = Literal["cancel", "reschedule", "ask-to-reschedule"]
CausedBy = Literal["client", "provider", "practice"]

_EVERYBODY: Final[Roles] = ("provider", "client", "support", "system")
_STAFF: Final[Roles] = ("provider", "support", "system")
_WRITTEN: Final[dict[Role, ReasonNeed]] = {"provider": "text", "client": "text", "support": "text"}


def _parse_amount(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    try:
        amount = Decimal(value) if isinstance(value, str | int) and not isinstance(value, bool) else Decimal("nan")
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or not 0 <= amount <= 1_000_000 or amount != round(amount, 2):
        raise ValueError('not an amount of money: write it in quotes with a point, such as "75.00"')
    return amount.quantize(Decimal("0.01"))


Amount = Annotated[
    Decimal,
    BeforeValidator(_parse_amount),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+(\\.[0-9]{1,2})?$", "examples": ["75.00"]}),
]
"""An amount of money with two decimals, in the practice's currency."""


class Question(Section):
    """Something that a reason makes calsync ask."""

    id: Id = Field(examples=["risk"], description="Names the answer: `--answer risk=…`.")
    text: Text = Field(examples=["Is the client safe until the next session?"], description="The question itself.")
    required: Flag = Field(False, description="Whether the command is refused without an answer.")


class Resource(Section):
    """Something that a reason makes calsync show to the client."""

    text: Text = Field(examples=["Support in a crisis"], description="What it is.")
    url: Text = Field(examples=["https://example.org/help"], description="Where it is.")


class Reason(Section):
    """One entry of the practice's list of reasons; `[[reasons]]` once for each."""

    code: Id = Field(examples=["client-asked"], description="What commands are given: `--reason client-asked`.")
    text: Text = Field(examples=["The client asked for it"], description="What people read.")
    acts: tuple[Act, ...] = Field(
        ("cancel",), description='Which changes it may be given for: "cancel", "reschedule", "ask-to-reschedule".'
    )
    by: Roles = Field(("provider", "support"), description="Who may give it.")
    caused_by: CausedBy = Field(
        "client",
        description='Whose doing the change is: only what the "client" caused can be late and cost a fee, and only '
        'what the "provider" caused counts under [limits].',
    )
    rebook: Flag = Field(True, description="Whether the client's mail offers to book again.")
    block: Literal["no", "offer", "must"] = Field(
        "no",
        description='Whether the old time is blocked as out of office: never ("no"), on `--block` ("offer"), or the '
        'command is refused without it ("must").',
    )
    questions: tuple[Question, ...] = Field(
        (),
        examples=[[{"id": "risk", "text": "Is the client safe until then?", "required": True}]],
        description="What is asked along with it. Answers stay on the books and go into no calendar.",
    )
    resources: tuple[Resource, ...] = Field(
        (),
        examples=[[{"text": "Support in a crisis", "url": "https://example.org/help"}]],
        description="What the client is shown along with it.",
    )


class PolicyText(Section):
    """The practice's own words about changes, shown to clients before they book, cancel or move."""

    text: Text | None = Field(
        None,
        examples=["Sessions can be cancelled free of charge until 24 hours before they start."],
        description="The cancellation policy in the practice's words; limit and fee are added from the keys below.",
    )
    contact: Text = Field(
        "your provider", description='Whom clients are told to contact where they cannot act: "Please contact …".'
    )


class BookingRules(Section):
    """Who may book, and what a booking needs."""

    by: Roles = Field(_EVERYBODY, description="Who may book.")
    require: tuple[Literal["code", "format", "client-zone"], ...] = Field(
        (), description="What a booking must say beside who and when."
    )
    client_notice: DurationOrZero = Field(
        timedelta(0), description="Least time between a client's booking and the start of the session."
    )
    client_ahead: Duration | None = Field(
        None, examples=["90d"], description="How far ahead a client may book. None: as far as there are slots."
    )
    double_booking: Flag = Field(False, description="Whether one provider may have two sessions at a time.")
    confirm_within: Duration | None = Field(
        None,
        examples=["48h"],
        description="Time within which a provider confirms what others booked; later it counts under [limits]. None: "
        "bookings need no confirmation.",
    )


class InitialCancel(Section):
    """Overrides of `[cancel]` for initial sessions; a key left out follows `[cancel]`."""

    by: Roles | None = Field(None, examples=[["support", "system"]], description="Overrides by.")
    require: tuple[Literal["note", "client-aware"], ...] | None = Field(
        None, examples=[["client-aware"]], description="Overrides require."
    )
    refund: Literal["never", "paid", "always"] | None = Field(
        None, examples=["always"], description="Overrides refund."
    )
    refund_within: Duration | None = Field(None, examples=["48h"], description="Overrides refund_within.")


class CancelRules(Section):
    """Who may cancel, until when, and what it costs."""

    by: Roles = Field(_EVERYBODY, description="Who may cancel.")
    after_start: Roles = Field(_STAFF, description="Who may still cancel once the session has started.")
    reason: dict[Role, ReasonNeed] = Field(
        _WRITTEN,
        description='What each role gives as a reason: "none" is needed, "text" in their own words, or one of the '
        '"list" of [[reasons]]. A role left out writes its own; the system needs none.',
    )
    require: tuple[Literal["note", "client-aware"], ...] = Field(
        (), description="What staff must say beside the reason: a note; that the client is aware."
    )
    client_notice: DurationOrZero = Field(
        timedelta(0),
        description="Elapsed time before the start until which clients cancel on their own; exactly that is in time.",
    )
    client_late: Literal["refuse", "fee"] = Field(
        "refuse",
        description='A client inside client_notice: "refuse" and send them to the provider, or let them cancel for the '
        'late-cancellation "fee", shown before.',
    )
    late_notice: DurationOrZero = Field(
        timedelta(0),
        description="A cancellation that the client caused, nearer to the start than this, is recorded as late and "
        "owes the late-cancellation fee. Zero: none is late.",
    )
    refund: Literal["never", "paid", "always"] = Field(
        "never", description="When staff must say whether to refund: never, if the session is paid, or always."
    )
    refund_within: Duration | None = Field(
        None,
        examples=["48h"],
        description="The refund question is asked only this near to the start; None: whenever. A paid session that is "
        "cancelled earlier is recorded as to be refunded.",
    )
    suggest_others: Flag = Field(
        False, description="Whether a cancellation may ask support to suggest another provider to the client."
    )
    initial: InitialCancel = Field(InitialCancel(), description="Overrides of [cancel] for initial sessions.")


class RescheduleRules(Section):
    """Who may move a session, and until when. A drag that is answered with a reschedule passes the same rules."""

    by: Roles = Field(_EVERYBODY, description="Who may move a session.")
    after_start: Roles = Field(_STAFF, description="Who may still move it once it has started.")
    reason: dict[Role, ReasonNeed] = Field(_WRITTEN, description="As in [cancel].")
    client_notice: DurationOrZero = Field(
        timedelta(0), description="Elapsed time before the start until which clients move it on their own."
    )
    formats: tuple[Text, ...] = Field(
        (),
        examples=[["video", "phone", "in-person"]],
        description="Formats that may be chosen when a session is booked or moved; none listed: any word.",
    )


class AskRules(Section):
    """Asking the client for another time instead of cancelling."""

    by: Roles = Field(("provider", "support"), description="Who may ask.")
    reason: dict[Role, ReasonNeed] = Field(_WRITTEN, description="As in [cancel].")
    answer_within: Duration = Field(
        timedelta(hours=48),
        description="Elapsed time for the answer, at most until the session starts; then the system cancels it.",
    )
    block: Flag = Field(True, description="Whether the old time may be blocked as out of office meanwhile.")


class NoShowRules(Section):
    """Recording that the client did not come."""

    by: Roles = Field(_STAFF, description="Who may record it.")
    grace: DurationOrZero = Field(timedelta(0), description="Time after the start before which it cannot be recorded.")


class Fees(Section):
    """What clients owe. calsync records it and moves no money; insurance never pays it."""

    currency: Annotated[Text, Field(pattern="^[A-Z]{3}$")] = Field("USD", description="ISO code of all amounts here.")
    late_cancellation: Amount | None = Field(
        None, examples=["75.00"], description="Owed for a late cancellation. None: nothing is."
    )
    no_show: Amount | None = Field(None, examples=["75.00"], description="Owed for a no-show. None: nothing is.")
    late_cancellation_of: dict[str, Amount] = Field(
        {}, examples=[{"ada": "90.00"}], description="The same by provider's id, where one asks for another amount."
    )
    no_show_of: dict[str, Amount] = Field({}, examples=[{"ada": "90.00"}], description="The same for no-shows.")
    waive_by: Roles = Field(("provider", "support"), description="Who may waive it, always with a note.")
    change_by: Roles = Field(("support",), description="Who may change a recorded fee, always with a reason.")


class Packages(Section):
    """Sessions that clients have bought in advance."""

    give_back: Literal["always", "in-time"] = Field(
        "always",
        description='When a cancelled session\'s credit goes back to its package: "always", or only "in-time", that is '
        "not for a late cancellation. A moved session keeps its credit used.",
    )


class Limits(Section):
    """How often a provider may upset plans before support looks. Nobody is ever suspended by it."""

    provider_changes: Count | None = Field(
        None, examples=[5], description="Changes within the period that are still all right. None: not counted."
    )
    period: Duration = Field(timedelta(days=90), description="Rolling elapsed time over which changes count.")
    count: tuple[Literal["cancel", "reschedule", "unconfirmed"], ...] = Field(
        ("cancel", "reschedule", "unconfirmed"),
        description="What counts: cancellations and moves that the provider caused, bookings left unconfirmed.",
    )


class Pausing(Section):
    """Pausing a provider's bookings. Sessions that are booked stay."""

    by: Roles = Field(_STAFF, description="Who may pause; providers only themselves.")
    resume_by: Roles = Field(("support", "system"), description="Who may take bookings up again.")
    require_reason: Flag = Field(False, description="Whether support must say why.")


class BlockRules(Section):
    """Out-of-office times."""

    by: Roles = Field(_STAFF, description="Who may block a provider's time; providers only their own.")
    title: Text = Field("Out of office", description="Title of blocks that a cancellation or a request puts up.")
