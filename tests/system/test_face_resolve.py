"""`drifts resolve` in all its words: what becomes of drift, record, calendar and claim."""

from __future__ import annotations

import pytest

from tests.system.hands import Hands
from tests.system.site import ZONE, Answer, Site, at, row

BACKFILLED = '[claims]\nbackfilled = "clear"\n'


def drag(hands: Hands, session: str, days: int, hour: int) -> None:
    hands.drag(hands.name_of(f"SUMMARY:Session {session}\n"), at(days, hour), at(days, hour, 50), ZONE)


def last_drift(site: Site, session: str) -> dict[str, object]:
    return site.drifts("--appointment", session)[-1]


def resolve(site: Site, session: str, word: str, *more: str) -> Answer:
    drift = str(last_drift(site, session)["id"])
    return site.calsync("drifts", "resolve", drift, "--as", word, "--note", "asked", *more)


class TestPast:
    @pytest.fixture
    def office(self, practice: Site, hands: Hands) -> Site:
        """Six sessions that are over, each dragged to another hour of its day, the last one to the next day."""
        practice.set_up(more=BACKFILLED)
        practice.mirror([row(str(n), "P-1", at(-n), status="completed") for n in range(2, 8)])
        hands.find()
        for number in range(2, 8):
            drag(hands, str(number), -number + (number == 7), 14 + (number == 7))
        practice.sync()
        practice.later(minutes=5)
        assert {one["verdict"] for one in practice.check(*map(str, range(2, 8))).values()} == {"held"}
        return practice

    def test_each_word(self, office: Site, hands: Hands) -> None:
        shown = hands.starts()
        assert resolve(office, "2", "stands").code == 0
        assert resolve(office, "3", "took-place", "--start", "2026-11-13T14:00").code == 0
        assert resolve(office, "4", "did-not-take-place").code == 0
        assert resolve(office, "5", "dismiss").code == 0
        assert resolve(office, "6", "restore").code == 0
        assert resolve(office, "7", "reschedule").code == 1
        assert office.sync()["written"] == 1
        after = {"20261110T140000": "20261110T100000"}
        assert hands.starts() == sorted(after.get(start, start) for start in shown)
        assert office.settle()["written"] == 0
        answers = office.check(*map(str, range(2, 8)))
        assert {key: one["verdict"] for key, one in answers.items()} == {
            "2": "cleared",
            "3": "cleared",
            "4": "held",
            "5": "cleared",
            "6": "cleared",
            "7": "held",
        }
        assert [one["code"] for one in answers["3"]["advisories"]] == ["time-differs"]
        assert [one["code"] for one in answers["4"]["reasons"]] == ["statement-contradicts"]
        assert [d["appointment"] for d in office.drifts("--open")] == ["7"]

    def test_what_cannot_be_answered_so(self, office: Site) -> None:
        drift = str(last_drift(office, "3")["id"])
        for line, code in (
            (("--as", "took-place"), 1),
            (("--as", "gone"), 2),
            (("--as", "stands", "--edit", "edit-x"), 2),
            (("--as", "stands", "--end", "2026-11-13T15:00"), 2),
        ):
            answer = office.calsync("drifts", "resolve", drift, *line)
            assert answer.code == code, answer
        assert last_drift(office, "3")["resolution"] == "open"
        assert resolve(office, "3", "stands").code == 0
        assert resolve(office, "3", "stands").code == 1

    def test_what_is_over_is_no_part_of_a_mass_change(self, office: Site, hands: Hands) -> None:
        office.mirror([row(str(n), "P-1", at(n)) for n in range(11, 21)])
        office.later(hours=2)
        drag(hands, "11", 11, 14)
        found = office.sync()
        assert (found["drifts"], found["calendars"][0]["state"]) == (1, "active")


def test_upcoming_edits_are_answered_before_and_after_they_were_put_back(practice: Site, hands: Hands) -> None:
    practice.set_up()
    series = row("S", "P-1", at(1, 15), series="s", rule="FREQ=WEEKLY;COUNT=3")
    practice.mirror([series, *(row(str(n), "P-1", at(n)) for n in range(1, 9))])
    hands.find()
    drag(hands, "1", 1, 14)
    drag(hands, "2", 2, 14)
    hands.delete(hands.name_of("SUMMARY:Session 3\n"))
    practice.sync()
    assert resolve(practice, "1", "reschedule").code == 0
    assert resolve(practice, "2", "reschedule", "--start", "2026-11-18T16:00").code == 0
    assert resolve(practice, "3", "restore").code == 0
    assert practice.sync()["written"] == 2
    for start in ("20261117T140000", "20261118T160000", "20261119T100000"):
        assert start in hands.starts()
    assert practice.settle()["written"] == 0
    assert practice.drifts("--open") == []

    practice.later(hours=2)
    drag(hands, "s", 1, 17)
    practice.sync()
    practice.settle()
    edit = str(last_drift(practice, "S")["edit"])
    assert practice.calsync("drifts", "resolve", "--edit", edit, "--as", "reschedule", "--note", "agreed").code == 0
    practice.sync()
    assert {d["resolution"] for d in practice.drifts("--edit", edit)} == {"record-corrected"}
    told = practice.calsync("appointments", "list", "--json").json
    assert [one["start"][11:16] for one in told if one["series"]] == ["17:00", "17:00", "17:00"]
    assert practice.settle()["written"] == 0
    assert practice.calsync("audit", "verify").code == 0
