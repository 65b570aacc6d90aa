"""What the config says about providers and calendars, put on the books at start. Never deletes an event (R-23)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import Connection

from calsync.settings.model import Provider, Settings
from calsync.settings.practice import DEFAULT_PRACTICE
from calsync.store import audit, calendars, link_changes, link_drifts, providers, subject_changes
from calsync.store.calendars import CalendarRow, CalendarSpec
from calsync.store.providers import ProviderRow
from calsync.worker import declared
from calsync.worker.context import Rules
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
    connected = list(_connected(conn, settings))
    for row, practice in connected:
        _take_up_titles(conn, row, rules_of(settings, practice), now)
    in_practice = [(row.id, practice) for row, practice in connected]
    in_practice += [(calendar.id, provider.practice) for provider, calendar in settings.calendars()]
    _take_up_new_mode(conn, settings, in_practice, now)
    return fresh


def link_calendar(conn: Connection, spec: CalendarSpec, rules: Rules, now: datetime) -> bool:
    """Put a calendar on the books, with everything of its provider to look at; whether it is new there, or again."""
    known = calendars.get(conn, spec.id)
    is_fresh = calendars.register(conn, spec, now)
    if is_fresh:
        _note(conn, spec.id, "calendar-linked", now)
        if known is not None and known.removed_at is not None:
            link_changes.take_back(conn, spec.id, known.removed_at, rules.window(now).start)
    row = calendars.get(conn, spec.id)
    assert row is not None
    if not _take_up_titles(conn, row, rules, now) and is_fresh and spec.mode == "mirror":
        subject_changes.mark_calendar(conn, spec.id, rules.window(now))
    return is_fresh


def _take_up_titles(conn: Connection, row: CalendarRow, rules: Rules, now: datetime) -> bool:
    """What the practice says of names holds for events that stand as well, not only for the next ones (I8)."""
    if row.titles == rules.title_privacy:
        return False
    calendars.set_titles(conn, row.id, rules.title_privacy)
    if row.mode != "mirror":
        return False
    subject_changes.mark_calendar(conn, row.id, rules.window(now))
    return True


def _connected(conn: Connection, settings: Settings) -> Iterator[tuple[CalendarRow, str]]:
    """Calendars that providers connected, each with the provider's practice as far as the config still has it."""
    own = [row for row in calendars.rows(conn) if row.source == "database"]
    known = providers.by_ids(conn, {row.provider for row in own})
    for row in own:
        practice = known[row.provider].practice if row.provider in known else DEFAULT_PRACTICE
        yield row, practice if practice in settings.practices else DEFAULT_PRACTICE


def _take_up_new_mode(
    conn: Connection, settings: Settings, in_practice: Iterable[tuple[str, str]], now: datetime
) -> None:
    """Have what is open judged anew after a practice went from observing to acting, or back (R-15)."""
    modes = [(calendar, settings.mode_for(practice) == "observe") for calendar, practice in in_practice]
    for observing in (True, False):
        others = [calendar for calendar, observes in modes if observes is not observing]
        subject_changes.mark_many(conn, link_drifts.open_in_mode(conn, others, observing=observing), now)


def _register_calendars(conn: Connection, settings: Settings, provider: Provider, now: datetime) -> list[str]:
    fresh = []
    for calendar in provider.calendars:
        known = calendars.get(conn, calendar.id)
        if known is not None and declared.is_another(known, provider.id, calendar):
            declared.set_aside(conn, known, now)
            continue
        found = known.placement if known is not None and known.remote is not None else "dedicated"
        if calendar.mode == "busy":
            found = "existing"  # nothing is made in an account that is only read
        spec = CalendarSpec(
            id=calendar.id,
            provider=provider.id,
            connection=f"{calendar.connector}:{calendar.id}",
            connector=calendar.connector,
            mode=calendar.mode,
            placement=calendar.placement or found,
            source="config",
        )
        if link_calendar(conn, spec, rules_of(settings, provider.practice), now):
            fresh.append(calendar.id)
        place = declared.declared_as(calendar)
        if known is None or known.declared != place:
            calendars.set_declared(conn, calendar.id, place)
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
