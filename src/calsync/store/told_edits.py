"""What other programs are told of edits. Called by `drifts`, in the transaction of what it tells."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from calsync.domain.drift import Drift, Resolution
from calsync.store import webhooks


def found(conn: Connection, drift: Drift) -> None:
    """An edit was found."""
    told = _told(drift) | {"disposition": drift.disposition.value}
    webhooks.emit(conn, f"edit.found:{drift.id}", "edit.found", _subject(drift), told, drift.detected_at)


def resolved(conn: Connection, drift: Drift, resolution: Resolution, at: datetime) -> None:
    """It has ended."""
    told = _told(drift) | {"resolution": resolution.value}
    effect = f"edit.resolved:{drift.id}:{resolution.value}"
    webhooks.emit(conn, effect, "edit.resolved", _subject(drift), told, at)


def _subject(drift: Drift) -> str:
    return f"appointment:{drift.appointment}" if drift.appointment is not None else f"calendar:{drift.calendar}"


def _told(drift: Drift) -> dict[str, Any]:
    return {
        "drift": drift.id,
        "edit": drift.edit,
        "appointment": drift.appointment,
        "block": drift.block,
        "provider": drift.provider,
        "calendar": drift.calendar,
        "kind": drift.kind.value,
        "phase": drift.phase.value,
    }
