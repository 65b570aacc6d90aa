"""Every page, with something in it."""

from __future__ import annotations

import pytest

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
    "/support/search?q=P-1",
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
@pytest.mark.parametrize("path", PAGES)
def test_it_is_shown_and_nothing_in_it_runs(busy: Office, role: Role, path: str) -> None:
    text = busy.enter("ann", role).page(path)
    assert "<script" not in text
    assert " style=" not in text
    assert EVIL not in text


def test_the_brakes_are_shown_while_they_hold(office: Office) -> None:
    amy = office.enter("amy", Role.ADMIN)
    assert amy.post("/support/fleet", what="stop", note="a zone bug").status_code == 303
    text = amy.page("/support/fleet")
    assert "a zone bug" in text
    assert "All writes to calendars are stopped" in amy.page("/support")
