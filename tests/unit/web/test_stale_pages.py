"""A page that lay open while its calendar was changed: nobody answers what they have not looked at."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from calsync.store import statements
from calsync.store.statements import StatementRow
from tests.unit.web.test_provider_answers import PUBLIC, Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


def hidden(desk: Desk, path: str) -> dict[str, str]:
    page = desk.browser.get(path)
    assert page.status_code == 200
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))


def said(desk: Desk, number: str) -> list[StatementRow]:
    with desk.world.database.reading() as conn:
        return statements.of_appointments(conn, [number]).get(number, [])


def day_sheet(desk: Desk) -> str:
    desk.evening(hours=9, minutes=40)
    return str(re.findall(rf"Open the day: {PUBLIC}(/a/[\w-]+)", desk.office.texts[-1])[0])


@pytest.mark.parametrize("do", ["stands", "seen", "none"])
def test_an_answer_does_not_speak_of_a_further_change(desk: Desk, do: str) -> None:
    desk.world.book("4790", "2026-11-16T10:00")
    desk.world.run()
    desk.world.later(days=1)
    desk.world.people.drag(desk.event("2026-11-16T10:00"), timedelta(hours=5))
    desk.world.run()
    path = desk.path()
    shown = hidden(desk, f"{path}?do={do}")
    desk.world.later(minutes=1)
    desk.world.people.drag(desk.event("2026-11-16T15:00"), timedelta(hours=-2))
    desk.world.run()
    answer = desk.browser.post(path, data={**shown, "sure": "yes"})
    assert (answer.status_code, said(desk, "4790")) == (422, [])
    assert "was changed since this page was opened" in answer.text
    again = {**hidden(desk, f"{path}?do={do}"), "sure": "yes"}
    assert desk.browser.post(path, data=again).status_code == 200
    assert len(said(desk, "4790")) == 1
    assert desk.start("4790") == ("2026-11-16T13:00" if do == "seen" else "2026-11-16T10:00")


@pytest.mark.parametrize("word", ["booked", "none", "missed"])
def test_a_row_of_the_day_does_not_speak_of_a_change_that_it_did_not_show(desk: Desk, word: str) -> None:
    desk.world.book("1", "2026-11-16T10:00")
    desk.world.book("2", "2026-11-16T12:00")
    desk.world.run()
    path = day_sheet(desk)
    shown = hidden(desk, path)
    desk.world.people.drag(desk.event("2026-11-16T10:00"), timedelta(days=1))
    desk.world.run()
    answer = desk.browser.post(path, data={**shown, "do": "rows", "row.1": word})
    assert (answer.status_code, said(desk, "1"), desk.status("1")) == (422, [], "scheduled")
    assert desk.browser.post(path, data={**shown, "do": "rows", "row.2": "booked"}).status_code == 200
    assert desk.browser.post(path, data={**hidden(desk, path), "do": "rows", "row.1": "booked"}).status_code == 200
    assert [one.says for one in said(desk, "1")] == ["as-booked"]


def test_all_as_booked_speaks_for_the_times_that_were_shown(desk: Desk) -> None:
    desk.world.book("1", "2026-11-16T10:00")
    desk.world.book("2", "2026-11-16T12:00")
    path = day_sheet(desk)
    shown = hidden(desk, path)
    desk.world.book("3", "2026-11-16T14:00")
    assert desk.browser.post(path, data={**shown, "do": "all"}).status_code == 200
    assert [desk.status(number) for number in "123"] == ["completed", "completed", "scheduled"]


@pytest.mark.parametrize("said_so", [{"do": "all"}, {"do": "rows", "row.1": "booked"}])
def test_an_answer_without_what_the_page_showed_says_so_on_the_page(desk: Desk, said_so: dict[str, str]) -> None:
    desk.world.book("1", "2026-11-16T10:00")
    path = day_sheet(desk)
    field = {name: value for name, value in hidden(desk, path).items() if not name.startswith("state.")}
    answer = desk.browser.post(path, data={**field, **said_so})
    assert (answer.status_code, desk.status("1")) == (422, "scheduled")
    assert "came without what the page showed. Please choose again on this page" in answer.text
    again = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', answer.text))
    assert desk.browser.post(path, data={**again, **said_so}).status_code == 200
    assert desk.status("1") == "completed"
