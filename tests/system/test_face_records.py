"""Records from the outside: files imported again and again, providers that change, and what becomes of the claims."""

from __future__ import annotations

import pytest

from tests.system.conftest import House
from tests.system.hands import Hands
from tests.system.site import NOW, Site, at, row

BACKFILLED = '[claims]\nbackfilled = "clear"\ntrusted_evidence = ["video"]\n'


@pytest.fixture
def office(practice: Site, hands: Hands) -> Site:
    """Two sessions to come and three that are over, mirrored and proven."""
    practice.set_up(more=BACKFILLED)
    past = [row(str(20 + n), "P-1", at(-2 - n), status="completed") for n in range(3)]
    practice.mirror([row("1", "P-1", at(1)), row("2", "P-1", at(2)), *past])
    hands.find()
    practice.later(minutes=5)
    return practice


def without(site: Site, *keys: str) -> str:
    """The last imported file without these rows, as a file of its own."""
    lines = (site.folder / "rows.csv").read_text(encoding="utf-8").splitlines()
    path = site.folder / "less.csv"
    path.write_text("\n".join(line for line in lines if line.split(",")[0] not in keys), encoding="utf-8")
    return str(path)


class TestImport:
    def test_a_row_that_disappeared_is_asked_about_and_its_claim_waits(self, office: Site, hands: Hands) -> None:
        period = ("--complete", "--since", "2026-11-01", "--until", "2026-11-30")
        answer = office.calsync("appointments", "import", *period, without(office, "20"))
        assert answer.code == 3
        assert "20" in answer.out.split()
        assert (office.sync()["written"], len(hands.names())) == (0, 5)
        assert {key: one["verdict"] for key, one in office.check("20", "21").items()} == {"20": "held", "21": "cleared"}
        assert office.calsync("appointments", "import", str(office.folder / "rows.csv")).code == 0
        assert office.check("20")["20"]["verdict"] == "cleared"

    def test_who_says_that_it_took_place_says_that_it_stands(self, office: Site) -> None:
        period = ("--complete", "--since", "2026-11-01", "--until", "2026-11-30")
        assert office.calsync("appointments", "complete", "20").code == 0
        less = without(office, "20")
        for _ in range(2):
            # Each word is about what was known when it was given.
            office.later(minutes=1)
            assert office.calsync("appointments", "import", *period, less).code == 3
            assert office.check("20")["20"]["verdict"] == "held"
            assert office.calsync("appointments", "complete", "20").code == 0
            assert office.check("20")["20"]["verdict"] == "cleared"
            # The next night's list lacks it as well, and nobody is asked what was answered.
            assert office.calsync("appointments", "import", *period, less).code == 0
            assert office.check("20")["20"]["verdict"] == "cleared"
            assert office.calsync("appointments", "import", *period, str(office.folder / "rows.csv")).code == 0

    def test_a_bad_row_lets_nothing_in_and_all_are_named(self, office: Site) -> None:
        good, bad = row("7", "P-1", at(7)), row("8", "P-0", at(8)) | {"zone": "Mars/X", "status": "maybe"}
        answer = office.import_rows([good, bad, row("9", "P-1", at(9)) | {"end": "2026-11-25T09:00"}])
        assert (answer.code, answer.out) == (1, "")
        for told in ("row 3, zone", "row 3, status", "row 3, provider", "row 4", "nothing was changed"):
            assert told in answer.err
        assert office.calsync("appointments", "show", "7").code == 1

    def test_a_session_that_goes_to_another_provider(self, site: Site, house: House) -> None:
        first, second = house.account(), house.account()
        site.now = NOW
        site.add_provider("P-1", first.home, first.user)
        site.add_provider("P-2", second.home, second.user)
        site.set_up()
        rows = [row("1", "P-1", at(1)), row("2", "P-1", at(2)), row("3", "P-2", at(3))]
        site.mirror(rows)
        rows[0]["provider"] = "P-2"
        site.mirror(rows)
        assert first.find().starts() == ["20261118T100000"]
        assert second.find().starts() == ["20261117T100000", "20261119T100000"]
        assert site.calsync("appointments", "show", "1", "--json").json["provider"] == "P-2"
        assert site.drifts() == []


class TestClaims:
    def test_a_session_from_booking_to_its_claim(self, office: Site) -> None:
        assert office.check("1")["1"]["verdict"] == "held"
        office.now = at(1, 16).replace(tzinfo=NOW.tzinfo)
        assert office.sync()["calendars"][0]["state"] == "active"
        assert [one["code"] for one in office.check("1")["1"]["reasons"]] == ["not-completed"]
        assert office.calsync("appointments", "complete", "1").code == 0
        cleared = office.check("1=2026-11-17")["1"]
        assert (cleared["verdict"], cleared["date_of_service"]) == ("cleared", "2026-11-17")
        assert office.check("1=2026-11-18")["1"]["reasons"][0]["code"] == "date-mismatch"

    def test_ready_filed_recalled_and_proven(self, office: Site, hands: Hands) -> None:
        ready = office.calsync("claims", "ready", "--json").json
        assert [one["appointment"] for one in ready] == ["22", "21", "20"]
        assert office.calsync("claims", "filed", "20", "21=2026-11-13", "--batch", "B7").code == 0
        assert office.calsync("claims", "filed", "20").code == 1
        assert [one["appointment"] for one in office.calsync("claims", "ready", "--json").json] == ["22"]
        name = hands.name_of("SUMMARY:Session 20\n")
        hands.drag(name, at(-1), at(-1, 10, 50), "America/New_York")
        office.sync()
        (recall,) = office.calsync("claims", "recalls", "list", "--json").json
        assert (recall["appointment"], recall["action"], recall["old_date"]) == ("20", "review", "2026-11-14")
        proof = office.folder / "proof.html"
        assert office.calsync("claims", "proof", "20", "-o", str(proof)).code == 0
        assert "<html" in proof.read_text(encoding="utf-8")
        office.calsync("drifts", "resolve", str(office.drifts()[-1]["id"]), "--as", "stands", "--note", "asked")
        (recall,) = office.calsync("claims", "recalls", "list", "--json").json
        assert recall["state"] == "withdrawn"

    def test_a_trusted_log_proves_and_contradicts(self, office: Site, hands: Hands) -> None:
        log = office.folder / "log.csv"
        head = "appointment,who,start,end,source\n"
        spans = ("20,both,2026-11-14T10:01,2026-11-14T10:49", "21,both,2026-11-14T10:01,2026-11-14T10:49")
        log.write_text(head + "".join(f"{span},video\n" for span in (*spans, "99,both,2026-11-14T10:01,")), "utf-8")
        assert office.calsync("appointments", "evidence", "import", str(log)).code == 1
        log.write_text(head + "".join(f"{span},video\n" for span in spans), encoding="utf-8")
        for new in (2, 0):
            assert office.calsync("appointments", "evidence", "import", str(log), "--json").json["new"] == new
        hands.drag(hands.name_of("SUMMARY:Session 20\n"), at(-1), at(-1, 10, 50), "America/New_York")
        office.sync()
        answers = office.check("20", "21")
        assert answers["20"]["verdict"] == "cleared"
        assert "drift-answered-by-log" in [one["code"] for one in answers["20"]["advisories"]]
        assert [one["code"] for one in answers["21"]["reasons"]] == ["evidence-contradicts"]


class TestBlocks:
    def test_a_block_is_mirrored_and_put_back_without_a_hold(self, office: Site, hands: Hands) -> None:
        added = ("add", "--id", "B", "--provider", "P-1", "--title", "Away")
        answer = office.calsync("blocks", *added, "--start", "2026-11-25T00:00", "--end", "2026-11-27T00:00")
        assert answer.code == 0, answer
        assert office.sync()["written"] == 1
        name = hands.name_of("SUMMARY:Away\n")
        hands.rewrite(name, (r"^DTEND[^\n]*", "DTEND;TZID=America/New_York:20261128T000000"))
        office.sync()
        (drift,) = office.drifts()
        assert (drift["block"], drift["appointment"], drift["kind"]) == ("B", None, "resized")
        assert office.settle()["written"] == 1
        assert office.calsync("blocks", "remove", "B").code == 0
        assert office.sync()["written"] == 1
        assert name not in hands.names()
        inside = ("blocks", "add", "--provider", "P-1", "--start", "2026-11-17T09:00", "--end", "2026-11-17T12:00")
        answer = office.calsync(*inside, "--json")
        assert (answer.code, answer.json["sessions_inside"]) == (3, ["1"])
