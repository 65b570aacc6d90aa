"""The commands for people, appointments, series and blocks, as a person types them."""

import json
from pathlib import Path
from typing import Any

import pytest

from calsync.cli.main import run

CONFIG = """
[testing]
clock = true
[[providers]]
id = "P-1"
name = "Pat Example"
email = "pat@example.org"
zone = "Europe/Berlin"
"""
FILE = (
    "id,provider,client,start,end,zone,kind,status,series,rule\n"
    "A-1,P-1,C-1,2026-11-24T10:00,2026-11-24T10:50,Europe/Berlin,,,S-1,FREQ=WEEKLY;COUNT=4\n"
    "A-2,P-1,C-2,2026-11-25T10:00,2026-11-25T10:50,Europe/Berlin,,,,\n"
    "A-3,P-1,C-2,2026-11-18T10:00,2026-11-18T10:50,Europe/Berlin,,completed,,\n"
)


class Shell:
    """Types commands and reads their answers."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._patch, self._capsys = folder, monkeypatch, capsys
        (folder / "calsync.toml").write_text(CONFIG)
        monkeypatch.setenv("CALSYNC_CONFIG", str(folder / "calsync.toml"))
        self.at("2026-11-22T12:00:00Z")
        self("db", "upgrade")

    def at(self, now: str) -> None:
        """Set the clock."""
        self._patch.setenv("CALSYNC_NOW", now)

    def write(self, name: str, text: str) -> str:
        """Make a file; its path."""
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def __call__(self, *line: str, code: int = 0) -> str:
        """Run a command that must end with the code; all that it said, but for the warning that its clock is fixed."""
        ended = run(line)
        said = self._capsys.readouterr()
        assert ended == code, said.out + said.err
        errors = said.err.splitlines(keepends=True)
        return said.out + "".join(told for told in errors if "clock_is_fixed" not in told)

    def json(self, *line: str, code: int = 0) -> Any:
        """Run a command with --json; what it printed."""
        ended = run([*line, "--json"])
        said = self._capsys.readouterr()
        assert ended == code, said.out + said.err
        return json.loads(said.out)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, monkeypatch, capsys)


@pytest.fixture
def filled(shell: Shell) -> Shell:
    shell("appointments", "import", shell.write("sessions.csv", FILE))
    return shell


def test_import_lists_upcoming_first(filled: Shell) -> None:
    rows = filled.json("appointments", "list")
    assert [row["id"] for row in rows] == [
        "A-1",
        "A-2",
        "S-1@20261201T1000",
        "S-1@20261208T1000",
        "S-1@20261215T1000",
        "A-3",
    ]
    assert rows[0]["start"] == "2026-11-24T10:00:00"
    assert rows[0]["start_at"] == "2026-11-24T09:00:00Z"
    assert rows[5]["completed_by"] == "import"


def test_import_again_and_dry_run(filled: Shell) -> None:
    path = filled.write("sessions.csv", FILE)
    assert "nothing new" in filled("appointments", "import", path)
    changed = filled.write("other.csv", FILE.replace("25T10", "25T11"))
    assert "A-2: rescheduled" in filled("appointments", "import", changed, "--dry-run")
    assert filled.json("appointments", "show", "A-2")["start"] == "2026-11-25T10:00:00"


def test_bad_file_is_refused_with_all_its_rows(filled: Shell) -> None:
    path = filled.write("bad.csv", FILE.replace("P-1", "P-9"))
    said = filled("appointments", "import", path, code=1)
    assert "bad.csv, row 2, provider" in said
    assert "bad.csv, row 4, provider" in said
    assert "problems; nothing was changed." in said


def test_missing_rows_need_a_person(filled: Shell) -> None:
    path = filled.write("less.csv", FILE[: FILE.index("A-3")])
    period = ("--complete", "--since", "2026-11-01", "--until", "2026-11-30")
    assert "A-3" in filled("appointments", "import", path, *period, code=3)
    assert filled.json("appointments", "show", "A-3")["missing_since"] == "2026-11-22T12:00:00Z"
    filled("appointments", "import", path, "--complete", code=2)
    filled("appointments", "import", path, "--since", "2026-11-01", code=2)


def test_clients_are_found_by_part_of_the_name(filled: Shell) -> None:
    people = "id,name,email,zone\nC-1,Casey Example,casey@example.org,\nC-2,Robin Sample,,Europe/Berlin\n"
    filled("clients", "import", filled.write("clients.csv", people))
    assert {row["client"] for row in filled.json("appointments", "list", "--client", "SAMP")} == {"C-2"}
    assert filled.json("clients", "show", "C-2")["zone"] == "Europe/Berlin"
    assert filled.json("appointments", "list", "--client", "nobody") == []
    rows = filled.json("appointments", "list", "--from", "2026-11-25", "--to", "2026-11-25")
    assert [row["client_name"] for row in rows] == ["Robin Sample"]


def test_book_move_cancel_by_command(shell: Shell) -> None:
    book = ("appointments", "book", "--provider", "P-1", "--client", "C-1", "--start", "2026-11-24T10:00")
    shell(*book, "--minutes", "50", "--id", "B-1", "--by", "provider:P-1")
    assert "overlaps session B-1" in shell(*book, "--minutes", "50", code=1)
    shell(*book, code=2)
    shell("appointments", "reschedule", "B-1", "--start", "2026-11-24T14:00", "--reason", "ill")
    assert shell.json("appointments", "show", "B-1")["end"] == "2026-11-24T14:50:00"
    assert "a reason is needed" in shell("appointments", "cancel", "B-1", code=1)
    shell("appointments", "cancel", "B-1", "--reason", "ill", "--note", "by telephone")
    changes = shell.json("appointments", "history", "B-1")
    assert (changes[0]["action"], changes[0]["actor"]) == ("booked", "provider:P-1")
    assert changes[-1]["note"] == "by telephone"
    assert "because: ill" in shell("appointments", "explain", "B-1")
    shell("appointments", "show", "B-9", code=1)


def test_series_by_command(shell: Shell) -> None:
    wish = ("--provider", "P-1", "--client", "C-1", "--start", "2026-11-24T10:00", "--minutes", "50")
    shell("series", "book", *wish, "--rule", "FREQ=WEEKLY;COUNT=4", "--id", "S-7")
    first = "S-7@20261124T1000"
    move = ("appointments", "reschedule", first, "--start", "2026-11-25T11:00", "--reason", "new day")
    assert "--scope this-and-following" in shell(*move, code=1)
    shell("series", "reschedule", "S-7", "--start", "2026-11-25T11:00", "--reason", "new day")
    assert [row["id"] for row in shell.json("series", "list")] == ["S-7", "S-7.2"]
    members = shell.json("series", "show", "S-7.2")["appointments"]
    assert [row["start"][:16] for row in members] == [
        f"2026-{day}T11:00" for day in ("11-25", "12-02", "12-09", "12-16")
    ]
    shell("series", "cancel", "S-7.2", "--reason", "done")
    assert {row["status"] for row in shell.json("series", "show", "S-7.2")["appointments"]} == {"cancelled"}


def test_attendance_in_three_ways(filled: Shell) -> None:
    assert "it has not started yet" in filled("appointments", "complete", "A-1", code=1)
    filled.at("2026-11-26T12:00:00Z")
    filled("appointments", "complete", "A-1", "--start", "2026-11-24T10:05", "--end", "2026-11-24T10:50")
    filled("appointments", "complete", "--provider", "P-1", "--day", "2026-11-25")
    filled("appointments", "complete", "--file", filled.write("done.csv", "id\nA-3\n"), "--by", "provider:P-1")
    told = {row["id"]: row["completed_by"] for row in filled.json("appointments", "list", "--status", "completed")}
    assert told["A-3"] == "provider:P-1"
    assert set(told) == {"A-1", "A-2", "A-3"}
    filled("appointments", "no-show", "A-1", code=1)
    bad = filled.write("bad.csv", "id,start,end\nA-9,,\nA-1,2026-11-24T10:00,\n")
    said = filled("appointments", "complete", "--file", bad, code=1)
    assert "row 2" in said
    assert "row 3" in said


def test_evidence_counts_each_row_once(filled: Shell) -> None:
    log = "appointment,who,start,end,source\nA-3,both,2026-11-18T10:01,2026-11-18T10:49,video-log\n"
    path = filled.write("log.csv", log)
    assert filled.json("appointments", "evidence", "import", path) == {"rows": 1, "new": 1}
    assert filled.json("appointments", "evidence", "import", path) == {"rows": 1, "new": 0}
    filled("appointments", "evidence", "import", filled.write("bad.csv", log.replace("A-3", "A-9")), code=1)
    assert "The log video-log shows Wed 18 Nov 2026, 10:01-10:49" in filled("appointments", "explain", "A-3")


def test_blocks_by_command(filled: Shell) -> None:
    wish = (
        "blocks",
        "add",
        "--provider",
        "P-1",
        "--start",
        "2026-11-24T09:00",
        "--end",
        "2026-11-24T12:00",
        "--id",
        "B-1",
    )
    assert filled.json(*wish, code=3)["sessions_inside"] == ["A-1"]
    filled("blocks", "remove", "B-1")
    assert filled.json("blocks", "list") == []


def test_providers_by_command(shell: Shell) -> None:
    add = ("providers", "add", "P-2", "--name", "Max Sample", "--email", "max@example.org", "--zone", "Europe/Paris")
    shell(*add)
    assert "there is a provider 'P-2' already" in shell(*add, code=1)
    shell(*add[:2], "P-3", *add[3:], "--calendars", "none", code=2)
    declared = ("--calendars", "none", "--because", "uses paper", "--since", "2026-11-01", "--by", "support:ada")
    shell(*add[:2], "P-3", *add[3:], *declared)
    assert shell.json("providers", "show", "P-3")["calendars_declared_by"] == "support:ada"
    assert [row["source"] for row in shell.json("providers", "list")] == ["config", "database", "database"]
    shell("providers", "pause", "P-2")
    wish = ("--client", "C-1", "--start", "2026-11-24T10:00", "--minutes", "50")
    assert "paused" in shell("appointments", "book", "--provider", "P-2", *wish, code=1)
    shell("providers", "resume", "P-2", "--by", "provider:P-2", code=1)
    shell("providers", "resume", "P-2")
    shell("appointments", "book", "--provider", "P-2", *wish)


def test_providers_from_a_file(shell: Shell) -> None:
    people = "id,name,email,zone\nP-5,Eva Sample,eva@example.org,Europe/Berlin\nP-1,Pat,pat@example.org,Europe\n"
    path = shell.write("providers.csv", people)
    said = shell("providers", "import", path, code=1)
    assert "stands in the configuration" in said
    assert "row 3, zone" in said
    shell("providers", "import", path, "--partial", "--dry-run", code=3)
    assert len(shell.json("providers", "list")) == 1
    shell("providers", "import", path, "--partial", code=3)
    assert len(shell.json("providers", "list")) == 2


def test_an_explanation_in_the_words_of_each_reader(filled: Shell) -> None:
    provider = filled("appointments", "explain", "A-3", "--voice", "provider")
    assert provider.startswith("Your session on ")
    assert "nothing is needed from you" in provider
    assert "Nobody has changed it in a calendar." in filled("appointments", "explain", "A-3", "--voice", "support")
    assert "Its claim waits." in filled("appointments", "explain", "A-3", "--voice", "billing")
    assert sorted(filled.json("appointments", "explain", "A-3")["texts"]) == ["billing", "provider", "support"]


def test_a_file_that_moves_most_sessions_needs_a_person_who_looked(shell: Shell) -> None:
    head = "id,provider,client,start,end,zone,kind,status,series\n"
    rows = [f"M-{n},P-1,C-{n},2026-12-{n + 1:02}T{{0}}:00,2026-12-{n + 1:02}T{{0}}:50,{{1}}" for n in range(12)]
    tail = "America/New_York,follow-up,scheduled,\n"

    def file(hour: str, status: str = "scheduled") -> str:
        told = tail.replace("scheduled", status)
        return shell.write("many.csv", head + "".join(row.format(hour, told) for row in rows))

    shell("appointments", "import", file("10"))
    moved = file("11")
    said = shell("appointments", "import", moved, code=1)
    assert "12 of 12 known sessions" in said
    assert "--many-changes" in said
    assert "12 rescheduled" in shell("appointments", "import", moved, "--dry-run")
    assert shell.json("appointments", "show", "M-3")["start"] == "2026-12-04T10:00:00"
    shell("appointments", "import", moved, "--many-changes")
    assert shell.json("appointments", "show", "M-3")["start"] == "2026-12-04T11:00:00"


def test_that_all_sessions_took_place_is_no_flood(shell: Shell) -> None:
    head = "id,provider,client,start,end,zone,kind,status,series\n"
    rows = [
        f"M-{n},P-1,C-{n},2026-11-{n + 1:02}T10:00,2026-11-{n + 1:02}T10:50,America/New_York,follow-up,{{}},\n"
        for n in range(12)
    ]
    shell("appointments", "import", shell.write("many.csv", head + "".join(row.format("scheduled") for row in rows)))
    shell("appointments", "import", shell.write("many.csv", head + "".join(row.format("completed") for row in rows)))
    assert shell.json("appointments", "show", "M-3")["status"] == "completed"
