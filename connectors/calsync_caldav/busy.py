"""Busy time: when the events of a calendar take place, and nothing else about them.

Asked with a time range. A server that leaves out what it should have found only makes less time busy; one that answers
too much does no harm, as everything is expanded here.
"""

from __future__ import annotations

from collections.abc import Iterator

from calsync.domain.recurrence import RuleRefused, expand
from calsync.domain.span import Span, Window
from calsync_caldav import dav_xml
from calsync_caldav.collection import Collection
from calsync_caldav.dav_xml import CALDAV
from calsync_caldav.hrefs import member_of
from calsync_caldav.ics_text import IcsRefused
from calsync_caldav.mapping import Reader, read_event


def busy_spans(collection: Collection, reader: Reader, window: Window, without: frozenset[str]) -> Iterator[Span]:
    """Yield the spans of busy events that touch the window; what cannot be understood blocks no time."""
    answer = collection.query(dav_xml.window_query(window.start, window.end))
    for row in answer.responses:
        remote_id = member_of(collection.url, row.href)
        text = row.props.get(f"{CALDAV}calendar-data", "")
        if not remote_id or remote_id in without or not text:
            continue
        try:
            shown = expand(read_event(text.encode(), reader).event, window)
        except (IcsRefused, RuleRefused):
            continue
        for looks in shown.values():
            if looks.busy and not looks.cancelled and looks.answer != "declined":
                yield looks.span
