"""The product's main job end to end: files in, a real Radicale, an ordinary client that edits, the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.servers.meddling_proxy import MeddlingProxy, Spoil
from tests.servers.process import Server
from tests.system.site import Site, client_calendar, row

NOW = datetime(2026, 11, 16, 14, 0, tzinfo=UTC)
DAY = datetime(2026, 11, 17, 10, 0)


def at(days: int, hour: int = 10) -> datetime:
    return datetime(2026, 11, 16, hour, 0) + timedelta(days=days)


@pytest.fixture
def practice(site: Site, server: Server, proxy: MeddlingProxy) -> Site:
    """One provider on Radicale, behind the proxy; the clock stands."""
    site.now = NOW
    site.add_provider("P-1", f"http://127.0.0.1:{proxy.port}/user1/", "user1")
    site.set_up(more='[claims]\nbackfilled = "clear"\n')
    return site


def people(server: Server) -> Any:
    return client_calendar(server.account(1).home, "user1")


def starts(server: Server) -> list[datetime]:
    """Wall-time starts of what the calendar shows."""
    return sorted(
        part["dtstart"].dt.replace(tzinfo=None)
        for event in people(server).events()
        for part in event.icalendar_instance.walk("VEVENT")
    )


def change(event: Any, **times: datetime) -> None:
    part = event.icalendar_instance.walk("VEVENT")[0]
    zone = part["dtstart"].dt.tzinfo
    for key, value in times.items():
        del part[key]
        part.add(key, value.replace(tzinfo=zone))
    event.data = event.icalendar_instance.to_ical().decode()
    event.save()


def verdicts(practice: Site, *appointments: str) -> dict[str, str]:
    rows = practice.calsync("claims", "check", *appointments, "--json").json
    return {row["appointment"]: row["verdict"] for row in rows}


def mirror(practice: Site, rows: list[dict[str, str]]) -> None:
    answer = practice.import_rows(rows)
    assert answer.code == 0, answer
    practice.sync()


class TestMirror:
    def test_an_import_appears_and_a_quiet_pass_is_one_small_request(
        self, practice: Site, server: Server, proxy: MeddlingProxy
    ) -> None:
        mirror(practice, [row("1", "P-1", at(1)), row("2", "P-1", at(2)), row("3", "P-1", at(-3), status="completed")])
        assert starts(server) == [at(-3), at(1), at(2)]
        for _ in range(3):
            proxy.clear()
            quiet = practice.sync()
            assert (quiet["drifts"], quiet["written"]) == (0, 0)
            (exchange,) = proxy.exchanges
            assert exchange.method == "REPORT"
            assert exchange.answer_bytes < 1024

    def test_importing_the_same_file_again_changes_nothing(
        self, practice: Site, server: Server, proxy: MeddlingProxy
    ) -> None:
        rows = [row("1", "P-1", at(1))]
        mirror(practice, rows)
        proxy.clear()
        mirror(practice, rows)
        assert proxy.count("PUT") == 0

    def test_dry_run_writes_nothing_anywhere(self, practice: Site, proxy: MeddlingProxy) -> None:
        practice.import_rows([row("1", "P-1", at(1))])
        plan = practice.sync("--dry-run")["plan"]
        assert [step["appointment"] for step in plan] == ["1"]
        assert proxy.count("PUT") == 0
        assert practice.sync()["written"] == 1


class TestEdits:
    def test_a_drag_is_recorded_held_and_put_back(self, practice: Site, server: Server) -> None:
        mirror(practice, [row("1", "P-1", at(1))])
        (event,) = people(server).events()
        change(event, dtstart=at(1, 14), dtend=at(1, 14) + timedelta(minutes=50))
        assert practice.calsync("sync").code == 3
        (drift,) = practice.drifts("--open")
        assert (drift["kind"], drift["appointment"], drift["phase"]) == ("moved", "1", "upcoming")
        assert drift["expected_start"].startswith("2026-11-17T10:00")
        assert drift["observed_start"].startswith("2026-11-17T14:00")
        assert starts(server) == [at(1, 14)]
        practice.later(seconds=95)
        assert practice.sync()["written"] == 1
        assert starts(server) == [at(1)]
        (drift,) = practice.drifts()
        assert drift["resolution"] == "reverted"
        answer = practice.calsync("claims", "check", "1", "--json")
        assert answer.code == 3

    def test_a_past_session_is_flagged_and_left_as_it_is(self, practice: Site, server: Server) -> None:
        mirror(practice, [row("1", "P-1", at(-3), status="completed"), row("2", "P-1", at(-4), status="completed")])
        event = next(e for e in people(server).events() if b"20261113" in e.data.encode())
        change(event, dtstart=at(-2), dtend=at(-2) + timedelta(minutes=50))
        practice.sync()
        practice.later(hours=2)
        practice.sync()
        assert at(-2) in starts(server)
        assert verdicts(practice, "1", "2") == {"1": "held", "2": "cleared"}
        (drift,) = practice.drifts("--open")
        assert practice.calsync("drifts", "resolve", drift["id"], "--as", "stands", "--note", "asked").code == 0
        assert verdicts(practice, "1") == {"1": "cleared"}

    def test_a_refreshed_check_sees_an_edit_that_no_pass_has_seen_and_writes_nothing(
        self, practice: Site, server: Server, proxy: MeddlingProxy
    ) -> None:
        mirror(practice, [row("1", "P-1", at(1))])
        (event,) = people(server).events()
        change(event, dtstart=at(2, 14), dtend=at(2, 15))
        assert practice.now is not None
        practice.now = datetime(2026, 11, 17, 18, 0, tzinfo=UTC)
        assert practice.calsync("appointments", "complete", "1", "--by", "provider:P-1").code == 0
        proxy.clear()
        (answer,) = practice.calsync("claims", "check", "1", "--refresh", "--json").json
        assert {"drift-open"} <= {reason["code"] for reason in answer["reasons"]}
        assert proxy.count("PUT") == 0
        assert len(practice.drifts("--open")) == 1

    def test_own_events_and_own_fields_stay(self, practice: Site, server: Server) -> None:
        mirror(practice, [row("1", "P-1", at(1))])
        calendar = people(server)
        calendar.add_event(dtstart=at(5), dtend=at(5, 11), summary="Dentist", uid="dentist-1")
        before = next(e for e in calendar.events() if "X-CALSYNC" not in e.data).data
        event = next(e for e in calendar.events() if "X-CALSYNC" in e.data)
        part = event.icalendar_instance.walk("VEVENT")[0]
        part.add("categories", ["blue"])
        part.add("color", "purple")
        change(event, dtstart=at(1, 14), dtend=at(1, 15))
        practice.sync()
        practice.later(seconds=95)
        practice.sync()
        after = {("X-CALSYNC" in e.data): e for e in people(server).events()}
        assert "CATEGORIES:blue" in after[True].data
        assert "COLOR:purple" in after[True].data
        assert after[False].data == before
        assert b"Dentist" not in (practice.folder / "calsync.db").read_bytes()


class TestTrouble:
    @pytest.mark.parametrize("status", [401, 403, 404, 500])
    def test_an_error_of_the_whole_calendar_is_never_a_deletion(
        self, practice: Site, server: Server, proxy: MeddlingProxy, status: int
    ) -> None:
        mirror(practice, [row(str(n), "P-1", at(n)) for n in range(1, 8)])
        proxy.clear()
        proxy.spoil(Spoil("*", status=status, times=99))
        answer = practice.calsync("sync", "--json")
        assert answer.code == 3
        assert answer.json["calendars"][0]["state"] != "active"
        assert proxy.count("PUT") == 0
        proxy.clear()
        assert practice.drifts() == []
        assert len(starts(server)) == 7
        assert "Traceback" not in answer.err

    def test_a_wiped_calendar_is_stopped_until_a_person_releases_it(self, practice: Site, server: Server) -> None:
        mirror(practice, [row(str(n), "P-1", at(n)) for n in range(1, 31)])
        for event in people(server).events()[:-1]:
            event.delete()
        assert practice.sync()["calendars"][0]["state"] == "stopped"
        practice.later(hours=1)
        assert practice.sync()["calendars"][0]["state"] == "stopped"
        assert len(starts(server)) == 1
        assert practice.calsync("calendars", "resume", "P-1-cal", "--as", "restore").code == 0
        practice.sync()
        assert len(starts(server)) == 30

    def test_a_lost_answer_to_a_put_makes_no_second_event(
        self, practice: Site, server: Server, proxy: MeddlingProxy
    ) -> None:
        practice.import_rows([row(str(n), "P-1", at(n)) for n in range(1, 4)])
        proxy.spoil(Spoil("PUT", lose_answer=True, times=2))
        for _ in range(4):
            practice.sync()
            practice.later(hours=1)
        assert len(starts(server)) == 3
        assert practice.drifts() == []

    def test_an_edit_just_before_our_write_is_kept_as_evidence(
        self, practice: Site, server: Server, proxy: MeddlingProxy
    ) -> None:
        mirror(practice, [row("1", "P-1", at(1))])
        practice.import_rows([row("1", "P-1", at(2))])

        def drag() -> None:
            (event,) = people(server).events()
            change(event, dtstart=at(5, 14), dtend=at(5, 15))

        proxy.clear()
        proxy.spoil(Spoil("PUT", before=drag))
        practice.sync()
        assert [d["observed_start"][:16] for d in practice.drifts()] == ["2026-11-21T14:00"]
        assert starts(server) == [at(2)]

    def test_a_wrong_password_stops_only_its_own_calendar(self, site: Site, server: Server) -> None:
        site.now = NOW
        site.add_provider("P-1", server.account(1).home, "user1", password="wrong")
        site.add_provider("P-2", server.account(2).home, "user2")
        site.set_up()
        site.import_rows([row("1", "P-1", at(1)), row("2", "P-2", at(1))])
        states = {c["id"]: c["state"] for c in site.sync()["calendars"]}
        assert states == {"P-1-cal": "needs-reconnect", "P-2-cal": "active"}
        (site.folder / "P-1.password").write_text("user1\n")
        states = {c["id"]: c["state"] for c in site.sync()["calendars"]}
        assert states == {"P-1-cal": "active", "P-2-cal": "active"}
