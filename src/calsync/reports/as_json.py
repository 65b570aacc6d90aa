"""A report as plain data, for `report --format json` and the API (face.md, Data). Times are UTC, lengths seconds."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import datetime
from typing import Any

from calsync.reports.build import Report
from calsync.reports.lengths import Distribution


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
        "edits": report.edits,
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
        "time_to_claim": _spread(report.time_to_claim),
        "causes": _causes(report),
        "open": report.open,
        "held": {
            "total": report.held,
            "of": report.checked,
            "by_reason": _counts(report.held_by_reason),
            "by_waiting_on": _counts(report.held_by_waiting_on),
            "by_provider": _counts(report.held_by_provider),
        },
        "recalls": {
            "total": report.recalls,
            "open": report.recalls_open,
            "by_action": _counts(report.recalls_by_action),
        },
        "calendars": {"total": sum(report.calendars.values()), "by_state": dict(sorted(report.calendars.items()))},
        "conflicts": report.conflicts,
        "busy_conflicts": {
            "total": report.busy_conflicts,
            "by_calendar": _counts(report.busy_by_calendar),
            "sessions": {
                session: {"calendar": calendar, "busy_from": start.isoformat(), "busy_until": end.isoformat()}
                for session, (calendar, start, end) in report.busy_sessions.items()
            },
        },
        "cancellations_over_limit": report.cancellations_over_limit,
        "providers_to_review": [asdict(one) for one in report.reviews],
        "bookings_unconfirmed": report.unconfirmed,
        "suggest_others": report.suggestions,
        "hold_rate": report.hold_rate,
        "hold_precision": report.hold_precision,
    }


def causes_by_provider(report: Report) -> list[tuple[str, dict[str, int], int]]:
    """Whose calendars the edits and the held claims come from: provider, edits by kind, claims held; most first."""
    kinds: dict[str, dict[str, int]] = {}
    for (provider, kind), count in report.causes.most_common():
        kinds.setdefault(provider, {})[kind] = count
    everybody = {*kinds, *report.held_by_provider}
    found = [(one, kinds.get(one, {}), report.held_by_provider[one]) for one in everybody]
    return sorted(found, key=lambda row: (-row[2], -sum(row[1].values()), row[0]))


def _causes(report: Report) -> dict[str, dict[str, Any]]:
    return {
        provider: {"drifts": sum(kinds.values()), "by_kind": kinds, "held": held}
        for provider, kinds, held in causes_by_provider(report)
    }


def _counts(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda pair: (-pair[1], pair[0])))


def _spread(one: Distribution) -> dict[str, Any]:
    def seconds(name: str) -> float | None:
        length = getattr(one, name)
        return None if length is None else length.total_seconds()

    return {
        "count": one.count,
        "median_seconds": seconds("median"),
        "p90_seconds": seconds("p90"),
        "max_seconds": seconds("longest"),
        "spread": dict(one.buckets),
    }


def _at(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
