"""From an Event to bodies of requests: an insert, and patches that touch what is ours and nothing else. Pure.

Ours, and therefore set: times, recurrence, status, busy, visibility, our title, location, our part of the description,
the two private properties. All else (reminders, colour, guests, notes, other properties) is never mentioned in a patch,
which is how Google keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from calsync.domain.event import Appearance, Event, Recurrence
from calsync.domain.rule import parse_rule
from calsync.domain.span import Span, instant, wall_time, zone_named
from calsync_google.mapping import Json, Reader, RowRefused, appearance, is_cancelled, recurrence, text_of
from calsync_google.ours import MARKER, UID, with_our_description

Body = dict[str, Any]


def insert_body(remote_id: str, event: Event, marker: str | None) -> Body:
    """Return the body that creates the event, its single changes aside."""
    looks = event.master
    body: Body = {
        "id": remote_id,
        "summary": looks.title,
        **times(looks.span),
        "transparency": _transparency(looks),
        "visibility": "private",
        "extendedProperties": {"private": _properties(event, marker)},
    }
    if event.location:
        body["location"] = event.location
    if event.description:
        body["description"] = with_our_description("", event.description)
    if event.recurrence is not None:
        body["recurrence"] = lines_of(event.recurrence, looks.span)
    return body


def master_patch(row: Json, event: Event, *, reader: Reader, title_was: str | None, keep_lines: bool) -> Body:
    """Return what has to change in a single event or a master, without the marker; empty where nothing has to.

    `keep_lines`: the recurrence shows what it should, in whatever words.
    """
    patch = look_patch(row, event.master, reader=reader, title_was=title_was)
    if text_of(row, "location") != event.location:
        patch["location"] = event.location or None
    described = text_of(row, "description")
    text = with_our_description(described, event.description)
    if text != described:
        patch["description"] = text or None
    if row.get("visibility") != "private":
        patch["visibility"] = "private"
    if not keep_lines:
        lines = lines_of(event.recurrence, event.master.span) if event.recurrence is not None else None
        if lines != (row.get("recurrence") or None):
            patch["recurrence"] = lines
    if "recurrence" in patch and event.recurrence is not None:
        # Times and rule are changed together, so that neither is read by the other's light.
        patch.update(_nulled(times(event.master.span)))
    return patch


def look_patch(row: Json, looks: Appearance, *, reader: Reader, title_was: str | None) -> Body:
    """Return what has to change so that a row looks so: status, times, busy, and the title unless a person wrote it."""
    patch: Body = {}
    now = None if is_cancelled(row) and "start" not in row else _look_or_none(row, reader)
    if is_cancelled(row):
        patch["status"] = "confirmed"
    if now is None or is_cancelled(row) or now.span != looks.span:
        patch.update(_nulled(times(looks.span)))
    if now is None or now.busy != looks.busy:
        patch["transparency"] = _transparency(looks)
    title = text_of(row, "summary")
    if title != looks.title and (title_was is None or title == title_was or is_cancelled(row)):
        patch["summary"] = looks.title
    return patch


def marker_patch(row: Json, event: Event, marker: str | None) -> Body:
    """Return the change of our private properties; empty where they are right."""
    held = row.get("extendedProperties")
    private = held.get("private") if isinstance(held, dict) else None
    now = private if isinstance(private, dict) else {}
    wanted = _properties(event, marker)
    changed = {key: value for key, value in wanted.items() if now.get(key) != value}
    if marker is None and MARKER in now:
        changed[MARKER] = None
    return {"extendedProperties": {"private": changed}} if changed else {}


def same_schedule(row: Json, event: Event, *, excluded: Iterable[datetime], reader: Reader) -> bool:
    """Whether a master's lines, with the deleted slots `excluded`, already say when the event repeats."""
    try:
        looks = appearance(row, reader)
        now = recurrence(row, looks.span, reader)
    except RowRefused:
        return False
    if now is None or event.recurrence is None:
        return now is None and event.recurrence is None
    wanted = event.recurrence
    same_rule = not (now.rule or wanted.rule) or (
        bool(now.rule) and bool(wanted.rule) and parse_rule(now.rule) == parse_rule(wanted.rule)
    )
    return (
        same_rule
        and now.added == wanted.added
        and {*now.excluded, *excluded} >= set(wanted.excluded) >= set(now.excluded)
    )


def times(span: Span) -> Body:
    """Return start and end as Google takes them: dates, or times with offset and zone."""
    if span.all_day:
        return {"start": {"date": span.start.date().isoformat()}, "end": {"date": span.end.date().isoformat()}}
    return {"start": _moment(span.start, span.zone), "end": _moment(span.end, span.zone)}


def lines_of(recurring: Recurrence, span: Span) -> list[str]:
    """Return the recurrence lines of a series."""
    lines = [f"RRULE:{_rule(recurring.rule, span)}"] if recurring.rule else []
    for name, dates in (("RDATE", recurring.added), ("EXDATE", recurring.excluded)):
        if dates:
            lines.append(_dates(name, dates, span))
    # An event that repeats by nothing but its own start still has to be a series to Google.
    return lines or ["RRULE:FREQ=DAILY;COUNT=1"]


def _moment(wall: datetime, zone: str) -> Body:
    text = wall.replace(tzinfo=zone_named(zone)).isoformat(timespec="seconds")
    return {"dateTime": text, "timeZone": zone}


def _nulled(body: Body) -> Body:
    """Take the other kind of time away: PATCH merges objects (sheet 5.3)."""
    empty: Body = {"date": None, "dateTime": None, "timeZone": None}
    return {part: {**empty, **moment} for part, moment in body.items()}


def _rule(rule: str, span: Span) -> str:
    """Write UNTIL as Google wants it: an instant in UTC for timed series, a date for all-day ones (sheet 8.1)."""
    parts = []
    for part in rule.split(";"):
        name, _, value = part.partition("=")
        if name.upper() == "UNTIL":
            parts.append(f"UNTIL={_until(value, span)}")
        else:
            parts.append(part)
    return ";".join(parts)


def _until(value: str, span: Span) -> str:
    if span.all_day:
        return value[:8]
    if "T" not in value:
        value = f"{value}T235959"
    if value.endswith("Z"):
        return value
    wall = datetime.strptime(value + "+0000", "%Y%m%dT%H%M%S%z").replace(tzinfo=None)
    return instant(wall, span.zone).strftime("%Y%m%dT%H%M%SZ")


def _dates(name: str, dates: Iterable[datetime], span: Span) -> str:
    walls = [wall_time(at, span.zone) for at in dates]
    if span.all_day:
        return f"{name};VALUE=DATE:" + ",".join(f"{wall:%Y%m%d}" for wall in walls)
    return f"{name};TZID={span.zone}:" + ",".join(f"{wall:%Y%m%dT%H%M%S}" for wall in walls)


def _properties(event: Event, marker: str | None) -> Body:
    return {UID: event.uid} if marker is None else {MARKER: marker, UID: event.uid}


def _transparency(looks: Appearance) -> str:
    return "opaque" if looks.busy else "transparent"


def _look_or_none(row: Json, reader: Reader) -> Appearance | None:
    try:
        return appearance(row, reader)
    except RowRefused:
        return None
