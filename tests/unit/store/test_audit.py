"""The chain: whole when it is, and when it is not, the first wrong row is named."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection, delete, update

from calsync.store import audit
from calsync.store.audit import AuditVerdict
from calsync.store.database import Database
from calsync.store.late import Note
from calsync.store.schema_effects import audit as table
from calsync.store.schema_effects import audit_head
from tests.unit.store.samples import NOW, SECOND


def append(conn: Connection, number: int) -> None:
    audit.append(
        conn,
        at=NOW + number * SECOND,
        actor="system",
        what="drift-found",
        subject=f"drift:d{number}",
        detail={"kind": "moved", "n": number, "list": ["ä", None]},
    )


def verify(db: Database) -> AuditVerdict:
    with db.reading() as conn:
        return audit.verify(conn)


@pytest.fixture
def chain(db: Database) -> Database:
    """Ten rows, written in five transactions."""
    for start in range(1, 11, 2):
        with db.transaction() as conn:
            append(conn, start)
            append(conn, start + 1)
    return db


def test_an_untouched_chain_is_whole(chain: Database) -> None:
    assert verify(chain) == AuditVerdict(10)
    assert verify(chain).is_whole
    with chain.reading() as conn:
        rows = list(audit.rows(conn))
        assert [row.subject for row in rows] == [f"drift:d{number}" for number in range(1, 11)]
        assert rows[0].previous == audit.START
        assert all(later.previous == earlier.hash for earlier, later in pairwise(rows))
        assert [row.seq for row in audit.rows(conn, "drift:d3")] == [3]


def test_a_chain_that_was_never_begun_is_whole(db: Database) -> None:
    assert verify(db) == AuditVerdict(0)


def test_what_is_rolled_back_leaves_no_gap(chain: Database) -> None:
    def stumble() -> None:
        with chain.transaction() as conn:
            append(conn, 11)
            raise KeyError

    with pytest.raises(KeyError):
        stumble()
    with chain.transaction() as conn:
        audit.append_many(conn, [Note(NOW, "system", "a", "b", {}), Note(NOW, "system", "c", "d", {})])
    assert verify(chain) == AuditVerdict(12)
    with chain.reading() as conn:
        assert list(audit.rows(conn, "drift:d11")) == []


def test_writers_at_once_make_one_chain(db: Database) -> None:
    def write(number: int) -> None:
        with db.transaction() as conn:
            append(conn, number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(60)))
    assert verify(db) == AuditVerdict(60)


def _set(seq: int, **values: object) -> Callable[[Connection], object]:
    return lambda conn: conn.execute(update(table).where(table.c.seq == seq).values(**values))


def _drop(*seqs: int) -> Callable[[Connection], object]:
    return lambda conn: conn.execute(delete(table).where(table.c.seq.in_(seqs)))


def _swap(conn: Connection) -> None:
    for old, new in ((4, 99), (5, 4), (99, 5)):
        conn.execute(update(table).where(table.c.seq == old).values(seq=new))


@pytest.mark.parametrize(
    ("tamper", "verdict"),
    [
        (_set(4, detail={"kind": "resized"}), AuditVerdict(3, 4, "edited")),
        (_set(4, actor="support:eve"), AuditVerdict(3, 4, "edited")),
        (_set(4, at=NOW), AuditVerdict(3, 4, "edited")),
        (_set(4, hash="0" * 64), AuditVerdict(3, 4, "edited")),
        (_set(1, what="nothing"), AuditVerdict(0, 1, "edited")),
        (_set(10, what="nothing"), AuditVerdict(9, 10, "edited")),
        (_drop(4), AuditVerdict(3, 4, "missing")),
        (_drop(1), AuditVerdict(0, 1, "missing")),
        (_drop(9, 10), AuditVerdict(8, 9, "truncated")),
        (_drop(*range(1, 11)), AuditVerdict(0, 1, "truncated")),
        (_swap, AuditVerdict(3, 4, "reordered")),
        (lambda conn: conn.execute(delete(audit_head)), AuditVerdict(10, 11, "truncated")),
    ],
)
def test_the_first_wrong_row_is_named(
    chain: Database, tamper: Callable[[Connection], object], verdict: AuditVerdict
) -> None:
    with chain.transaction() as conn:
        tamper(conn)
    assert verify(chain) == verdict
    assert not verdict.is_whole


def test_a_row_replaced_with_a_right_hash_breaks_the_next_one(chain: Database) -> None:
    with chain.reading() as conn:
        rows = list(audit.rows(conn))
    told: tuple[Any, ...] = (4, 0, "support:eve", "nothing", "x", {})
    with chain.transaction() as conn:
        _set(4, at=NOW - (NOW - rows[0].at), actor="support:eve")(conn)
        _set(4, hash=audit._hash(rows[3].previous, told))(conn)
    assert verify(chain).first_bad == 4


def test_a_connection_from_elsewhere_cannot_append_unnoticed(db: Database) -> None:
    with db.engine.begin() as conn, pytest.raises(RuntimeError, match=r"Database.transaction"):
        append(conn, 1)


def test_what_only_reads_cannot_append_unnoticed(db: Database) -> None:
    def stumble() -> None:
        with db.transaction() as conn:
            append(conn, 1)
            raise KeyError

    with pytest.raises(KeyError):
        stumble()
    with db.reading() as conn, pytest.raises(RuntimeError, match=r"Database.transaction"):
        append(conn, 2)
