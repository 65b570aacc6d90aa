"""Every cell of the three-way table, decided for real; and the page in the documentation."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from calsync.domain.drift import Resolution
from calsync.domain.event import Appearance, Event
from calsync.domain.marker import Marker
from calsync.domain.notation import content_hash
from calsync.domain.span import Span
from calsync.domain.write import WriteKind
from calsync.reconcile.case import ConfirmedAbsent, LinkCase, Moment, SeenNow, SentWrite, Sight, Slot
from calsync.reconcile.decide import decide
from calsync.reconcile.plan import Decision
from calsync.reconcile.table import TABLE, Calendar, Do, Record, cell_name, render_table
from tests.properties.pretend import NOW, POLICY, WINDOW, link


def at(hour: int, title: str = "Session 1") -> Event:
    start = datetime(2026, 12, 1, hour)
    return Event("u-1", Appearance(Span(start, start + timedelta(minutes=50), "America/New_York"), title))


AGREED, RECORDED, EDITED, OURS = at(10), at(12), at(15), at(17)
EXPECTED = {Record.SAME: AGREED, Record.CHANGED: RECORDED, Record.NEW: RECORDED, Record.GONE: None}


def seen(record: Record, calendar: Calendar) -> Event | None:
    """What the calendar shows in a cell."""
    baseline = None if record is Record.NEW else AGREED
    return {
        Calendar.SAME: baseline,
        Calendar.COSMETIC: replace(baseline or RECORDED, master=replace((baseline or RECORDED).master, title="Yoga")),
        Calendar.AS_RECORDED: EXPECTED[record],
        Calendar.EDITED: EDITED,
        Calendar.OURS: OURS,
    }[calendar]


def decided(record: Record, calendar: Calendar) -> Decision:
    baseline = None if record is Record.NEW else AGREED
    event = seen(record, calendar)
    sent = (SentWrite("W-1", OURS, content_hash(OURS)),) if calendar is Calendar.OURS else ()
    content = content_hash(sent[0].event) if sent and sent[0].event else content_hash(AGREED)
    sight: Sight = ConfirmedAbsent() if event is None else SeenNow("2", event, Marker("L1", 1, content, "place"))
    case = LinkCase(link(baseline), EXPECTED[record], {None: Slot("A-1")}, sight, sent=sent)
    return decide(case, Moment(NOW, WINDOW), POLICY)


def test_the_table_has_every_cell() -> None:
    assert set(TABLE) == set(product(Record, Calendar))


@pytest.mark.parametrize(("record", "calendar"), sorted(TABLE), ids=str)
def test_each_cell_does_what_it_says(record: Record, calendar: Calendar) -> None:
    decision = decided(record, calendar)
    kinds = [write.kind for write in decision.writes]
    ended = [drift.ended for drift in decision.found]
    match TABLE[record, calendar].do:
        case Do.NOTHING:
            assert not decision.found
            assert not kinds
        case Do.PUSH:
            assert (kinds, decision.found) == ([WriteKind.UPDATE], ())
        case Do.CREATE:
            assert (kinds, decision.found) == ([WriteKind.CREATE], ())
        case Do.REMOVE:
            assert (kinds, decision.found) == ([WriteKind.DELETE], ())
        case Do.ADOPT:
            assert decision.adopt is not None
            assert all(one is Resolution.IGNORED for one in ended)
        case Do.ASK_POLICY:
            assert (kinds, ended) == ([], [Resolution.IGNORED])
        case Do.RECORD_AND_ASK_POLICY:
            assert (kinds, ended) == ([WriteKind.UPDATE], [None])
        case Do.RECORD_AND_PUSH:
            assert (kinds, ended) == ([WriteKind.UPDATE], [Resolution.SUPERSEDED])
        case Do.RECORD_AND_REMOVE:
            assert (kinds, ended) == ([WriteKind.DELETE], [Resolution.SUPERSEDED])


@pytest.mark.parametrize("record", list(Record))
def test_our_own_write_is_never_a_drift(record: Record) -> None:
    decision = decided(record, Calendar.OURS)
    assert decision.found == ()
    assert decision.cell.endswith("/ours")
    assert decision.adopt is not None
    assert decision.adopt.baseline == OURS


def test_the_record_wins_with_what_it_says_now() -> None:
    (write,) = decided(Record.CHANGED, Calendar.EDITED).writes
    assert (write.target, write.version, write.not_before) == (RECORDED, "2", NOW)


def test_a_cell_is_cited_by_both_sides() -> None:
    assert cell_name(Record.SAME, Calendar.EDITED) == decided(Record.SAME, Calendar.EDITED).cell == "same/edited"


def test_the_page_in_the_docs_is_this_table() -> None:
    page = Path(__file__).parents[3] / "docs" / "three-way-table.md"
    assert page.read_text(encoding="utf-8") == render_table()
