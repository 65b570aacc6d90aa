"""Google from the command line: connect, sync, an edit, the doctor, consent lost and given again."""

from __future__ import annotations

import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import click
import pytest

from calsync.sandbox.google.people import Person
from calsync.sandbox.google.server import Sandbox
from tests.servers.google_subject import EMAIL, ZONE, google, secret_file
from tests.system.site import NOW, Answer, Site, row

AT = datetime(2026, 11, 24, 10, 0)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with google() as running:
        running.clock.set(NOW)  # type: ignore[attr-defined]
        yield running


@pytest.fixture
def person(sandbox: Sandbox) -> Person:
    return Person(sandbox.state, EMAIL, sandbox.lock)


@pytest.fixture
def practice(site: Site, sandbox: Sandbox) -> Site:
    site.now = NOW
    secret_file(site.folder)
    site.calendars.append(
        f'[[providers]]\nid = "P-1"\nname = "Dr. Ash"\nemail = "{EMAIL}"\nzone = "{ZONE}"\npractice = "default"\n'
        '[[providers.calendars]]\nid = "ash-google"\nconnector = "google"\nrefresh_token_file = "ash.token"\n'
    )
    site.set_up(
        more=f'[connectors.google]\napi_endpoint = "{sandbox.api_endpoint}"\ntoken_uri = "{sandbox.token_uri}"\n'
        f'auth_uri = "{sandbox.root}/o/oauth2/v2/auth"\nclient_id = "client-1"\nclient_secret_file = "client_secret"\n'
    )
    return site


def agree(practice: Site, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, *, meddle: bool = False) -> Answer:
    """Run `connect` and be the browser: go to the address that it prints, and follow where that leads."""
    sandbox.consenting = EMAIL
    printed: list[str] = []
    real = click.echo

    def echo(text: Any = "", **more: Any) -> None:
        printed.append(str(text))
        real(text, **more)

    def browse() -> None:
        while not (found := [text for text in printed if text.startswith("http")]):
            time.sleep(0.01)
        address = found[0]
        if meddle:
            port = re.search(r"127\.0\.0\.1%3A(\d+)", address)
            assert port is not None
            urllib.request.urlopen(f"http://127.0.0.1:{port[1]}/?state=forged&code=evil", timeout=10).read()
        urllib.request.urlopen(address, timeout=10).read()

    monkeypatch.setattr(click, "echo", echo)
    browser = threading.Thread(target=browse)
    browser.start()
    try:
        return practice.calsync("connect", "google", "--provider", "P-1")
    finally:
        browser.join(10)


def test_a_provider_connects_and_edits_are_found(
    practice: Site, sandbox: Sandbox, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = agree(practice, sandbox, monkeypatch, meddle=True)
    assert answer.code == 0, answer
    token = practice.folder / "ash.token"
    assert token.stat().st_mode & 0o077 == 0
    assert token.read_text().strip() not in answer.out
    [grant] = sandbox.tokens.refresh.values()
    assert grant.scopes == {"https://www.googleapis.com/auth/calendar.app.created"}

    practice.mirror([row("4821", "P-1", AT)])
    [calendar] = [one for one in sandbox.state.calendars.values() if not one.primary]
    assert calendar.summary == "Appointments"
    [event] = person.events(calendar.id)
    person.drag(calendar.id, event["id"], timedelta(hours=4))
    practice.sync()
    assert [one["kind"] for one in practice.drifts()] == ["moved"]
    practice.settle()
    [event] = person.events(calendar.id)
    assert event["start"]["dateTime"].startswith("2026-11-24T10:00:00")
    assert practice.check("4821")["4821"]["verdict"] != "cleared"

    doctor = practice.calsync("doctor", "--json").json
    assert [finding["ok"] for finding in doctor["calendars"][0]["findings"]] == [True] * 6
    assert [one["id"] for one in person.events(calendar.id)] == [event["id"]]

    # Consent lost, and given again: the same calendar, the same event, no edit.
    sandbox.tokens.revoke(EMAIL)
    practice.later(minutes=6)
    lost = practice.sync()
    assert lost["calendars"][0]["state"] == "needs-reconnect"
    assert lost["drifts"] == 0
    sandbox.tokens.accounts.add(EMAIL)
    assert agree(practice, sandbox, monkeypatch).code == 0
    again = practice.sync()
    assert again["calendars"][0]["state"] == "active"
    assert again["written"] == 0
    assert [one["id"] for one in person.events(calendar.id)] == [event["id"]]
    assert len([one for one in sandbox.state.calendars.values() if not one.primary]) == 1
    assert len(practice.drifts()) == 1


def test_connect_says_what_is_missing(practice: Site) -> None:
    answer = practice.calsync("connect", "google", "--provider", "P-2")
    assert answer.code != 0
    assert "no provider 'P-2'" in answer.err
    answer = practice.calsync("connect", "google", "--provider", "P-1", "--calendar", "other")
    assert "no google calendar of P-1 'other'" in answer.err
    secret = secret_file(practice.folder)
    answer = practice.calsync("connect", "caldav", "--provider", "P-1", "--password-file", str(secret))
    assert answer.code != 0
    assert "url" in answer.err


def test_a_site_without_a_token_says_which_file(practice: Site) -> None:
    practice.import_rows([row("4821", "P-1", AT)])
    answer = practice.calsync("sync", "--json")
    assert "ash.token" in answer.out + answer.err
    assert (practice.folder / "ash.token").exists() is False
