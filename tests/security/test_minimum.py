"""The minimum necessary, cell by cell: what each role of a program is ever told, over every address that can be read.

The table stands in docs/security.md and is read from there, so that the page cannot say less than the interface tells.
The pages of people have a table of their own, tested likewise in `tests/unit/web/support/test_roles.py`.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest

from calsync.store import recalls
from calsync.store.recalls import RecallRow
from calsync.store.tokens import Role
from calsync.support.roles import PEOPLE, Field, may_see
from tests.unit.web.conftest import House, house  # noqa: F401 - a fixture
from tests.unit.web.support.conftest import office  # noqa: F401 - a fixture
from tests.unit.web.support.office import Office
from tests.unit.web.support.test_roles import full  # noqa: F401 - a fixture
from tests.unit.web.test_api_v1 import API, LISTS

PAGE: Final = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
SHOWN: Final = {
    "client's id": "K-1",
    "client's name": "Jo Made-Up",
    "client's address": "k1@example.org",
    "provider's name": "Dr. Made Up",
    "provider's address": "p1@example.org",
    "times of a session": "2026-11-19T15:00",
    "code of a session": "90834",
    "payer": '"insurance"',
    "edits": "drift-4790",
    "possible days of a claim": "2026-11-20",
    "what was sent and taken back": "recall-4790",
    "what support noted": "she will call back",
    "why something was changed": "her mother is ill",
    "the title of what somebody wrote into an event": "<script>",
}
"""What a field shows in the office of these tests, and nothing else does."""


def table(heading: str) -> dict[str, set[str]]:
    """A table of the page: each line, and the columns that say yes."""
    lines = PAGE.partition(heading)[2].strip().splitlines()
    names = [cell.strip() for cell in lines[0].strip("| ").split("|")][1:]
    found = {}
    for line in lines[2:]:
        if not line.startswith("|"):
            break
        first, *cells = [cell.strip() for cell in line.strip("| ").split("|")]
        found[first] = {name for name, cell in zip(names, cells, strict=True) if cell == "yes"}
    return found


def told(office: Office, role: Role) -> str:  # noqa: F811
    """Everything that a token of the role can read."""
    headers = office.house.token(role.value)
    edited = [path.replace("4821", "4790") for path in LISTS]
    more = ["/drifts/drift-4790", "/slots?provider=P-1&minutes=50"]
    answers = [office.house.client.get(API + path, headers=headers) for path in [*edited, *more]]
    assert {answer.status_code for answer in answers} <= {200, 403, 404}
    assert sum(answer.status_code == 200 for answer in answers) > 8
    return "\n".join(answer.text for answer in answers if answer.status_code == 200)


@pytest.mark.parametrize("role", list(Role))
def test_a_program_is_told_what_the_page_says_and_nothing_else(full: Office, role: Role) -> None:  # noqa: F811
    with full.house.database.transaction() as conn:
        conn.exec_driver_sql("UPDATE record_history SET reason = 'her mother is ill' WHERE subject = '4790'")
        days = (date(2026, 11, 19), date(2026, 11, 18), "90834", "90834")
        facts: dict[str, Any] = {"facts": [], "items": []}
        now = full.house.clock.now()
        recalls.put(conn, RecallRow("recall-4790", "k", "4790", "c-1", None, "stop", *days, (), facts, 1, now, None))
    text = told(full, role)
    seen = {field for field, mark in SHOWN.items() if mark in text}
    said = table("What a program is told, by the role of its token:")
    assert said.keys() == SHOWN.keys()
    assert seen == {field for field, roles in said.items() if role.value in roles}


def test_the_pages_table_is_the_one_in_force() -> None:
    said = table("What a person is shown at `/support`, by role:")
    assert said == {field.value: {role.value for role in PEOPLE if may_see(role, field)} for field in Field}
