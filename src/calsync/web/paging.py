"""Lists page by page: `limit` and `cursor` in, `items` and `next` out. A cursor is opaque and good for one list."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from calsync.domain.appointment import AppointmentStatus
from calsync.store.columns import from_micros, to_micros
from calsync.store.pages import Place
from calsync.web.bodies import Day, Id, Moment, Plain
from calsync.web.problems import ApiProblem

MOST: Final = 500

Row = TypeVar("Row")


class PageWanted(BaseModel):
    """Which page of a list. What a list can be narrowed by is added by its own kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=MOST, description="How many rows at most.")] = 100
    cursor: Annotated[
        Plain | None,
        Field(max_length=400, description="`next` of the page before, unchanged. Left out: the first."),
    ] = None


class OfProvider(PageWanted):
    """Only one provider's."""

    provider: Id | None = None


class OfPeople(OfProvider):
    """Only one provider's, only one client's."""

    client: Id | None = None


class OfClient(PageWanted):
    """Only one client's."""

    client: Id | None = None


class SomeAppointments(OfPeople):
    """Which appointments."""

    status: AppointmentStatus | None = None
    series: Id | None = None
    since: Annotated[Moment | None, Field(description="Starting at or after; an instant with an offset.")] = None
    until: Annotated[Moment | None, Field(description="Starting before; an instant with an offset.")] = None


class SomeClients(PageWanted):
    """Which clients."""

    q: Annotated[
        Plain | None, Field(max_length=200, description="Part of the name, whatever the case, or the whole id.")
    ] = None


class SomeDrifts(OfProvider):
    """Which drifts."""

    open: Annotated[bool, Field(description="Only those that are not settled.")] = False
    appointment: Id | None = None
    edit: Id | None = None
    calendar: Id | None = None


class SomeRecalls(PageWanted):
    """Which recalls."""

    open: Annotated[bool, Field(description="Only those that wait for billing.")] = False


class SomeSlots(BaseModel):
    """Which free times."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: Id
    minutes: Annotated[int, Field(ge=1, le=1440)]
    since: Annotated[Moment | None, Field(description="An instant with an offset. Default: now.")] = None
    until: Annotated[Moment | None, Field(description="An instant with an offset. Default: 14 days on.")] = None
    format: Annotated[Plain | None, Field(max_length=40)] = None


class SomeReport(BaseModel):
    """What a report is about: days, both inclusive, in UTC."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: Annotated[Day | None, Field(description="Default: as far back as is mirrored.")] = None
    until: Annotated[Day | None, Field(description="Default: as far ahead as is mirrored.")] = None
    provider: Id | None = None


def read_place(cursor: str | None) -> Place | None:
    """Where a page begins; `ApiProblem` 422 for what was never given out."""
    if cursor is None:
        return None
    found = _decoded(cursor)
    if found is None:
        words = "Take `next` of the page before, unchanged."
        raise ApiProblem(422, "invalid", "The cursor cannot be used.", [("cursor", words)])
    return found


def place_text(place: Place | None) -> str | None:
    """The cursor that leads there."""
    if place is None:
        return None
    at, key = place
    return base64.urlsafe_b64encode(f"{to_micros(at)}|{key}".encode()).rstrip(b"=").decode("ascii")


def page_of(
    rows: Sequence[Row], place: Callable[[Row], Place], cursor: str | None, limit: int
) -> tuple[list[Row], str | None]:
    """One page of a list that is at hand whole, sorted by `place`, and the cursor of the next."""
    after = read_place(cursor)
    ordered = sorted(rows, key=place)
    left = ordered if after is None else [row for row in ordered if place(row) > after]
    found = left[:limit]
    return found, place_text(place(found[-1])) if len(left) > limit else None


def _decoded(cursor: str) -> Place | None:
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode("utf-8")
        at, _, key = text.partition("|")
        return (from_micros(int(at)), key) if key and "\0" not in key else None
    except (ValueError, OverflowError, binascii.Error):
        return None


def by_id(key: str) -> Place:
    """The place of a row in a list that is sorted by id alone."""
    return _BEGINNING, key


def answer(items: Sequence[Any], cursor: str | None) -> dict[str, Any]:
    """A page as it is sent."""
    return {"items": list(items), "next": cursor}


_BEGINNING: Final[datetime] = from_micros(0)
