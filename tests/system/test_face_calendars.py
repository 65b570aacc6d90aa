"""Calendars from the outside: gone ones made again, cleared days, pauses, and calendars that leave the config."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from calsync.cli.context import App
from calsync.cli.signals import Signals
from tests.system.hands import Hands
from tests.system.site import ZONE, Site, at, row

BACKFILLED = '[claims]\nbackfilled = "clear"\n'
CALENDAR = "P-1-cal"


@pytest.fixture
def office(practice: Site, hands: Hands) -> Site:
    """Eight sessions to come and one that is over and proven, mirrored."""
    practice.set_up(more=BACKFILLED)
    upcoming = [row(str(n), "P-1", at(n)) for n in range(1, 9)]
    practice.mirror([*upcoming, row("20", "P-1", at(-2), status="completed")])
    hands.find()
    practice.later(minutes=5)
    return practice


def name_of(hands: Hands, session: str) -> str:
    return hands.name_of(f"SUMMARY:Session {session}\n")


def state(site: Site) -> str:
    (calendar,) = site.calsync("calendars", "list", "--json").json
    return str(calendar["state"])


def waits(site: Site) -> timedelta:
    """How long until the calendar is looked at again by itself."""
    (calendar,) = site.calsync("calendars", "list", "--json").json
    assert site.now is not None
    return datetime.fromisoformat(calendar["next_pass_at"]) - site.now


def forget_calendar(site: Site) -> str:
    """Take the calendar's table out of the config; returns the whole config as it was."""
    path = site.folder / "calsync.toml"
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.partition("[[providers.calendars]]")[0], encoding="utf-8")
    return whole


class TestGone:
    def test_a_deleted_calendar_is_made_again_by_a_person_only(self, office: Site, hands: Hands) -> None:
        assert office.check("20")["20"]["verdict"] == "cleared"
        before = hands.starts()
        hands.ask("DELETE", hands.calendar)
        for line in ((), ("calendars", "resume", CALENDAR)):
            assert not line or office.calsync(*line).code == 0
            answer = office.calsync("sync", "--json")
            assert (answer.code, answer.json["calendars"][0]["state"]) == (3, "stopped")
            assert (hands.calendars(), office.drifts()) == ([], [])
        assert office.check("20")["20"]["verdict"] == "held"
        shown = office.calsync("calendars", "show", CALENDAR).out
        assert "--as restore" in shown
        assert "None" not in shown
        office.later(minutes=5)
        assert office.calsync("calendars", "resume", CALENDAR, "--as", "restore").code == 0
        office.sync()
        assert hands.find().starts() == before
        assert office.drifts("--open") == []
        assert office.settle()["written"] == 0
        assert office.check("20")["20"]["verdict"] == "cleared"

    def test_a_mass_change_is_released_only_by_saying_what_it_was(self, office: Site, hands: Hands) -> None:
        for name in hands.names()[1:]:
            hands.delete(name)
        office.sync()
        refused = office.calsync("calendars", "resume", CALENDAR)
        assert refused.code == 1
        assert "--as edits" in refused.err
        assert state(office) == "stopped"


class TestClearedDay:
    def test_a_cleared_day_is_put_back_and_no_stampede(self, practice: Site, hands: Hands) -> None:
        practice.set_up()
        thursday = [row(str(n), "P-1", at(3, 8 + n)) for n in range(1, 7)]
        practice.mirror([*thursday, *(row(str(n), "P-1", at(n)) for n in range(10, 15))])
        hands.find()
        before = hands.starts()
        for number in range(1, 7):
            hands.delete(name_of(hands, str(number)))
        found = practice.sync()
        assert (found["drifts"], found["calendars"][0]["state"]) == (6, "active")
        # What was seen at once is listed in the order of the sessions.
        assert [d["appointment"] for d in practice.drifts()] == ["1", "2", "3", "4", "5", "6"]
        assert practice.settle()["written"] == 6
        assert hands.starts() == before


class TestConfig:
    def test_a_calendar_that_leaves_the_config_rests_and_comes_back(self, office: Site, hands: Hands) -> None:
        whole = forget_calendar(office)
        hands.drag(name_of(hands, "2"), at(2, 14), at(2, 14, 50), ZONE)
        assert office.calsync("sync").code == 3
        assert state(office) == "paused"
        assert office.calsync("calendars", "resume", CALENDAR).code == 1
        assert len(hands.names()) == 9
        (office.folder / "calsync.toml").write_text(whole, encoding="utf-8")
        assert office.calsync("calendars", "remove", CALENDAR).code == 1
        assert office.sync()["drifts"] == 1

    def test_a_pause_that_a_person_gave_outlasts_an_absence_from_the_config(self, office: Site, hands: Hands) -> None:
        assert office.calsync("calendars", "pause", CALENDAR, "--note", "holiday").code == 0
        whole = forget_calendar(office)
        assert office.calsync("sync").code == 3
        (office.folder / "calsync.toml").write_text(whole, encoding="utf-8")
        hands.drag(name_of(hands, "2"), at(2, 14), at(2, 14, 50), ZONE)
        answer = office.calsync("sync", "--json")
        assert [(one["state"], one["error"]) for one in answer.json["calendars"]] == [("paused", "holiday")]
        assert office.drifts() == []
        assert office.calsync("calendars", "resume", CALENDAR).code == 0
        assert office.sync()["drifts"] == 1

    def test_a_stop_outlasts_an_absence_from_the_config(self, office: Site, hands: Hands) -> None:
        kept = {name: hands.get(name) for name in hands.names()}
        for name in hands.names()[1:]:
            hands.delete(name)
        office.sync()
        assert state(office) == "stopped"
        whole = forget_calendar(office)
        assert office.calsync("sync").code == 3
        (office.folder / "calsync.toml").write_text(whole, encoding="utf-8")
        for name, text in kept.items():
            hands.put(name, text)
        office.later(hours=2)
        assert office.calsync("sync").code == 3
        assert state(office) == "stopped", "only a person ends it"

    def test_a_removed_calendar_that_comes_back_takes_up_the_events_that_stayed(
        self, office: Site, hands: Hands
    ) -> None:
        whole = forget_calendar(office)
        assert office.calsync("calendars", "remove", CALENDAR).code == 0
        assert office.calsync("calendars", "list", "--json").json == []
        assert office.calsync("sync").code == 0
        names = hands.names()
        assert len(names) == 9
        office.calsync("appointments", "reschedule", "3", "--start", "2026-11-19T16:00", "--reason", "asked")
        office.calsync("appointments", "cancel", "4", "--reason", "asked")
        (office.folder / "calsync.toml").write_text(whole, encoding="utf-8")
        again = office.sync()
        assert (again["written"], again["drifts"]) == (2, 0)
        assert set(hands.names()) < set(names)
        assert "20261119T160000" in hands.starts()
        assert office.calsync("calendars", "list", "--json").json[0]["links"] == 8
        assert office.settle()["written"] == 0
        hands.drag(name_of(hands, "2"), at(2, 14), at(2, 14, 50), ZONE)
        assert office.sync()["drifts"] == 1
        assert office.calsync("audit", "verify").code == 0


class TestPause:
    def test_a_paused_calendar_is_left_alone_and_read_again_later(self, office: Site, hands: Hands) -> None:
        assert office.calsync("calendars", "pause", CALENDAR, "--note", "holiday").code == 0
        hands.drag(name_of(hands, "1"), at(1, 14), at(1, 14, 50), ZONE)
        assert office.calsync("sync").code == 3
        office.later(seconds=timedelta(hours=1).total_seconds())
        assert (office.drifts(), state(office)) == ([], "paused")
        assert office.check("20")["20"]["verdict"] == "cleared"
        assert office.calsync("calendars", "resume", CALENDAR).code == 0
        assert office.sync()["drifts"] == 1


class TestScope:
    def test_what_is_not_on_the_books_is_an_error(self, office: Site) -> None:
        for line in (("sync", "--provider", "nobody"), ("sync", "--calendar", "none"), ("calendars", "show", "none")):
            answer = office.calsync(*line)
            assert (answer.code, answer.out) == (1, "")
            assert line[-1] in answer.err


class TestKeptOut:
    @pytest.fixture
    def locked(self, office: Site) -> Site:
        """The password has changed, and calsync does not try again before long."""
        (office.folder / "P-1.password").write_text("another\n", encoding="utf-8")
        assert office.calsync("sync").code == 3
        assert state(office) == "needs-reconnect"
        assert waits(office) > timedelta(hours=4)
        return office

    def test_who_reloads_the_configuration_has_it_looked_at_at_once(
        self, locked: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert locked.now is not None
        monkeypatch.setattr("calsync.cli.signals.signal.signal", lambda *_: None)
        monkeypatch.setenv("CALSYNC_NOW", locked.now.isoformat())
        app = App(locked.folder / "calsync.toml")
        signals = Signals(app)
        assert app.settings.providers
        key = locked.folder / "calsync.key"
        whole = key.read_bytes()
        for broken in (b"", whole[: len(whole) // 2]):
            key.write_bytes(broken)
            signals.hang_up()
            assert signals.replacement() is None, "what runs goes on"
        key.write_bytes(whole)
        signals.hang_up()
        assert signals.replacement() is not None
        app.database.dispose()
        assert waits(locked) <= timedelta()

    def test_one_that_comes_back_into_the_configuration_is_looked_at_at_once(self, locked: Site) -> None:
        whole = forget_calendar(locked)
        assert locked.import_rows([row("30", "P-1", at(9))]).code == 0
        (locked.folder / "calsync.toml").write_text(whole, encoding="utf-8")
        assert locked.import_rows([row("31", "P-1", at(10))]).code == 0
        assert (state(locked), waits(locked) <= timedelta()) == ("active", True)

    def test_one_that_a_person_resumes_is_looked_at_at_once(self, locked: Site) -> None:
        assert locked.calsync("calendars", "pause", CALENDAR).code == 0
        assert locked.calsync("calendars", "resume", CALENDAR).code == 0
        assert (state(locked), waits(locked) <= timedelta()) == ("active", True)
