"""The config means another calendar by an id than the one it was given for: nothing goes on in silence."""

from __future__ import annotations

import httpx
import pytest

from tests.system.hands import Hands
from tests.system.site import Site, at, row


@pytest.fixture
def office(practice: Site, hands: Hands) -> Site:
    """Two sessions to come."""
    practice.set_up()
    practice.mirror([row(str(n), "P-1", at(n)) for n in range(1, 3)])
    hands.find()
    return practice


def rewrite(site: Site, old: str, new: str) -> None:
    """Change the configuration by hand."""
    path = site.folder / "calsync.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def standing(site: Site) -> tuple[int, str, str]:
    """How a pass ends, and how the calendar stands then."""
    answer = site.calsync("sync", "--json")
    (calendar,) = answer.json["calendars"]
    return answer.code, calendar["state"], calendar["error"] or ""


def test_another_calendar_under_the_same_id_is_not_taken_for_the_old_one(office: Site, hands: Hands) -> None:
    other = f"{hands.home}other/"
    assert hands.ask("MKCALENDAR", other).status_code == httpx.codes.CREATED
    before = hands.starts()
    rewrite(office, f'url = "{hands.home}"', f'url = "{other}"')
    code, state, error = standing(office)
    assert (code, state, "an id of its own" in error) == (3, "paused", True)
    refused = office.calsync("doctor")
    assert "means another account, calendar or provider" in refused.out
    office.mirror([row("9", "P-1", at(3))])
    assert hands.starts() == before
    assert office.check("1")["1"]["verdict"] == "held"
    rewrite(office, f'url = "{other}"', f'url = "{hands.home}"')
    assert standing(office)[:2] == (0, "active")
    assert len(hands.starts()) == len(before) + 1


def test_a_person_says_that_it_is_the_same_under_another_name(office: Site, hands: Hands) -> None:
    before = hands.events()
    rewrite(office, f'url = "{hands.home}"', f'url = "{hands.calendar}"')
    assert standing(office)[1] == "paused"
    assert office.calsync("calendars", "resume", "P-1-cal").code == 0
    assert standing(office)[:2] == (0, "active")
    assert office.sync()["written"] == 0
    assert (hands.events(), office.drifts()) == (before, [])


def test_a_calendar_is_never_handed_to_another_provider(office: Site, hands: Hands) -> None:
    before = hands.starts()
    rewrite(office, "[[providers.calendars]]", '[[providers]]\nid = "P-2"\nname = "Dr. B"\nemail = "b@example.org"\n'
            'zone = "America/New_York"\npractice = "default"\n[[providers.calendars]]')  # fmt: skip
    assert standing(office)[1] == "paused"
    refused = office.calsync("calendars", "resume", "P-1-cal")
    assert (refused.code, "is one of P-1" in refused.err) == (1, True)
    office.mirror([row("9", "P-2", at(3))])
    assert hands.starts() == before


def test_a_new_id_does_not_write_beside_the_events_that_a_removed_one_left(office: Site, hands: Hands) -> None:
    before = hands.events()
    rewrite(office, f'url = "{hands.home}"', f'url = "{hands.calendar}"')
    rewrite(office, 'id = "P-1-cal"', 'id = "P-1-new"')
    told = {one["id"]: one for one in office.sync()["calendars"]}
    assert "is the same calendar as P-1-cal" in told["P-1-new"]["error"], "it only left the config"
    assert office.calsync("calendars", "remove", "P-1-cal").code == 0
    office.later(hours=1)
    told = {one["id"]: one for one in office.sync()["calendars"]}
    assert told["P-1-new"]["state"] == "unreachable"
    assert "still has the events of P-1-cal" in told["P-1-new"]["error"]
    assert hands.events() == before
    rewrite(office, 'id = "P-1-new"', 'id = "P-1-cal"')
    assert office.calsync("calendars", "remove", "P-1-new").code == 0
    office.later(hours=1)
    told = {one["id"]: one for one in office.sync()["calendars"]}
    assert told["P-1-cal"]["state"] == "active"
    assert (hands.starts(), office.drifts()) == (["20261117T100000", "20261118T100000"], [])
    # For another id all the same, its events are taken out first.
    assert office.calsync("purge", "--events", "--provider", "P-1").code == 0
    office.later(minutes=1)
    rewrite(office, 'id = "P-1-cal"', 'id = "P-1-new"')
    assert office.calsync("calendars", "remove", "P-1-cal").code == 0
    office.later(hours=1)
    office.sync()
    assert len(hands.starts()) == 2


@pytest.mark.parametrize("owner", ["P-1", "P-2"])
def test_a_second_id_for_a_calendar_on_the_books_is_not_opened(office: Site, hands: Hands, owner: str) -> None:
    before = hands.starts()
    address = hands.calendar.replace("127.0.0.1", "LOCALHOST").replace("/calsync-", "/%63alsync-")
    second = (
        f'[[providers.calendars]]\nid = "second"\nconnector = "caldav"\nurl = "{address}"\n'
        f'username = "{hands.user}"\npassword_file = "P-1.password"\n'
    )
    if owner == "P-2":
        second = (
            '[[providers]]\nid = "P-2"\nname = "Dr. B"\nemail = "b@example.org"\nzone = "America/New_York"\n'
            f'practice = "default"\n{second}'
        )
    path = office.folder / "calsync.toml"
    path.write_text(path.read_text(encoding="utf-8") + second, encoding="utf-8")
    assert office.import_rows([row("9", owner, at(3))]).code == 0
    told = {one["id"]: one for one in office.sync()["calendars"]}
    assert (told["P-1-cal"]["state"], told["second"]["state"]) == ("active", "unreachable")
    assert "is the same calendar as P-1-cal" in told["second"]["error"]
    assert len(hands.starts()) == len(before) + (owner == "P-1"), "no session is there twice"
    assert office.check("9")["9"]["verdict"] == "held"
