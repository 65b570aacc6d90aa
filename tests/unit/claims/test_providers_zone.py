"""The provider's zone at a session's date: the one stored with the session, never the profile's present one."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from calsync.claims.answer import Answer
from calsync.domain.appointment import Appointment, AppointmentStatus
from calsync.domain.span import Span
from calsync.store import record_changes
from tests.unit.claims.gate_world import LINKED, GateWorld, codes, in_memory

# Before midnight in Chicago, and after it in New York.
LATE = Span(datetime(2026, 11, 10, 23, 5), datetime(2026, 11, 10, 23, 55), "America/Chicago")
AFTER = LATE.end_at + timedelta(hours=1)


@pytest.fixture
def world() -> GateWorld:
    """One whose provider lives in New York, and books sessions in Chicago."""
    made = in_memory()
    lives_in(made, "America/New_York")
    return made


def lives_in(world: GateWorld, zone: str) -> None:
    with world.db.transaction() as conn:
        conn.exec_driver_sql(f"UPDATE providers SET zone = '{zone}'")


def asked(world: GateWorld, **claims: Any) -> Answer:
    world.configure(**claims)
    return world.check("A-2")


def booked(world: GateWorld) -> None:
    world.book("A-2", span=LATE, client="C-2")
    world.link(number="A-2")
    world.read(LATE, at=AFTER, number="A-2", linked_at=LINKED)


def test_two_dates_hold_until_the_practice_says_whose_counts(world: GateWorld) -> None:
    booked(world)
    assert codes(asked(world)) == {"date-depends-on-zone"}
    assert asked(world, date_zone="provider").date_of_service == date(2026, 11, 11)
    assert asked(world, date_zone="record").date_of_service == date(2026, 11, 10)


def test_a_provider_who_moves_house_takes_no_booked_session_along(world: GateWorld) -> None:
    booked(world)
    lives_in(world, "America/Chicago")
    world.book("A-2", span=LATE, client="C-2", format="telehealth")
    assert asked(world, date_zone="provider").date_of_service == date(2026, 11, 11)


def test_where_somebody_lived_when_a_session_took_place_is_not_known_afterwards(world: GateWorld) -> None:
    one = Appointment("A-2", "P-1", "C-2", LATE, status=AppointmentStatus.COMPLETED, code="90834")
    with world.db.transaction() as conn:
        record_changes.put_appointment(
            conn, one, now=AFTER, actor="import", action="import", completed_by="provider:P-1"
        )
    world.configure(date_zone="provider", backfilled="clear")
    assert codes(world.check("A-2")) == {"zone-unknown"}
