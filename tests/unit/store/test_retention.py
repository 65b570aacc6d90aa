"""What is forgotten of long ago, and what never is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from calsync.domain.appointment import Appointment
from calsync.domain.drift import Resolution
from calsync.domain.span import Span
from calsync.store import action_links, drifts, observations, outbox, record_changes, retention, statements
from calsync.store.action_links import ActionLink
from calsync.store.database import Database
from calsync.store.observations import Observation
from calsync.store.schema import metadata
from calsync.store.statements import StatementRow
from tests.unit.store.samples import drift

NOW = datetime(2033, 1, 3, 12, tzinfo=UTC)
KEPT_FOR = timedelta(days=7 * 366)
OLD, YOUNG = datetime(2025, 12, 1, 10), datetime(2026, 6, 1, 10)


def seen(session: str, at: datetime) -> Observation:
    return Observation("cal", "link-1", session, at.replace(tzinfo=UTC), seen=None, version=None)


def fill(db: Database) -> None:
    with db.transaction() as conn:
        for key, start in (("old", OLD), ("open", OLD), ("young", YOUNG)):
            span = Span(start, start + timedelta(minutes=50), "UTC")
            one = Appointment(id=key, provider="P-1", client="C-1", span=span)
            record_changes.put_appointment(
                conn, one, now=NOW - timedelta(days=3000), actor="support:s", action="booked"
            )
            observations.insert(conn, seen(key, start))
            word = StatementRow(id=f"s-{key}", appointment=key, by="provider:P-1", at=NOW, saw=(), says="as-booked")
            statements.insert(conn, word)
        settled = replace(drift("d-old"), appointment="old", resolution=Resolution.ACKNOWLEDGED)
        drifts.insert(conn, settled)
        drifts.insert(conn, replace(drift("d-open"), appointment="open", link="link-2"))
        for key, days in (("old", 900), ("young", 30)):
            at = NOW - timedelta(days=days)
            link = ActionLink(action_links.hash_of(key), "answer-edit", "provider:P-1", {}, at, at)
            action_links.insert(conn, link)
            outbox.put(conn, f"m-{key}", "appointment-booked", "client:C-1", {}, now=at, due_at=at)
        outbox.mark_sending(conn, "m-old", "<id>", NOW - timedelta(days=900))
        outbox.mark_sent(conn, "m-old", NOW - timedelta(days=900))


def numbers(db: Database) -> dict[str, int]:
    with db.reading() as conn:
        return {name: len(conn.execute(select(table)).all()) for name, table in metadata.tables.items()}


def test_only_what_is_old_and_settled_is_forgotten_once(db: Database) -> None:
    fill(db)
    before = numbers(db)
    with db.reading() as conn:
        foretold = retention.count(conn, NOW - KEPT_FOR, NOW)
    assert numbers(db) == before
    with db.transaction() as conn:
        done = retention.forget(conn, NOW - KEPT_FOR, NOW)
    assert done == foretold
    assert done == {"observations": 1, "statements": 1, "drifts": 1, "action_links": 1, "outbox": 1}
    after = numbers(db)
    assert {name: before[name] - after[name] for name in before if before[name] != after[name]} == done
    with db.transaction() as conn:
        assert retention.forget(conn, NOW - KEPT_FOR, NOW) == {}
        assert sorted(statements.of_appointments(conn, ["old", "open", "young"])) == ["open", "young"]
