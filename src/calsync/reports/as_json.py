"""A report as plain data, for `report --format json` and the API (face.md, Data). Times are UTC, lengths seconds."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from calsync.reports.build import Distribution, Report


def report_data(report: Report) -> dict[str, Any]:
    """The whole report; keys keep their meaning, more may be added."""
    scope = report.scope
    return {
        "period": {"since": _at(scope.since), "until": _at(scope.until)},
        "provider": scope.provider,
        "made_at": _at(scope.made_at),
        "appointments": report.appointments,
        "appointments_by_status": _counts(report.by_status),
        "in_step": report.in_step,
        "drifts": {
            "total": report.drifts,
            "by_kind": _counts(report.by_kind),
            "by_phase": _counts(report.by_phase),
            "by_provider": _counts(report.by_provider),
            "by_calendar": _counts(report.by_calendar),
            "by_disposition": _counts(report.by_disposition),
            "by_resolution": _counts(report.by_resolution),
        },
        "time_to_detect": _spread(report.time_to_detect),
        "time_to_resolve": _spread(report.time_to_resolve),
        "open": report.open,
        "held": {
            "total": report.held,
            "of": report.checked,
            "by_reason": _counts(report.held_by_reason),
            "by_waiting_on": _counts(report.held_by_waiting_on),
        },
        "recalls": {
            "total": report.recalls,
            "open": report.recalls_open,
            "by_action": _counts(report.recalls_by_action),
        },
        "calendars": {"total": sum(report.calendars.values()), "by_state": dict(sorted(report.calendars.items()))},
        "conflicts": report.conflicts,
        "cancellations_over_limit": report.cancellations_over_limit,
        "hold_precision": report.hold_precision,
    }


def _counts(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda pair: (-pair[1], pair[0])))


def _spread(one: Distribution) -> dict[str, float | int | None]:
    def seconds(name: str) -> float | None:
        length = getattr(one, name)
        return None if length is None else length.total_seconds()

    return {
        "count": one.count,
        "median_seconds": seconds("median"),
        "p90_seconds": seconds("p90"),
        "max_seconds": seconds("longest"),
    }


def _at(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
