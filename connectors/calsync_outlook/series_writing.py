"""The occurrences of a series, brought to what is wanted one by one after the series itself (sheet 5.5).

An occurrence that was removed comes back only with a new recurrence of the whole series. One that may not cross its
neighbour's day is tried again after the others, which may have made room; what is refused then is said to be so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from calsync.connector.errors import Malformed
from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.recurrence import RuleRefused
from calsync.domain.span import Span
from calsync_outlook.composing import Order, changes_of_look
from calsync_outlook.errors import Refused
from calsync_outlook.mailbox import Mailbox
from calsync_outlook.mapping import Aggregate, by_slot, event_of, look_of, slots_of
from calsync_outlook.rows import EventRefused, Row

Json = dict[str, Any]


def needs_new_shape(whole: Aggregate, event: Event) -> bool:
    """Tell whether the master's times or recurrence must be written, or a removed occurrence must come back."""
    try:
        now = event_of(whole)
        if (now.recurrence is None) != (event.recurrence is None):
            return True
        if event.recurrence is None or now.recurrence is None:
            return False  # a single event's times are compared by their look
        if not _same_start(now.master.span, event.master.span):
            return True
        there, wanted = slots_of(now, whole.extent), slots_of(event, whole.extent)
    except (EventRefused, RuleRefused):
        return True
    if list(there) != list(wanted):
        return True
    return bool(set(now.recurrence.excluded) - set(event.recurrence.excluded))


def bring_occurrences(mailbox: Mailbox, whole: Aggregate, order: Order) -> str:
    """Remove and change occurrences until they show what is wanted; returns the reason why not, "" when they do."""
    event = order.event
    slots = slots_of(event, whole.extent)
    rows = by_slot(_plain(event), whole.occurrences, slots)
    excluded = set(event.recurrence.excluded) if event.recurrence else set()
    overrides = {one.original_start: one for one in event.overrides}
    problem = ""
    again: list[tuple[Row, Json]] = []
    for at, span in slots.items():
        row = rows.get(at)
        if at in excluded:
            problem = problem or (_removed(mailbox, row) if row is not None else "")
            continue
        if row is None:
            problem = problem or "occurrence-cannot-return"
            continue
        changes = _changes(event, row, _wanted(event, overrides.get(at), span), order)
        if changes and _sent(mailbox, row, changes):
            again.append((row, changes))
    for row, changes in reversed(again):
        problem = _sent(mailbox, row, changes) or problem
    return problem


def _wanted(event: Event, override: Override | None, slot: Span) -> Appearance:
    return override.appearance if override is not None else replace(event.master, span=slot)


def _changes(event: Event, row: Row, wanted: Appearance, order: Order) -> Json:
    now = look_of(row, event.master.span.zone)
    return changes_of_look(event, wanted, now, order)


def _sent(mailbox: Mailbox, row: Row, changes: Json) -> str:
    """Change one occurrence; returns why it was refused, "" when it was not."""
    # A plain occurrence carries its series' version, which moves with each change in it: no condition on that one.
    version = row.version if row.kind == "exception" else None
    answer = mailbox.send("PATCH", mailbox.event_path(row.id), changes, version=version)
    if not isinstance(answer, Refused):
        return ""
    if answer.code == "erroroccurrencecrossingboundary":
        return "crossing-boundary"
    return _reason(answer)


def _removed(mailbox: Mailbox, row: Row) -> str:
    answer = mailbox.send("DELETE", mailbox.event_path(row.id))
    if not isinstance(answer, Refused) or answer.status in (404, 410):
        return ""
    return _reason(answer)


def _reason(refused: Refused) -> str:
    if refused.status in (401, 403, 408, 429) or refused.status >= 500:
        raise refused.error()
    if refused.status in (404, 409, 410, 412):
        return f"occurrence-{refused.status}"
    return f"refused-{refused.status}-{refused.code or 'unsaid'}"


def _same_start(one: Span, other: Span) -> bool:
    same_clock = (one.start, one.zone) == (other.start, other.zone)
    return one.all_day == other.all_day and one.same_time_as(other) and (same_clock or one.zone == other.zone)


def _plain(event: Event) -> Event:
    if event.recurrence is None:
        raise Malformed("not a series")
    return replace(event, overrides=(), recurrence=Recurrence(event.recurrence.rule))
