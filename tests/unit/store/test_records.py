"""Records: written whole, with their history, their marks and their claims; left alone when nothing changed."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import Connection

from calsync.domain.appointment import AppointmentStatus, Subject, SubjectKind
from calsync.store import calendars, claims, record_changes, records, subject_changes
from calsync.store.database import Database
from calsync.store.records import AppointmentFilter
from tests.unit.store.samples import BY, DAY, LATER, NOW, SPAN, add_calendar, appointment, block, series, subject

SERIES = Subject(SubjectKind.SERIES, "s1")


def marks(conn: Connection, calendar: str = "k1") -> dict[Subject, int]:
    return dict(subject_changes.pending(conn, calendar, 100))


def touched(conn: Connection) -> list[str]:
    return [number for number, _ in claims.touched(conn, 100)]


def ids(conn: Connection, **wanted: object) -> list[str]:
    return [one.id for one in records.appointments(conn, AppointmentFilter(**wanted))]  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def calendar(request: pytest.FixtureRequest) -> None:
    if "conn" in request.fixturenames:
        add_calendar(request.getfixturevalue("conn"))


def test_records_come_back_as_they_went_in(conn: Connection) -> None:
    full = appointment(
        "a2",
        span=LATER,
        status=AppointmentStatus.COMPLETED,
        series="s1",
        original_start=SPAN.start_at,
        code="90837",
        payer="self",
        format="video",
        session="x1",
        client_zone="America/New_York",
        pending="reschedule",
        version=7,
    )
    repeated_hour = appointment("a3", span=SPAN.starting(datetime(2026, 10, 25, 2, 30, fold=1)))
    whole = series(added=(NOW,), excluded=(NOW + DAY, NOW + 2 * DAY), continues="s0", cancelled=True, version=3)
    for one in (appointment(), full, repeated_hour):
        record_changes.put_appointment(conn, one, **BY)
        assert records.appointment(conn, one.id) == one
    record_changes.put_series(conn, whole, **BY)
    record_changes.put_block(conn, block(), **BY)
    assert records.series(conn, "s1") == whole
    assert records.block(conn, "b1") == block()
    assert records.blocks(conn, "p1") == [block()]
    assert records.all_series(conn, "p1") == [whole]
    assert [records.appointment(conn, "no"), records.series(conn, "no"), records.block(conn, "no")] == [None] * 3
    assert records.appointments_by_ids(conn, ["a2", "no"]) == {"a2": full}


def test_a_new_record_makes_calendars_due_and_claims_be_assessed(conn: Connection) -> None:
    before = calendars.get(conn, "k1")
    assert record_changes.put_appointment(conn, appointment(), **BY)
    after = calendars.get(conn, "k1")
    assert before is not None
    assert after is not None
    assert after.generation == before.generation + 1
    assert after.priority > before.priority
    assert marks(conn) == {subject(): 1}
    assert touched(conn) == ["a1"]


def test_the_same_again_changes_nothing(conn: Connection) -> None:
    record_changes.put_appointment(conn, appointment(), **BY)
    record_changes.put_series(conn, series(), defaults={"code": "90837"}, **BY)
    record_changes.put_block(conn, block(), **BY)
    before = (calendars.get(conn, "k1"), marks(conn))
    assert not record_changes.put_appointment(conn, appointment(version=9), **BY)
    assert not record_changes.put_series(conn, series(version=9), **BY)
    assert not record_changes.put_block(conn, block(version=9), **BY)
    assert (calendars.get(conn, "k1"), marks(conn)) == before
    assert len(records.history(conn, "appointment", "a1")) == 1


def test_history_tells_every_change_with_who_and_why(conn: Connection) -> None:
    record_changes.put_appointment(conn, appointment(), **BY)
    record_changes.put_appointment(
        conn,
        appointment(span=LATER, version=2),
        now=NOW + DAY,
        actor="provider:p1",
        action="reschedule",
        reason="ill",
        note="by phone",
    )
    first, second = records.history(conn, "appointment", "a1")
    assert (first.before, first.actor, first.action, first.at) == (None, "support:ada", "book", NOW)
    assert (second.actor, second.action, second.reason, second.note) == ("provider:p1", "reschedule", "ill", "by phone")
    assert second.before == first.after
    assert second.after == {
        **(first.after or {}),
        "start": "2026-11-25T15:00:00",
        "end": "2026-11-25T15:50:00",
        "version": 2,
    }


def test_history_keeps_no_title_that_a_person_typed(conn: Connection) -> None:
    record_changes.put_block(conn, block(title="Surgery"), **BY)
    assert "Surgery" not in str(records.history(conn, SubjectKind.BLOCK, "b1"))


def test_facts_beside_the_record(conn: Connection) -> None:
    record_changes.put_appointment(conn, appointment(), origin="import", **BY)
    later = {**BY, "now": NOW + DAY}
    done = appointment(status=AppointmentStatus.COMPLETED)
    assert record_changes.put_appointment(conn, done, completed_by="import", origin="api", **later)
    assert not record_changes.put_appointment(conn, done, **later)
    assert record_changes.put_appointment(conn, done, completed_by="provider:p1", **later)
    record_changes.set_missing(conn, ["a1"], NOW)
    facts = records.appointment_facts(conn, ["a1", "no"])["a1"]
    assert (facts.origin, facts.created_at, facts.updated_at) == ("import", NOW, NOW + DAY)
    assert (facts.completed_by, facts.missing_since) == ("provider:p1", NOW)
    assert (facts.start_at, facts.end_at) == (SPAN.start_at, SPAN.end_at)
    record_changes.put_appointment(conn, appointment(), **BY)
    assert records.appointment_facts(conn, ["a1"])["a1"].completed_by is None


def test_an_open_request_keeps_its_time_and_loses_it_when_it_ends(conn: Connection) -> None:
    record_changes.put_appointment(conn, appointment(pending="reschedule"), pending_until=NOW + DAY, **BY)
    record_changes.put_appointment(conn, appointment(pending="reschedule", code="x"), **BY)
    assert records.appointment_facts(conn, ["a1"])["a1"].pending_until == NOW + DAY
    record_changes.put_appointment(conn, appointment(), **BY)
    assert records.appointment_facts(conn, ["a1"])["a1"].pending_until is None


def test_another_provider_is_news_for_both_providers_calendars(conn: Connection) -> None:
    add_calendar(conn, "k2", "p2")
    record_changes.put_appointment(conn, appointment(), **BY)
    assert marks(conn, "k2") == {}
    record_changes.put_appointment(conn, appointment(provider="p2"), **BY)
    assert marks(conn, "k1") == {subject(): 2}
    assert marks(conn, "k2") == {subject(): 1}


def test_an_occurrence_is_news_of_its_series_and_of_the_one_it_left(conn: Connection) -> None:
    record_changes.put_appointment(conn, appointment(series="s1", original_start=SPAN.start_at), **BY)
    assert marks(conn) == {SERIES: 1}
    record_changes.put_appointment(conn, appointment(series="s2", original_start=SPAN.start_at), **BY)
    assert marks(conn) == {SERIES: 2, Subject(SubjectKind.SERIES, "s2"): 1}
    record_changes.put_appointment(conn, appointment(), **BY)
    assert subject() in marks(conn)


def test_only_calendars_that_mirror_are_told(conn: Connection) -> None:
    add_calendar(conn, "busy", mode="busy")
    add_calendar(conn, "gone")
    calendars.remove(conn, "gone", NOW)
    record_changes.put_appointment(conn, appointment(), **BY)
    assert marks(conn, "busy") == marks(conn, "gone") == {}


def test_a_changed_series_has_its_sessions_assessed(conn: Connection) -> None:
    record_changes.put_series(conn, series(), defaults={"code": "90837"}, **BY)
    record_changes.put_appointment(conn, appointment(series="s1", original_start=SPAN.start_at), **BY)
    for number, revision in claims.touched(conn, 10):
        claims.take_away(conn, number, revision)
    assert record_changes.put_series(conn, series(rule="FREQ=DAILY"), **BY)
    assert touched(conn) == ["a1"]
    facts = records.series_facts(conn, "s1")
    assert facts is not None
    assert facts.defaults == {"code": "90837"}


def test_series_that_need_more_occurrences(conn: Connection) -> None:
    for number, changes in (("s1", {}), ("s2", {}), ("s3", {"cancelled": True}), ("s4", {})):
        record_changes.put_series(conn, series(number, **changes), **BY)
    record_changes.set_materialised(conn, "s1", NOW)
    record_changes.set_materialised(conn, "s2", NOW + DAY)
    assert [one.series.id for one in records.series_to_materialise(conn, NOW + DAY)] == ["s1", "s4"]
    record_changes.put_series(conn, series("s1", rule="FREQ=DAILY"), **BY)
    facts = records.series_facts(conn, "s1")
    assert facts is not None
    assert facts.materialised_until == NOW


def test_lists_are_narrowed_and_ordered(conn: Connection) -> None:
    record_changes.put_appointments(
        conn,
        [
            appointment("late", span=LATER, client="c2"),
            appointment("b-early"),
            appointment("a-early", client="c3"),
            appointment("other", provider="p2", status=AppointmentStatus.NO_SHOW),
            appointment("weekly", series="s1", original_start=SPAN.start_at),
        ],
        **BY,
    )
    assert ids(conn, provider="p1") == ["a-early", "b-early", "weekly", "late"]
    assert ids(conn, client="c2") == ["late"]
    assert ids(conn, clients=["c2", "c3"]) == ["a-early", "late"]
    assert ids(conn, clients=[]) == []
    assert ids(conn, status=AppointmentStatus.NO_SHOW) == ["other"]
    assert ids(conn, series="s1") == ["weekly"]
    assert ids(conn, since=LATER.start_at) == ["late"]
    assert ids(conn, provider="p1", until=LATER.start_at) == ["a-early", "b-early", "weekly"]
    assert ids(conn, ids=["late", "other", "no"]) == ["other", "late"]
    assert ids(conn, ids=["late", "other"], provider="p1") == ["late"]
    assert ids(conn, ids=[]) == []
    assert [one.id for one in records.appointments_of_series(conn, "s1")] == ["weekly"]


def test_ten_thousand_rows_at_once(db: Database) -> None:
    many = [appointment(f"a{number:05}") for number in range(10_000)]
    with db.transaction() as conn:
        add_calendar(conn)
        assert record_changes.put_appointments(conn, many, **BY) == 10_000
        assert record_changes.put_appointments(conn, many, **BY) == 0
        assert ids(conn, ids=[one.id for one in many]) == [one.id for one in many]
    with db.reading() as conn:
        row = calendars.get(conn, "k1")
        assert row is not None
        # Made due once for each part that is written at a time, not once for each row.
        assert row.generation < 100
        assert sum(1 for _ in records.appointments(conn, AppointmentFilter())) == 10_000
