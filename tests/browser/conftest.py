"""The browser test bed: Chromium, a served installation on a real port, pages on a phone, on a desk, without scripts.

    def test_something(served: Served, phone: Page) -> None:
        phone.goto(f"{served.url}/a/token")
        check_accessible(phone)
        screenshot(phone, "what it shows")

Every page fails its test at the end if it asked anybody else than the served installation for something, broke its
content security policy, or wrote an error to the console. The phone comes in the dark; the desk in light.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route, sync_playwright

from calsync.store import calendars, providers
from calsync.store.calendars import CalendarSpec
from calsync.store.database import open_database
from calsync.store.providers import ProviderRow
from calsync.web.server import WebServer
from tests.unit.web.conftest import NOW, ZONE, House

CHROMIUM: Final = "/usr/bin/chromium"
PHONE: Final = {"width": 360, "height": 740}
DESK: Final = {"width": 1280, "height": 900}

_RULES: Final = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@dataclass(frozen=True, slots=True)
class Served:
    """An installation that answers at `url`; `house` reaches its books, its clock and its helpers."""

    url: str
    house: House


@dataclass
class Complaints:
    """What went wrong on a page behind the test's back."""

    told: list[str] = field(default_factory=list)

    def note(self, message: ConsoleMessage) -> None:
        """A line on the console. A refused form or a missing page is what a test may want to see."""
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.told.append(message.text)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser, one for the tests of this folder: kept longer, its event loop would run under everybody else's."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def served(empty_books: Path, tmp_path: Path) -> Iterator[Served]:
    """An installation with one provider (P-1) and one calendar (work), answering on a free port of this machine."""
    file = tmp_path / "calsync.db"
    file.write_bytes(empty_books.read_bytes())
    database = open_database(f"sqlite:///{file}")
    with database.transaction() as conn:
        providers.put(conn, ProviderRow("P-1", "Dr. Made Up", "p1@example.org", ZONE))
        spec = CalendarSpec("work", "P-1", "c", "google", "mirror", "existing", "config")
        calendars.register(conn, spec, NOW)
    house = House(database)
    server = WebServer(house.app, ("127.0.0.1", 0))
    server.start()
    yield Served(f"http://127.0.0.1:{server.address[1]}", house)
    assert server.stop()
    database.dispose()


@pytest.fixture
def open_page(chromium: Browser, served: Served) -> Iterator[Callable[..., Page]]:
    """Open a page of its own, with its own cookies: `open_page(viewport=PHONE, scripts=False, scheme="dark")`."""
    contexts: list[BrowserContext] = []
    complaints = Complaints()

    def stay_here(route: Route) -> None:
        if route.request.url.startswith((served.url, "data:")):
            route.continue_()
        else:
            complaints.told.append(f"asked for {route.request.url}")
            route.abort()

    def opened(viewport: dict[str, int] = DESK, *, scripts: bool = True, scheme: str = "light") -> Page:
        is_phone = viewport["width"] < 600
        context = chromium.new_context(
            viewport={"width": viewport["width"], "height": viewport["height"]},
            java_script_enabled=scripts,
            color_scheme="dark" if scheme == "dark" else "light",
            has_touch=is_phone,
            is_mobile=is_phone,
            locale="en-US",
        )
        context.set_default_timeout(10_000)
        context.route("**/*", stay_here)
        contexts.append(context)
        page = context.new_page()
        page.on("console", complaints.note)
        page.on("pageerror", lambda error: complaints.told.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints.told == []


@pytest.fixture
def desk(open_page: Callable[..., Page]) -> Page:
    """A page on a desk."""
    return open_page(DESK)


@pytest.fixture
def phone(open_page: Callable[..., Page]) -> Page:
    """A page on a phone, in the dark."""
    return open_page(PHONE, scheme="dark")


@pytest.fixture
def plain(open_page: Callable[..., Page]) -> Page:
    """A page on a desk without scripts."""
    return open_page(DESK, scripts=False)


@pytest.fixture
def screenshot(tmp_path: Path) -> Callable[[Page, str], Path]:
    """Take a picture of the whole page: `screenshot(page, "queue")` gives the file's path in the test's folder."""

    def taken(page: Page, name: str) -> Path:
        file = tmp_path / f"{name}.png"
        page.screenshot(path=file, full_page=True)
        return file

    return taken


def check_accessible(page: Page) -> None:
    """Fail with axe's own words if it finds anything that keeps somebody from using the page, once it is drawn."""
    page.wait_for_load_state("load")
    options = {"runOnly": _RULES, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    told = [f"{one['id']}: {one['help']}\n    " + "\n    ".join(n["html"][:200] for n in one["nodes"]) for one in found]
    assert not told, "\n".join(told)


def check_fits(page: Page) -> None:
    """Fail if the page has to be moved sideways to be read."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} px too wide"
