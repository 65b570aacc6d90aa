"""The outbox: one message an effect, sent once, known to be in the middle after a crash."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection

from calsync.store import outbox
from calsync.store.database import Database
from calsync.store.outbox import OutboxItem
from tests.unit.store.samples import DAY, NOW, SECOND


def put(conn: Connection, key: str = "m1", **changes: object) -> bool:
    told = {"kind": "edit-reverted", "recipient": "provider:p1", "payload": {"edit": "e1"}, "now": NOW, "due_at": NOW}
    return outbox.put(conn, key, **(told | changes))  # type: ignore[arg-type]


def due(conn: Connection, seconds: int = 0) -> list[str]:
    return [item.key for item in outbox.due(conn, NOW + seconds * SECOND, 10)]


def item(conn: Connection, key: str = "m1") -> OutboxItem:
    found = outbox.get(conn, key)
    assert found is not None
    return found


def test_a_key_is_good_for_one_message(conn: Connection) -> None:
    assert put(conn)
    assert not put(conn, payload={"edit": "e2"})
    assert item(conn).payload == {"edit": "e1"}
    outbox.mark_sending(conn, "m1", "<1@calsync>", NOW)
    outbox.mark_sent(conn, "m1", NOW)
    assert not put(conn)
    assert due(conn) == []


def test_many_at_once_owe_it_once(db: Database) -> None:
    def owe(_: int) -> bool:
        with db.transaction() as conn:
            return put(conn)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(owe, range(8))) == 1


def test_due_in_order_of_their_time(conn: Connection) -> None:
    put(conn, "m1", due_at=NOW + SECOND)
    put(conn, "m2", due_at=NOW)
    put(conn, "m3", due_at=NOW + DAY)
    assert due(conn) == ["m2"]
    assert due(conn, 1) == ["m2", "m1"]
    assert len(outbox.due(conn, NOW + DAY, 1)) == 1


def test_two_senders_get_different_messages(db: Database) -> None:
    if db.is_sqlite:
        return  # there is one writer at a time
    with db.transaction() as conn:
        put(conn, "m1")
        put(conn, "m2")
    with db.transaction() as first, db.transaction() as second:
        assert [one.key for one in outbox.due(first, NOW, 1)] == ["m1"]
        assert [one.key for one in outbox.due(second, NOW, 2)] == ["m2"]


def test_a_message_in_the_middle_is_found_after_a_crash(conn: Connection) -> None:
    put(conn)
    outbox.mark_sending(conn, "m1", "<1@calsync>", NOW)
    assert due(conn) == []
    assert [one.key for one in outbox.stuck(conn, NOW)] == []
    (stuck,) = outbox.stuck(conn, NOW + SECOND)
    assert (stuck.message_id, stuck.attempts) == ("<1@calsync>", 1)
    outbox.mark_sent(conn, "m1", NOW)
    assert (item(conn).state, item(conn).sent_at) == ("sent", NOW)
    assert outbox.stuck(conn, NOW + DAY) == []


def test_a_failure_is_tried_again_or_given_up(conn: Connection) -> None:
    put(conn)
    outbox.mark_sending(conn, "m1", "<1@calsync>", NOW)
    outbox.mark_failed(conn, "m1", "451", NOW + SECOND)
    assert due(conn) == []
    assert due(conn, 1) == ["m1"]
    assert item(conn).last_error == "451"
    outbox.mark_failed(conn, "m1", "550", None)
    assert due(conn, 1) == []
    assert item(conn).state == "failed"


def test_merged_and_withdrawn_messages_do_not_go_out(conn: Connection) -> None:
    for key in ("m1", "m2", "m3"):
        put(conn, key)
    outbox.mark_sending(conn, "m3", "<3@calsync>", NOW)
    outbox.mark_sent(conn, "m3", NOW)
    outbox.merge(conn, ["m1", "m3"], NOW)
    assert outbox.withdraw(conn, "m2", NOW)
    assert not outbox.withdraw(conn, "m3", NOW)
    assert due(conn) == []
    assert [item(conn, key).state for key in ("m1", "m2", "m3")] == ["merged", "merged", "sent"]
    assert [one.key for one in outbox.of_recipient(conn, "provider:p1", NOW)] == ["m1", "m2", "m3"]
    assert outbox.of_recipient(conn, "provider:p1", NOW + SECOND) == outbox.of_recipient(conn, "support", NOW) == []
