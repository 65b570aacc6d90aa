"""`calsync report` in all its forms."""

from __future__ import annotations

import csv
import io
import re

import pytest

from calsync.claims.filing import FiledLine, file_claims
from tests.unit.claims.gate_world import NEXT_DAY, READ, SPAN, GateWorld
from tests.unit.cli.test_claims_commands import HOUR, dragged, shell, world  # noqa: F401 - fixtures
from tests.unit.cli.test_records import Shell

KEYS = {
    "period",
    "appointments",
    "in_step",
    "drifts",
    "time_to_detect",
    "time_to_resolve",
    "open",
    "held",
    "recalls",
    "calendars",
    "conflicts",
    "cancellations_over_limit",
    "hold_precision",
}


def test_a_site_in_step_says_so(shell: Shell, world: GateWorld) -> None:  # noqa: F811
    with world.db.transaction() as conn:
        conn.exec_driver_sql("DELETE FROM subject_changes")
    made = shell.json("report")
    assert made.keys() >= KEYS
    assert (made["appointments"], made["in_step"], made["open"]) == (1, 1, 0)
    assert made["held"] == {"total": 0, "of": 1, "by_reason": {}, "by_waiting_on": {}, "by_provider": {}}
    assert made["calendars"] == {"total": 1, "by_state": {"active": 1}}
    assert made["hold_precision"] is None
    assert "In step with calendars: 1 of 1" in shell("report")


def test_edits_holds_and_recalls_are_counted(shell: Shell, world: GateWorld) -> None:  # noqa: F811
    file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
    dragged(world)
    world.drain()
    world.book("A-2", client="C-2")
    made = shell.json("report", "--since", "2026-11-01", "--until", "2026-11-30")
    assert made["period"] == {"since": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z"}
    assert (made["appointments"], made["in_step"], made["open"], made["conflicts"]) == (2, 0, 1, 1)
    drifts = made["drifts"]
    assert (drifts["by_kind"], drifts["by_phase"]) == ({"moved": 1}, {"past": 1})
    assert (drifts["by_provider"], drifts["by_calendar"], drifts["by_disposition"]) == (
        {"P-1": 1},
        {"K-1": 1},
        {"flag": 1},
    )
    assert made["held"]["total"] == 2
    assert made["held"]["by_reason"]["drift-open"] == 1
    assert set(made["held"]["by_waiting_on"]) == {"provider", "billing"}
    assert made["recalls"] == {"total": 1, "open": 1, "by_action": {"review": 1}}


def test_the_precision_of_holds_is_that_of_the_settled_ones(shell: Shell, world: GateWorld) -> None:  # noqa: F811
    dragged(world)
    world.book("A-2", client="C-2")
    world.link(number="A-2")
    world.drift("D-2", number="A-2")
    world.read(NEXT_DAY, at=READ + HOUR, number="A-2", drift="D-2")
    shell("drifts", "resolve", "D-1", "--as", "stands")
    shell("drifts", "resolve", "D-2", "--as", "did-not-take-place", "--note", "asked her")
    made = shell.json("report")
    assert made["hold_precision"] == 0.5
    assert made["time_to_resolve"]["count"] == 2
    assert made["drifts"]["by_resolution"] == {"acknowledged": 2}


def test_another_time_of_the_same_day_and_length_was_no_hold_that_was_right(
    shell: Shell,  # noqa: F811
    world: GateWorld,  # noqa: F811
) -> None:
    later = SPAN.starting(SPAN.start.replace(hour=11))
    world.drift("D-1", observed=later)
    world.read(later, at=READ + HOUR, drift="D-1")
    shell("drifts", "resolve", "D-1", "--as", "took-place", "--start", f"{later.start:%Y-%m-%dT%H:%M}", "--note", "x")
    assert shell.json("report")["hold_precision"] == 0.0


def test_another_day_was_one(shell: Shell, world: GateWorld) -> None:  # noqa: F811
    before = SPAN.starting(SPAN.start.replace(day=SPAN.start.day - 1))
    world.drift("D-1", observed=before)
    world.read(before, at=READ + HOUR, drift="D-1")
    shell("drifts", "resolve", "D-1", "--as", "took-place", "--start", f"{before.start:%Y-%m-%dT%H:%M}", "--note", "x")
    assert shell.json("report")["hold_precision"] == 1.0


def test_scope_and_form_are_checked(shell: Shell, world: GateWorld) -> None:  # noqa: F811
    assert shell.json("report", "--since", "2026-11-11")["appointments"] == 0
    assert shell.json("report", "--provider", "P-1")["appointments"] == 1
    assert "nobody" in shell("report", "--provider", "nobody", code=1)
    shell("report", "--since", "2026-11-12", "--until", "2026-11-10", code=2)
    shell("report", "--since", "yesterday", code=2)
    shell("report", "--format", "odd", code=2)


def test_csv_is_safe_against_formulas(shell: Shell, world: GateWorld) -> None:  # noqa: F811
    world.add_calendar("=cmd()")
    world.link("=cmd()")
    world.drift("D-1", calendar="=cmd()", observed=SPAN.starting(NEXT_DAY.start))
    file = shell.folder / "report.csv"
    shell("report", "--format", "csv", "-o", str(file))
    rows = list(csv.reader(io.StringIO(file.read_text())))
    assert rows[0] == ["section", "name", "value"]
    assert ["drifts", "by_calendar.=cmd()", "1"] in rows
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_causes_name_whose_calendars_it_is(shell: Shell, world: GateWorld) -> None:  # noqa: F811
    dragged(world)
    made = shell.json("report")
    assert made["causes"] == {"P-1": {"drifts": 1, "by_kind": {"moved": 1}, "held": 1}}
    assert (made["edits"], made["hold_rate"], made["held"]["by_provider"]) == (1, 1.0, {"P-1": 1})
    assert "P-1: 1 held, 1 moved" in shell("report")


def test_time_to_claim_is_that_of_the_first_filing(shell: Shell, world: GateWorld) -> None:  # noqa: F811
    world.clock.set(SPAN.end_at + 5 * HOUR)
    file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
    made = shell.json("report")["time_to_claim"]
    assert (made["count"], made["median_seconds"], made["spread"]["2-8 h"]) == (1, 5 * 3600, 1)


def test_html_is_one_file_that_asks_nobody(shell: Shell, world: GateWorld) -> None:  # noqa: F811
    world.add_calendar("<script>alert(1)</script>")
    world.link("<script>alert(1)</script>")
    dragged(world)
    text = shell("report", "--format", "html")
    assert "<svg" in text
    assert "moved" in text
    assert "<script" not in text
    assert not re.search(r"https?://|src=|href=|@import|url\(", text)


def test_a_long_report_shows_how_far_it_is(
    shell: Shell,  # noqa: F811
    world: GateWorld,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[int] = []
    monkeypatch.setattr("calsync.cli.report.LONG", 1)

    class Bar:
        def __init__(self, **options: object) -> None:
            told.append(int(str(options["length"])))
            assert options["hidden"] is False

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *_: object) -> None:
            told.append(-1)

        def update(self, steps: int) -> None:
            told.append(steps)

    monkeypatch.setattr("calsync.cli.report.click.progressbar", Bar)
    shell("report")
    assert told == [1, 1, -1]
