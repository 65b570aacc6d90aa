"""Times and lengths on the command line, read as imports read them. What cannot be read is a usage error (exit 2)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import click

from calsync.domain.span import Span, instant, wall_time
from calsync.domain.time_text import check_length, read_day, read_time
from calsync.settings.fields import parse_zone


def read_wall(text: str, zone: str, option: str) -> datetime:
    """The naive wall time in a zone that an option gives."""
    try:
        return read_time(text, zone)
    except ValueError as problem:
        raise click.UsageError(f"{option}: {problem}") from problem


def read_date(text: str, option: str) -> date:
    """The date that an option gives."""
    try:
        return read_day(text)
    except ValueError as problem:
        raise click.UsageError(f"{option}: {problem}") from problem


def read_zone(text: str, option: str = "--zone") -> str:
    """The IANA zone that an option gives."""
    try:
        return parse_zone(text)
    except ValueError as problem:
        raise click.UsageError(f"{option}: {problem}") from problem


def read_span(start: str, end: str | None, minutes: int | None, zone: str, present: Span | None = None) -> Span:
    """The time that --start with --end or --minutes gives; without either, as long as `present` is."""
    if end is not None and minutes is not None:
        raise click.UsageError("give --end or --minutes, not both")
    start_at = instant(read_wall(start, zone, "--start"), zone)
    if end is not None:
        end_at = instant(read_wall(end, zone, "--end"), zone)
    elif minutes is not None:
        end_at = start_at + timedelta(minutes=minutes)
    elif present is not None:
        end_at = start_at + present.length
    else:
        raise click.UsageError("give --end or --minutes: how long is the session?")
    try:
        check_length(start_at, end_at)
    except ValueError as problem:
        raise click.UsageError(f"--end: {problem}" if end else f"--minutes: {problem}") from problem
    return Span(wall_time(start_at, zone), wall_time(end_at, zone), zone)


def show_span(span: Span) -> str:
    """A time as people read it: `Tue 24 Nov 2026, 10:00-10:50 (Europe/Berlin)`."""
    same_day = span.start.date() == span.end.date()
    end = f"{span.end:%H:%M}" if same_day else f"{span.end:%a %d %b, %H:%M}"
    return f"{span.start:%a %d %b %Y, %H:%M}-{end} ({span.zone})"


def show_wall(wall: datetime) -> str:
    """A wall time for programs."""
    return wall.replace(fold=0).isoformat()
