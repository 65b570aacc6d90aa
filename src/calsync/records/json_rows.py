"""Records as programs read them: one flat row of JSON each, the same from the command line and over HTTP. Pure."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from calsync.domain.appointment import Appointment, Block, Series
from calsync.domain.drift import Drift
from calsync.domain.event import Appearance
from calsync.domain.span import Span, zone_named
from calsync.store.drifts import DriftAnswer
from calsync.store.money import Fee
from calsync.store.recalls import RecallRow
from calsync.store.record_values import AppointmentFacts
from calsync.store.records import HistoryRow


def appointment_row(one: Appointment, facts: AppointmentFacts | None = None, client_name: str = "") -> dict[str, Any]:
    """An appointment; times are wall times in `zone`, `start_at` and `end_at` the same as instants."""
    row: dict[str, Any] = {
        "id": one.id,
        "provider": one.provider,
        "client": one.client,
        "client_name": client_name,
        **span_row(one.span),
        "kind": one.kind.value,
        "status": one.status.value,
        "series": one.series,
        "original_start": instant_text(one.original_start),
        "code": one.code,
        "payer": one.payer,
        "format": one.format,
        "session": one.session,
        "client_zone": one.client_zone,
        "pending": one.pending,
        "version": one.version,
    }
    if facts is not None:
        row |= {
            "origin": facts.origin,
            "completed_by": facts.completed_by,
            "missing_since": instant_text(facts.missing_since),
            "updated_at": instant_text(facts.updated_at),
        }
    return row


def series_row(one: Series) -> dict[str, Any]:
    """A series; `added` and `excluded` are instants."""
    return {
        "id": one.id,
        "provider": one.provider,
        "client": one.client,
        **span_row(one.span),
        "rule": one.rule,
        "added": [instant_text(at) for at in one.added],
        "excluded": [instant_text(at) for at in one.excluded],
        "continues": one.continues,
        "cancelled": one.cancelled,
        "version": one.version,
    }


def block_row(one: Block) -> dict[str, Any]:
    """An out-of-office block."""
    return {
        "id": one.id,
        "provider": one.provider,
        **span_row(one.span),
        "title": one.title,
        "cancelled": one.cancelled,
    }


def history_row(row: HistoryRow) -> dict[str, Any]:
    """One change of a record."""
    return {
        "at": instant_text(row.at),
        "actor": row.actor,
        "action": row.action,
        "reason": row.reason,
        "note": row.note,
        "before": row.before,
        "after": row.after,
    }


def fee_row(one: Fee) -> dict[str, Any]:
    """A fee; its amount is a text such as `75.00`."""
    return asdict(one) | {"at": instant_text(one.at), "changed_at": instant_text(one.changed_at)}


def drift_row(one: Drift, answer: DriftAnswer | None = None) -> dict[str, Any]:
    """A drift (face.md, Data); times carry the offset of the session's zone."""
    zone = drift_zone(one)
    row: dict[str, Any] = {
        "id": one.id,
        "edit": one.edit,
        "appointment": one.appointment,
        "block": one.block,
        "series": one.series,
        "original_start": _at(one.original_start, zone),
        "provider": one.provider,
        "calendar": one.calendar,
        "kind": one.kind.value,
        "phase": one.phase.value,
        "expected_start": _start(one.expected, zone),
        "expected_end": _end(one.expected, zone),
        "observed_start": _start(one.observed, zone),
        "observed_end": _end(one.observed, zone),
        "detected_at": _at(one.detected_at, zone),
        "scope": one.scope.value,
        "mixed": one.mixed,
        "disposition": one.disposition.value,
        "resolution": one.resolution.value,
        "resolved_at": _at(one.resolved_at, zone),
    }
    if answer is not None:
        row |= {
            "accepted": one.accepted,
            "reverted_at": _at(answer.reverted_at, zone),
            "resolved_by": answer.resolved_by,
            "note": answer.note,
            "history": [_start(seen, zone) for seen in one.history],
        }
    return row


def drift_zone(one: Drift) -> str:
    """The zone in which a drift's times are told."""
    known = one.expected or one.observed
    return "UTC" if known is None else known.span.zone


def recall_row(one: RecallRow) -> dict[str, Any]:
    """A recall (claims sheet, 12); `filed` is the filing that it corrects."""
    return {
        "id": one.id,
        "appointment": one.appointment,
        "clearance": one.clearance,
        "filed": one.filing,
        "action": one.action,
        "old_date": None if one.old_date is None else one.old_date.isoformat(),
        "new_date": None if one.new_date is None else one.new_date.isoformat(),
        "old_code": one.old_code,
        "new_code": one.new_code,
        "reasons": list(one.reasons),
        "version": one.version,
        "detected_at": instant_text(one.detected_at),
        "identified_at": instant_text(one.identified_at),
        "state": one.state,
        "closed_at": instant_text(one.closed_at),
        "closed_by": one.closed_by,
        "closed_because": one.closed_because,
        "former": one.former,
        "evidence": one.evidence["items"],
    }


def span_row(span: Span) -> dict[str, Any]:
    """From when to when, by the wall clock of the zone and as instants."""
    return {
        "start": wall_text(span.start),
        "end": wall_text(span.end),
        "zone": span.zone,
        "start_at": instant_text(span.start_at),
        "end_at": instant_text(span.end_at),
    }


def wall_text(wall: datetime) -> str:
    """A wall time for programs."""
    return wall.replace(fold=0).isoformat()


def instant_text(at: datetime | None) -> str | None:
    """An instant for programs, or None."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def _start(seen: Appearance | None, zone: str) -> str | None:
    return None if seen is None else _at(seen.span.start_at, zone)


def _end(seen: Appearance | None, zone: str) -> str | None:
    return None if seen is None else _at(seen.span.end_at, zone)


def _at(at: datetime | None, zone: str) -> str | None:
    return None if at is None else at.astimezone(zone_named(zone)).isoformat()
