"""How a service in memory carries out one write, by its personality."""

from __future__ import annotations

from dataclasses import replace

from calsync.connector.protocol import NAME_REFUSED, Outcome, Write, WriteResult
from calsync.domain.event import Appearance, Event, Override
from calsync.domain.write import WriteKind
from calsync.testing.memory_service import MemoryService
from calsync.testing.memory_state import Actor, CalendarState, StoredEvent
from calsync.testing.personality import UidScope


def carry_out(service: MemoryService, state: CalendarState, write: Write) -> WriteResult:
    """Do what the service does with a write, and return its answer. Raises nothing."""
    match write.kind:
        case WriteKind.CREATE:
            return _create(service, state, write)
        case WriteKind.UPDATE:
            return _update(service, state, write)
        case WriteKind.DELETE:
            return _delete(service, state, write)


def refused(write: Write, outcome: Outcome, reason: str, remote_id: str | None = None) -> WriteResult:
    """Return an answer that says that nothing was done."""
    return WriteResult(write.key, outcome, remote_id or write.remote_id, reason=reason)


def merged(stored: Event, write: Write, *, at_once: bool = False) -> Event:
    """Return the stored event with the owned fields brought to the write's; the user's titles and answers stay.

    `at_once`: the service takes an event as a whole, so that what stays where it is shown keeps them as well, though
    its series begins at another time and it has another slot.
    """
    assert write.event is not None
    shown = {override.original_start: override.appearance for override in stored.overrides}
    there = {override.appearance.span: override.appearance for override in stored.overrides} if at_once else {}

    def before(override: Override) -> Appearance:
        return shown.get(override.original_start) or there.get(override.appearance.span) or stored.master

    overrides = tuple(
        Override(one.original_start, _appearance(before(one), one.appearance, write.title_was))
        for one in write.event.overrides
    )
    master = _appearance(stored.master, write.event.master, write.title_was)
    return replace(write.event, uid=stored.uid, master=master, overrides=overrides)


def _appearance(shown: Appearance, wanted: Appearance, title_was: str | None) -> Appearance:
    users_title = title_was is not None and shown.title != title_was
    title = shown.title if users_title else wanted.title
    return replace(wanted, title=title, answer=shown.answer, proposed=shown.proposed)


def _create(service: MemoryService, state: CalendarState, write: Write) -> WriteResult:
    assert write.event is not None
    personality = service.personality
    if (reason := personality.traits.why_apart(write.event)) is not None:
        return refused(write, Outcome.REJECTED, reason)
    remote_id = state.named.get(write.remote_id, "") if personality.names_events else write.remote_id
    there = state.events.get(remote_id) if personality.traits.keeps_uids else None
    if there is not None and there.marker is None and there.event.uid != write.event.uid:
        return refused(write, Outcome.REJECTED, NAME_REFUSED)
    if remote_id in state.events and personality.guards_creates:
        return refused(write, Outcome.CONFLICT, "already-there", remote_id)
    if remote_id in state.buried and personality.reserves_ids:
        return refused(write, Outcome.REJECTED, NAME_REFUSED)
    if _uid_taken(service, state, write.event.uid, remote_id):
        return refused(write, Outcome.REJECTED, "uid-taken")
    if personality.names_events:
        remote_id = state.named[write.remote_id] = f"AAMk{service.tick():08d}="
    return _store(state, write, StoredEvent(remote_id, write.event, "", write.marker))


def _update(service: MemoryService, state: CalendarState, write: Write) -> WriteResult:
    assert write.event is not None
    personality = service.personality
    if write.version is not None and service.count_conditional_write():
        return refused(write, Outcome.CONFLICT, "version")
    if (stored := state.events.get(write.remote_id)) is None:
        tombstone = state.buried.get(write.remote_id) if personality.revives else None
        if tombstone is not None and write.version in (None, tombstone.version):
            return _store(state, write, replace(tombstone, event=merged(tombstone.event, write), marker=write.marker))
        if personality.updates_make_missing:
            return _store(state, write, StoredEvent(write.remote_id, write.event, "", write.marker))
        return refused(write, Outcome.CONFLICT, "gone")
    if write.version not in (None, stored.version):
        return refused(write, Outcome.CONFLICT, "version")
    event = merged(stored.event, write, at_once=personality.traits.keeps_uids)
    return _store(state, write, replace(stored, event=event, marker=write.marker, unreadable=None))


def _delete(service: MemoryService, state: CalendarState, write: Write) -> WriteResult:
    stored = state.events.get(write.remote_id)
    if stored is not None:
        guarded = service.personality.guards_deletes and write.version is not None
        if guarded and (write.version != stored.version or service.count_conditional_write()):
            return refused(write, Outcome.CONFLICT, "version")
        state.remove(write.remote_id, Actor.CALSYNC)
    return WriteResult(write.key, Outcome.WRITTEN, write.remote_id)


def _store(state: CalendarState, write: Write, stored: StoredEvent) -> WriteResult:
    after = state.put(stored, Actor.CALSYNC)
    if state.personality.touches_after_write:
        state.touch(after.remote_id)
    told = after.event if state.personality.answers_event else None
    return WriteResult(write.key, Outcome.WRITTEN, after.remote_id, after.version, told)


def _uid_taken(service: MemoryService, state: CalendarState, uid: str, remote_id: str) -> bool:
    scope = service.personality.uids
    if scope is UidScope.NOWHERE:
        return False
    calendars = [state] if scope is UidScope.CALENDAR else list(service.calendars.values())
    return any(
        stored.event.uid == uid and (other is not state or stored.remote_id != remote_id)
        for other in calendars
        for stored in other.events.values()
    )
