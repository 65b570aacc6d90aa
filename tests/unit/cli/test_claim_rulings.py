"""`claims decide` and `claims map`."""

from __future__ import annotations

from tests.unit.claims.batch.sample_world import SAMPLES, SampleWorld
from tests.unit.cli.test_claim_files import shell, world  # noqa: F401 - fixtures
from tests.unit.cli.test_records import Shell

LATE = "A-1401"


class TestDecide:
    def test_a_session_over_midnight_is_billed_as_ruled_until_it_moves(self, shell: Shell, world: SampleWorld) -> None:  # noqa: F811
        assert "crosses-midnight" in shell("claims", "check", LATE, code=3)
        assert "--note" in shell("claims", "decide", LATE, "--as", "start", code=1)
        row = shell.json("claims", "decide", LATE, "--as", "start", "--by", "support:bill", "--note", "payer's rule")[0]
        assert (row["verdict"], row["date_of_service"]) == ("cleared", "2026-11-14")
        (item,) = [one for one in row["evidence"] if one["kind"] == "decision"]
        assert (item["rule"], item["says"]) == ("midnight-rule", "support:bill crosses-midnight start")
        shell.at("2026-11-20T12:05:00Z")
        assert shell.json("claims", "decide", LATE, "--as", "end", "--note", "asked again")[0]["date_of_service"] == (
            "2026-11-15"
        )
        moved_file = shell.write("moved.csv", moved("2026-11-15T23:30", "2026-11-16T00:30"))
        shell("appointments", "import", moved_file)
        assert "crosses-midnight" in shell("claims", "check", LATE, code=3)

    def test_two_sessions_of_a_day_are_two_services_if_somebody_says_so(self, shell: Shell, world: SampleWorld) -> None:  # noqa: F811
        world.book("A-1002", "K-1", "2026-11-10T13:00", "2026-11-10T13:45", code="90834")
        world.book("A-1003", "K-1", "2026-11-10T15:00", "2026-11-10T15:45", code="90834")
        assert "same-day-same-code" in shell("claims", "check", "A-1002", code=3)
        row = shell.json("claims", "decide", "A-1002", "--distinct-from", "A-1003", "--note", "crisis in the afternoon")
        assert row[0]["verdict"] == "cleared"
        assert "no appointment 'A-9'" in shell(
            "claims", "decide", "A-1002", "--distinct-from", "A-9", "--note", "n", code=1
        )

    def test_one_thing_is_said_at_a_time(self, shell: Shell, world: SampleWorld) -> None:  # noqa: F811
        shell("claims", "decide", LATE, "--note", "n", code=2)
        shell("claims", "decide", LATE, "--as", "start", "--distinct-from", "A-1001", "--note", "n", code=2)


class TestMap:
    def test_claims_are_known_by_the_billing_systems_list(self, shell: Shell, world: SampleWorld) -> None:  # noqa: F811
        path = str(SAMPLES / "g06-claim-id-only.x12")
        assert shell("claims", "check", "--file", path, code=3).count("[no-matching-appointment]") == 2
        listed = shell.write("map.csv", "claim,line,appointment\nC-2002,1,A-1001\nC-2002,2,A-1005\n")
        assert "2 rows read, 2 new" in shell("claims", "map", listed)
        assert "2 rows read, 0 new" in shell("claims", "map", listed)
        assert "1 claims may be sent" in shell("claims", "check", "--file", path)
        more = shell.write("more.csv", "claim,line,appointment\nC-2002,1,A-1102\n")
        shell("claims", "map", more)
        assert "ambiguous-match" in shell("claims", "check", "--file", path, code=3)

    def test_a_bad_row_is_named_and_nothing_taken(self, shell: Shell, world: SampleWorld) -> None:  # noqa: F811
        listed = shell.write("map.csv", "claim,appointment\nC-1,A-1001\nC-2,A-9\n")
        said = shell("claims", "map", listed, code=1)
        assert "row 3" in said or "row 2" in said
        assert "no such appointment" in said


def moved(start: str, end: str) -> str:
    return f"id,provider,client,start,end,zone,status\n{LATE},P-1,K-1,{start},{end},America/Chicago,completed\n"
