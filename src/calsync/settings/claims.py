"""`[claims]`: how sure the gate must be before it clears a date. Practices may set some of it for themselves."""

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any, Final, Literal

from pydantic import Field

from calsync.settings.fields import ClockTime, Count, Duration, DurationOrZero, Flag, Section, Text

Join = Literal["appointment-reference", "claim-id", "claims-map"]


class PracticeClaims(Section):
    """The part of `[claims]` that a practice may set for itself; a key left out follows calsync.toml."""

    trusted_evidence: tuple[Text, ...] | None = Field(
        None, examples=[["video-platform"]], description="Overrides claims.trusted_evidence."
    )
    trusted_overlap: Duration | None = Field(None, examples=["15m"], description="Overrides claims.trusted_overlap.")
    review_silence: Duration | None = Field(None, examples=["5d"], description="Overrides claims.review_silence.")
    acknowledge_reverts: Flag | None = Field(None, examples=[True], description="Overrides claims.acknowledge_reverts.")
    require_observation_after_session: Flag | None = Field(
        None, examples=[True], description="Overrides claims.require_observation_after_session."
    )
    unlinked: Literal["hold", "clear"] | None = Field(None, examples=["hold"], description="Overrides claims.unlinked.")
    backfilled: Literal["hold", "clear"] | None = Field(
        None, examples=["hold"], description="Overrides claims.backfilled."
    )
    midnight: Literal["hold", "start", "end"] | None = Field(
        None, examples=["hold"], description="Overrides claims.midnight."
    )
    date_zone: Literal["hold", "record", "provider", "client"] | None = Field(
        None, examples=["hold"], description="Overrides claims.date_zone."
    )
    minutes: Literal["floor", "strict"] | None = Field(
        None, examples=["floor"], description="Overrides claims.minutes."
    )


def days_of_payer(days: Mapping[str, int], payer: str) -> int | None:
    """The payer's own number of days, else that of `default`; None where neither is known."""
    return days.get(payer, days.get("default"))


class Claims(Section):
    """When a claim may leave. The defaults hold whenever the date is not certain."""

    trusted_evidence: tuple[Text, ...] = Field(
        (),
        description="Sources of session logs, by name, that may prove a session on their own. None by default: name "
        "one only after comparing a month of its rows with the notes. Each row must say who was present.",
    )
    trusted_overlap: Duration = Field(
        timedelta(minutes=15),
        description="Least time that both were present together, in one visit, for a trusted log to prove a session.",
    )
    evidence_tolerance: DurationOrZero = Field(
        timedelta(minutes=30),
        description="How far a log's start may lie from the booked one before it is said, or held; also the gap up to "
        "which two pieces of a log count as one visit.",
    )
    settle: DurationOrZero = Field(
        timedelta(minutes=2),
        description="Wait after a session's end before the calendar is read for proof, because services may answer a "
        "read made at once with an older state.",
    )
    refresh_timeout: Duration = Field(
        timedelta(seconds=60),
        description="Longest time that `claims check --refresh` may take in all, so that a batch is never stuck.",
    )
    review_silence: Duration = Field(
        timedelta(days=5),
        description="How long a question about a filed claim may stay unanswered before billing is asked to act.",
    )
    acknowledge_reverts: Flag = Field(
        True,
        description="Hold a claim after an edit was put back, until the provider says which time is right. Switching "
        "it off opens the gate wider: the edit may have been the truth.",
    )
    require_observation_after_session: Flag = Field(
        True,
        description="Ask for a calendar reading made after the session's end. Switching it off opens the gate wider: "
        "late edits go unseen.",
    )
    unlinked: Literal["hold", "clear"] = Field(
        "hold",
        description='A session that no calendar shows: "hold", or "clear" on the word of the record alone (wider).',
    )
    backfilled: Literal["hold", "clear"] = Field(
        "hold",
        description='A session imported after it took place: "hold", or "clear" on the record\'s word alone (wider).',
    )
    midnight: Literal["hold", "start", "end"] = Field(
        "hold",
        description='A session that crosses midnight: "hold", or bill the date of its "start" or its "end" (wider).',
    )
    date_zone: Literal["hold", "record", "provider", "client"] = Field(
        "hold",
        description='Whose zone gives the date where the zones disagree about it: "hold", or the zone of the "record", '
        'the "provider" or the "client" (wider).',
    )
    minutes: Literal["floor", "strict"] = Field(
        "floor",
        description="A code's minutes against the session's length: \"floor\" holds what is too short for the code, "
        '"strict" also what is too long for it.',
    )
    timely_filing_days: dict[str, Count] = Field(
        {},
        description="Days after the session within which a payer takes a claim, by payer name; `default` for all "
        "others. Gives held rows their file-by date. None by default: the limits stand in your contracts.",
    )
    correction_limit_days: dict[str, Count] = Field(
        {},
        description="The same for corrections of a filed claim. A question about one is never left open past it.",
    )
    recalls_at: ClockTime = Field(
        time(17, 30),
        description="When billing gets the day's recalls in one mail, on the sessions' own clocks: before the batch is "
        "made. A claim that must not be sent any more is told at once.",
    )
    join: tuple[Join, ...] = Field(
        ("appointment-reference", "claim-id", "claims-map"),
        min_length=1,
        description="How a line of a claim file finds its appointment, tried in this order: its REF*6R, the claim id "
        "of a one-line claim, the practice's own map of claims. Never by client and date: the date is in question.",
    )
    internal_codes: tuple[Text, ...] = Field(
        (),
        description="Billing codes that stand for no service (a missed appointment, say); a line with one is never "
        "billable.",
    )
    max_batch_bytes: Count = Field(
        64 * 1024 * 1024,
        description="Largest claim file, in bytes, that is read at all, so that a wrong file cannot fill the memory.",
    )
    retention: Duration = Field(
        timedelta(days=7 * 366),
        description="How long the evidence behind an answer is kept; payers may look back six years.",
    )

    def with_practice(self, practice: PracticeClaims) -> "Claims":
        """These rules, with what a practice set for itself."""
        return self.model_copy(update=practice.model_dump(exclude_none=True, mode="python") | _durations_of(practice))


def _durations_of(practice: PracticeClaims) -> dict[str, timedelta]:
    # A dump writes durations as text; the copy needs them as they are.
    return {name: value for name, value in practice if isinstance(value, timedelta)}


NARROWEST: Final[dict[str, Any]] = {
    "trusted_evidence": (),
    "acknowledge_reverts": True,
    "require_observation_after_session": True,
    "unlinked": "hold",
    "backfilled": "hold",
    "midnight": "hold",
    "date_zone": "hold",
}
"""Keys that can open the gate wider than the default, with the value that keeps it narrow."""


def find_wider_keys(claims: Claims) -> list[str]:
    """Names of the keys by which `claims` clears more than the default would, in the order of the config."""
    wider = {name for name, narrow in NARROWEST.items() if getattr(claims, name) != narrow}
    if claims.trusted_overlap < Claims().trusted_overlap:
        wider.add("trusted_overlap")
    if claims.settle < Claims().settle:
        wider.add("settle")
    return [name for name in Claims.model_fields if name in wider]
