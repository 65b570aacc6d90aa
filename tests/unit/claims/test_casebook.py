"""A case holds all that the books know of its appointment, and nothing that belongs to another."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from calsync.claims.case import (
    Ask,
    Case,
    Decision,
    Other,
    Presence,
    Provider,
    Record,
    Says,
    Sent,
    SessionRow,
    Statement,
)
from calsync.claims.casebook import NEAR, CaseFile, open_cases
from calsync.domain.appointment import Appointment, AppointmentStatus
from calsync.domain.drift import Phase
from calsync.domain.span import Span
from calsync.settings.practice import Practice
from calsync.settings.records import NEEDED, Records
from calsync.store import (
    asks,
    claim_decisions,
    clearances,
    evidence,
    filings,
    providers,
    record_changes,
    record_sources,
    statements,
)
from calsync.store.asks import AskRow
from calsync.store.claim_decisions import DecisionRow
from calsync.store.clearances import Clearance
from calsync.store.database import open_database
from calsync.store.evidence import SessionEvidence
from calsync.store.filings import Filing
from calsync.store.providers import ProviderRow
from calsync.store.statements import StatementRow
from calsync.store.upgrade import create_for_tests
from tests.unit.claims.gate_world import DAY, LINKED, NEXT_DAY, NOW, READ, SPAN, GateWorld, codes

HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> GateWorld:
    database = open_database("sqlite://")
    create_for_tests(database)
    return GateWorld(database)


def files(world: GateWorld, *ids: str) -> dict[str, CaseFile]:
    with world.db.reading() as conn:
        found = list(open_cases(conn, ids, world.gate.rules(), NOW))
    assert len(found) == len(set(ids))
    return {one.appointment: one for one in found}


def case_of(world: GateWorld, number: str = "A-1") -> Case:
    return files(world, number)[number].case


def file_claim(world: GateWorld, number: str = "A-1", state: str = "filed", **more: Any) -> None:
    told = {"frequency": "1", "claim": None, "line": None, "batch": None, "control": "X-9", **more}
    row = Filing(
        f"F-{number}", number, DAY, "90834", filed_at=NOW, filed_by="billing:b", against_gate=True, state=state, **told
    )
    with world.db.transaction() as conn:
        filings.insert(conn, row)


def clear(world: GateWorld, number: str = "A-1", issued_at: datetime | None = NOW) -> None:
    row = Clearance(f"C-{number}", number, DAY, "90834", 50, "abc", {}, NOW, issued_at)
    with world.db.transaction() as conn:
        clearances.insert_many(conn, [row])


class TestTheRecord:
    def test_it_is_told_as_it_stands(self, world: GateWorld) -> None:
        world.book(
            session="X-1", client_zone="America/New_York", payer="self", pending="reschedule", format="telehealth"
        )
        (file,) = files(world, "A-1").values()
        assert file.case.record == Record(
            id="A-1",
            provider="P-1",
            client="C-1",
            start=SPAN.start,
            end=SPAN.end,
            zone=SPAN.zone,
            kind="follow-up",
            status="completed",
            code="90834",
            pending="reschedule",
            session="X-1",
            client_zone="America/New_York",
            provider_zone="America/Chicago",
            payer="self",
            version="1",
        )
        assert (file.format, file.recalls_at, file.observes) == ("telehealth", time(17, 30), False)

    @pytest.mark.parametrize(
        ("status", "shown"), [("completed", "missing"), ("cancelled", "cancelled"), ("no-show", "no-show")]
    )
    def test_one_that_left_its_source_may_be_anything_but_off(self, world: GateWorld, status: str, shown: str) -> None:
        world.book(status=AppointmentStatus(status))
        with world.db.transaction() as conn:
            conn.exec_driver_sql("UPDATE appointments SET missing_since = 1")
        found = case_of(world).record
        assert found is not None
        assert found.status == shown

    @pytest.mark.parametrize(
        ("by", "person"), [("provider:P-1", True), ("import", False), ("system", False), (None, False)]
    )
    def test_who_said_that_it_took_place(self, world: GateWorld, by: str | None, person: bool) -> None:
        with world.db.transaction() as conn:
            conn.exec_driver_sql("UPDATE appointments SET completed_by = ?", (by,))
        found = case_of(world).record
        assert found is not None
        assert found.completed_by_person is person

    def test_one_that_nobody_knows_is_judged_by_the_sites_rules(self, world: GateWorld) -> None:
        world.configure(settle=timedelta(minutes=7))
        world.observe()
        (file,) = files(world, "A-404").values()
        assert file.case == Case(record=None, appointment="A-404")
        assert (file.policy.name, file.policy.settle, file.observes) == ("default", timedelta(minutes=7), True)

    def test_the_practices_own_rules_count_for_its_providers(self, world: GateWorld) -> None:
        world.configure(timely_filing_days={"self": 10})
        practice = Practice.model_validate({"claims": {"unlinked": "clear"}})
        world.settings = world.settings.model_copy(update={"practices": {"own": practice}})
        with world.db.transaction() as conn:
            providers.put(conn, ProviderRow("P-2", "Ben Example", "ben@example.org", "America/Chicago", "own"))
        world.book("A-2", provider="P-2", payer="self")
        found = files(world, "A-1", "A-2", "A-404")
        assert {
            name: (one.policy.name, one.policy.unlinked, one.policy.timely_filing_days) for name, one in found.items()
        } == {
            "A-1": ("default", "hold", None),
            "A-2": ("own", "clear", 10),
            "A-404": ("default", "hold", None),
        }

    def test_a_declaration_of_the_provider_is_part_of_it(self, world: GateWorld) -> None:
        row = ProviderRow("P-1", "Ada Example", "ada@example.org", "America/Chicago")
        declared = replace(row, calendars="none", calendars_reason="paper", calendars_since=DAY)
        with world.db.transaction() as conn:
            providers.put(conn, declared)
        assert case_of(world).provider == Provider(calendars="none", reason="paper", since=DAY)


class TestWhatWasSaidOfIt:
    def test_words_logs_and_questions_are_told_whole(self, world: GateWorld) -> None:
        world.book("A-2")
        word = StatementRow("W-1", "A-1", "provider:P-1", NOW, ("D-1", "D-2"), "took-place", SPAN.start, SPAN.end, DAY)
        with world.db.transaction() as conn:
            statements.insert(conn, word)
            evidence.put_many(
                conn,
                [
                    SessionEvidence(f"E-{who}", "A-1", "log", who, SPAN.start_at, SPAN.end_at, NOW)
                    for who in ("both", None)
                ],
            )
            asks.insert(conn, AskRow("Q-1", "A-1", "D-1", "provider", NOW, NOW + HOUR))
        case = case_of(world)
        said = Statement(
            id="W-1",
            by="provider:P-1",
            at=NOW,
            says=Says.TOOK_PLACE,
            saw=frozenset({"D-1", "D-2"}),
            start=SPAN.start,
            end=SPAN.end,
            date=DAY,
        )
        logged = SessionRow(id="E-None", start=SPAN.start_at, end=SPAN.end_at, source="log")
        assert case.statements == (said,)
        assert set(case.evidence) == {logged, replace(logged, id="E-both", who=Presence.BOTH)}
        assert case.asks == (Ask(about="D-1", who="provider", at=NOW, next_at=NOW + HOUR),)
        beside = case_of(world, "A-2")
        assert (beside.statements, beside.evidence, beside.asks, beside.filed, beside.issued) == (
            (),
            (),
            (),
            None,
            None,
        )

    @pytest.mark.parametrize(
        ("changed", "counts"),
        [
            ({}, True),
            ({"start": SPAN.start + HOUR}, False),
            ({"end": SPAN.end + HOUR}, False),
            ({"zone": "America/New_York"}, False),
        ],
    )
    def test_a_ruling_counts_as_long_as_the_times_are_the_same(
        self, world: GateWorld, changed: dict[str, Any], counts: bool
    ) -> None:
        row = DecisionRow(
            "R-1", "A-1", "crosses-midnight", "end", "billing:b", NOW, "asked", SPAN.start, SPAN.end, SPAN.zone
        )
        with world.db.transaction() as conn:
            claim_decisions.insert(conn, replace(row, **changed))
        ruled = Decision(id="R-1", by="billing:b", at=NOW, about="crosses-midnight", says="end")
        assert case_of(world).decisions == ((ruled,) if counts else ())

    def test_edits_are_told_with_their_times_in_the_records_zone(self, world: GateWorld) -> None:
        abroad = Span(datetime(2026, 11, 11, 16), datetime(2026, 11, 11, 16, 50), "Europe/Berlin")
        day = Span(datetime(2026, 11, 11), datetime(2026, 11, 12), "Europe/Berlin", all_day=True)
        world.drift("D-1", observed=abroad, phase=Phase.UPCOMING, mixed=True)
        world.drift("D-2", observed=day, episode=2)
        world.drift("D-3", observed=None, episode=3)
        found = {one.id: one for one in case_of(world).drifts}
        first = found["D-1"]
        assert (first.kind, first.phase, first.resolution, first.calendar, first.appointment) == (
            "moved", "upcoming", "open", "K-1", "A-1",
        )  # fmt: skip
        assert (first.scope, first.mixed, first.detected_at) == ("occurrence", True, READ + HOUR)
        times = [(one.observed_start, one.observed_end) for one in found.values()]
        there = [at.astimezone(UTC) for at in (abroad.start_at, abroad.end_at)]
        assert times == [tuple(there), (day.start, day.end), (None, None)]
        assert first.observed_start is not None
        assert str(first.observed_start.tzinfo) == SPAN.zone


class TestWhatWentOut:
    def test_a_clearance_counts_until_a_claim_is_filed(self, world: GateWorld) -> None:
        clear(world)
        (file,) = files(world, "A-1").values()
        assert file.clearance is not None
        assert (file.case.issued, file.case.filed) == (Sent(id="C-A-1", date=DAY, code="90834"), None)
        file_claim(world)
        (file,) = files(world, "A-1").values()
        assert file.clearance is not None
        assert file.filing is not None
        assert (file.filing.control, file.case.issued) == ("X-9", None)
        assert file.case.filed == Sent(id="F-A-1", date=DAY, code="90834", against_gate=True)

    def test_a_clearance_that_nobody_was_told_is_none(self, world: GateWorld) -> None:
        clear(world, issued_at=None)
        assert case_of(world).issued is None


class TestOthers:
    def test_the_clients_other_sessions_near_it_are_told(self, world: GateWorld) -> None:
        near = Span.between(SPAN.start_at + NEAR, SPAN.end_at + NEAR, SPAN.zone)
        before = Span.between(SPAN.start_at - NEAR, SPAN.end_at - NEAR, SPAN.zone)
        far = Span.between(SPAN.start_at + NEAR + HOUR, SPAN.end_at + NEAR + HOUR, SPAN.zone)
        for number, span in (("A-2", near), ("A-3", before), ("A-4", far)):
            world.book(number, span=span, code="90847", session=None)
        world.book("A-5", span=near, client="C-2")
        found = {one.id: one for one in case_of(world).others}
        assert set(found) == {"A-2", "A-3"}
        assert found["A-2"] == Other(
            id="A-2", provider="P-1", client="C-1", code="90847", state="held", start=near.start_at, end=near.end_at
        )
        asked = files(world, *(f"A-{number}" for number in range(1, 6)))
        beside = {name: sorted(one.id for one in file.case.others) for name, file in asked.items()}
        overlapping = {"A-2": ["A-1", "A-4", "A-5"], "A-5": ["A-2"]}
        assert beside == {"A-1": ["A-2", "A-3"], "A-3": ["A-1"], "A-4": ["A-2"], **overlapping}

    def test_those_who_share_a_session_are_told_wherever_they_are(self, world: GateWorld) -> None:
        late = Span.between(SPAN.start_at + 2 * NEAR, SPAN.end_at + 2 * NEAR, SPAN.zone)
        world.book(session="X-1")
        world.book("A-2", client="C-2", provider="P-2", session="X-1", span=late)
        world.book("A-3", client="C-2", provider="P-2", session="X-2", span=late.starting(late.end))
        world.book("A-4", client="C-3", provider="P-2", session=None, span=late.starting(late.end))
        assert [(one.id, one.session) for one in case_of(world).others] == [("A-2", "X-1")]
        assert [one.id for one in case_of(world, "A-4").others] == ["A-3"], "a session that is none is not shared"

    @pytest.mark.parametrize(
        ("changed", "filed", "state"),
        [
            ({}, None, "held"),
            ({"payer": "self"}, None, "self-pay"),
            ({"status": AppointmentStatus.CANCELLED, "payer": "self"}, None, "cancelled"),
            ({"status": AppointmentStatus.NO_SHOW}, "filed", "filed"),
            ({}, "review", "review"),
        ],
    )
    def test_how_another_stands(self, world: GateWorld, changed: dict[str, Any], filed: str | None, state: str) -> None:
        world.book("A-2", span=NEXT_DAY, **changed)
        if filed is not None:
            file_claim(world, "A-2", filed)
        assert [(one.id, one.state) for one in case_of(world).others] == [("A-2", state)]


class TestCalendars:
    def test_those_of_its_provider_and_of_its_links_must_agree(self, world: GateWorld) -> None:
        world.add_calendar("K-2")
        with world.db.transaction() as conn:
            providers.put(conn, ProviderRow("P-2", "Ben Example", "ben@example.org", "America/Chicago"))
        world.add_calendar("K-3", provider="P-2")
        world.add_calendar("K-4", provider="P-2")
        world.link("K-3")
        world.read(calendar="K-3")
        case = case_of(world)
        assert {(one.calendar, str(one.result)) for one in case.observations} == {
            ("K-1", "agrees"), ("K-2", "never"), ("K-3", "agrees"),
        }  # fmt: skip
        assert {one.calendar for one in case.next_reads} == {"K-1", "K-2", "K-3"}

    def test_without_times_there_are_none_to_compare(self, world: GateWorld) -> None:
        with world.db.transaction() as conn:
            conn.exec_driver_sql("UPDATE appointments SET zone = 'Mars/Olympus'")
        case = case_of(world)
        assert (case.observations, case.next_reads) == ((), ())

    @pytest.mark.parametrize(
        ("series", "subject", "ended", "found"),
        [
            (None, "A-1", None, {"agrees"}),
            (None, "A-1", SPAN.end_at, set()),
            ("S-1", "A-1", None, {"agrees"}),
            ("S-1", "A-1", SPAN.end_at, {"never"}),
            ("S-1", "A-1", SPAN.end_at + HOUR, {"agrees"}),
            ("S-1", "S-1", SPAN.end_at, set()),
        ],
    )
    def test_only_its_own_link_says_nothing_once_its_series_took_over(
        self, world: GateWorld, series: str | None, subject: str, ended: datetime | None, found: set[str]
    ) -> None:
        micros = None if ended is None else int(ended.timestamp() * 1_000_000)
        kind = "series" if subject == series else "appointment"
        with world.db.transaction() as conn:
            conn.exec_driver_sql("PRAGMA foreign_keys = OFF")
            conn.exec_driver_sql("UPDATE appointments SET series = ?", (series,))
            conn.exec_driver_sql(
                "UPDATE links SET ended_at = ?, subject = ?, subject_kind = ?", (micros, subject, kind)
            )
        assert {str(one.result) for one in case_of(world).observations} == found


def test_what_a_platforms_table_told_early_counts_once_it_was_read_again(world: GateWorld) -> None:
    one = Appointment("A-2", "P-1", "C-2", SPAN, status=AppointmentStatus.COMPLETED, code="90834")
    with world.db.transaction() as conn:
        record_changes.put_appointment(
            conn, one, now=LINKED, actor="import", action="created", completed_by="import", origin="mapping"
        )
    world.link(number="A-2")
    world.read(number="A-2")
    assert codes(world.check("A-2")) == set(), "no table is read here"

    keys = Records(url="sqlite:///platform.db", table="t", columns=dict.fromkeys(NEEDED, "c"))
    world.settings = world.settings.model_copy(update={"records": keys})
    for read_at, held in ((SPAN.end_at, {"not-completed"}), (SPAN.end_at + timedelta(minutes=1), set())):
        with world.db.transaction() as conn:
            record_sources.put(conn, record_sources.get(conn, record_sources.SQL_TABLE), read_at=read_at)
        assert codes(world.check("A-2")) == held
    assert codes(world.check("A-1")) == set(), "it did not come from there"
    from_table, from_elsewhere = (case_of(world, number).record for number in ("A-2", "A-1"))
    assert from_table is not None
    assert from_elsewhere is not None
    assert (from_table.read_at, from_elsewhere.read_at) == (SPAN.end_at + timedelta(minutes=1), None)


class TestSinceWhen:
    """What we wrote into an event after it had begun shows our own news: then it matters since when they are so."""

    moved_at = SPAN.end_at + timedelta(minutes=2)

    def moved(self, world: GateWorld, *written: datetime | None) -> datetime | None:
        for number, at in enumerate(written, 1):
            if number > 1:
                world.add_calendar(f"K-{number}")
                world.link(f"K-{number}")
            world.read(calendar=f"K-{number}", written_at=at)
        earlier = Span(SPAN.start - HOUR, SPAN.end - HOUR, SPAN.zone)
        one = Appointment("A-1", "P-1", "C-1", earlier, status=AppointmentStatus.COMPLETED, code="90834")
        with world.db.transaction() as conn:
            for at, span in ((LINKED, earlier), (self.moved_at, SPAN)):
                told = replace(one, span=span)
                record_changes.put_appointment(conn, told, now=at, actor="support:s", action="moved")
        found = case_of(world).record
        assert found is not None
        return found.times_since

    def test_they_are_so_is_told_where_we_wrote_since_it_began(self, world: GateWorld) -> None:
        assert self.moved(world, SPAN.start_at) == self.moved_at

    def test_one_calendar_of_several_is_enough(self, world: GateWorld) -> None:
        assert self.moved(world, LINKED, None, self.moved_at) == self.moved_at

    @pytest.mark.parametrize("written", [SPAN.start_at - timedelta(microseconds=1), None])
    def test_nobody_asks_where_we_had_written_before(self, world: GateWorld, written: datetime | None) -> None:
        assert self.moved(world, written) is None


def test_what_nobody_knows_goes_by_the_practice_called_default(world: GateWorld) -> None:
    practice = Practice.model_validate({"claims": {"unlinked": "clear"}, "sync": {"mode": "observe"}})
    world.settings = world.settings.model_copy(update={"practices": {"default": practice}})
    world.configure(timely_filing_days={"insurance": 90})
    with world.db.transaction() as conn:
        conn.exec_driver_sql("PRAGMA foreign_keys = OFF")
        conn.exec_driver_sql("UPDATE appointments SET provider = 'P-404'")
    found = files(world, "A-1", "A-404")
    assert [one.policy.unlinked for one in found.values()] == ["clear", "clear"]
    assert [one.policy.timely_filing_days for one in found.values()] == [90, 90]
    assert [one.observes for one in found.values()] == [True, True]
