"""Records from another platform's table, on real SQLite and PostgreSQL: what changed, is gone, or is too much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from calsync.booking import commands
from calsync.booking.command import Command
from calsync.booking.rulebook import Rulebook
from calsync.domain.appointment import AppointmentStatus
from calsync.errors import Refused
from calsync.records import sql_mapping
from calsync.records.file_import import ImportRequest, import_appointments
from calsync.records.sql_mapping import SOURCE, PullResult, SqlMapping
from calsync.records.sql_reading import read_table
from calsync.settings.model import Settings
from calsync.settings.records import Records
from calsync.store import claims, outbox, providers, record_changes, record_sources, records
from calsync.store.database import Database, open_database
from calsync.store.foreign_records import SourceUnavailable
from calsync.store.providers import ProviderRow
from tests.servers.postgres import Postgres

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
COLUMNS = {
    "id": "session_id", "provider": "clinician", "client": "patient", "start": "starts", "end": "ends",
    "zone": "=America/Chicago", "status": "state",
}  # fmt: skip
KINDS = {"sqlite": "TEXT", "postgresql": "TIMESTAMP"}


@dataclass
class Platform:
    """Another platform's database, with one table of sessions, written by its own login."""

    engine: Engine
    reader: str

    def make(self) -> None:
        kind = KINDS[self.engine.dialect.name]
        self.run(
            "CREATE TABLE sessions (session_id TEXT PRIMARY KEY, clinician TEXT, patient TEXT, "
            f"starts {kind}, ends {kind}, state TEXT, updated {kind})"
        )

    def run(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as conn:
            conn.execute(text(statement), values)

    def put(
        self, number: str, start: str, *, state: str = "booked", at: datetime = NOW, clinician: str = "P-1"
    ) -> None:
        begin = datetime.fromisoformat(start)
        self.run("DELETE FROM sessions WHERE session_id = :id", id=number)
        self.run(
            "INSERT INTO sessions VALUES (:id, :who, :client, :start, :end, :state, :updated)",
            id=number, who=clinician, client=f"C-{number}", start=self.value(begin),
            end=self.value(begin + timedelta(minutes=50)), state=state, updated=self.value(at.replace(tzinfo=None)),
        )  # fmt: skip

    def value(self, at: datetime) -> Any:
        return at if self.engine.dialect.name == "postgresql" else at.isoformat(sep=" ")

    def remove(self, number: str) -> None:
        self.run("DELETE FROM sessions WHERE session_id = :id", id=number)


@pytest.fixture(params=["sqlite", "postgresql"])
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path / 'platform.db'}"
        made = Platform(create_engine(address), address)
        made.make()
        yield made
        made.engine.dispose()
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    made = Platform(create_engine(server.url(name)), server.url(name).replace("calsync@", "reader@"))
    made.make()
    made.run("DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    made.run("GRANT SELECT ON sessions TO reader")
    yield made
    made.engine.dispose()
    server.drop(name)


@pytest.fixture
def database(empty_books: Path, tmp_path: Path) -> Iterator[Database]:
    file = tmp_path / "books.db"
    file.write_bytes(empty_books.read_bytes())
    made = open_database(f"sqlite:///{file}")
    with made.transaction() as conn:
        providers.put(conn, ProviderRow("P-1", "Ada Example", "ada@example.org", "America/Chicago"))
    yield made
    made.dispose()


@pytest.fixture
def mapping(platform: Platform, database: Database) -> SqlMapping:
    keys = Records(
        url=platform.reader, table="sessions", columns=COLUMNS, updated_at="updated",
        statuses={"booked": "scheduled", "done": "completed", "off": "cancelled"},
        page="https://platform.example/sessions/{id}",
    )  # fmt: skip
    return SqlMapping(database, Settings(path=Path("calsync.toml"), records=keys), platform.reader)


def shown(mapping: SqlMapping, number: str) -> tuple[str, str] | None:
    with mapping.database.reading() as conn:
        one = records.appointment(conn, number)
    return None if one is None else (f"{one.span.start:%Y-%m-%d %H:%M}", one.status.value)


def is_missing(mapping: SqlMapping, number: str) -> bool:
    with mapping.database.reading() as conn:
        return records.appointment_facts(conn, [number])[number].missing_since is not None


def with_keys(mapping: SqlMapping, **changes: Any) -> SqlMapping:
    keys = mapping.settings.records.model_copy(update=changes)
    return SqlMapping(mapping.database, mapping.settings.model_copy(update={"records": keys}), mapping.url)


class TestReading:
    def test_rows_become_records_of_the_platform_and_only_changes_are_read(
        self, mapping: SqlMapping, platform: Platform
    ) -> None:
        for number in range(6):
            platform.put(f"A-{number}", f"2026-11-2{number + 3}T10:00", at=NOW - (8 - number) * HOUR)
        first = mapping.pull(NOW)
        assert (first.rows, first.changed, first.full) == (6, 6, True)
        assert shown(mapping, "A-1") == ("2026-11-24 10:00", "scheduled")
        with mapping.database.reading() as conn:
            assert records.appointment_facts(conn, ["A-1"])["A-1"].origin == "mapping"
        platform.put("A-1", "2026-11-24T15:00", at=NOW)
        second = mapping.pull(NOW + timedelta(minutes=1))
        assert (second.rows, second.changed, second.full) == (2, 1, False)
        assert shown(mapping, "A-1") == ("2026-11-24 15:00", "scheduled")
        third = mapping.pull(NOW + timedelta(minutes=2))
        assert (third.rows, third.changed) == (1, 0), "the overlap is read again and says nothing new"

    def test_a_change_that_was_committed_late_is_seen(self, mapping: SqlMapping, platform: Platform) -> None:
        platform.put("A-1", "2026-11-24T10:00", at=NOW)
        mapping.pull(NOW)
        platform.put("A-2", "2026-11-25T10:00", at=NOW - timedelta(minutes=4))
        assert mapping.pull(NOW + timedelta(minutes=1)).changed == 1

    def test_the_platforms_words_and_constants(self, mapping: SqlMapping, platform: Platform) -> None:
        platform.put("A-1", "2026-11-20T10:00", state="done")
        platform.put("A-2", "2026-11-24T10:00", state="off")
        mapping.pull(NOW)
        assert shown(mapping, "A-1") == ("2026-11-20 10:00", "completed")
        assert shown(mapping, "A-2") == ("2026-11-24 10:00", "cancelled")
        with mapping.database.reading() as conn:
            assert records.appointment_facts(conn, ["A-1"])["A-1"].completed_by == "import"

    def test_times_may_be_utc(self, mapping: SqlMapping, platform: Platform) -> None:
        platform.put("A-1", "2026-11-24T16:00")
        with_keys(mapping, times="utc").pull(NOW)
        assert shown(mapping, "A-1") == ("2026-11-24 10:00", "scheduled")

    def test_without_a_column_of_changes_every_reading_is_a_full_one(
        self, mapping: SqlMapping, platform: Platform
    ) -> None:
        platform.put("A-1", "2026-11-24T10:00")
        plain = with_keys(mapping, updated_at=None)
        assert [plain.pull(NOW).full, plain.pull(NOW).full] == [True, True]

    def test_a_bad_row_is_told_and_the_others_go_on(self, mapping: SqlMapping, platform: Platform) -> None:
        platform.put("A-1", "2026-11-24T10:00")
        platform.put("A-2", "2026-11-25T10:00", state="nonsense")
        platform.put("A-3", "2026-11-26T10:00", clinician="P-9")
        result = mapping.pull(NOW)
        assert (result.changed, len(result.problems)) == (1, 2)
        assert shown(mapping, "A-2") is None
        with mapping.database.reading() as conn:
            assert "2 problems" in (record_sources.get(conn, SOURCE).last_error or "")

    def test_a_known_session_whose_row_breaks_has_its_claim_held(self, mapping: SqlMapping, platform: Platform) -> None:
        platform.put("A-1", "2026-11-20T10:00", state="done")
        mapping.pull(NOW)
        platform.put("A-1", "2026-11-20T10:00", state="?", at=NOW + HOUR)
        mapping.pull(NOW + HOUR)
        assert is_missing(mapping, "A-1")
        platform.put("A-1", "2026-11-20T10:00", state="done", at=NOW + 2 * HOUR)
        mapping.pull(NOW + 2 * HOUR)
        assert not is_missing(mapping, "A-1")

    def test_a_known_session_that_now_names_nobody_we_know_has_its_claim_held(
        self, mapping: SqlMapping, platform: Platform
    ) -> None:
        platform.put("A-1", "2026-11-20T10:00", state="done")
        mapping.pull(NOW)
        platform.put("A-1", "2026-11-19T10:00", state="done", clinician="P-9", at=NOW + HOUR)
        mapping.pull(NOW + HOUR)
        assert is_missing(mapping, "A-1")
        platform.put("A-1", "2026-11-19T10:00", state="done", at=NOW + 2 * HOUR)
        mapping.pull(NOW + 2 * HOUR)
        assert (shown(mapping, "A-1"), is_missing(mapping, "A-1")) == (("2026-11-19 10:00", "completed"), False)

    @pytest.mark.parametrize("first", ["2026-11-20T10:00", "2026-08-20T10:00"])
    def test_a_known_session_is_followed_beyond_what_is_mirrored(
        self, mapping: SqlMapping, platform: Platform, first: str
    ) -> None:
        platform.put("A-1", first, state="done")
        platform.put("A-2", "2025-11-18T10:00", state="done")
        mapping.pull(datetime.fromisoformat(first).replace(tzinfo=UTC) + timedelta(days=1))
        platform.put("A-1", "2025-11-20T10:00", state="done", at=NOW + HOUR)
        mapping.pull(NOW + HOUR)
        assert shown(mapping, "A-1") == ("2025-11-20 10:00", "completed")
        assert shown(mapping, "A-2") is None, "nothing new is taken on from before the window"

    def test_of_two_rows_with_one_id_neither_counts(self, mapping: SqlMapping, platform: Platform) -> None:
        platform.put("A-1", "2026-11-20T10:00", state="done")
        mapping.pull(NOW)
        platform.run(
            "CREATE VIEW joined AS SELECT * FROM sessions UNION ALL SELECT session_id, clinician, patient, "
            "'2026-11-19 10:00:00', '2026-11-19 10:50:00', state, updated FROM sessions"
            if platform.engine.dialect.name == "sqlite"
            else "CREATE VIEW joined AS SELECT * FROM sessions UNION ALL SELECT session_id, clinician, patient, "
            "starts - interval '1 day', ends - interval '1 day', state, updated FROM sessions"
        )
        if platform.engine.dialect.name == "postgresql":
            platform.run("GRANT SELECT ON joined TO reader")
        result = with_keys(mapping, table="joined").pull(NOW + HOUR)
        assert (result.changed, len(result.problems)) == (0, 1)
        assert shown(mapping, "A-1") == ("2026-11-20 10:00", "completed")
        assert is_missing(mapping, "A-1")

    def test_a_row_of_a_year_to_come_or_of_no_time_hides_no_change(
        self, mapping: SqlMapping, platform: Platform
    ) -> None:
        platform.put("A-1", "2026-11-24T10:00")
        platform.put("A-2", "2026-11-25T10:00", at=NOW + timedelta(days=26_000))
        mapping.pull(NOW)
        platform.put("A-1", "2026-11-24T15:00", at=NOW + HOUR)
        platform.put("A-3", "2026-11-26T10:00")
        platform.run("UPDATE sessions SET updated = NULL WHERE session_id = 'A-3'")
        result = mapping.pull(NOW + HOUR)
        assert (result.full, result.changed) == (False, 2)
        assert shown(mapping, "A-1") == ("2026-11-24 15:00", "scheduled")

    def test_what_was_read_up_to_in_a_year_to_come_is_read_anew(self, mapping: SqlMapping, platform: Platform) -> None:
        platform.put("A-1", "2026-11-24T10:00", at=NOW - timedelta(days=3))
        mapping.pull(NOW)
        with mapping.database.transaction() as conn:
            record_sources.put(conn, record_sources.get(conn, SOURCE), watermark="time:2099-01-01T00:00:00")
        assert mapping.pull(NOW + HOUR).rows == 1

    @pytest.mark.parametrize("column", ["starts", "updated"])
    @pytest.mark.parametrize("value", ["infinity", "-infinity", "20261-01-01 10:00:00", "0044-03-15 10:00:00 BC"])
    def test_a_time_of_no_day_hides_no_other_row(
        self, mapping: SqlMapping, platform: Platform, column: str, value: str
    ) -> None:
        if platform.engine.dialect.name != "postgresql":
            value = value if column == "starts" else "2026-11-22 12:00:00"
        for number in (1, 2):
            platform.put(f"A-{number}", f"2026-11-2{number}T10:00", state="done")
        mapping.pull(NOW)
        platform.put("A-2", "2026-11-20T10:00", state="done", at=NOW + HOUR)
        platform.put("A-1", "2026-11-20T10:00", state="done", at=NOW + HOUR)
        platform.run(f"UPDATE sessions SET {column} = :value WHERE session_id = 'A-2'", value=value)
        for _ in range(2):
            mapping.pull(NOW + HOUR)
            assert shown(mapping, "A-1") == ("2026-11-20 10:00", "completed")
            assert is_missing(mapping, "A-2") == (column == "starts")
        platform.put("A-1", "2026-11-19T10:00", state="done", at=NOW + 2 * HOUR)
        mapping.pull(NOW + 2 * HOUR)
        assert shown(mapping, "A-1") == ("2026-11-19 10:00", "completed")

    def test_text_of_no_encoding_hides_no_other_row(self, mapping: SqlMapping, platform: Platform) -> None:
        for number in (1, 2):
            platform.put(f"A-{number}", f"2026-11-2{number}T10:00", state="done")
        mapping.pull(NOW)
        platform.put("A-1", "2026-11-20T10:00", state="done", at=NOW + HOUR)
        platform.put("A-2", "2026-11-20T10:00", state="done", at=NOW + HOUR)
        if platform.engine.dialect.name == "sqlite":
            platform.run("UPDATE sessions SET patient = CAST(x'ff41' AS TEXT) WHERE session_id = 'A-2'")
        mapping.pull(NOW + HOUR)
        assert shown(mapping, "A-1") == ("2026-11-20 10:00", "completed")

    def test_of_two_processes_that_read_at_once_the_one_with_older_news_takes_nothing(
        self, mapping: SqlMapping, platform: Platform, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        platform.put("A-1", "2026-11-24T10:00")
        mapping.pull(NOW)

        def slow(*given: Any, **how: Any) -> Any:
            reading = read_table(*given, **how)
            monkeypatch.setattr(sql_mapping, "read_table", read_table)
            platform.put("A-1", "2026-11-24T15:00", at=NOW + HOUR)
            assert mapping.pull(NOW + HOUR).changed == 1
            return reading

        monkeypatch.setattr(sql_mapping, "read_table", slow)
        assert mapping.pull(NOW + timedelta(minutes=59)).changed == 0
        assert shown(mapping, "A-1") == ("2026-11-24 15:00", "scheduled")
        assert mapping.pull(NOW + 2 * HOUR).changed == 0

    def test_a_database_that_cannot_be_read_changes_nothing_and_is_told(
        self, mapping: SqlMapping, platform: Platform
    ) -> None:
        platform.put("A-1", "2026-11-24T10:00")
        mapping.pull(NOW)
        platform.run("ALTER TABLE sessions RENAME TO other")
        with pytest.raises(SourceUnavailable) as told:
            mapping.pull(NOW + HOUR)
        assert "sessions" not in str(told.value), "what a driver says may hold values"
        assert not is_missing(mapping, "A-1")
        with mapping.database.reading() as conn:
            assert "cannot be read" in (record_sources.get(conn, SOURCE).last_error or "")

    def test_support_is_told_once_that_it_has_not_been_readable_for_an_hour(
        self, mapping: SqlMapping, platform: Platform
    ) -> None:
        platform.put("A-1", "2026-11-24T10:00")
        mapping.pull(NOW)
        platform.run("ALTER TABLE sessions RENAME TO other")
        told = []
        for minutes in (30, 61, 90, 600):
            with pytest.raises(SourceUnavailable):
                mapping.pull(NOW + timedelta(minutes=minutes))
            with mapping.database.reading() as conn:
                told.append([one.kind for one in outbox.of_recipient(conn, "support", NOW)])
        assert told == [[], ["records-unread"], ["records-unread"], ["records-unread"]]

    def test_what_was_held_is_assessed_again_once_the_table_was_read_after_it(
        self, mapping: SqlMapping, platform: Platform
    ) -> None:
        platform.put("A-1", "2026-11-22T10:00", state="done")  # it ends at 16:50 UTC
        platform.put("A-2", "2026-11-22T10:30")
        mapping.pull(NOW)
        for hours, expected in ((4, set()), (5, {"A-1"}), (6, set())):
            with mapping.database.transaction() as conn:
                for one, revision in claims.touched(conn, 10):
                    claims.take_away(conn, one, revision)
            mapping.pull(NOW + hours * HOUR)
            with mapping.database.transaction() as conn:
                assert {one for one, _ in claims.touched(conn, 10)} == expected

    def test_nothing_can_be_written_there(self, mapping: SqlMapping, platform: Platform) -> None:
        from calsync.store import foreign_records  # noqa: PLC0415

        platform.put("A-1", "2026-11-24T10:00")

        def write() -> None:
            with foreign_records.reading(mapping.table) as conn:
                conn.execute(text("DELETE FROM sessions"))
                conn.commit()

        with pytest.raises(SourceUnavailable):
            write()
        assert mapping.pull(NOW).rows == 1


class TestMissing:
    def filled(self, mapping: SqlMapping, platform: Platform) -> None:
        for number in range(10):
            platform.put(f"A-{number}", f"2026-12-{number + 1:02}T10:00")
        mapping.pull(NOW)

    def test_a_row_that_went_is_asked_about_by_the_nights_comparison(
        self, mapping: SqlMapping, platform: Platform
    ) -> None:
        self.filled(mapping, platform)
        platform.remove("A-3")
        assert mapping.pull(NOW + HOUR).missing == ()
        assert not is_missing(mapping, "A-3")
        night = mapping.pull(NOW + timedelta(hours=16))
        assert (night.full, night.missing) == (True, ("A-3",))
        assert shown(mapping, "A-3") == ("2026-12-04 10:00", "scheduled"), "never taken for a cancellation"
        assert is_missing(mapping, "A-3")
        platform.put("A-3", "2026-12-04T10:00", at=NOW + timedelta(hours=17))
        mapping.pull(NOW + timedelta(hours=17))
        assert not is_missing(mapping, "A-3")

    def test_who_has_answered_for_a_row_that_went_is_not_asked_again(
        self, mapping: SqlMapping, platform: Platform
    ) -> None:
        self.filled(mapping, platform)
        platform.remove("A-3")
        mapping.pull(NOW + HOUR, full=True)
        with mapping.database.transaction() as conn:
            record_changes.answer_missing(conn, ["A-3", "A-4"], NOW + HOUR)
        assert mapping.pull(NOW + 2 * HOUR, full=True).missing == ()
        assert not is_missing(mapping, "A-3")
        platform.put("A-3", "2026-12-04T10:00", at=NOW + 3 * HOUR)
        mapping.pull(NOW + 3 * HOUR)
        for number in (3, 4):
            platform.remove(f"A-{number}")
            assert mapping.pull(NOW + 4 * HOUR, full=True).missing[-1] == f"A-{number}", "a new absence, a new question"

    def test_a_session_that_came_from_a_file_first_is_the_tables_once_it_tells_of_it(
        self, mapping: SqlMapping, platform: Platform, tmp_path: Path
    ) -> None:
        file = tmp_path / "first.csv"
        file.write_text(
            "id,provider,client,start,end,zone\n"
            "A-0,P-1,C-0,2026-12-01T10:00,2026-12-01T10:50,America/Chicago\n"
            "F-1,P-1,C-1,2026-12-02T14:00,2026-12-02T14:50,America/Chicago\n"
        )
        ahead = timedelta(days=90)
        import_appointments(mapping.database, ImportRequest(path=file, actor="a", now=NOW, window_future=ahead))
        self.filled(mapping, platform)
        platform.remove("A-0")
        mapping.pull(NOW + HOUR, full=True)
        assert is_missing(mapping, "A-0")
        assert not is_missing(mapping, "F-1"), "the table has never told of it"

    def test_many_that_went_at_once_stop_it(self, mapping: SqlMapping, platform: Platform) -> None:
        self.filled(mapping, platform)
        for number in range(4):
            platform.remove(f"A-{number}")
        result = mapping.pull(NOW + HOUR, full=True)
        assert "4 of 10" in (result.stopped or "")
        assert [is_missing(mapping, f"A-{number}") for number in (1, 9)] == [True, False], "the claims of those wait"
        for number in range(4):
            platform.put(f"A-{number}", f"2026-12-{number + 1:02}T10:00")
        mapping.release(NOW + 2 * HOUR, by="support:ada", note="a view that was made anew")
        mapping.pull(NOW + 2 * HOUR, full=True)
        assert not is_missing(mapping, "A-1")


class TestBrake:
    def flood(self, mapping: SqlMapping, platform: Platform) -> PullResult:
        for number in range(10):
            platform.put(f"A-{number}", f"2026-12-{number + 1:02}T10:00")
        mapping.pull(NOW)
        for number in range(6):
            platform.put(f"A-{number}", f"2026-12-{number + 1:02}T11:00", at=NOW + HOUR)
        platform.put("A-8", "2026-12-09T10:00", state="off", at=NOW + HOUR)
        platform.put("A-7", "2026-12-08T10:00", state="done", at=NOW + HOUR)
        return mapping.pull(NOW + HOUR)

    def test_a_flood_of_changes_changes_nothing_until_a_person_looked(
        self, mapping: SqlMapping, platform: Platform
    ) -> None:
        assert "7 of 10" in (self.flood(mapping, platform).stopped or "")
        assert shown(mapping, "A-1") == ("2026-12-02 10:00", "scheduled")
        assert is_missing(mapping, "A-1"), "its claim waits: nobody knows which time is right"
        assert is_missing(mapping, "A-7"), "nor whether it took place"
        assert not is_missing(mapping, "A-9")
        with mapping.database.reading() as conn:
            (alarm,) = outbox.of_recipient(conn, "support", NOW)
        assert alarm.kind == "records-stopped"
        assert mapping.pull(NOW + 2 * HOUR).stopped is not None
        mapping.release(NOW + 2 * HOUR, by="support:ada", note="a new schedule")
        assert mapping.pull(NOW + 2 * HOUR).changed == 8
        assert shown(mapping, "A-1") == ("2026-12-02 11:00", "scheduled")
        assert not is_missing(mapping, "A-1")

    def test_a_release_is_for_one_reading(self, mapping: SqlMapping, platform: Platform) -> None:
        self.flood(mapping, platform)
        mapping.release(NOW + 2 * HOUR, by="support:ada", note="n")
        mapping.pull(NOW + 2 * HOUR)
        for number in range(6):
            platform.put(f"A-{number}", f"2026-12-{number + 1:02}T12:00", at=NOW + 3 * HOUR)
        assert mapping.pull(NOW + 3 * HOUR).stopped is not None

    def test_new_sessions_are_no_flood(self, mapping: SqlMapping, platform: Platform) -> None:
        for number in range(50):
            platform.put(f"A-{number}", f"2026-12-{number % 28 + 1:02}T{number // 28 + 10}:00")
        assert mapping.pull(NOW).stopped is None


def test_commands_are_off_and_name_the_platforms_page(mapping: SqlMapping, platform: Platform) -> None:
    platform.put("A-1", "2026-11-24T10:00")
    mapping.pull(NOW)
    command = Command(actor="support:ada", now=NOW, rulebook=Rulebook.of_settings(mapping.settings), reason="other")

    def cancel() -> None:
        with mapping.database.transaction() as conn:
            commands.cancel(conn, command, "A-1")

    with pytest.raises(Refused) as told:
        cancel()
    assert told.value.code == "records-elsewhere"
    assert "https://platform.example/sessions/A-1" in str(told.value)
    assert shown(mapping, "A-1") == ("2026-11-24 10:00", AppointmentStatus.SCHEDULED.value)


@pytest.mark.parametrize(
    "keys",
    [
        {"url": "sqlite:///x.db"},
        {"url": "sqlite:///x.db", "table": "t", "columns": {"id": "id"}},
        {"url": "sqlite:///x.db", "table": "t", "columns": {**COLUMNS, "name": "n"}},
        {"url": "sqlite:///x.db", "table": "t", "columns": {**COLUMNS, "zone": "="}},
        {"page": "https://platform.example/"},
    ],
)
def test_a_mapping_that_is_not_whole_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"needed as well|lacks|no such field|no column|\{id\}"):
        Records(**keys)
