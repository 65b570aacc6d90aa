"""Checks that trouble with a calendar or account is said to be that, and never looks like empty or gone events."""

# The names of the checks are sentences.

from __future__ import annotations

from collections.abc import Callable

import pytest

from calsync.connector.errors import AuthRevoked, CalendarError, NotFound
from calsync.connector.protocol import Calendar
from calsync.testing.conformance.bench import Bench
from calsync.testing.conformance.samples import WINDOW, single
from calsync.testing.conformance.subject import Weakness


class FailureChecks:
    """Gone, locked out, elsewhere, closed."""

    def test_a_calendar_that_is_gone_says_so(self, bench: Bench) -> None:
        if bench.is_weak(Weakness.NO_REMOVAL):
            return
        made = bench.create(single())
        cursor = bench.quiet_cursor()
        bench.subject.take_away()
        _assert_each_raises(NotFound, bench, bench.calendar, cursor, made.remote_id)

    def test_a_wrong_password_says_so(self, bench: Bench) -> None:
        if bench.is_weak(Weakness.NO_PASSWORDS):
            return
        made = bench.create(single())
        cursor = bench.quiet_cursor()
        locked_out = bench.subject.open_with_wrong_password()
        _assert_each_raises(AuthRevoked, bench, locked_out, cursor, made.remote_id)
        locked_out.close()
        assert bench.hands.count() == 1

    def test_an_event_in_another_calendar_is_located(self, bench: Bench) -> None:
        if bench.is_weak(Weakness.NO_LOCATE):
            assert bench.calendar.locate("single@conformance") is None
            return
        made = bench.create(single())
        assert bench.calendar.locate("single@conformance") is None
        bench.hands.move_away(made.remote_id)
        assert bench.calendar.locate("single@conformance")
        assert bench.calendar.locate("never-there@conformance") is None

    def test_the_self_test_finds_nothing_wrong_and_leaves_nothing(self, bench: Bench) -> None:
        bench.create(single())
        findings = list(bench.calendar.check())
        assert findings
        if not bench.is_weak(Weakness.CREATE_OVERWRITES) and not bench.is_weak(Weakness.STALE_DELETE):
            assert [finding for finding in findings if not finding.ok] == []
        assert bench.hands.count() == 1

    def test_another_client_sees_the_same(self, bench: Bench) -> None:
        made = bench.create(single())
        cursor = bench.quiet_cursor()
        other = bench.subject.open()
        [reading] = other.read([made.remote_id])
        assert reading == bench.seen(made.remote_id)
        assert [page.items for page in other.changes(cursor, WINDOW, bench.known)] == [()]
        other.close()

    def test_closing_twice_is_fine(self, bench: Bench) -> None:
        other = bench.subject.open()
        other.close()
        other.close()


def _assert_each_raises(
    error: type[CalendarError], bench: Bench, calendar: Calendar, cursor: str, remote_id: str
) -> None:
    attempts: tuple[Callable[[], object], ...] = (
        lambda: list(calendar.changes(None, WINDOW, bench.known)),
        lambda: list(calendar.changes(cursor, WINDOW, bench.known)),
        lambda: list(calendar.read([remote_id])),
        lambda: list(calendar.write([bench.creation(single("late"), "late")])),
    )
    for attempt in attempts:
        with pytest.raises(error):
            attempt()
