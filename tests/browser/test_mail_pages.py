"""The pages behind mails in a browser: on a phone in the dark, on a desk, by keyboard, without scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

from calsync.domain.drift import Phase, Resolution
from calsync.notices.answer_links import DAY_SHEET, AnswerLinks
from calsync.store.database import open_database
from calsync.web.server import WebServer
from tests.browser.conftest import DESK, PHONE, Served, check_accessible, check_fits
from tests.lifecycle.mailed import PUBLIC, Mailed

Screenshot = Callable[[Page, str], Path]


@dataclass(frozen=True, slots=True)
class Practice:
    """A practice that mails, answering at `url`."""

    url: str
    house: Mailed

    def managed(self) -> str:
        """The address behind a confirmation."""
        self.house.book("A-1", "2026-11-05T10:00", format="video")
        return self.url + self.house.path(self.house.mailed(), "Change or cancel")


@pytest.fixture
def practice(empty_books: Path, tmp_path: Path) -> Iterator[Practice]:
    """Practice Better's rules."""
    file = tmp_path / "mailed.db"
    file.write_bytes(empty_books.read_bytes())
    database = open_database(f"sqlite:///{file}")
    house = Mailed(database, tmp_path, "practice-better")
    server = WebServer(house.browser.app, ("127.0.0.1", 0))
    server.start()
    yield Practice(f"http://127.0.0.1:{server.address[1]}", house)
    assert server.stop()
    database.dispose()


@pytest.fixture
def pages(chromium: Browser, practice: Practice) -> Iterator[Callable[[dict[str, int], str], Page]]:
    """Opens pages without scripts that may ask nobody else for anything."""
    contexts, strangers = [], []

    def stay_here(route: Route) -> None:
        if route.request.url.startswith(practice.url):
            route.continue_()
        else:
            strangers.append(route.request.url)
            route.abort()

    def opened(size: dict[str, int], scheme: str) -> Page:
        context = chromium.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            color_scheme="dark" if scheme == "dark" else "light",
            is_mobile=size["width"] < 600,
            has_touch=size["width"] < 600,
        )
        context.set_default_timeout(10_000)
        context.route("**/*", stay_here)
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()
    assert strangers == []


def look(page: Page, screenshot: Screenshot, name: str) -> None:
    """Readable by everybody, no wider than the screen, and a picture of it."""
    check_accessible(page)
    check_fits(page)
    screenshot(page, name)


class TestClients:
    def test_a_client_moves_a_session_on_a_phone(
        self, practice: Practice, pages: Callable[[dict[str, int], str], Page], screenshot: Screenshot
    ) -> None:
        page = pages(PHONE, "dark")
        page.goto(practice.managed())
        look(page, screenshot, "client-session")
        page.get_by_role("link", name="Choose another time").click()
        look(page, screenshot, "client-move")
        page.get_by_role("link", name="By phone").click()
        page.get_by_role("link", name="Friday 6 November, 14:00").click()
        look(page, screenshot, "client-move-confirm")
        page.get_by_label("Why do you move it?").fill("the dentist")
        page.get_by_label("Yes, move it").check()
        page.get_by_role("button", name="Move the session").click()
        page.get_by_role("heading", name="Your session has a new time").wait_for()
        look(page, screenshot, "client-moved")
        assert practice.house.session("A-1").span.start.isoformat() == "2026-11-06T14:00:00"

    def test_a_client_cancels_late_by_keyboard_on_a_desk_and_books_again(
        self, practice: Practice, pages: Callable[[dict[str, int], str], Page], screenshot: Screenshot
    ) -> None:
        page = pages(DESK, "light")
        url = practice.managed()
        practice.house.at("2026-11-04T12:00")
        page.goto(f"{url}?do=cancel")
        look(page, screenshot, "client-cancel")
        page.get_by_label("Why do you cancel?").focus()
        page.keyboard.type("ill")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Cancelled").wait_for()
        look(page, screenshot, "client-cancelled")
        assert practice.house.session("A-1").status == "late-cancelled"
        page.get_by_role("link", name="Book another time").click()
        look(page, screenshot, "client-book")
        page.get_by_role("link", name="Monday 9 November, 09:00").click()
        look(page, screenshot, "client-book-confirm")
        page.get_by_label("I have read this").check()
        page.get_by_role("button", name="Book the session").click()
        page.get_by_role("heading", name="Your session is booked").wait_for()

    def test_a_spent_link_says_so_kindly(
        self, practice: Practice, pages: Callable[[dict[str, int], str], Page], screenshot: Screenshot
    ) -> None:
        page = pages(PHONE, "light")
        page.goto(f"{practice.url}/a/nothing")
        page.get_by_role("heading", name="This link cannot be used any more").wait_for()
        look(page, screenshot, "useless")


class TestProviders:
    @pytest.mark.parametrize("step", ["", "keep", "move", "time", "cancel", "other"])
    def test_an_edit_ahead_reads_well_on_a_phone(
        self, served: Served, phone: Page, screenshot: Screenshot, step: str
    ) -> None:
        path = served.house.link(served.house.edit("4821", Phase.UPCOMING, Resolution.REVERTED))
        phone.goto(f"{served.url}{path}" + (f"?do={step}" if step else ""))
        look(phone, screenshot, f"edit-{step or 'overview'}")

    def test_a_past_edit_is_answered_with_another_time_by_keyboard(
        self, served: Served, plain: Page, desk: Page, screenshot: Screenshot
    ) -> None:
        edit = served.house.edit("4790")
        served.house.clock.advance(2 * 24 * 3600)
        url = served.url + served.house.link(edit)
        for wish in ("", "?do=time", "?do=seen"):
            desk.goto(url + wish)
            look(desk, screenshot, f"past{wish.replace('?do=', '-')}")
        plain.goto(url)
        plain.get_by_role("link", name="At another time").click()
        plain.get_by_label("Start").fill("15:00")
        plain.get_by_label("Yes, it took place then").check()
        plain.get_by_role("button", name="Say so").press("Enter")
        plain.get_by_role("heading", name="Thank you").wait_for()
        assert served.house.drift_of(edit).resolution is not Resolution.OPEN

    def test_the_day_sheet_on_a_phone(self, served: Served, phone: Page, screenshot: Screenshot) -> None:
        house = served.house
        house.book("4821", "2026-11-24T09:00")
        house.book("4822", "2026-11-24T11:00")
        house.edit("4823")
        house.clock.advance(timedelta(days=1, hours=9).total_seconds())
        with house.database.transaction() as conn:
            url = AnswerLinks(PUBLIC, house.ids).make(
                conn, DAY_SHEET, "provider:P-1", {"day": "2026-11-24"}, now=house.clock.now()
            )
        assert url is not None
        phone.goto(served.url + url.removeprefix(PUBLIC))
        look(phone, screenshot, "day-sheet")
        phone.get_by_role("button", name="All 2 as booked").click()
        phone.get_by_role("heading", name="2 sessions noted").wait_for()
        phone.go_back()
        phone.reload()
        phone.get_by_label("As booked").check()
        phone.get_by_role("button", name="Save").click()
        phone.get_by_text("Nothing else is needed").wait_for()
