"""Owed writes: on the books before they go out, until their answer is known."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, select

from calsync.domain.write import Cause, WriteKind
from calsync.store import owed_writes
from calsync.store.owed_writes import OwedWrite
from tests.unit.store.samples import DAY, NOW, SECOND, SPAN, owed, series_event


def due(conn: Connection, limit: int = 10) -> list[str]:
    return [write.id for write in owed_writes.due(conn, "k1", NOW, limit)]


def state_of(conn: Connection, number: str) -> OwedWrite:
    (found,) = [one for one in _all(conn) if one.id == number]
    return found


def _all(conn: Connection) -> list[OwedWrite]:
    shape = owed_writes._SHAPE
    return shape.all(conn, select(*shape.columns))


def test_a_write_comes_back_as_it_was_owed(conn: Connection) -> None:
    write = owed(
        kind=WriteKind.UPDATE,
        target=series_event(),
        version="v",
        cause=Cause.REVERT,
        reverts=(None, SPAN.start_at, NOW),
    )
    owed_writes.owe(conn, write)
    assert owed_writes.due(conn, "k1", NOW, 1) == [write]
    removal = owed("w2", kind=WriteKind.DELETE, target=None, content=None, remote_id="r2", calendar="k2")
    owed_writes.owe(conn, removal)
    assert owed_writes.due(conn, "k2", NOW, 1) == [removal]


def test_due_when_their_time_has_come_in_the_order_of_deciding(conn: Connection) -> None:
    for number, not_before, created_at in (
        ("w1", NOW, NOW),
        ("w2", NOW, NOW - SECOND),
        ("w3", NOW - SECOND, NOW),
        ("w4", NOW + SECOND, NOW),
    ):
        owed_writes.owe(conn, owed(number, remote_id=number, not_before=not_before, created_at=created_at))
    assert due(conn) == ["w3", "w2", "w1"]
    assert due(conn, 1) == ["w3"]
    assert owed_writes.next_due(conn, "k1") == NOW - SECOND
    assert owed_writes.count_owed(conn, "k1") == 4
    assert owed_writes.counts_owed(conn) == {"k1": 4}
    assert owed_writes.next_due(conn, "k2") is None


def test_a_newer_write_to_the_same_event_takes_the_place_of_an_unsent_one(conn: Connection) -> None:
    owed_writes.owe(conn, owed("w1"))
    owed_writes.owe(conn, owed("other", remote_id="copy"))
    owed_writes.owe(conn, owed("w2", created_at=NOW + SECOND))
    assert due(conn) == ["other", "w2"]
    assert (state_of(conn, "w1").state, state_of(conn, "w1").settled_at) == ("superseded", NOW + SECOND)


def test_a_write_that_went_out_stays_until_its_answer_is_known(conn: Connection) -> None:
    owed_writes.owe(conn, owed("w1"))
    owed_writes.mark_sent(conn, ["w1"], NOW)
    owed_writes.owe(conn, owed("w2", created_at=NOW + SECOND))
    owed_writes.mark_sent(conn, ["w2"], NOW)
    owed_writes.owe(conn, owed("w3", created_at=NOW + 2 * SECOND))
    assert [write.id for write in owed_writes.sent(conn, "k1")] == ["w1", "w2"]
    assert [write.id for write in owed_writes.sent_of_links(conn, ["L1", "L2"])["L1"]] == ["w1", "w2"]
    assert [write.id for write in owed_writes.owed_of_links(conn, ["L1"])["L1"]] == ["w1", "w2", "w3"]
    assert due(conn) == ["w1", "w2", "w3"]
    assert (state_of(conn, "w1").attempts, state_of(conn, "w1").sent_at) == (1, NOW)
    owed_writes.mark_sent(conn, ["w1"], NOW + SECOND)
    assert state_of(conn, "w1").attempts == 2


@pytest.mark.parametrize("state", ["done", "superseded", "rejected"])
def test_a_settled_write_is_never_sent_again(conn: Connection, state: str) -> None:
    owed_writes.owe(conn, owed())
    owed_writes.mark_sent(conn, ["w1"], NOW)
    owed_writes.settle(conn, "w1", state, NOW, "too-long")
    assert due(conn) == []
    assert owed_writes.sent(conn, "k1") == []
    assert owed_writes.count_owed(conn, "k1") == 0
    assert owed_writes.next_due(conn, "k1") is None
    after = state_of(conn, "w1")
    assert (after.state, after.settled_at, after.reason) == (state, NOW, "too-long")


def test_a_write_ends_in_known_words(conn: Connection) -> None:
    with pytest.raises(ValueError, match="lost"):
        owed_writes.settle(conn, "w1", "lost", NOW)


def test_withdrawn_is_what_has_not_gone_out(conn: Connection) -> None:
    for number in ("w1", "w2", "w3"):
        owed_writes.owe(conn, owed(number, remote_id=number))
    owed_writes.mark_sent(conn, ["w3"], NOW)
    assert owed_writes.withdraw(conn, "L1", "w1") == 1
    assert due(conn) == ["w2", "w3"]
    assert owed_writes.withdraw(conn, "L1", at=NOW) == 1
    assert owed_writes.withdraw(conn, "L2") == 0
    assert due(conn) == ["w3"]


def test_postponed_it_waits(conn: Connection) -> None:
    owed_writes.owe(conn, owed())
    owed_writes.postpone(conn, ["w1"], NOW + DAY)
    assert due(conn) == []
    assert owed_writes.next_due(conn, "k1") == NOW + DAY


def test_only_what_is_long_settled_is_forgotten(conn: Connection) -> None:
    for number, settled in (("w1", NOW), ("w2", NOW + DAY), ("w3", None)):
        owed_writes.owe(conn, owed(number, remote_id=number, created_at=NOW - DAY))
        if settled:
            owed_writes.settle(conn, number, "done", settled)
    assert owed_writes.thin(conn, NOW + SECOND) == 1
    assert sorted(one.id for one in _all(conn)) == ["w2", "w3"]
