"""Outlook from the command line: connect, sync, an edit, the doctor, consent lost and given again; an application."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import click
import httpx
import pytest

from calsync.domain.span import wall_time
from calsync.sandbox.graph.people import Person
from calsync.sandbox.graph.server import CLIENT_ID, Sandbox
from tests.servers.graph_subject import HOME, UPN, graph, secret_file
from tests.system.site import NOW, Answer, Site, row

AT = datetime(2026, 11, 24, 10, 0)
OTHER = "birch@practice.example"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with graph() as running:
        running.clock.set(NOW)  # type: ignore[attr-defined]
        yield running


@pytest.fixture
def person(sandbox: Sandbox) -> Person:
    return sandbox.add_person(UPN)


def keys(sandbox: Sandbox, *, secret: bool) -> str:
    """`[connectors.outlook]`."""
    return (
        f'[connectors.outlook]\ngraph_url = "{sandbox.graph_url}"\nauthority = "{sandbox.root}"\n'
        f'tenant = "practice.example"\nclient_id = "{CLIENT_ID}"\nca_file = "{sandbox.ca_file}"\n'
        + ('client_secret_file = "client_secret"\n' if secret else "")
    )


def provider(number: int, upn: str, rest: str) -> str:
    """A provider with one Outlook calendar."""
    return (
        f'[[providers]]\nid = "P-{number}"\nname = "Dr. Made Up"\nemail = "{upn}"\nzone = "{HOME}"\n'
        f'practice = "default"\n[[providers.calendars]]\nid = "cal-{number}"\nconnector = "outlook"\n{rest}\n'
    )


def agree(practice: Site, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Run `connect` and be the browser: go to the address that it prints, and follow where that leads."""
    sandbox.consenting = UPN
    printed: list[str] = []
    real = click.echo

    def echo(text: Any = "", **more: Any) -> None:
        printed.append(str(text))
        real(text, **more)

    def browse() -> None:
        while not (found := [text for text in printed if text.startswith("https")]):
            time.sleep(0.01)
        context = ssl.create_default_context(cafile=str(sandbox.ca_file))
        answer = httpx.get(found[0], verify=context, trust_env=False)
        httpx.get(answer.headers["Location"], trust_env=False)

    monkeypatch.setattr(click, "echo", echo)
    browser = threading.Thread(target=browse)
    browser.start()
    try:
        return practice.calsync("connect", "outlook", "--provider", "P-1", "--browser")
    finally:
        browser.join(10)


def starts(person: Person, calendar: int) -> list[datetime]:
    """Wall-time starts of what a calendar holds."""
    items = [item for item in person.mailbox.items.values() if item.calendar == calendar]
    return [wall_time(item.when.start, HOME) for item in items]


def test_a_provider_connects_and_edits_are_found(
    site: Site, sandbox: Sandbox, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.now = NOW
    site.calendars.append(provider(1, UPN, 'refresh_token_file = "ash.token"\n'))
    site.set_up(more=keys(sandbox, secret=False))
    answer = agree(site, sandbox, monkeypatch)
    assert answer.code == 0, answer
    token = site.folder / "ash.token"
    assert token.stat().st_mode & 0o077 == 0
    first = token.read_text().strip()
    assert first not in answer.out

    site.mirror([row("4821", "P-1", AT)])
    assert token.read_text().strip() != first  # it rotated, and was kept
    assert token.stat().st_mode & 0o077 == 0
    assert [one.name for one in person.mailbox.calendars.values()] == ["Calendar", "Appointments"]
    dedicated = max(person.mailbox.calendars)
    assert starts(person, dedicated) == [AT]
    at_work = Person(sandbox.state, person.mailbox, sandbox.lock, dedicated)
    [event] = at_work.ids()
    at_work.drag(event, timedelta(hours=4))
    site.sync()
    assert [one["kind"] for one in site.drifts()] == ["moved"]
    site.settle()
    assert starts(person, dedicated) == [AT]
    assert site.check("4821")["4821"]["verdict"] != "cleared"

    doctor = site.calsync("doctor", "--json").json
    assert [finding["ok"] for finding in doctor["calendars"][0]["findings"]] == [True] * 6
    assert at_work.ids() == [event]

    sandbox.tokens.revoke(UPN)
    site.later(minutes=6)
    lost = site.sync()
    assert lost["calendars"][0]["state"] == "needs-reconnect"
    assert lost["drifts"] == 0
    assert agree(site, sandbox, monkeypatch).code == 0
    again = site.sync()
    assert again["calendars"][0]["state"] == "active"
    assert again["written"] == 0
    assert at_work.ids() == [event]
    assert len(person.mailbox.calendars) == 2
    assert len(site.drifts()) == 1


def test_an_application_serves_several_mailboxes(site: Site, sandbox: Sandbox, person: Person) -> None:
    other = sandbox.add_person(OTHER)
    site.now = NOW
    secret_file(site.folder)
    site.calendars += [
        provider(1, UPN, f'user = "{UPN}"\nplacement = "existing"\n'),
        provider(2, OTHER, f'user = "{other.mailbox.guid}"\nplacement = "existing"\n'),
    ]
    site.set_up(more=keys(sandbox, secret=True))
    site.mirror([row("4821", "P-1", AT), row("4822", "P-2", AT + timedelta(hours=1))])
    assert starts(person, person.calendar) == [AT]
    assert starts(other, other.calendar) == [AT + timedelta(hours=1)]
    assert sum(1 for form in sandbox.tokens.asked if form["grant_type"] == "client_credentials") == 1

    person.mailbox.in_scope = False  # an access policy of the tenant's
    other.drag(other.ids()[0], timedelta(hours=1))
    found = {one["id"]: one for one in site.sync()["calendars"]}
    assert (found["cal-1"]["state"], found["cal-2"]["state"]) == ("needs-reconnect", "active")
    assert [(one["calendar"], one["kind"]) for one in site.drifts()] == [("cal-2", "moved")]


def test_a_wrong_secret_is_said_and_nothing_is_deleted(site: Site, sandbox: Sandbox, person: Person) -> None:
    site.now = NOW
    secret_file(site.folder)
    site.calendars.append(provider(1, UPN, f'user = "{UPN}"\nplacement = "existing"\n'))
    site.set_up(more=keys(sandbox, secret=True))
    site.mirror([row("4821", "P-1", AT)])
    secret_file(site.folder, "another-made-up-secret")
    site.later(minutes=6)
    result = site.sync()
    assert result["calendars"][0]["state"] == "needs-reconnect"
    assert (result["drifts"], starts(person, person.calendar)) == (0, [AT])
    answer = site.calsync("doctor", "--json")
    assert "7000215" in answer.out
    assert "another-made-up-secret" not in answer.out + answer.err
