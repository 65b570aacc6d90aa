"""Drags that become reschedules by rule (P-13), for practices that want that: `[drift] adopt`.

The drag passes exactly the rules of any other reschedule by the provider. What a rule forbids stays flagged, and the
provider is asked about it like about any other edit.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from calsync.answers.edits import resolve_edit
from calsync.answers.words import Answer, Desk, Word
from calsync.domain.drift import Disposition, Drift, DriftKind, Phase
from calsync.errors import Refused
from calsync.store import drifts, providers
from calsync.store.drifts import DriftFilter

_log = structlog.get_logger(__name__)

NOTE: Final = "moved in the calendar"
# An edit that was refused is not tried for ever: what becomes free much later was not what the provider saw.
_TRIED_FOR: Final = timedelta(minutes=10)
_KINDS: Final = frozenset({DriftKind.MOVED, DriftKind.RESIZED})


def adopt_drags(desk: Desk, now: datetime) -> int:
    """Reschedule what was dragged and left alone for `drift.settle`; how many edits became reschedules.

    Whenever it runs, late or twice or in two processes at once, each edit is taken up once.
    """
    settings = desk.settings
    adopting = {key for key, one in settings.practices.items() if one.drift.adopt and settings.mode_for(key) == "act"}
    if not adopting:
        return 0
    with desk.database.reading() as conn:
        due = _due(conn, desk, adopting, now)
    return sum(_adopt(desk, edit, provider) for edit, provider in due.items())


def _due(conn: Connection, desk: Desk, adopting: set[str], now: datetime) -> dict[str, str]:
    """Edits to take up, each with its provider."""
    settle = desk.settings.drift.settle
    found: dict[str, str] = {}
    young: set[str] = set()
    for provider in providers.rows(conn):
        if provider.practice not in adopting:
            continue
        for one in drifts.rows(conn, DriftFilter(open=True, provider=provider.id)):
            if _may_be_adopted(one, now):
                found[one.edit] = provider.id
            if one.changed_at + settle > now or one.changed_at + settle + _TRIED_FOR < now:
                young.add(one.edit)
    return {edit: provider for edit, provider in found.items() if edit not in young}


def _may_be_adopted(one: Drift, now: datetime) -> bool:
    ahead = one.expected is not None and one.expected.span.start_at > now
    flagged = one.phase is Phase.UPCOMING and one.disposition is Disposition.FLAG and not one.accepted
    return ahead and flagged and one.kind in _KINDS and one.appointment is not None


def _adopt(desk: Desk, edit: str, provider: str) -> int:
    word = Word(answer=Answer.RESCHEDULE, by=f"provider:{provider}", note=NOTE)
    try:
        return len(resolve_edit(desk, edit, word).answered) and 1
    except Refused as refusal:
        _log.info("drag_not_adopted", edit=edit, because=refusal.code)
        return 0
