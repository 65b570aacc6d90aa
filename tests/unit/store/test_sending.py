"""What the outbox, tokens, links and counts answer, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from calsync.store import action_links, asks, counts, outbox, tokens
from calsync.store.action_links import ActionLink
from calsync.store.asks import AskRow
from calsync.store.tokens import Role, TokenRow

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
KINDS = frozenset({"a", "b"})
MINUTE = timedelta(minutes=1)


def owe(conn: Connection, key: str, recipient: str = "provider:1", kind: str = "a", minutes: int = 0) -> None:
    at = NOW + minutes * MINUTE
    assert outbox.put(conn, key, kind, recipient, {"edit": key}, now=at, due_at=at)


class TestOutbox:
    def test_whoever_waits_longest_comes_first_and_other_kinds_are_left_out(self, conn: Connection) -> None:
        owe(conn, "1", "provider:late", minutes=-1)
        owe(conn, "2", "provider:early", minutes=-9)
        owe(conn, "3", "provider:late", "b", minutes=-2)
        owe(conn, "4", "provider:other", "c", minutes=-20)
        owe(conn, "5", "provider:future", minutes=1)
        assert outbox.recipients(conn, KINDS, NOW) == ["provider:early", "provider:late"]
        assert [one.key for one in outbox.waiting(conn, "provider:late", KINDS)] == ["3", "1"]

    def test_a_mail_counts_from_when_it_was_begun(self, conn: Connection) -> None:
        owe(conn, "1")
        owe(conn, "2", "provider:2")
        owe(conn, "3")
        outbox.mark_sending(conn, "1", "<1@x>", NOW)
        outbox.mark_sending(conn, "2", "<2@x>", NOW + MINUTE)
        assert outbox.mark_sent(conn, "1", NOW + 5 * MINUTE)
        assert not outbox.mark_sent(conn, "1", NOW + 6 * MINUTE)
        assert not outbox.mark_sent(conn, "3", NOW)
        assert outbox.begun_for(conn, "provider:1", NOW) == [NOW]
        assert outbox.begun_for(conn, "provider:1", NOW + MINUTE) == []
        assert outbox.count_begun(conn, NOW) == 2

    def test_a_repeat_is_counted_and_keeps_its_id(self, conn: Connection) -> None:
        owe(conn, "1")
        outbox.mark_sending(conn, "1", "<1@x>", NOW)
        assert [one.key for one in outbox.stuck(conn, NOW + MINUTE)] == ["1"]
        outbox.mark_repeating(conn, "1", NOW + 2 * MINUTE)
        assert outbox.stuck(conn, NOW + MINUTE) == []
        item = outbox.get(conn, "1")
        assert item is not None
        assert (item.repeats, item.attempts, item.message_id) == (1, 2, "<1@x>")

    def test_held_back_and_merged(self, conn: Connection) -> None:
        owe(conn, "1")
        owe(conn, "2")
        outbox.hold(conn, ["1"], NOW + MINUTE)
        outbox.merge(conn, ["2"], NOW)
        outbox.set_payload(conn, "1", {"edit": "1", "with": ["2"]})
        assert outbox.recipients(conn, KINDS, NOW) == []
        assert outbox.recipients(conn, KINDS, NOW + MINUTE) == ["provider:1"]
        (item,) = outbox.waiting(conn, "provider:1", KINDS)
        assert item.payload["with"] == ["2"]


def test_a_link_has_one_use(conn: Connection) -> None:
    link = ActionLink("h", "answer-edit", "provider:1", {"edit": "e"}, NOW, NOW + MINUTE)
    action_links.insert(conn, link)
    assert action_links.get(conn, "h") == link
    assert action_links.get(conn, "H") is None
    assert not action_links.use(conn, "h", NOW + MINUTE)
    assert action_links.use(conn, "h", NOW)
    assert not action_links.use(conn, "h", NOW)
    assert not action_links.revoke(conn, "h", NOW)
    used = action_links.get(conn, "h")
    assert used is not None
    assert not used.is_usable(NOW)


def test_a_tokens_use_is_noted_now_and_then(conn: Connection) -> None:
    row = TokenRow("t", "h", Role.BILLING, "job", NOW, "support:x")
    tokens.insert(conn, row)
    assert tokens.by_hash(conn, "h") == row
    assert tokens.is_use_worth_noting(row, NOW)
    tokens.note_use(conn, "t", NOW)
    tokens.note_use(conn, "t", NOW - MINUTE)
    (used,) = tokens.rows(conn)
    assert used.last_used_at == NOW
    assert not tokens.is_use_worth_noting(used, NOW + MINUTE)
    assert tokens.revoke(conn, "t", NOW)
    assert tokens.by_hash(conn, "h") is None


def test_counts_of_empty_and_of_filled_books(conn: Connection) -> None:
    empty = counts.read(conn, NOW, MINUTE)
    assert (empty.outbox, empty.outbox_oldest_due, empty.mails_repeated) == ({}, None, 0)
    owe(conn, "1")
    owe(conn, "2", minutes=-5)
    outbox.mark_sending(conn, "1", "<1@x>", NOW)
    outbox.mark_repeating(conn, "1", NOW)
    asks.insert(conn, AskRow("ask", "4821", "drift", "provider", NOW))
    found = counts.read(conn, NOW, MINUTE)
    assert found.outbox == {"due": 1, "sending": 1}
    assert found.outbox_oldest_due == NOW - 5 * MINUTE
    assert (found.mails_repeated, found.asks_open) == (1, 1)
