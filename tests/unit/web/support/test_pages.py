"""Every page, with something in it."""

from __future__ import annotations

import pytest

from calsync.store import support_notes
from calsync.store.support_notes import SupportNote
from calsync.store.tokens import Role
from tests.unit.web.support.office import EVIL, Office

PAGES = (
    "/support",
    "/support/queue",
    "/support/queue?view=all",
    "/support/edits/edit-4821",
    "/support/appointments/4790",
    "/support/calendars",
    "/support/calendars/work",
    "/support/fleet",
    "/support/search",
    "/support/providers/P-1",
    "/support/report",
)


@pytest.fixture
def busy(office: Office) -> Office:
    office.drag("4821", "2026-11-24T10:00", "2026-11-24T14:00")
    office.drag("4790", "2026-11-19T15:00", "2026-11-20T15:00")
    office.name_client()
    office.stop()
    return office


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.BILLING, Role.ADMIN])
def test_they_are_shown_and_nothing_in_them_runs(busy: Office, role: Role) -> None:
    ann = busy.enter("ann", role)
    with busy.house.database.transaction() as conn:
        support_notes.insert(conn, SupportNote("n-1", "4790", busy.house.clock.now(), "support:x", "call", EVIL))
    for path in PAGES:
        text = ann.page(path)
        assert "<script" not in text, path
        assert " style=" not in text, path
        assert EVIL not in text, path
    if role is not Role.BILLING:
        assert "&lt;script&gt;" in ann.page("/support/clients/K-1")
    assert "&lt;script&gt;" in ann.page("/support/appointments/4790")


def test_what_is_not_there_is_said_so(office: Office) -> None:
    ann = office.enter("ann")
    for path in (
        "edits/x",
        "appointments/x",
        "calendars/x",
        "providers/x",
        "clients/x",
        "report?provider=x",
        "nowhere",
    ):
        answer = ann.get(f"/support/{path}")
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")
    assert "Nothing is called" in ann.search("<script>").text


@pytest.mark.parametrize("kind", ["html", "csv", "txt", "json"])
def test_the_report_is_saved_as_a_file(busy: Office, kind: str) -> None:
    with busy.house.database.transaction() as conn:
        conn.exec_driver_sql("UPDATE drifts SET provider = '=cmd()' WHERE appointment = '4790'")
    answer = busy.enter("ann").get(f"/support/report.{kind}?since=2026-11-01&until=2026-11-30")
    assert answer.status_code == 200
    assert f'filename="calsync-2026-11-01-to-2026-11-30.{kind}"' in answer.headers["content-disposition"]
    assert "<script" not in answer.text
    if kind == "csv":
        assert "\n=" not in answer.text
        assert ",=" not in answer.text


def test_a_search_for_one_thing_leads_to_it(busy: Office) -> None:
    ann = busy.enter("ann")
    for text, path in (
        ("4790", "appointments/4790"),
        ("edit-4790", "edits/edit-4790"),
        ("drift-4790", "edits/edit-4790"),
        ("work", "calendars/work"),
    ):
        assert ann.search(text).headers["location"] == f"/support/{path}"
    assert "/support/providers/P-1" in ann.search("made up").text
    assert "/support/clients/K-1" in ann.search("alert(1)").text


def test_the_brakes_are_shown_while_they_hold(office: Office) -> None:
    amy = office.enter("amy", Role.ADMIN)
    assert amy.post("/support/fleet", what="stop", note="a zone bug").status_code == 303
    text = amy.page("/support/fleet")
    assert "a zone bug" in text
    assert "All writes to calendars are stopped" in amy.page("/support")
