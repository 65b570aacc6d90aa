"""Observe mode from the outside: records are mirrored, edits are only told; then the practice switches to acting."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from calsync.store.database import open_database
from tests.system.hands import Hands
from tests.system.site import ZONE, Site, at, row

BACKFILLED = '[claims]\nbackfilled = "clear"\n'


@pytest.fixture
def observing(practice: Site, hands: Hands) -> Site:
    """A practice that observes, with four sessions to come and one that is over, mirrored."""
    practice.set_up(more=f'{BACKFILLED}[sync]\nmode = "observe"\n')
    upcoming = [row(str(n), "P-1", at(n)) for n in (1, 2, 4, 5)]
    practice.mirror([*upcoming, row("3", "P-1", at(-2), status="completed")])
    hands.find()
    return practice


def drag(hands: Hands, title: str, start: datetime) -> None:
    hands.drag(hands.name_of(f"SUMMARY:Session {title}\n"), start, start.replace(minute=50), ZONE)


def switch(site: Site, mode: str) -> None:
    path: Path = site.folder / "calsync.toml"
    other = {"act": "observe", "observe": "act"}[mode]
    path.write_text(path.read_text(encoding="utf-8").replace(f'mode = "{other}"', f'mode = "{mode}"'), encoding="utf-8")


def count(site: Site, query: str) -> int:
    with open_database(f"sqlite:///{site.folder / 'calsync.db'}").reading() as conn:
        return int(conn.exec_driver_sql(query).scalar_one())


HOLDS = "SELECT count(*) FROM holds WHERE closed_at IS NULL"
MAILS = "SELECT count(*) FROM outbox WHERE kind LIKE 'edit-%'"


def test_nothing_is_put_back_held_or_mailed(observing: Site, hands: Hands) -> None:
    drag(hands, "1", at(1, 14))
    drag(hands, "3", at(-1, 14))
    assert observing.sync()["drifts"] == 2
    observing.later(hours=2)
    assert observing.sync()["written"] == 0
    assert {d["appointment"]: d["disposition"] for d in observing.drifts("--open")} == {
        "1": "would-revert",
        "3": "would-flag",
    }
    assert hands.starts()[:3] == ["20261115T140000", "20261117T140000", "20261118T100000"]
    assert (count(observing, HOLDS), count(observing, MAILS)) == (0, 0)
    over = observing.check("3")["3"]
    assert over["verdict"] == "cleared"
    assert "drift-open" in [one["code"] for one in over["advisories"]]


def test_a_change_of_the_record_is_mirrored_over_an_edit(observing: Site, hands: Hands) -> None:
    drag(hands, "1", at(1, 14))
    observing.sync()
    observing.calsync("appointments", "reschedule", "1", "--start", "2026-11-17T12:00", "--reason", "asked")
    observing.sync()
    assert "20261117T120000" in hands.starts()
    assert [d["resolution"] for d in observing.drifts()] == ["superseded"]


def test_switching_to_act_takes_up_what_is_open_once(observing: Site, hands: Hands) -> None:
    drag(hands, "1", at(1, 14))
    hands.delete(hands.name_of("SUMMARY:Session 2\n"))
    drag(hands, "3", at(-1, 14))
    observing.sync()
    observing.later(hours=2)
    observing.sync()
    switch(observing, "act")
    assert observing.sync()["written"] == 2
    assert {d["appointment"]: (d["disposition"], d["resolution"]) for d in observing.drifts()} == {
        "1": ("revert", "reverted"),
        "2": ("revert", "reverted"),
        "3": ("flag", "open"),
    }
    assert hands.starts()[:3] == ["20261115T140000", "20261117T100000", "20261118T100000"]
    assert observing.check("3")["3"]["verdict"] == "held"
    held, mails = count(observing, HOLDS), count(observing, MAILS)
    assert (held, mails) == (3, 3)
    again = observing.settle()
    assert (again["written"], again["drifts"]) == (0, 0)
    assert (count(observing, HOLDS), count(observing, MAILS)) == (held, mails)


def test_switching_to_observe_leaves_what_was_to_be_put_back(observing: Site, hands: Hands) -> None:
    switch(observing, "act")
    drag(hands, "1", at(1, 14))
    observing.sync()
    assert count(observing, HOLDS) == 1
    switch(observing, "observe")
    assert observing.settle()["written"] == 0
    assert "20261117T140000" in hands.starts()
    assert [d["disposition"] for d in observing.drifts("--open")] == ["would-revert"]
    assert count(observing, HOLDS) == 0
