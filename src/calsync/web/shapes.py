"""What the interface for programs answers, for its description. Times are ISO 8601; instants end in `Z`."""

from __future__ import annotations

from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Row = TypeVar("Row")


class Shape(BaseModel):
    """What all have in common."""

    model_config = ConfigDict(extra="forbid")


class FieldError(Shape):
    """One thing that is wrong in a request."""

    field: str
    message: str


class ErrorDetail(Shape):
    """Why something was refused. `code` is stable and for programs."""

    code: str
    message: str
    fields: list[FieldError]
    slots: list[SlotShape] | None = Field(None, description="With `slot-taken`: some times that are free.")


class ErrorShape(Shape):
    """Every error looks like this."""

    error: ErrorDetail


class SpanShape(Shape):
    """From when to when: by the wall clock of `zone`, and as instants."""

    start: str
    end: str
    zone: str
    start_at: str
    end_at: str


class SlotShape(SpanShape):
    """A free time."""


class SlotList(Shape):
    """Free times; without any, `why` says so: `provider-paused`, `working-times-unknown`, `none-free`."""

    slots: list[SlotShape]
    why: str | None
    hint: str


class AppointmentShape(SpanShape):
    """One session's record. A token of role support is not told `code` and `payer`: they are left out."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "id": "4821",
                    "provider": "P-1",
                    "client": "C-12",
                    "start": "2026-11-24T10:00:00",
                    "end": "2026-11-24T10:50:00",
                    "zone": "America/New_York",
                    "start_at": "2026-11-24T15:00:00Z",
                    "end_at": "2026-11-24T15:50:00Z",
                    "kind": "follow-up",
                    "status": "scheduled",
                    "series": None,
                    "original_start": None,
                    "code": "90834",
                    "payer": "insurance",
                    "format": None,
                    "session": None,
                    "client_zone": None,
                    "pending": None,
                    "version": 1,
                    "origin": "api",
                    "completed_by": None,
                    "missing_since": None,
                    "updated_at": "2026-11-20T08:15:02Z",
                }
            ]
        },
    )
    id: str
    provider: str
    client: str
    kind: str
    status: str
    series: str | None
    original_start: str | None
    code: str | None = None
    payer: str | None = None
    format: str | None
    session: str | None
    client_zone: str | None
    pending: str | None
    version: int
    origin: str
    completed_by: str | None
    missing_since: str | None
    updated_at: str | None


class ChangeShape(Shape):
    """One change of a record."""

    at: str
    actor: str
    action: str
    reason: str | None
    note: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Said(Shape):
    """What an upsert did: the record as it is now, and what changed, each with its word (empty: nothing)."""

    appointment: AppointmentShape
    changed: dict[str, str]


class ResourceShape(Shape):
    """Something to show to the client."""

    text: str
    url: str


class OutcomeShape(Shape):
    """What a command did.

    `refused` are members of a set that a rule protects, each with the reason, and `codes` the same with the rule's
    code; the others were changed all the same.
    """

    appointments: list[str]
    series: list[str]
    refused: dict[str, str]
    codes: dict[str, str]
    fees: list[str]
    refunds: list[str]
    blocks: list[str]
    packages: list[str]
    rebook: bool
    resources: list[ResourceShape]


class AskedShape(OutcomeShape):
    """A request to the client. `token` is for the client's link, and shown this once."""

    token: str
    expires_at: str


class SeriesShape(SpanShape):
    """A series; the span is its first session, `added` and `excluded` are instants."""

    id: str
    provider: str
    client: str
    rule: str
    added: list[str]
    excluded: list[str]
    continues: str | None
    cancelled: bool
    version: int


class BlockShape(SpanShape):
    """An out-of-office time."""

    id: str
    provider: str
    title: str
    cancelled: bool


class BlockAdded(BlockShape):
    """The same, with the sessions that still stand in it."""

    sessions_inside: list[str]


class Removed(Shape):
    """Whether something was taken away now, and not before."""

    id: str
    removed: bool


class PackageShape(Shape):
    """Sessions that a client has bought, and how many of them are left."""

    id: str
    client: str
    sessions: int
    left: int
    at: str
    by: str


class FeeShape(Shape):
    """What a client owes. calsync moves no money."""

    id: str
    appointment: str
    provider: str
    client: str
    kind: str
    amount: str
    currency: str
    state: str
    at: str
    by: str
    note: str | None
    changed_at: str | None
    changed_by: str | None
    because: str | None


class ProviderShape(Shape):
    """A provider. `paused`: takes no new bookings."""

    id: str
    zone: str
    practice: str
    paused: bool


class ClientShape(Shape):
    """A client. `zone` null: not known."""

    id: str
    name: str
    email: str
    zone: str | None


class LinkShape(Shape):
    """A client's booking link for a provider: always the same one."""

    client: str
    provider: str
    url: str


class AvailabilityShape(Shape):
    """Working times. `times` null: nobody has said any.

    `weekly` begins with Monday; hours are [from, to, formats…] in minutes after midnight.
    """

    provider: str
    zone: str
    times: dict[str, Any] | None


class DriftShape(Shape):
    """One out-of-band difference on one occurrence."""

    id: str
    edit: str
    appointment: str | None
    block: str | None
    series: str | None
    original_start: str | None
    provider: str
    calendar: str
    kind: str
    phase: str
    expected_start: str | None
    expected_end: str | None
    observed_start: str | None
    observed_end: str | None
    detected_at: str
    scope: str
    mixed: bool
    disposition: str
    resolution: str
    resolved_at: str | None


class DriftFull(DriftShape):
    """The same with its answer and everything that was seen before."""

    accepted: bool
    reverted_at: str | None
    resolved_by: str | None
    note: str | None
    history: list[str | None]


class SettledShape(Shape):
    """What an answer settled, and what of the same edit still waits for one."""

    edit: str
    answered: list[str]
    waiting: list[str]


class FiledShape(Shape):
    """A claim that was sent."""

    id: str
    appointment: str
    date: str
    frequency: str
    batch: str | None
    against_gate: bool
    state: str


class RecallShape(Shape):
    """A claim that was cleared or filed and turned out otherwise. `filed`: the filing that it corrects."""

    id: str
    appointment: str
    clearance: str | None
    filed: str | None
    action: str
    old_date: str | None
    new_date: str | None
    old_code: str | None
    new_code: str | None
    reasons: list[str]
    version: int
    detected_at: str
    identified_at: str | None
    state: str
    closed_at: str | None
    closed_by: str | None
    closed_because: str | None
    former: str | None
    evidence: list[Any]


class Page(Shape, Generic[Row]):
    """A page of a list. `next`: the cursor of the next one; null on the last."""

    items: list[Row]
    next: str | None


ErrorDetail.model_rebuild()

_ERRORS: Final = {
    400: "The request cannot be read: bad JSON, doubled keys, NaN, an odd path.",
    401: "No token, or a wrong one.",
    403: "The token's role may not do this, or not on behalf of that actor.",
    404: "There is no such thing on the books.",
    409: "A rule says no; `code` names it. Nothing was changed.",
    412: "The record is at another version than `If-Match` says.",
    413: "The body is larger than 1 MiB.",
    415: "The body is not `application/json`.",
    422: "Something in the request cannot be used; `fields` says what.",
    429: "Too many wrong tokens.",
    503: "The database cannot be used right now; try again.",
}
ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": ErrorShape, "description": words} for status, words in _ERRORS.items()
}
"""How every address may refuse."""
