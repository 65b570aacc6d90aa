"""Who of the practice may see and do what. One table each, so that every cell can be read, and is tested.

Support looks after edits and calendars, billing after claims, an admin after everything. A client's name is shown to
whoever talks to clients; the note of a colleague to whoever may settle what it is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from calsync.store.tokens import Role

PEOPLE: Final = (Role.SUPPORT, Role.BILLING, Role.ADMIN)
"""The roles of people. `platform` is for programs only."""


class Field(StrEnum):
    """What a page may show."""

    PROVIDER_NAME = "provider-name"
    PROVIDER_ADDRESS = "provider-address"
    CLIENT_ID = "client-id"
    CLIENT_NAME = "client-name"
    SESSION_TIMES = "session-times"
    SESSION_CODE = "session-code"
    PAYER = "payer"
    EDITS = "edits"
    READINGS = "readings"
    WRITES = "writes"
    MAILS = "mails"
    NOTES = "notes"
    CLAIM = "claim"
    CANDIDATE_DATES = "candidate-dates"
    FILINGS = "filings"
    CALENDAR_ERRORS = "calendar-errors"
    REPORT = "report"


class Action(StrEnum):
    """What a page may do."""

    SETTLE = "settle"
    TRIAGE = "triage"
    ASK = "ask"
    NOTE = "note"
    SEARCH_CLIENTS = "search-clients"
    WORK_CALENDARS = "work-calendars"
    ANSWER_STOPS = "answer-stops"
    RELEASE_FLEET = "release-fleet"


_S, _B, _A = Role.SUPPORT, Role.BILLING, Role.ADMIN

MAY_SEE: Final[Mapping[Field, frozenset[Role]]] = {
    Field.PROVIDER_NAME: frozenset({_S, _B, _A}),
    Field.PROVIDER_ADDRESS: frozenset({_S, _A}),
    Field.CLIENT_ID: frozenset({_S, _B, _A}),
    Field.CLIENT_NAME: frozenset({_S, _A}),
    Field.SESSION_TIMES: frozenset({_S, _B, _A}),
    Field.SESSION_CODE: frozenset({_B, _A}),
    Field.PAYER: frozenset({_B, _A}),
    Field.EDITS: frozenset({_S, _B, _A}),
    Field.READINGS: frozenset({_S, _B, _A}),
    Field.WRITES: frozenset({_S, _A}),
    Field.MAILS: frozenset({_S, _B, _A}),
    Field.NOTES: frozenset({_S, _B, _A}),
    Field.CLAIM: frozenset({_S, _B, _A}),
    Field.CANDIDATE_DATES: frozenset({_B, _A}),
    Field.FILINGS: frozenset({_B, _A}),
    Field.CALENDAR_ERRORS: frozenset({_S, _A}),
    Field.REPORT: frozenset({_S, _B, _A}),
}

MAY_DO: Final[Mapping[Action, frozenset[Role]]] = {
    Action.SETTLE: frozenset({_S, _B, _A}),
    Action.TRIAGE: frozenset({_S, _B, _A}),
    Action.ASK: frozenset({_S, _B, _A}),
    Action.NOTE: frozenset({_S, _B, _A}),
    Action.SEARCH_CLIENTS: frozenset({_S, _A}),
    Action.WORK_CALENDARS: frozenset({_S, _A}),
    Action.ANSWER_STOPS: frozenset({_S, _A}),
    Action.RELEASE_FLEET: frozenset({_A}),
}


def may_see(role: Role, field: Field) -> bool:
    """Whether somebody with this role is shown it."""
    return role in MAY_SEE[field]


def may_do(role: Role, action: Action) -> bool:
    """Whether somebody with this role may do it."""
    return role in MAY_DO[action]
