"""Checks that whatever a person does to our events is seen as what it is, on the right occurrence."""

# The names of the checks are sentences.

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from calsync.connector.protocol import Gone
from calsync.domain.event import Event, OriginalStart
from calsync.domain.recurrence import expand
from calsync.testing import edits
from calsync.testing.conformance.bench import MARKER, Bench, shown
from calsync.testing.conformance.samples import WINDOW, changed_series, series, single, slot
from calsync.testing.conformance.subject import Weakness
from calsync.testing.edits import Edit

HOUR = timedelta(hours=1)
ALL = tuple(slot(number) for number in range(1, 9))


@dataclass(frozen=True, slots=True)
class Act:
    """One act on one event; `touched`: the original starts whose look must change, and no other."""

    name: str
    event: Event
    edit: Edit
    touched: tuple[OriginalStart, ...]


ACTS = (
    Act("drag", single(), lambda event: edits.dragged(event, HOUR), (None,)),
    Act("drag-to-another-day", single(), lambda event: edits.dragged(event, timedelta(days=2, hours=-1)), (None,)),
    Act("shorten", single(), lambda event: edits.resized(event, timedelta(minutes=-20)), (None,)),
    Act("lengthen", single(), lambda event: edits.resized(event, timedelta(minutes=40)), (None,)),
    Act("make-all-day", single(), edits.made_all_day, (None,)),
    Act("change-zone", single(), lambda event: edits.rezoned(event, "America/Los_Angeles"), (None,)),
    Act("cancel", single(), edits.called_off, (None,)),
    Act("retitle", single(), lambda event: edits.retitled(event, "Mine"), (None,)),
    Act("mark-free", single(), edits.freed, (None,)),
    Act("drag-one", series(), lambda event: edits.dragged(event, HOUR, slot(4)), (slot(4),)),
    Act("drag-one-to-another-day", series(), lambda event: edits.dragged(event, 30 * HOUR, slot(8)), (slot(8),)),
    Act("drag-the-first", series(), lambda event: edits.dragged(event, -HOUR, slot(1)), (slot(1),)),
    Act("shorten-one", series(), lambda event: edits.resized(event, -HOUR / 3, slot(3)), (slot(3),)),
    Act("delete-one", series(), lambda event: edits.without_occurrence(event, slot(5)), (slot(5),)),
    Act("delete-the-first", series(), lambda event: edits.without_occurrence(event, slot(1)), (slot(1),)),
    Act("cancel-one", series(), lambda event: edits.called_off(event, slot(6)), (slot(6),)),
    Act("retitle-one", series(), lambda event: edits.retitled(event, "Mine", slot(2)), (slot(2),)),
    Act("make-one-all-day", series(), lambda event: edits.made_all_day(event, slot(2)), (slot(2),)),
    Act("drag-a-moved-one", changed_series(), lambda event: edits.dragged(event, HOUR, slot(5)), (slot(5),)),
    Act("delete-a-moved-one", changed_series(), lambda event: edits.without_occurrence(event, slot(5)), (slot(5),)),
    Act("retitle-all", series(), lambda event: edits.retitled(event, "Mine"), ALL),
    Act("shorten-all", series(), lambda event: edits.resized(event, -HOUR / 3), ALL),
    Act("end-earlier", series(), lambda event: edits.with_rule(event, "FREQ=WEEKLY;COUNT=6;BYDAY=TH"), ALL[6:]),
    Act(
        "every-second-week",
        series(),
        lambda event: edits.with_rule(event, "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TH"),
        ALL[1::2],
    ),
)


class PeopleChecks:
    """Every kind of edit, as a person makes it with another client."""

    @pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
    def test_an_edit_is_seen_on_its_occurrences(self, bench: Bench, act: Act) -> None:
        made = bench.create(act.event)
        cursor = bench.quiet_cursor()
        bench.hands.save(made.remote_id, act.edit)
        told = bench.look(cursor)
        wanted = shown(act.edit(act.event))
        if bench.is_weak(Weakness.NO_CALLED_OFF):
            wanted = _without_called_off(act.edit(act.event))
        if not wanted:
            assert told.items[made.remote_id] == Gone(made.remote_id)
            return
        seen = told.seen(made.remote_id)
        before, after = shown(act.event), shown(seen.event)
        assert after == wanted
        changed = {at for at in before.keys() | after.keys() if before.get(at) != after.get(at)}
        assert changed == set(act.touched)
        assert seen.marker == MARKER
        assert seen.event == bench.seen(made.remote_id).event

    def test_a_series_dragged_as_a_whole_shows_all_its_new_times(self, bench: Bench) -> None:
        made = bench.create(series())
        cursor = bench.quiet_cursor()
        bench.hands.save(made.remote_id, lambda event: edits.dragged(event, timedelta(days=1, hours=2)))
        seen = bench.look(cursor).seen(made.remote_id)
        assert shown(seen.event) == shown(edits.dragged(series(), timedelta(days=1, hours=2)))
        assert len(shown(seen.event)) == len(ALL)

    def test_a_split_series_is_seen_as_two(self, bench: Bench) -> None:
        made = bench.create(series())
        cursor = bench.quiet_cursor()
        head, rest = edits.split(series(), slot(5), HOUR, "rest@conformance")
        bench.hands.save(made.remote_id, lambda _: head)
        rest_id = bench.hands.add(rest, like=made.remote_id)
        told = bench.look(cursor)
        assert shown(told.seen(made.remote_id).event) == shown(head)
        assert shown(told.seen(rest_id).event) == shown(rest)
        assert len(shown(head)) == len(shown(rest)) == 4
        assert told.seen(rest_id).marker == MARKER

    def test_a_deleted_event_is_gone_in_the_feed_and_by_id(self, bench: Bench) -> None:
        made = bench.create(series())
        cursor = bench.quiet_cursor()
        bench.hands.delete(made.remote_id)
        told = bench.look(cursor)
        assert told.items.get(made.remote_id, Gone(made.remote_id)) == Gone(made.remote_id)
        assert any(page.full for page in told.pages) or made.remote_id in told.items
        assert bench.read(made.remote_id) == Gone(made.remote_id)

    def test_an_edit_that_was_put_back_shows_the_old_look(self, bench: Bench) -> None:
        made = bench.create(single())
        cursor = bench.quiet_cursor()
        bench.hands.save(made.remote_id, lambda event: edits.dragged(event, HOUR))
        bench.hands.save(made.remote_id, lambda event: edits.dragged(event, -HOUR))
        told = bench.look(cursor)
        if made.remote_id in told.changed(bench.known):
            assert shown(told.seen(made.remote_id).event) == shown(single())
        assert shown(bench.seen(made.remote_id).event) == shown(single())

    def test_two_edits_between_looks_show_as_the_last(self, bench: Bench) -> None:
        made = bench.create(single())
        cursor = bench.quiet_cursor()
        bench.hands.save(made.remote_id, lambda event: edits.dragged(event, HOUR))
        bench.hands.save(made.remote_id, lambda event: edits.resized(event, HOUR))
        expected = edits.resized(edits.dragged(single(), HOUR), HOUR)
        assert shown(bench.look(cursor).seen(made.remote_id).event) == shown(expected)

    def test_our_update_after_an_edit_puts_it_back(self, bench: Bench) -> None:
        made = bench.create(series())
        cursor = bench.quiet_cursor()
        bench.hands.save(made.remote_id, lambda event: edits.dragged(event, HOUR, slot(4)))
        assert shown(bench.look(cursor).seen(made.remote_id).event) != shown(series())
        bench.update(made.remote_id, series())
        assert shown(bench.seen(made.remote_id).event) == shown(series())
        assert shown(bench.hands.see(made.remote_id) or single()) == shown(series())


def _without_called_off(event: Event) -> dict[OriginalStart, tuple[object, ...]]:
    """What is left to see where calling off and deleting are one."""
    return {at: shown(event)[at] for at, looks in expand(event, WINDOW).items() if not looks.cancelled}
