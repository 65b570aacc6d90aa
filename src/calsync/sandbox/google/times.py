"""Times of event resources, and the expansion of series on naive wall times (contract sheet 16, closing note)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

Json = dict[str, Any]

ENDLESS = 2000
_LINE = re.compile(r"(RRULE|RDATE|EXDATE|EXRULE)((?:;[^:]*)?):(.+)")


def instant_of(moment: Json, zone: str) -> datetime:
    """Return the aware UTC instant of an EventDateTime; a date means that day's midnight in `zone`."""
    if "date" in moment:
        return datetime.combine(date.fromisoformat(moment["date"]), time(), ZoneInfo(zone)).astimezone(UTC)
    at = datetime.fromisoformat(moment["dateTime"])
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(moment["timeZone"]))).astimezone(UTC)


def wall_of(moment: Json, zone: str) -> datetime:
    """Return the naive wall time in the moment's own zone."""
    if "date" in moment:
        return datetime.combine(date.fromisoformat(moment["date"]), time())
    return instant_of(moment, zone).astimezone(ZoneInfo(moment.get("timeZone", zone))).replace(tzinfo=None)


def moment_at(at: datetime, like: Json, zone: str) -> Json:
    """Return an EventDateTime for an instant, in the form (date, or time and zone) of another one."""
    if "date" in like:
        return {"date": at.astimezone(ZoneInfo(zone)).date().isoformat()}
    own = like.get("timeZone", zone)
    return {"dateTime": rendered(at, own), "timeZone": own}


def rendered(at: datetime, zone: str) -> str:
    """Return an instant as Google shows it: whole seconds with the zone's offset, `Z` for UTC."""
    text = at.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def slots(master: Json, zone: str) -> Iterator[datetime]:
    """Yield the original starts of a series in order, as aware UTC instants; at most `ENDLESS` of them."""
    first = wall_of(master["start"], zone)
    own = master["start"].get("timeZone", zone)
    rules, added, excluded = _parts(master["recurrence"], own)
    dropped = set(excluded)
    starts = {first} if not rules else set()
    for rule in rules:
        for number, wall in enumerate(_expanded(rule, first, own)):
            if number >= ENDLESS:
                break
            starts.add(wall)
    instants = {_instant(wall, own) for wall in starts} | set(added)
    yield from sorted(at for at in instants if at not in dropped)


def span_of(master: Json, zone: str) -> timedelta:
    """Return how long each occurrence lasts: elapsed time, or whole days."""
    if "date" in master["start"]:
        return wall_of(master["end"], zone) - wall_of(master["start"], zone)
    return instant_of(master["end"], zone) - instant_of(master["start"], zone)


def end_of(master: Json, start: datetime, zone: str) -> datetime:
    """Return the end of the occurrence that starts at an instant."""
    if "date" in master["start"]:
        wall = start.astimezone(ZoneInfo(zone)).replace(tzinfo=None) + span_of(master, zone)
        return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return start + span_of(master, zone)


def bad_recurrence(lines: object) -> bool:
    """Whether Google would refuse these recurrence lines."""
    if not isinstance(lines, list) or not lines:
        return lines is not None and lines != []
    for line in lines:
        found = _LINE.fullmatch(line) if isinstance(line, str) else None
        if found is None:
            return True
        if found[1] == "RRULE":
            try:
                rrulestr(found[3].replace("Z", ""), dtstart=datetime(2000, 1, 1))
            except ValueError:
                return True
            if "COUNT" in found[3] and "UNTIL" in found[3]:
                return True
    return False


def _parts(lines: list[str], zone: str) -> tuple[list[str], list[datetime], list[datetime]]:
    rules: list[str] = []
    added: list[datetime] = []
    excluded: list[datetime] = []
    for line in lines:
        found = _LINE.fullmatch(line)
        assert found is not None
        name, params, value = found.groups()
        if name == "RRULE":
            rules.append(value)
        elif name in ("RDATE", "EXDATE"):
            (added if name == "RDATE" else excluded).extend(_stamps(value, params, zone))
    return rules, added, excluded


def _stamps(value: str, params: str, zone: str) -> Iterator[datetime]:
    own = next((part[5:] for part in params.split(";") if part.startswith("TZID=")), zone)
    for text in value.split(","):
        if "T" not in text:
            yield datetime.strptime(text, "%Y%m%d").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        elif text.endswith("Z"):
            yield datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        else:
            yield datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=ZoneInfo(own)).astimezone(UTC)


def _expanded(rule: str, first: datetime, zone: str) -> Iterator[datetime]:
    # UNTIL in UTC and a naive start do not mix in dateutil: the bound is compared as an instant here.
    until = re.search(r"UNTIL=([0-9TZ]+)", rule)
    bare = re.sub(r";?UNTIL=[0-9TZ]+", "", rule).strip(";")
    parsed = rrulestr(bare, dtstart=first)
    assert isinstance(parsed, rrule)
    for wall in parsed:
        if until is not None and _over(wall, until[1], zone):
            return
        yield wall


def _over(wall: datetime, until: str, zone: str) -> bool:
    if "T" not in until:
        return wall.strftime("%Y%m%d") > until
    if until.endswith("Z"):
        return _instant(wall, zone) > datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return wall.strftime("%Y%m%dT%H%M%S") > until


def _instant(wall: datetime, zone: str) -> datetime:
    # A wall time that clocks skip is read with the offset before the gap.
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
