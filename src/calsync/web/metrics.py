"""`/metrics` for Prometheus: the books as they stand at this moment, and what this process has counted.

Names and labels are fixed words; nothing names a provider, a client or a calendar.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from calsync.errors import CalsyncError
from calsync.store import counts
from calsync.store.calendars import CalendarState
from calsync.store.counts import Counts
from calsync.web.site import Site, site_of

router = APIRouter(include_in_schema=False)

_OVERDUE_AFTER: Final = timedelta(minutes=2)


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Everything, in the text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SiteCollector(site_of(request)))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class SiteCollector(Collector):
    """Reads the books at each scrape."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterator[Metric]:
        """All metrics. Where the database cannot be read, `calsync_up` is 0 and the process's own counts remain."""
        now = self._site.clock.now()
        try:
            with self._site.database.reading() as conn:
                found = counts.read(conn, now, _OVERDUE_AFTER)
        except CalsyncError:
            yield _gauge("calsync_up", "1 if the database could be read.", 0)
        else:
            yield _gauge("calsync_up", "1 if the database could be read.", 1)
            yield from _of_the_books(found)
            oldest = found.outbox_oldest_due
            waited = max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0
            yield _gauge("calsync_outbox_oldest_due_seconds", "How long the oldest message has been due.", waited)
            unread = (now - found.oldest_reading).total_seconds() if found.oldest_reading is not None else 0.0
            text = "How long ago the mirror calendar was read that was read the longest ago: no edit is older unseen."
            yield _gauge("calsync_calendar_oldest_reading_seconds", text, max(0.0, unread))
        yield from self._of_this_process()

    def _of_this_process(self) -> Iterator[Metric]:
        tallies, progress = self._site.tallies, self._site.progress
        hooks = CounterMetricFamily("calsync_hooks", "Hooks of calendar services.", labels=["service", "ending"])
        for (service, ending), number in sorted(tallies.hooks.items()):
            hooks.add_metric([service, ending], number)
        yield hooks
        yield _counter("calsync_tokens", "Bearer tokens.", "ending", dict(tallies.tokens))
        actions = CounterMetricFamily("calsync_actions", "Uses of links in mails.", labels=["kind", "ending"])
        for (kind, ending), number in sorted(tallies.actions.items()):
            actions.add_metric([kind, ending], number)
        yield actions
        if progress is None:
            return
        yield _counter("calsync_passes", "Passes, by how they ended.", "ending", dict(progress.passes))
        yield CounterMetricFamily("calsync_requests", "Requests to calendar services.", value=progress.requests)
        yield CounterMetricFamily("calsync_drifts_found", "Edits of sessions that passes found.", value=progress.drifts)
        yield CounterMetricFamily("calsync_writes", "Events written to calendars.", value=progress.written)
        if progress.clock_apart is not None:
            text = "How far this host's clock was ahead of a calendar service's in the last pass; below 0: behind."
            yield _gauge("calsync_clock_apart_seconds", text, progress.clock_apart.total_seconds())
        if progress.round_at is not None:
            at = progress.round_at.timestamp()
            yield _gauge("calsync_worker_round_timestamp_seconds", "When the worker last went round.", at)


def _of_the_books(found: Counts) -> Iterator[Metric]:
    states = dict.fromkeys((state.value for state in CalendarState), 0) | found.calendars
    yield _gauges("calsync_calendars", "Calendars, by state.", "state", states)
    yield _gauge("calsync_calendars_overdue", "Calendars that are due and not worked on.", found.calendars_overdue)
    yield _gauge("calsync_writes_stopped", "1 while the fleet's brake stops all writes.", int(found.writes_stopped))
    yield _gauge("calsync_sessions_of_the_week", "Sessions of the last seven days.", found.sessions_of_the_week)
    yield _gauge("calsync_edits_of_the_hour", "Edits found within the last hour.", found.edits_of_the_hour)
    phases = dict.fromkeys(("upcoming", "started", "past", "claimed"), 0) | found.open_drifts
    yield _gauges("calsync_drifts_open", "Open edits of sessions, by phase.", "phase", phases)
    yield _gauge("calsync_drifts_unanswered", "Edits that were put back and not answered.", found.waiting_drifts)
    owed = {"owed": 0, "sent": 0} | found.owed_writes
    yield _gauges("calsync_writes_owed", "Writes that are owed, or sent without an answer.", "state", owed)
    yield _gauge("calsync_claims_held_by_drift", "Sessions whose claim an edit holds.", found.holds)
    yield _gauge("calsync_claims_to_assess", "Sessions whose claim waits to be assessed anew.", found.claims_to_assess)
    yield _gauge("calsync_recalls_open", "Recalls that billing has not closed.", found.recalls_open)
    yield _gauge("calsync_asks_open", "Questions to people without an answer.", found.asks_open)
    states = dict.fromkeys(("due", "sending", "sent", "merged", "failed"), 0) | found.outbox
    yield _gauges("calsync_outbox", "Messages, by state.", "state", states)
    repeated = found.mails_repeated
    yield CounterMetricFamily("calsync_mails_repeated", "Mails sent twice after a crash.", value=repeated)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _gauges(name: str, text: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, number in sorted(values.items()):
        family.add_metric([key], number)
    return family


def _counter(name: str, text: str, label: str, values: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for key, number in sorted(values.items()):
        family.add_metric([key], number)
    return family
