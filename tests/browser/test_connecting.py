"""A provider connects Google on a phone, from the link to "I can see it", without scripts and with a real browser."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from calsync.sandbox.google.people import Person
from calsync.sandbox.google.server import Sandbox
from calsync.web.server import WebServer
from tests.browser.conftest import PHONE, check_accessible, check_fits
from tests.servers.google_subject import EMAIL, google
from tests.system.clinic import Clinic, google_keys
from tests.system.site import NOW, Site, at, row

Screenshot = Callable[[Page, str], Path]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with google() as running:
        running.clock.set(NOW)  # type: ignore[attr-defined]
        running.consenting = EMAIL
        yield running


@pytest.fixture
def clinic(tmp_path: Path, sandbox: Sandbox) -> Iterator[Clinic]:
    folder = tmp_path / "site"
    folder.mkdir()
    port = free_port()
    made = Clinic(Site(folder), google_keys(sandbox) + "[connectors.caldav]\n", f"http://127.0.0.1:{port}")
    made.site.import_rows(
        [row("4821", "P-1", at(8)), row("5001", "P-1", at(2), series="s-1", rule="FREQ=WEEKLY;COUNT=4")]
    )
    server = WebServer(made.app, ("127.0.0.1", port))
    server.start()
    yield made
    assert server.stop()
    made.close()


@pytest.fixture(params=[True, False], ids=["scripts", "plain"])
def phone(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A phone; once in the dark with scripts, once in the light without."""
    context = chromium.new_context(
        viewport={"width": PHONE["width"], "height": PHONE["height"]},
        java_script_enabled=request.param,
        color_scheme="dark" if request.param else "light",
        is_mobile=True,
        has_touch=True,
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert [one for one in told if "Failed to load resource" not in one] == []


def look(page: Page, heading: str, scripts: bool) -> None:
    """Wait for a page, and have it checked."""
    page.get_by_role("heading", name=heading).wait_for()
    check_fits(page)
    if scripts:
        check_accessible(page)


def try_a_bad_address(phone: Page, scripts: bool) -> None:
    """By way of another service, and back."""
    phone.get_by_role("link", name="Another calendar (CalDAV)").tap()
    phone.get_by_role("textbox", name="Address").fill("https://127.0.0.1/")
    phone.get_by_role("textbox", name="Name for the login").fill("ash")
    phone.get_by_label("Password").fill("made-up")
    phone.get_by_role("button", name="Try it").tap()
    phone.get_by_role("alert").wait_for()
    look(phone, "Connect Another calendar (CalDAV)", scripts)
    phone.get_by_role("link", name="Another service").tap()


def agree_to_google(phone: Page, scripts: bool, screenshot: Screenshot) -> None:
    """From the list of services to the plan."""
    phone.get_by_role("link", name="Google Calendar").tap()
    look(phone, "Connect Google Calendar", scripts)
    screenshot(phone, "google")
    phone.get_by_role("button", name="Go to Google").tap()
    # Google's page answers at once here, and sends the browser back to us.
    look(phone, "This is what we will write", scripts)
    screenshot(phone, "plan")


def test_a_provider_connects_google_on_a_phone(
    clinic: Clinic, sandbox: Sandbox, phone: Page, screenshot: Screenshot, request: pytest.FixtureRequest
) -> None:
    scripts = "scripts" in request.node.name
    path = clinic.link()
    phone.goto(clinic.public_url + path)
    look(phone, "Connect your calendar", scripts)
    screenshot(phone, "choose")
    phone.get_by_role("link", name="iCloud").tap()
    look(phone, "Connect iCloud", scripts)
    screenshot(phone, "icloud")
    phone.get_by_role("link", name="Another service").tap()
    try_a_bad_address(phone, scripts)
    agree_to_google(phone, scripts, screenshot)
    assert phone.url == clinic.public_url + path
    assert [one for one in sandbox.state.calendars.values() if not one.primary] == []
    phone.get_by_role("button", name="Write them").tap()
    phone.get_by_text("We are writing your sessions now").wait_for()
    look(phone, "Connected", scripts)

    clinic.site.sync()
    [calendar] = [one.id for one in sandbox.state.calendars.values() if not one.primary]
    assert len(Person(sandbox.state, EMAIL, sandbox.lock).events(calendar)) == 2
    phone.get_by_role("link", name="Look again").tap()
    look(phone, "Can you see it on your phone?", scripts)
    screenshot(phone, "seen")
    phone.get_by_role("link", name="Disconnect").tap()
    look(phone, "Disconnect your calendar", scripts)
    phone.get_by_role("link", name="Back").tap()
    phone.get_by_role("button", name="No").tap()
    look(phone, "Let us find it", scripts)
    screenshot(phone, "not-seen")
    phone.get_by_role("button", name="Now I can see it").tap()
    look(phone, "All done", scripts)
    phone.goto(clinic.public_url + path)
    phone.get_by_role("heading", name=re.compile("cannot be used any more")).wait_for()
