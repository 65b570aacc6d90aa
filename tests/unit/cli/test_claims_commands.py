"""The commands for edits, claims, calendars and the audit log, as a person types them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from calsync.domain.drift import DriftKind
from calsync.store import calendars, stops
from calsync.store.calendars import CalendarState
from calsync.store.database import open_database
from calsync.store.stops import StopRow
from tests.unit.claims.gate_world import NEXT_DAY, NOW, READ, SPAN, GateWorld
from tests.unit.cli.test_records import Shell

HOUR = timedelta(hours=1)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    made = Shell(tmp_path, monkeypatch, capsys)
    made.at(NOW.isoformat())
    return made


@pytest.fixture
def world(shell: Shell) -> Iterator[GateWorld]:
    database = open_database(f"sqlite:///{shell.folder / 'calsync.db'}")
    yield GateWorld(database)
    database.dispose()


def dragged(world: GateWorld) -> None:
    world.drift()
    world.read(NEXT_DAY, at=READ + HOUR, drift="D-1")


class TestDrifts:
    def test_rows_have_the_keys_and_times_that_programs_rely_on(self, shell: Shell, world: GateWorld) -> None:
        dragged(world)
        (row,) = shell.json("drifts", "list")
        assert row == {
            "id": "D-1",
            "edit": "E-D-1",
            "appointment": "A-1",
            "block": None,
            "series": None,
            "original_start": None,
            "provider": "P-1",
            "calendar": "K-1",
            "kind": "moved",
            "phase": "past",
            "expected_start": "2026-11-10T09:00:00-06:00",
            "expected_end": "2026-11-10T09:50:00-06:00",
            "observed_start": "2026-11-11T09:00:00-06:00",
            "observed_end": "2026-11-11T09:50:00-06:00",
            "detected_at": "2026-11-10T11:00:00-06:00",
            "scope": "occurrence",
            "mixed": False,
            "disposition": "flag",
            "resolution": "open",
            "resolved_at": None,
        }

    def test_a_line_tells_it_in_words_without_a_clients_name(self, shell: Shell, world: GateWorld) -> None:
        dragged(world)
        assert shell("drifts", "list") == (
            "D-1  Tue 10 Nov 2026, 09:00-09:50 (America/Chicago), session A-1: moved to Wed 11 Nov 2026, 09:00-09:50 "
            "(America/Chicago) in K-1, after the session; waits for an answer\n"
        )
        world.drift("D-2", observed=None, episode=2, edit="E-9")
        assert "deleted in K-1" in shell("drifts", "list", "--edit", "E-9")

    def test_filters_narrow(self, shell: Shell, world: GateWorld) -> None:
        dragged(world)
        for name, value in (("provider", "P-1"), ("appointment", "A-1"), ("edit", "E-D-1"), ("calendar", "K-1")):
            assert len(shell.json("drifts", "list", f"--{name}", value)) == 1
            assert shell.json("drifts", "list", f"--{name}", "other") == []

    def test_settled_ones_are_listed_unless_open_is_asked_for(self, shell: Shell, world: GateWorld) -> None:
        dragged(world)
        shell("drifts", "resolve", "D-1", "--as", "stands", "--by", "support:ada", "--note", "asked her")
        assert shell.json("drifts", "list", "--open") == []
        (row,) = shell.json("drifts", "list")
        assert row["resolution"] == "acknowledged"
        shown = shell.json("drifts", "show", "D-1")
        assert (shown["resolved_by"], shown["note"], shown["accepted"]) == ("support:ada", "asked her", True)
        assert "was answered" in shell("drifts", "show", "D-1")

    def test_resolving_twice_is_refused(self, shell: Shell, world: GateWorld) -> None:
        dragged(world)
        shell("drifts", "resolve", "D-1", "--as", "dismiss")
        assert "settled already" in shell("drifts", "resolve", "D-1", "--as", "stands", code=1)

    def test_an_edit_is_answered_as_a_whole(self, shell: Shell, world: GateWorld) -> None:
        dragged(world)
        world.book("A-2", client="C-2")
        world.link(number="A-2")
        world.drift("D-2", number="A-2", edit="E-D-1")
        answer = shell.json("drifts", "resolve", "--edit", "E-D-1", "--as", "stands")
        assert sorted(answer["answered"]) == ["D-1", "D-2"]

    @pytest.mark.parametrize(
        "line",
        [
            ("--as", "stands"),
            ("D-1", "--edit", "E-1", "--as", "stands"),
            ("D-1", "--as", "nonsense"),
            ("D-1",),
            ("D-1", "--as", "took-place", "--end", "2026-11-10T10:00"),
        ],
    )
    def test_what_makes_no_sense_is_a_usage_error(self, shell: Shell, line: tuple[str, ...]) -> None:
        shell("drifts", "resolve", *line, code=2)

    def test_unknown_ids_are_named(self, shell: Shell, world: GateWorld) -> None:
        assert "nothing" in shell("drifts", "show", "nothing", code=1)
        assert "nothing" in shell("drifts", "resolve", "nothing", "--as", "stands", code=1)
        assert shell("drifts", "list") == "No edits.\n"


class TestClaims:
    def test_all_cleared_ends_with_0(self, shell: Shell, world: GateWorld) -> None:
        (row,) = shell.json("claims", "check", "A-1=2026-11-10")
        assert (row["appointment"], row["verdict"], row["state"]) == ("A-1", "cleared", "cleared")
        assert row["date_of_service"] == "2026-11-10"
        keys = {"reasons", "advisories", "evidence", "waiting_on", "asked_at", "next_step_at", "file_by", "sentence"}
        assert keys <= row.keys()
        assert shell("claims", "check", "A-1").startswith("A-1: cleared for Tue 10 Nov 2026\n")

    def test_anything_held_ends_with_3_in_the_order_asked(self, shell: Shell, world: GateWorld) -> None:
        dragged(world)
        rows = shell.json("claims", "check", "no-such", "A-1", code=3)
        assert [row["appointment"] for row in rows] == ["no-such", "A-1"]
        assert [row["verdict"] for row in rows] == ["held", "held"]
        assert rows[1]["date_of_service"] is None
        assert {"code", "text"} <= rows[1]["reasons"][0].keys()
        assert "drift-open" in shell("claims", "check", "A-1", code=3)

    def test_another_date_is_held_and_an_unreadable_one_a_usage_error(self, shell: Shell, world: GateWorld) -> None:
        (row,) = shell.json("claims", "check", "A-1=2026-11-11", code=3)
        assert [one["code"] for one in row["reasons"]] == ["date-mismatch"]
        shell("claims", "check", "A-1=11/10/2026", code=2)
        shell("claims", "check", code=2)

    def test_ready_lists_what_may_be_sent_and_was_not(self, shell: Shell, world: GateWorld) -> None:
        world.book("A-2", client="C-2")
        assert [row["appointment"] for row in shell.json("claims", "ready")] == ["A-1"]
        assert shell.json("claims", "ready", "--since", "2026-11-11") == []
        shell("claims", "filed", "A-1")
        assert shell("claims", "ready").startswith("Nothing is ready.\n")

    def test_filed_then_dragged_is_recalled_and_closed_by_a_person(self, shell: Shell, world: GateWorld) -> None:
        (filed,) = shell.json("claims", "filed", "A-1", "--batch", "1120")
        assert (filed["date"], filed["against_gate"]) == ("2026-11-10", False)
        dragged(world)
        (row,) = shell.json("claims", "recalls", "list")
        assert (row["action"], row["old_date"], row["new_date"], row["state"]) == ("review", "2026-11-10", None, "open")
        assert shell.json("claims", "check", "A-1", code=3)[0]["state"] == "recalled"
        shell("claims", "recalls", "close", row["id"], "--reason", "already-right", code=1)
        shell("claims", "recalls", "close", row["id"], "--reason", "already-right", "--note", "seen the notes")
        assert shell.json("claims", "recalls", "list", "--open") == []

    def test_filing_against_the_gate_ends_with_3(self, shell: Shell, world: GateWorld) -> None:
        dragged(world)
        assert "no date" in shell("claims", "filed", "A-1", code=1)
        assert "had not cleared" in shell("claims", "filed", "A-1=2026-11-10", code=3)

    def test_a_proof_stands_alone_and_escapes_what_strangers_wrote(self, shell: Shell, world: GateWorld) -> None:
        world.drift("<script>alert(1)</script>")
        shell("claims", "check", "A-1", code=3)
        file = shell.folder / "proof.html"
        shell("claims", "proof", "A-1", "-o", str(file))
        text = file.read_text()
        assert "&lt;script&gt;" in text
        assert "<script" not in text
        assert "http" not in text.replace("http-equiv", "")
        for part in ("Readings of calendars", "2026-11-10 09:00 to 2026-11-10 09:50 America/Chicago", "drift-open"):
            assert part in text
        assert "every" not in shell("claims", "proof", "nothing", "-o", str(file), code=1)


class TestCalendars:
    def test_rows_have_the_keys_that_programs_rely_on(self, shell: Shell, world: GateWorld) -> None:
        (row,) = shell.json("calendars", "list")
        assert list(row) == [
            "id",
            "provider",
            "connector",
            "mode",
            "placement",
            "state",
            "last_read_at",
            "next_pass_at",
            "links",
            "last_error",
        ]
        assert (row["id"], row["state"], row["links"]) == ("K-1", "active", 1)
        assert "never read" in shell("calendars", "list")

    def test_pause_and_resume(self, shell: Shell, world: GateWorld) -> None:
        shell("calendars", "pause", "K-1", "--note", "holiday")
        (row,) = shell.json("calendars", "list")
        assert (row["state"], row["next_pass_at"]) == ("paused", None)
        assert "already" in shell("calendars", "pause", "K-1")
        shell("calendars", "resume", "K-1")
        assert shell.json("calendars", "list")[0]["state"] == "active"
        assert "not paused" in shell("calendars", "resume", "K-1")

    def test_a_stop_must_be_answered(self, shell: Shell, world: GateWorld) -> None:
        evidence = {"changed": 6, "upcoming": 6}
        with world.db.transaction() as conn:
            calendars.set_state(conn, "K-1", CalendarState.STOPPED, "many", NOW)
            stops.start(conn, StopRow("S-1", "K-1", NOW, "stampede", evidence, ("A-1",)))
        assert "6 of 6 events" in shell("calendars", "show", "K-1")
        assert shell.json("calendars", "show", "K-1")["stop"]["touched"] == ["A-1"]
        assert "--as edits" in shell("calendars", "resume", "K-1", code=1)
        assert "--as" in shell("calendars", "pause", "K-1", code=1)
        shell("calendars", "resume", "K-1", "--as", "restore", "--by", "support:ada")
        with world.db.reading() as conn:
            assert stops.released_unhandled(conn, "K-1") == "restore"

    def test_remove_keeps_events_and_ends_links(self, shell: Shell, world: GateWorld) -> None:
        shell("calendars", "remove", "K-1")
        assert shell.json("calendars", "list") == []
        assert shell.json("claims", "check", "A-1")[0]["verdict"] == "cleared"
        shell("calendars", "remove", "K-1", code=1)


class TestAudit:
    def test_a_whole_log_is_whole_and_a_changed_one_is_not(self, shell: Shell, world: GateWorld) -> None:
        shell("claims", "check", "A-1")
        assert shell.json("audit", "verify")["whole"] is True
        with world.db.transaction() as conn:
            conn.exec_driver_sql("UPDATE audit SET actor = 'somebody' WHERE seq = 1")
        verdict = shell.json("audit", "verify", code=1)
        assert (verdict["whole"], verdict["first_bad"], verdict["problem"]) == (False, 1, "edited")
        assert "Row 1 was changed" in shell("audit", "verify", code=1)


def test_every_kind_of_edit_has_its_words(shell: Shell, world: GateWorld) -> None:
    for number, kind in enumerate(DriftKind, 1):
        start = SPAN.starting(datetime(2026, 11, 12, 9))
        world.drift(f"D-{number}", kind=kind, observed=start, episode=number)
    assert len(shell("drifts", "list").splitlines()) == len(DriftKind)
