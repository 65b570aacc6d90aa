"""Behind a link a provider connects Google: nothing is written before the plan is agreed to, nothing is left behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from calsync.sandbox.google.people import Person
from calsync.sandbox.google.server import Sandbox
from calsync.store import connections
from tests.servers.google_subject import EMAIL, google
from tests.system.clinic import PUBLIC, Clinic, google_keys
from tests.system.site import NOW, ZONE, Site, at, row

OWN = {
    "summary": "Dentist",
    "start": {"dateTime": "2026-11-20T09:00:00-05:00"},
    "end": {"dateTime": "2026-11-20T10:00:00-05:00"},
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with google() as running:
        running.clock.set(NOW)  # type: ignore[attr-defined]
        running.consenting = EMAIL
        yield running


@pytest.fixture
def person(sandbox: Sandbox) -> Person:
    return Person(sandbox.state, EMAIL, sandbox.lock)


@pytest.fixture
def clinic(site: Site, sandbox: Sandbox) -> Iterator[Clinic]:
    made = Clinic(site, google_keys(sandbox))
    made.site.import_rows(
        [
            row("4821", "P-1", at(8)),
            row("4822", "P-1", at(9)),
            row("5001", "P-1", at(2), series="s-1", rule="FREQ=WEEKLY;COUNT=4"),
        ]
    )
    yield made
    made.close()


def dedicated(sandbox: Sandbox) -> list[str]:
    return [one.id for one in sandbox.state.calendars.values() if not one.primary]


def connect(clinic: Clinic) -> str:
    """Connect P-1 by a link; returns the link's path."""
    path = clinic.link()
    assert clinic.agree(path).status_code == 303
    assert clinic.post(path, do="write").status_code == 303
    assert clinic.site.sync()["calendars"][0]["written"] == 3
    return path


def test_from_the_link_to_the_phone(clinic: Clinic, sandbox: Sandbox, person: Person) -> None:
    path = clinic.link()
    page = clinic.get(path)
    assert "Google Calendar" in page.text
    assert "Outlook" not in page.text  # not in this config
    back = clinic.agree(path)
    assert (back.status_code, back.headers["Location"]) == (303, path)
    [grant] = sandbox.tokens.refresh.values()
    assert grant.scopes == {"https://www.googleapis.com/auth/calendar.app.created"}

    plan = clinic.get(path).text
    assert "<strong>2</strong> single sessions" in plan
    assert "<strong>1</strong> repeating session" in plan
    assert "Nothing has been written yet" in plan
    assert "<li>Wed 18 Nov, 10:00</li>" in plan
    assert dedicated(sandbox) == []
    assert clinic.site.sync()["calendars"] == []

    assert clinic.post(path, do="write").status_code == 303
    assert "We are writing your sessions now" in clinic.get(path).text
    result = clinic.site.sync()
    assert (result["calendars"][0]["id"], result["calendars"][0]["written"]) == ("P-1-google", 3)
    [calendar] = dedicated(sandbox)
    assert len(person.events(calendar)) == 3
    assert "Can you see it on your phone?" in clinic.get(path).text
    no = clinic.post(path, do="not-seen")
    assert "syncselect" in no.text
    yes = clinic.post(path, do="seen")
    assert "All done" in yes.text
    assert clinic.get(path).status_code == 410
    audit = [line for line in clinic.dump() if line.startswith("audit ")]
    for word in ("connect-link-made", "connected", "calendar-not-seen", "calendar-seen"):
        assert any(word in line for line in audit), word

    # From here on it is a calendar like any other.
    event = next(one for one in person.events(calendar) if "recurrence" not in one)
    person.drag(calendar, event["id"], timedelta(hours=4))
    clinic.site.sync()
    assert [one["kind"] for one in clinic.site.drifts()] == ["moved"]
    assert [one["ok"] for one in clinic.site.calsync("doctor", "--json").json["calendars"][0]["findings"]] == [True] * 6


def test_the_token_is_sealed_on_the_books(clinic: Clinic, sandbox: Sandbox) -> None:
    path = clinic.link()
    clinic.agree(path)
    [token] = sandbox.tokens.refresh
    assert token not in "\n".join(clinic.dump())
    clinic.post(path, do="write")
    assert token not in "\n".join(clinic.dump())
    with clinic.database.reading() as conn:
        assert connections.sealed(conn, "google:P-1-google") is not None
    assert token.encode() not in (clinic.site.folder / "calsync.db").read_bytes()


def test_looking_changes_nothing(clinic: Clinic, sandbox: Sandbox) -> None:
    path = clinic.link()

    def look() -> None:
        before, calls = clinic.dump(), len(sandbox.state.calls)
        for query in ("", "?with=google", "?with=outlook", "?with=caldav", "?with=disconnect", "?with=nonsense"):
            assert clinic.get(path + query).status_code == 200
            assert clinic.client.head(path + query).status_code == 200
        assert clinic.dump() == before
        assert len(sandbox.state.calls) == calls

    look()
    clinic.agree(path)
    look()
    clinic.post(path, do="write")
    look()


def test_the_main_calendar_is_an_answer_too(clinic: Clinic, sandbox: Sandbox, person: Person) -> None:
    path = clinic.link()
    clinic.agree(path, placement="existing")
    assert "your main calendar" in clinic.get(path).text
    clinic.post(path, do="write")
    clinic.site.sync()
    assert dedicated(sandbox) == []
    assert len(person.events(EMAIL)) == 3


def test_a_return_counts_once_and_only_in_the_browser_that_left(clinic: Clinic, sandbox: Sandbox) -> None:
    path, other = clinic.link(), clinic.link("P-2")
    asked = clinic.post(path, do="ask", service="google")
    cookie = asked.headers["Set-Cookie"]
    assert cookie.startswith("__Host-calsync-connect=")
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert word in cookie
    code = sandbox.tokens.authorise(EMAIL, {"x"}, "client-1", "c", "r")
    state = asked.headers["Location"].split("state=")[1].split("&")[0]
    good = f"/connect/return/google?state={state}&code={code}"
    before = clinic.dump()
    held = dict(clinic.client.cookies)

    clinic.client.cookies.clear()  # somebody else's browser
    assert clinic.get(good).status_code == 400
    clinic.client.cookies.set("__Host-calsync-connect", other.rpartition("/")[2])  # another provider's link
    assert clinic.get(good).status_code == 400
    clinic.client.cookies.clear()
    clinic.client.cookies.update(held)
    assert clinic.get(good.replace(state, "forged")).status_code == 400
    assert clinic.get(good.replace("return/google", "return/outlook")).status_code == 400
    assert clinic.get("/connect/return/google?state=&code=").status_code == 422
    assert clinic.get(f"/connect/return/google?state={state}&error=access_denied").status_code == 422
    assert clinic.dump() == before

    # A code that Google did not give for this page is no login, and the return is spent.
    assert clinic.get(good).status_code == 422
    assert clinic.get(good).status_code == 400
    assert clinic.site.sync()["calendars"] == []


def test_less_than_is_needed_is_said_kindly(clinic: Clinic, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    path = clinic.link()
    real = sandbox.tokens.answer
    monkeypatch.setattr(
        type(sandbox.tokens),
        "answer",
        lambda _self, form: (200, {**real(form)[1], "scope": "openid"}),  # type: ignore[dict-item]
    )
    back = clinic.agree(path)
    assert back.status_code == 422
    assert "leave every box ticked" in back.text
    assert clinic.post(path, do="write").status_code == 422


@pytest.mark.parametrize("what", ["forged", "altered", "expired", "revoked", "foreign"])
def test_useless_links_get_the_same_answer_and_have_no_effect(clinic: Clinic, what: str) -> None:
    path = clinic.link()
    field = clinic.get(f"{path}?with=google").text.split('name="field" value="')[1].split('"')[0]
    match what:
        case "forged":
            path = "/connect/" + "A" * 43
        case "altered":
            path = path[:-1] + ("A" if path[-1] != "A" else "B")
        case "expired":
            clinic.later(days=15)
        case "revoked":
            with clinic.database.transaction() as conn:
                conn.exec_driver_sql("UPDATE action_links SET revoked_at = 1")
        case "foreign":
            with clinic.database.transaction() as conn:
                conn.exec_driver_sql("UPDATE action_links SET kind = 'answer-edit'")
    before = clinic.dump()
    answers = [clinic.get(path)]
    answers += [
        clinic.client.post(path, data={"do": do, "field": field, "service": "google", "calendar": "P-1-google"})
        for do in ("ask", "write", "seen", "disconnect")
    ]
    assert {one.status_code for one in answers} == {410}
    assert len({one.text for one in answers}) == 1
    assert clinic.dump() == before


def test_a_post_without_the_pages_own_field_does_nothing(clinic: Clinic) -> None:
    path = clinic.link()
    before = clinic.dump()
    for field in ("", "1.aaaa", "nonsense"):
        assert clinic.client.post(path, data={"do": "ask", "service": "google", "field": field}).status_code == 403
    # The field of another link is none of this one's.
    other = clinic.link("P-2")
    taken = clinic.get(f"{other}?with=google").text.split('name="field" value="')[1].split('"')[0]
    assert clinic.client.post(path, data={"do": "ask", "service": "google", "field": taken}).status_code == 403
    assert len(clinic.dump()) == len(before) + 2  # the second link, and its audit row


def test_the_consent_page_is_the_only_other_place_a_form_may_lead_to(clinic: Clinic, sandbox: Sandbox) -> None:
    path = clinic.link()
    policy = clinic.get(f"{path}?with=google").headers["Content-Security-Policy"]
    assert f"form-action 'self' {sandbox.root};" in policy
    assert "form-action 'self';" in clinic.get(path).headers["Content-Security-Policy"]


def test_connecting_again_keeps_the_calendar_and_its_events(clinic: Clinic, sandbox: Sandbox, person: Person) -> None:
    connect(clinic)
    [calendar] = dedicated(sandbox)
    before = {one["id"]: one["etag"] for one in person.events(calendar)}
    sandbox.tokens.revoke(EMAIL)
    clinic.later(minutes=6)
    assert clinic.site.sync()["calendars"][0]["state"] == "needs-reconnect"
    sandbox.tokens.accounts.add(EMAIL)

    path = clinic.link("P-1", "--calendar", "P-1-google")
    page = clinic.get(path).text
    assert "Connect again" in page
    assert "placement" not in page
    clinic.agree(path)
    assert "Ready to connect again" in clinic.get(path).text
    assert clinic.post(path, do="write").status_code == 303
    again = clinic.site.sync()
    assert (again["calendars"][0]["state"], again["written"], again["drifts"]) == ("active", 0, 0)
    assert {one["id"]: one["etag"] for one in person.events(calendar)} == before
    assert dedicated(sandbox) == [calendar]


def test_another_account_is_not_taken_for_the_one_that_was_connected(clinic: Clinic, sandbox: Sandbox) -> None:
    connect(clinic)
    sandbox.add_person("other@practice.example")
    sandbox.consenting = "other@practice.example"
    path = clinic.link("P-1", "--calendar", "P-1-google")
    clinic.agree(path)
    answer = clinic.post(path, do="write")
    assert answer.status_code == 422
    assert "same account as before" in answer.text
    clinic.later(minutes=6)
    assert clinic.site.sync()["calendars"][0]["state"] == "active"  # with the login from before


def test_disconnecting_takes_our_events_out_and_leaves_theirs(clinic: Clinic, sandbox: Sandbox, person: Person) -> None:
    path = clinic.link()
    clinic.agree(path, placement="existing")
    clinic.post(path, do="write")
    clinic.site.sync()
    own = person.add(EMAIL, OWN)
    assert len(person.events(EMAIL)) == 4
    assert "P-1-google" in clinic.get(f"{path}?with=disconnect").text
    assert clinic.post(path, do="disconnect", calendar="P-1-google").status_code == 200
    assert clinic.part() == 1
    assert [one["id"] for one in person.events(EMAIL)] == [own]
    with clinic.database.reading() as conn:
        assert connections.rows(conn) == []
    assert clinic.site.calsync("calendars", "list", "--json").json == []

    # Connected anew, it is the same calendar again, with everything in it.
    path = clinic.link()
    clinic.agree(path, placement="existing")
    clinic.post(path, do="write")
    assert clinic.site.sync()["written"] == 3
    assert len(person.events(EMAIL)) == 4
    assert clinic.site.drifts() == []


def test_nobody_disconnects_what_is_not_theirs(clinic: Clinic, person: Person, sandbox: Sandbox) -> None:
    connect(clinic)
    other = clinic.link("P-2")
    assert clinic.post(other, do="disconnect", calendar="P-1-google").status_code == 410
    assert clinic.part() == 0
    assert len(person.events(dedicated(sandbox)[0])) == 3


def test_support_connects_by_command(clinic: Clinic) -> None:
    answer = clinic.site.calsync("connect", "link", "--provider", "P-9")
    assert (answer.code, "P-9" in answer.err) == (1, True)
    answer = clinic.site.calsync("connect", "link", "--provider", "P-1", "--calendar", "other")
    assert answer.code == 1
    answer = clinic.site.calsync("connect", "link", "--provider", "P-1")
    assert answer.out.startswith(f"{PUBLIC}/connect/")
    token = answer.out.strip().rpartition("/")[2]
    assert token not in "\n".join(clinic.dump())


def test_connections_are_listed_tested_and_let_go(clinic: Clinic, sandbox: Sandbox, person: Person) -> None:
    connect(clinic)
    [row] = clinic.site.calsync("connections", "list", "--json").json
    assert (row["id"], row["source"], row["login"]) == ("google:P-1-google", "database", "kept encrypted")
    shown = clinic.site.calsync("connections", "show", row["id"])
    [token] = sandbox.tokens.refresh
    assert "P-1-google" in shown.out
    assert token not in shown.out
    assert clinic.site.calsync("connections", "check", row["id"]).code == 0
    assert clinic.site.calsync("connections", "show", "google:other").code == 1
    assert clinic.site.calsync("connections", "remove", row["id"]).code == 0
    assert clinic.part() == 1
    assert person.events(dedicated(sandbox)[0]) == []
    assert clinic.site.calsync("connections", "list", "--json").json == []


def test_a_calendar_that_the_practice_connects_is_not_the_providers_to_connect(site: Site, sandbox: Sandbox) -> None:
    site.calendars.append(
        f'[[providers]]\nid = "P-3"\nname = "Dr. Cedar"\nemail = "cedar@practice.example"\nzone = "{ZONE}"\n'
        '[[providers.calendars]]\nid = "cedar"\nconnector = "google"\nsubject = "cedar@practice.example"\n'
    )
    robot = sandbox.tokens.add_service_account("robot@sandbox.example", set(), sandbox.token_uri)
    key = site.folder / "robot.json"
    key.touch(mode=0o600)
    key.write_text(json.dumps(robot), encoding="utf-8")
    keys = f'api_endpoint = "{sandbox.api_endpoint}"\ntoken_uri = "{sandbox.token_uri}"\n'
    clinic = Clinic(site, f'[connectors.google]\n{keys}service_account_file = "robot.json"\n')
    page = clinic.get(clinic.link("P-3", "--calendar", "cedar"))
    assert "set up by your practice" in page.text
    assert "<form" not in page.text
    assert "iCloud" not in page.text
    clinic.close()
