"""Hooks: a known channel makes its calendar due once; a stray one changes nothing and is counted."""

from __future__ import annotations

from typing import Any

import pytest

from calsync.store import calendars
from tests.unit.web.conftest import House


def generation(house: House) -> tuple[int, int]:
    with house.database.reading() as conn:
        row = calendars.get(conn, "work")
    assert row is not None
    return row.generation, row.priority


def google(house: House, channel: str, secret: str) -> int:
    headers = {"X-Goog-Channel-ID": channel, "X-Goog-Channel-Token": secret}
    return int(house.client.post("/hooks/google", headers=headers).status_code)


def graph(house: House, *notes: Any) -> int:
    return int(house.client.post("/hooks/graph", json={"value": list(notes)}).status_code)


def note(channel: str = "known", state: str = "right") -> dict[str, str]:
    return {"subscriptionId": channel, "clientState": state, "changeType": "updated"}


def test_a_known_channel_makes_its_calendar_due(house: House) -> None:
    before = generation(house)
    assert google(house, "known", "right") == 204
    assert generation(house) != before
    assert house.site.tallies.hooks["google", "taken"] == 1


@pytest.mark.parametrize(
    ("channel", "secret"), [("", ""), ("other", "right"), ("known", "wrong"), ("x" * 300, "right")]
)
def test_a_stray_one_is_404_for_google_and_202_for_graph_and_changes_nothing(
    house: House, channel: str, secret: str
) -> None:
    before = house.dump()
    assert google(house, channel, secret) == 404
    assert graph(house, note(channel, secret)) == 202
    assert house.dump() == before
    assert house.site.tallies.hooks["google", "stray"] == 1
    assert house.site.tallies.hooks["graph", "stray"] == 1


def test_a_thousand_repeats_in_one_message_are_one(house: House) -> None:
    before = generation(house)[0]
    assert graph(house, *[note()] * 1000) == 202
    assert generation(house)[0] == before + 1
    assert house.targets.asked == 1


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'{"value": 5}', b'{"value": [5, null, {}]}', b"[" * 200_000, b"\xff"]
)
def test_unreadable_messages_are_202_and_change_nothing(house: House, body: bytes) -> None:
    before = house.dump()
    assert house.client.post("/hooks/graph", content=body).status_code == 202
    assert house.dump() == before


def test_the_question_whether_we_are_there_is_answered_as_inert_text(house: House) -> None:
    answer = house.client.post("/hooks/graph?validationToken=Validation%3A+Request-Id%3A+1")
    assert (answer.status_code, answer.text) == (200, "Validation: Request-Id: 1")
    answer = house.client.post("/hooks/graph?validationToken=%3Cscript%3Ealert(1)%3C/script%3E")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "<script" not in answer.text
