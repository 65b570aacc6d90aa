"""The tie between a subject and one event in one calendar, with what was last agreed. Never does I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calsync.domain.appointment import Subject
from calsync.domain.event import Event


class LinkState(StrEnum):
    """Life of a link: `retiring` is watched and then removed (R-23); `retired` is history."""

    ACTIVE = "active"
    RETIRING = "retiring"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Link:
    """A subject's event in one calendar.

    `remote_id` is the service's name of the event, `version` its opaque tag for conditional writes, `baseline` the
    expected event that the calendar last acknowledged (None before the first confirmed write). `observed` is the event
    last seen, kept only while it differs from the baseline; `absent` that it was last confirmed missing, `unreadable`
    that it was there and nobody could understand it.
    """

    id: str
    calendar: str
    provider: str
    subject: Subject
    generation: int
    remote_id: str
    uid: str
    state: LinkState = LinkState.ACTIVE
    version: str | None = None
    baseline: Event | None = None
    baseline_hash: str | None = None
    observed: Event | None = None
    absent: bool = False
    unreadable: bool = False
    confirmed_at: datetime | None = None  # last confirmed write of ours
    linked_at: datetime | None = None  # first confirmed write
