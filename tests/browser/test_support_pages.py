"""The support pages in a real browser: by keyboard, on a phone, without scripts, for everybody."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from calsync.domain.drift import Resolution
from calsync.store.tokens import Role
from tests.browser.conftest import Served, check_accessible, check_fits
from tests.unit.web.support.office import WORD, Office

Screenshot = Callable[[Page, str], Path]
Both = list[tuple[Page, str, str]]


@pytest.fixture
def office(served: Served) -> Office:
    """An office with edits of every sort and a stopped calendar."""
    made = Office(served.house)
    made.hire("ann")
    made.hire("amy", Role.ADMIN)
    return made


@pytest.fixture
def busy(office: Office) -> Office:
    office.drag("4821", "2026-11-24T10:00", "2026-11-24T14:00")
    office.drag("4790", "2026-11-19T15:00", "2026-11-20T15:00")
    office.drag("4791", "2026-11-18T09:00", None)
    office.name_client("Jo Made-Up")
    return office


@pytest.fixture
def both(served: Served, desk: Page, phone: Page) -> Both:
    """A desk and a phone, with the address of the installation."""
    return [(desk, "desk", served.url), (phone, "phone", served.url)]


def _enter(page: Page, url: str, name: str = "ann", path: str = "/support") -> None:
    page.goto(url + path)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(WORD)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Log out").wait_for()


class TestSettling:
    def test_an_edit_is_settled_by_keyboard_alone(self, served: Served, busy: Office, plain: Page) -> None:
        _enter(plain, served.url, path="/support/edits/edit-4821")
        plain.get_by_role("radio", name="As booked").focus()
        plain.keyboard.press("Space")
        plain.keyboard.press("Enter")
        plain.get_by_role("status").filter(has_text="That is settled").wait_for()
        assert busy.house.drift_of("edit-4821").resolution is Resolution.ACKNOWLEDGED

    def test_the_queue_reads_well_and_settles_several(
        self, served: Served, busy: Office, desk: Page, screenshot: Screenshot
    ) -> None:
        _enter(desk, served.url, path="/support/queue")
        check_accessible(desk)
        screenshot(desk, "queue")
        desk.get_by_role("button", name="Take").first.click()
        desk.get_by_role("status").wait_for()
        desk.get_by_role("checkbox").nth(0).check()
        desk.get_by_role("checkbox").nth(1).check()
        desk.get_by_label("What is right").select_option("stands")
        desk.get_by_role("button", name="Settle").click()
        desk.get_by_role("status").filter(has_text="That is settled").wait_for()
        assert desk.locator("table.queue tbody tr").count() == 1


class TestLooks:
    @pytest.mark.parametrize(
        ("name", "path"),
        [
            ("overview", "/support"),
            ("queue", "/support/queue"),
            ("edit", "/support/edits/edit-4790"),
            ("appointment", "/support/appointments/4790"),
            ("provider", "/support/providers/P-1"),
            ("report", "/support/report"),
        ],
    )
    def test_a_page_is_for_everybody_on_a_desk_and_on_a_phone(
        self, busy: Office, both: Both, screenshot: Screenshot, name: str, path: str
    ) -> None:
        for page, where, url in both:
            _enter(page, url, path=path)
            screenshot(page, f"{name}-{where}")
            check_accessible(page)
            check_fits(page)

    def test_a_stopped_calendar_says_what_to_do(
        self, served: Served, office: Office, desk: Page, phone: Page, screenshot: Screenshot
    ) -> None:
        office.stop()
        for page, where in ((phone, "phone"), (desk, "desk")):
            _enter(page, served.url, path="/support/calendars/work")
            screenshot(page, f"stop-{where}")
            check_accessible(page)
            check_fits(page)
        desk.get_by_label("Why").first.fill("the provider emptied it by mistake")
        desk.get_by_role("button", name="Put everything back").click()
        desk.get_by_role("status").filter(has_text="written again").wait_for()

    def test_the_brakes_are_released_in_stages(
        self, served: Served, office: Office, desk: Page, screenshot: Screenshot
    ) -> None:
        _enter(desk, served.url, "amy", "/support/fleet")
        desk.get_by_label("Why").fill("a zone bug")
        desk.get_by_role("button", name="Stop all writes").click()
        desk.get_by_role("status").wait_for()
        check_accessible(desk)
        screenshot(desk, "fleet")
        desk.get_by_label("Why it is safe now").fill("mended")
        desk.get_by_role("button", name="Release").click()
        desk.get_by_role("status").filter(has_text="stage").wait_for()
