"""Pages behind mails, seen by a browser: read by everybody, on any screen, with and without scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

from calsync.domain.drift import Phase, Resolution
from tests.browser.conftest import Served, check_accessible, check_fits

Screenshot = Callable[[Page, str], Path]


class TestAnswering:
    def test_a_page_behind_a_link_reads_well_on_a_phone(
        self, served: Served, phone: Page, screenshot: Screenshot
    ) -> None:
        phone.goto(served.url + served.house.link(served.house.edit("4821", Phase.UPCOMING, Resolution.REVERTED)))
        check_accessible(phone)
        check_fits(phone)
        screenshot(phone, "answer-phone")

    def test_it_is_answered_by_keyboard_without_scripts(self, served: Served, plain: Page) -> None:
        edit = served.house.edit("4821", Phase.UPCOMING, Resolution.REVERTED)
        plain.goto(served.url + served.house.link(edit))
        plain.keyboard.press("Tab")
        plain.keyboard.press("Space")
        plain.keyboard.press("Enter")
        plain.get_by_role("heading", name="Thank you").wait_for()
        assert served.house.drift_of(edit).resolution is Resolution.ACKNOWLEDGED
