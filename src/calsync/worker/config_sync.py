"""What the config says about providers and calendars, put on the books at start. Never deletes an event (R-23)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from calsync.settings.model import Provider, Settings
from calsync.store import audit, calendars, drifts, links, providers, subject_changes
from calsync.store.calendars import CalendarSpec
from calsync.store.providers import ProviderRow
from calsync.worker.opening import rules_of


def register(conn: Connection, settings: Settings, now: datetime) -> list[str]:
    """Bring providers and calendars up to date; returns the ids of calendars that are new.

    A calendar that left the config is paused and waits for `calsync calendars remove`.
    """
    for provider in settings.providers:
        providers.put(conn, _provider_row(conn, provider))
    fresh = [
        calendar_id
        for provider in settings.providers
        for calendar_id in _register_calendars(conn, settings, provider, now)
    ]
    named = [calendar.id for _, calendar in settings.calendars()]
    for calendar in calendars.missing_from_config(conn, named, now):
        _note(conn, calendar, "calendar-left-config", now)
    _take_up_new_mode(conn, settings, now)
    return fresh


def _take_up_new_mode(conn: Connection, settings: Settings, now: datetime) -> None:
    """Have what is open judged anew after a practice went from observing to acting, or back (R-15)."""
    for observing in (True, False):
        others = [
            calendar.id
            for provider, calendar in settings.calendars()
            if (settings.mode_for(provider.practice) == "observe") is not observing
        ]
        subject_changes.mark_many(conn, drifts.open_in_mode(conn, others, observing=observing), now)


def _register_calendars(conn: Connection, settings: Settings, provider: Provider, now: datetime) -> list[str]:
    fresh = []
    for calendar in provider.calendars:
        known = calendars.get(conn, calendar.id)
        found = known.placement if known is not None and known.remote is not None else "dedicated"
        spec = CalendarSpec(
            id=calendar.id,
            provider=provider.id,
            connection=f"{calendar.connector}:{calendar.id}",
            connector=calendar.connector,
            mode=calendar.mode,
            placement=calendar.placement or found,
            source="config",
        )
        rules = rules_of(settings, provider.practice)
        window = rules.window(now)
        is_fresh = calendars.register(conn, spec, now)
        if is_fresh:
            fresh.append(calendar.id)
            _note(conn, calendar.id, "calendar-linked", now)
            if known is not None and known.removed_at is not None:
                links.take_back(conn, calendar.id, known.removed_at, window.start)
        # What the practice says of names holds for events that stand as well, not only for the next ones (I8).
        retitled = known is None or known.titles != rules.title_privacy
        if retitled:
            calendars.set_titles(conn, calendar.id, rules.title_privacy)
        if (is_fresh or retitled) and calendar.mode == "mirror":
            subject_changes.mark_calendar(conn, calendar.id, window)
    return fresh


def _provider_row(conn: Connection, provider: Provider) -> ProviderRow:
    before = providers.get(conn, provider.id)
    return ProviderRow(
        id=provider.id,
        name=provider.name,
        email=provider.email,
        zone=provider.zone,
        practice=provider.practice,
        source="config",
        paused=before.paused if before is not None else False,
        calendars="none" if provider.declared_without_calendars else None,
        calendars_reason=provider.calendars_reason,
        calendars_since=provider.calendars_since,
        calendars_declared_by="config" if provider.declared_without_calendars else None,
    )


def _note(conn: Connection, calendar: str, what: str, now: datetime) -> None:
    audit.append(conn, at=now, actor="config", what=what, subject=f"calendar:{calendar}", detail={})
