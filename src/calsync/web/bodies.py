"""What programs send to the interface. Unknown keys are refused; every text is one line, within bounds."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from calsync.answers.words import Answer
from calsync.claims.filing import CloseReason, Frequency
from calsync.domain.span import Span, instant, wall_time
from calsync.domain.time_text import check_length, read_day, read_time
from calsync.settings import fields
from calsync.settings.fields import Text
from calsync.web.problems import ApiProblem

Id = Annotated[
    fields.Id,
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$", "examples": ["4821"]}),
]
"""An id, as it appears in files, URLs and logs."""
_ACTOR = r"^(system|(provider|client|support):[A-Za-z0-9][A-Za-z0-9._@+-]{0,127})$"


def _plain(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it holds a control character, or half a character")
    return text


Plain = Annotated[str, AfterValidator(_plain)]
"""A text of characters that can be seen."""
Moment = Annotated[Plain, Field(max_length=40, examples=["2026-11-24T10:00", "2026-11-24T10:00:00-05:00"])]
"""A time: by the wall clock of the session's zone, or with an offset."""
Zone = Annotated[Plain, Field(max_length=64, examples=["America/New_York"])]
Minutes = Annotated[int, Field(strict=True, ge=1, le=1440, examples=[50])]
Words = Annotated[Text, AfterValidator(_plain), Field(examples=["moved house"])]
Code = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._+:/-]*$", examples=["90834"])]
Amount = Annotated[str, Field(max_length=12, pattern=r"^[0-9]{1,7}(\.[0-9]{1,2})?$", examples=["75.00"])]
Answers = Annotated[
    dict[Id, Words],
    Field(max_length=20, description="To the questions that the practice's reason asks, by their ids."),
]


def _day(text: str) -> str:
    read_day(text)
    return text


Day = Annotated[str, Field(max_length=10, examples=["2026-11-24"]), AfterValidator(_day)]


class Body(BaseModel):
    """What all have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Spoken(Body):
    """A command: on whose behalf, and what they note."""

    by: Annotated[
        str | None,
        Field(
            pattern=_ACTOR,
            description="On whose behalf: provider:ID, client:ID, support:NAME, or (admins) system. A platform's token "
            "must say so; for others it is support and the token's id when left out.",
            examples=["client:C-12"],
        ),
    ] = None
    note: Words | None = None


class Timed(Spoken):
    """A command that names a time: `start`, and `end` or `minutes`."""

    start: Moment
    end: Moment | None = None
    minutes: Minutes | None = None

    def span(self, zone: str, present: Span | None = None) -> Span:
        """The time that is meant, in a zone; without an end as long as `present`. `ApiProblem` 422 by field."""
        if self.end is not None and self.minutes is not None:
            raise invalid("minutes", "give end or minutes, not both")
        start_at = _instant("start", self.start, zone)
        if self.end is not None:
            end_at = _instant("end", self.end, zone)
        elif self.minutes is not None:
            end_at = start_at + timedelta(minutes=self.minutes)
        elif present is not None:
            end_at = start_at + present.length
        else:
            raise invalid("end", "give end or minutes: how long is it?")
        try:
            check_length(start_at, end_at)
            return Span(wall_time(start_at, zone), wall_time(end_at, zone), zone)
        except (ValueError, OverflowError) as problem:
            raise invalid("end" if self.end else "minutes", str(problem)) from problem


class Booked(Timed):
    """A session that is wanted."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "4821",
                    "provider": "P-1",
                    "client": "C-12",
                    "start": "2026-11-24T10:00",
                    "minutes": 50,
                    "by": "client:C-12",
                }
            ]
        }
    )
    id: Annotated[Id | None, Field(description="Yours, if you have one; a fresh one otherwise.")] = None
    provider: Id
    client: Id
    zone: Annotated[Zone | None, Field(description="Default: the provider's.")] = None
    kind: Literal["initial", "follow-up"] = "follow-up"
    code: Code | None = None
    format: Code | None = None
    payer: Literal["insurance", "self"] = "insurance"
    client_zone: Zone | None = None
    package: Annotated[Id | None, Field(description="The client's package whose credit it uses.")] = None
    paid: Annotated[Amount | None, Field(description="What the client has paid for it.")] = None


class BookedSeries(Booked):
    """A series; `id` names it, `start` is its first session."""

    rule: Annotated[Plain, Field(max_length=500, examples=["FREQ=WEEKLY;BYDAY=TU"])]


class SaidRecord(Body):
    """An appointment as the platform's own records have it. A field left out is not said, and stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "provider": "P-1",
                    "client": "C-12",
                    "start": "2026-11-24T10:00",
                    "end": "2026-11-24T10:50",
                    "zone": "America/New_York",
                    "status": "scheduled",
                    "updated_at": "2026-11-20T08:15:00Z",
                }
            ]
        }
    )
    provider: Id
    client: Id
    start: Moment
    end: Moment
    zone: Zone
    kind: Literal["initial", "follow-up"] | None = None
    status: Literal["scheduled", "completed", "cancelled", "late-cancelled", "no-show"] | None = None
    series: Id | None = None
    rule: Annotated[Plain | None, Field(max_length=500)] = None
    code: Code | None = None
    session: Annotated[Id | None, Field(description="Sessions of one group have the same one.")] = None
    client_zone: Zone | None = None
    format: Code | None = None
    payer: Literal["insurance", "self"] | None = None
    updated_at: Annotated[
        Moment | None,
        Field(
            description="As of when this is so, with an offset. What is older than what was said before is refused "
            "with 409 `stale-update`, so that requests may arrive in any order. Left out: whatever arrives last counts."
        ),
    ] = None

    def cells(self, key: str) -> dict[str, str]:
        """The same as a row of an import."""
        said = self.model_dump(exclude_unset=True, exclude={"updated_at"})
        return {"id": key} | {name: "" if value is None else str(value) for name, value in said.items()}


class Cancelled(Spoken):
    """A cancellation."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "ill", "by": "client:C-12"}]})
    reason: Words | None = None
    scope: Annotated[Literal["this", "all-upcoming"] | None, Field(description="Needed for a session of a series.")] = (
        None
    )
    waive_fee: bool = False
    refund: Annotated[bool | None, Field(description="The answer to the refund question, where it is asked.")] = None
    client_aware: bool = False
    suggest_others: bool = False
    block: bool = False
    answers: Answers = {}


class Moved(Timed):
    """Another time."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"start": "2026-11-25T14:00", "reason": "work", "by": "client:C-12"}]}
    )
    reason: Words | None = None
    scope: Annotated[
        Literal["this", "this-and-following"] | None, Field(description="Needed for a session of a series.")
    ] = None
    cadence: Annotated[Plain | None, Field(max_length=500)] = None
    moved: Literal["keep", "reset"] = "keep"
    format: Code | None = None
    answers: Answers = {}


class Asked(Spoken):
    """A request to the client to choose another time."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "conference", "by": "provider:P-1"}]})
    reason: Words | None = None
    block: bool = False
    answers: Answers = {}


class Chosen(Spoken):
    """The client's answer to such a request."""

    start: Moment


class Attended(Spoken):
    """That a session took place; from when to when, where a person says so."""

    start: Moment | None = None
    end: Moment | None = None


class Missed(Spoken):
    """That the client did not come."""

    waive_fee: bool = False


class Paid(Spoken):
    """That the client has paid."""

    amount: Amount | None = None


class Blocked(Timed):
    """Out of office."""

    id: Id | None = None
    provider: Id
    zone: Zone | None = None
    title: Annotated[Plain | None, Field(min_length=1, max_length=200)] = None


class Bought(Spoken):
    """A package of sessions that a client has bought."""

    id: Id | None = None
    client: Id
    sessions: Annotated[int, Field(strict=True, ge=1, le=1000)]


class FeeChanged(Spoken):
    """A disputed fee's new amount."""

    amount: Amount
    because: Words


class Paused(Spoken):
    """A pause of bookings, or its end."""

    reason: Words | None = None


class Person(Body):
    """A client. A field left out stays as it is."""

    name: Annotated[Plain | None, Field(min_length=1, max_length=200)] = None
    email: Annotated[Plain | None, Field(max_length=320, examples=["cleo@example.org"])] = None
    zone: Zone | None = None


class LinkWanted(Spoken):
    """Whose booking link."""

    provider: Id


class Times(Spoken):
    """Working times, as `calsync availability set` takes them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "every": "30m",
                    "weekly": {"monday": ["09:00-12:30", {"hours": "13:30-17:00", "formats": ["video"]}]},
                    "dates": {"2026-12-24": []},
                    "by": "provider:P-1",
                }
            ]
        }
    )
    every: Annotated[Plain | None, Field(max_length=12, description="A session may begin at each of these.")] = None
    gap: Annotated[Plain | None, Field(max_length=12, description="Stays free around sessions.")] = None
    weekly: Annotated[dict[Plain, list[Any]], Field(max_length=14)] = {}
    dates: Annotated[dict[Plain, list[Any]], Field(max_length=1000)] = {}

    def values(self) -> dict[str, Any]:
        """The same as the keys of a file."""
        return self.model_dump(exclude={"by", "note"}, exclude_none=True)


class Resolved(Spoken):
    """A person's answer to an edit."""

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={"examples": [{"as": "stands", "note": "told on the phone", "by": "support:sam"}]},
    )
    answer: Annotated[Answer, Field(alias="as")]
    start: Moment | None = None
    end: Moment | None = None
    reason: Words | None = None


class Filed(Spoken):
    """That a claim was sent."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"date": "2026-11-24", "batch": "B-7"}]})
    date: Annotated[Day | None, Field(description="Default: the date that the gate gives.")] = None
    frequency: Annotated[Frequency, Field(description="1: original, 7: replacement, 8: void.")] = Frequency.ORIGINAL
    claim: Id | None = None
    line: Id | None = None
    batch: Id | None = None
    control: Id | None = None


class RecallClosed(Spoken):
    """How a recall ended."""

    reason: CloseReason
    note: Words


def invalid(field: str, message: str) -> ApiProblem:
    """The refusal of one field of a body."""
    words = "Something in the request cannot be used; nothing was changed."
    return ApiProblem(422, "invalid", words, [(field, message)])


def _instant(field: str, text: str, zone: str) -> Any:
    try:
        return instant(read_time(text, zone), zone)
    except (ValueError, OverflowError) as problem:
        raise invalid(field, str(problem) if isinstance(problem, ValueError) else "not a time of our days") from problem
