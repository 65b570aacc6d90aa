"""Who sees and does what, cell by cell: the table here is written anew, so that a changed cell shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from calsync.store import filings, support_notes
from calsync.store.filings import Filing
from calsync.store.support_notes import SupportNote
from calsync.store.tokens import Role
from calsync.support.roles import PEOPLE, Action, Field, may_do, may_see
from tests.unit.web.support.office import Office, Person

SEES = {
    Field.PROVIDER_NAME: "support billing admin",
    Field.PROVIDER_ADDRESS: "support admin",
    Field.CLIENT_ID: "support billing admin",
    Field.CLIENT_NAME: "support admin",
    Field.SESSION_TIMES: "support billing admin",
    Field.SESSION_CODE: "billing admin",
    Field.PAYER: "billing admin",
    Field.EDITS: "support billing admin",
    Field.READINGS: "support billing admin",
    Field.WRITES: "support admin",
    Field.MAILS: "support billing admin",
    Field.NOTES: "support billing admin",
    Field.CLAIM: "support billing admin",
    Field.CANDIDATE_DATES: "billing admin",
    Field.FILINGS: "billing admin",
    Field.CALENDAR_ERRORS: "support admin",
    Field.REPORT: "support billing admin",
}
DOES = {
    Action.SETTLE: "support billing admin",
    Action.TRIAGE: "support billing admin",
    Action.ASK: "support billing admin",
    Action.NOTE: "support billing admin",
    Action.SEARCH_CLIENTS: "support admin",
    Action.WORK_CALENDARS: "support admin",
    Action.ANSWER_STOPS: "support admin",
    Action.RELEASE_FLEET: "admin",
}
SHOWN = {
    Field.PROVIDER_NAME: "Dr. Made Up",
    Field.PROVIDER_ADDRESS: "p1@example.org",
    Field.CLIENT_ID: "K-1",
    Field.CLIENT_NAME: "Jo Made-Up",
    Field.SESSION_TIMES: "Thu 19 Nov 2026, 15:00-15:50",
    Field.SESSION_CODE: "90834",
    Field.PAYER: "<dd>insurance</dd>",
    Field.EDITS: "In calendar work it was moved to Fri 20 Nov",
    Field.READINGS: "Calendar work was read, after it ended",
    Field.WRITES: "In calendar work its event was put back",
    Field.MAILS: "A mail to the provider about it",
    Field.NOTES: "she will call back",
    Field.CLAIM: "claim held",
    Field.CANDIDATE_DATES: "Thu 19 Nov 2026 or Fri 20 Nov 2026",
    Field.FILINGS: "Its claim was filed with date",
}
"""What stands on the session's page for each field, and nowhere else on it."""


def test_the_tables_are_as_they_were_decided() -> None:
    assert {field: " ".join(role for role in PEOPLE if may_see(role, field)) for field in Field} == SEES
    assert {action: " ".join(role for role in PEOPLE if may_do(role, action)) for action in Action} == DOES


def test_a_program_is_no_person() -> None:
    assert not [one for one in Field if may_see(Role.PLATFORM, one)]
    assert not [one for one in Action if may_do(Role.PLATFORM, one)]


@pytest.fixture
def full(office: Office) -> Office:
    """A session of which every field has something to show."""
    office.drag("4790", "2026-11-19T15:00", "2026-11-20T15:00")
    office.name_client("Jo Made-Up")
    now = office.house.clock.now()
    with office.house.database.transaction() as conn:
        support_notes.insert(conn, SupportNote("n-1", "4790", now, "support:x", "call", "she will call back"))
        day = (now - timedelta(days=4)).date()
        filed = Filing("f-1", "4790", day, "90834", "1", None, None, None, None, now, "support:b")
        filings.insert(conn, replace(filed, state="corrected", ended_at=now))
        at = int((now - timedelta(hours=1)).timestamp() * 1_000_000)
        columns = "id, calendar, link, kind, remote_id, cause, reverts, state, attempts"
        fixed = "'w-1', 'work', 'L-4790', 'update', 'r-4790', 'restore', '[null]', 'done', 1"
        conn.exec_driver_sql(
            f"INSERT INTO owed_writes ({columns}, not_before, created_at, settled_at)"
            f" VALUES ({fixed}, {at}, {at}, {at})"
        )
    return office


@pytest.mark.parametrize("role", PEOPLE)
def test_a_page_shows_what_the_role_covers(full: Office, role: Role) -> None:
    text = full.enter("ann", role).page("/support/appointments/4790")
    shown = {field for field, mark in SHOWN.items() if mark in text}
    saved = full.enter("ben", role).get("/support/appointments/4790/proof").status_code == 200
    assert saved == ("/appointments/4790/proof" in text) == (role.value in SEES[Field.FILINGS].split())
    assert shown == {field for field in SHOWN if role.value in SEES[field].split()}


@pytest.mark.parametrize("role", PEOPLE)
def test_errors_of_calendars_and_the_report_are_shown_by_role(full: Office, role: Role) -> None:
    with full.house.database.transaction() as conn:
        conn.exec_driver_sql("UPDATE calendars SET state = 'unreachable', last_error = 'malformed'")
    ann = full.enter("ann", role)
    for path in ("/support/calendars", "/support/calendars/work"):
        assert ("cannot be understood" in ann.page(path)) == (role.value in SEES[Field.CALENDAR_ERRORS].split())
    assert "Edits made in calendars" in ann.page("/support/report")


@pytest.mark.parametrize("role", PEOPLE)
def test_a_page_does_what_the_role_covers(full: Office, role: Role) -> None:
    ann = full.enter("ann", role)
    tried = {
        Action.TRIAGE: ("/support/edits/edit-4790/triage", {"what": "take"}),
        Action.ASK: ("/support/edits/edit-4790/ask", {}),
        Action.NOTE: ("/support/appointments/4790/note", {"how": "note", "text": "seen"}),
        Action.WORK_CALENDARS: ("/support/calendars/work/work", {"what": "pause"}),
        Action.ANSWER_STOPS: ("/support/calendars/work/stop", {"as": "edits", "note": "x"}),
        Action.RELEASE_FLEET: ("/support/fleet", {"what": "stop", "note": "x"}),
        Action.SETTLE: ("/support/edits/edit-4790/settle", {"answer": "stands"}),
    }
    mark = ann.mark()
    done = {action: ann.post(path, mark=mark, **told).status_code != 403 for action, (path, told) in tried.items()}
    done[Action.SEARCH_CLIENTS] = ann.get("/support/clients/K-1").status_code != 403
    assert done == {action: role.value in DOES[action].split() for action in Action}
    assert _offers_clients(ann) == done[Action.SEARCH_CLIENTS]


def _offers_clients(ann: Person) -> bool:
    return "/support/clients/K-1" in ann.search("Jo Made-Up").text
