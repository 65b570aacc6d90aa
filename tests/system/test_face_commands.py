"""Commands from the outside: --json, --by and --config, exit codes, the clock, and what is wrong in a setup."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from calsync.settings.secrets import create_key_file
from calsync.system_ports import SystemIds
from tests.system.conftest import House
from tests.system.hands import Hands
from tests.system.site import NOW, Site, at, row

SHOWN = (
    "config check",
    "config show",
    "db upgrade",
    "db check",
    "sync --dry-run",
    "sync",
    "providers list",
    "providers show P-1",
    "clients list",
    "clients show k-1",
    "calendars list",
    "calendars show P-1-cal",
    "appointments list",
    "appointments show 1",
    "appointments history 1",
    "appointments explain 1",
    "series list",
    "blocks list",
    "drifts list",
    "drifts list --open",
    "claims check 2",
    "claims ready",
    "claims recalls list",
    "report",
    "audit verify",
    "tokens list",
)
CHANGED = (
    "providers add P-9 --name N --email n@example.org --zone Europe/Paris",
    "providers pause P-9",
    "providers resume P-9",
    "calendars pause P-1-cal",
    "calendars resume P-1-cal",
    "appointments book --id B-1 --provider P-1 --client k-9 --start 2026-11-27T10:00 --minutes 50",
    "appointments reschedule B-1 --start 2026-11-27T11:00 --reason asked",
    "appointments cancel B-1 --reason asked",
    "series book --id B-2 --provider P-1 --client k-9 --start 2026-12-02T10:00 --minutes 50 --rule FREQ=WEEKLY;COUNT=2",
    "series cancel B-2 --reason asked",
    "blocks add --id B-3 --provider P-1 --start 2026-12-01T10:00 --end 2026-12-01T12:00",
    "blocks remove B-3",
    "tokens add --role billing",
)


@pytest.fixture
def office(practice: Site) -> Site:
    """A session to come and one that is over, mirrored."""
    practice.set_up(more='[claims]\nbackfilled = "clear"\n')
    practice.mirror([row("1", "P-1", at(1)), row("2", "P-1", at(-2), status="completed")])
    practice.later(minutes=5)
    return practice


def test_whatever_shows_something_speaks_json(office: Site) -> None:
    for command in SHOWN:
        for line in (["--json", *command.split()], [*command.split(), "--json"]):
            answer = office.calsync(*line)
            assert answer.code == 0, (line, answer)
            json.loads(answer.out)


def test_whatever_changes_something_speaks_json_and_says_who_did_it(office: Site) -> None:
    for command in CHANGED:
        answer = office.calsync(*command.split(), "--json", "--by", "support:ada", "--note", "as told")
        assert answer.code == 0, (command, answer)
        json.loads(answer.out)
    (booked, *_) = office.calsync("appointments", "history", "B-1", "--json").json
    assert booked["actor"] == "support:ada"
    assert office.calsync("blocks", "list", "--by", "nobody").code == 2
    assert office.calsync("calendars", "pause", "P-1-cal", "--by", "nobody").code == 2


def test_json_rows_have_the_binding_names(office: Site) -> None:
    (calendar,) = office.calsync("calendars", "list", "--json").json
    assert set(calendar) >= {
        *("id", "provider", "connector", "mode", "placement", "state"),
        *("last_read_at", "next_pass_at", "links", "last_error"),
    }
    claim = office.check("2")["2"]
    assert set(claim) >= {
        *("appointment", "verdict", "state", "date_of_service", "reasons", "advisories", "evidence"),
        *("waiting_on", "asked_at", "next_step_at", "file_by", "sentence"),
    }
    office.import_rows([row("3", "P-1", at(3))])
    rehearsed = office.sync("--dry-run")
    assert set(rehearsed) >= {"calendars", "drifts", "written", "needs_person", "plan"}
    assert set(rehearsed["calendars"][0]) >= {"id", "requests", "read", "drifts", "written", "owed", "state", "error"}
    assert set(rehearsed["plan"][0]) >= {"action", "appointment", "calendar", "before", "after"}
    report = office.calsync("report", "--format", "json").json
    assert set(report) >= {
        *("period", "appointments", "in_step", "drifts", "time_to_detect", "time_to_resolve", "open", "held"),
        *("recalls", "calendars", "conflicts", "cancellations_over_limit", "hold_precision"),
    }


def test_the_config_may_stand_anywhere_on_the_line(office: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(office.folder / "calsync.toml")
    for line in (
        ["--config", path, "calendars", "list"],
        ["calendars", "--config", path, "list"],
        ["calendars", "list", "--config", path],
    ):
        assert office.calsync_as_typed(*line).code == 0, line
    monkeypatch.chdir(office.folder)
    assert office.calsync_as_typed("calendars", "list").code == 2
    monkeypatch.setenv("CALSYNC_CONFIG", path)
    assert office.calsync_as_typed("calendars", "list").code == 0


def test_only_a_test_installation_may_fix_the_clock(office: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    path = office.folder / "calsync.toml"
    office.now = None
    for now, code in ((NOW.isoformat(), 0), ("2026-11-16T14:00:00", 2), ("soon", 2)):
        monkeypatch.setenv("CALSYNC_NOW", now)
        answer = office.calsync_as_typed("drifts", "list", "--config", str(path))
        assert answer.code == code, answer
        assert "CALSYNC_NOW" in answer.err
    monkeypatch.setenv("CALSYNC_NOW", NOW.isoformat())
    path.write_text(path.read_text(encoding="utf-8").replace("clock = true", "clock = false"), encoding="utf-8")
    assert office.calsync_as_typed("drifts", "list", "--config", str(path)).code == 2


def _lose_key(folder: Path) -> None:
    (folder / "calsync.key").unlink()


def _change_key(folder: Path) -> None:
    _lose_key(folder)
    create_key_file(folder / "calsync.key", SystemIds())


def _open_key(folder: Path) -> None:
    (folder / "calsync.key").chmod(0o644)


def _lose_password(folder: Path) -> None:
    (folder / "P-1.password").unlink()


def _open_password(folder: Path) -> None:
    (folder / "P-1.password").chmod(0o604)


def _newer_database(folder: Path) -> None:
    with sqlite3.connect(folder / "calsync.db") as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_lose_key, "calsync.key"),
        (_change_key, "key file"),
        (_open_key, "calsync.key"),
        (_lose_password, "P-1.password"),
        (_open_password, "P-1.password"),
        (_newer_database, "newer"),
    ],
)
def test_what_is_wrong_in_a_setup_is_told_and_nothing_started(
    office: Site, spoil: Callable[[Path], None], named: str
) -> None:
    spoil(office.folder)
    answer = office.calsync("sync")
    assert (answer.code, answer.out) == (2, "")
    assert named in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("path", "password", "state", "told"),
    [
        ("{home}", "wrong", "needs-reconnect", "password"),
        ("http://127.0.0.1:1/user/", None, "unreachable", "reach"),
        ("{home}no-such-calendar/deeper/", None, "stopped", "not there"),
    ],
)
def test_a_wrong_account_is_told_in_words(
    site: Site, house: House, path: str, password: str | None, state: str, told: str
) -> None:
    hands: Hands = house.account()
    site.now = NOW
    site.add_provider("P-1", path.format(home=hands.home), hands.user, password)
    site.set_up()
    site.import_rows([row("1", "P-1", at(1))])
    answer = site.calsync("sync")
    assert answer.code == 3
    assert state in answer.out
    assert told in answer.out
    assert told in site.calsync("calendars", "list").out


def test_names_of_clients_are_in_no_log(office: Site, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALSYNC_LOG", "debug")
    people = office.folder / "clients.csv"
    people.write_text("id,name,email,zone\nk-1,Zelda Quist,zelda@quist.example,UTC\n", encoding="utf-8")
    hands.find()
    told = [office.calsync("clients", "import", str(people))]
    name = hands.name_of("SUMMARY:Session 1\n")
    hands.rewrite(name, (r"^SUMMARY.*", "SUMMARY:Zelda Quist"), (r"T105000", "T112000"))
    told += [office.calsync("sync")]
    office.later(seconds=95)
    told += [
        office.calsync(*line.split()) for line in ("sync", "drifts list", "claims check 1", "report", "sync --full")
    ]
    assert all("event=" in answer.err for answer in told[1:2])
    assert not any("Quist" in answer.err or "quist" in answer.err for answer in told)
    kept = b"".join(path.read_bytes() for path in office.folder.glob("calsync.db*"))
    assert kept.count(b"SUMMARY") == 0
    assert "Quist" not in json.dumps(office.drifts())
    assert os.environ["CALSYNC_LOG"] == "debug"
