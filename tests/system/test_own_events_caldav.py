"""What a person makes of events in a calendar of ours stays theirs, byte for byte, on a real Radicale (I3)."""

from __future__ import annotations

import pytest

from tests.system.hands import Hands
from tests.system.site import Site, at, row

HERS = (
    (r"^SUMMARY.*", "SUMMARY:Choir"),
    (r"^DTSTART[^\n]*", "DTSTART:20261118T190000Z"),
    (r"^DTEND[^\n]*", "DTEND:20261118T200000Z"),
)
FILLED = (
    *HERS,
    (
        r"^END:VEVENT",
        "DESCRIPTION:Bring the scores\nATTENDEE:mailto:alto@choir.example\nATTACH:https://choir.example/scores\nEND:VEVENT",
    ),
)


@pytest.fixture
def office(practice: Site, hands: Hands) -> Site:
    """Three sessions to come, on the 17th, 18th and 19th."""
    practice.set_up()
    practice.mirror([row(str(n), "P-1", at(n)) for n in range(1, 4)])
    hands.find()
    return practice


def passes(office: Site, count: int = 3) -> None:
    for _ in range(count):
        office.sync()
        office.later(minutes=3)


def owed(office: Site) -> int:
    return sum(row["owed"] for row in office.sync()["calendars"])


def cancelled(office: Site) -> None:
    assert office.import_rows([row("1", "P-1", at(1), status="cancelled")]).code == 0


def told(office: Site) -> list[tuple[str, str, str]]:
    return [(one["kind"], one["disposition"], one["resolution"]) for one in office.drifts()]


@pytest.mark.parametrize("seen_before", [False, True], ids=["unseen", "seen"])
def test_a_cancelled_session_leaves_what_its_person_made_of_its_event(
    office: Site, hands: Hands, seen_before: bool
) -> None:
    name = hands.name_of("DTSTART;TZID=America/New_York:20261117T1000")
    hands.rewrite(name, *FILLED)
    before = hands.get(name)
    if seen_before:
        office.sync()
    cancelled(office)
    passes(office)
    assert hands.get(name) == before
    assert told(office) == [("moved", "flag", "open")]
    assert len(hands.names()) == 3


def test_what_was_cancelled_and_only_dragged_goes(office: Site, hands: Hands) -> None:
    name = hands.name_of("DTSTART;TZID=America/New_York:20261117T1000")
    hands.rewrite(name, *HERS[1:])
    cancelled(office)
    passes(office)
    assert name not in hands.names()
    assert told(office) == [("moved", "revert", "superseded")]


DENTIST = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Made Up//EN
BEGIN:VEVENT
UID:dentist@her-phone
DTSTAMP:20261116T100000Z
DTSTART:20261120T090000Z
DTEND:20261120T093000Z
SUMMARY:Dentist
END:VEVENT
END:VCALENDAR
"""


@pytest.mark.parametrize("cancels", [False, True], ids=["booked", "cancelled"])
def test_an_event_of_hers_under_a_name_of_ours_is_hers(office: Site, hands: Hands, cancels: bool) -> None:
    name = hands.name_of("DTSTART;TZID=America/New_York:20261117T1000")
    hands.delete(name)
    hands.put(name, DENTIST)
    hers = hands.get(name)
    if cancels:
        cancelled(office)
    passes(office, 4)
    assert hands.get(name) == hers
    assert told(office) == [("deleted", "revert", "reverted")] * (not cancels)
    assert sorted(hands.starts()) == ["20261117T100000"] * (not cancels) + [
        "20261118T100000",
        "20261119T100000",
        "20261120T090000Z",
    ]
    # Neither what she does with it later, nor the end of the session in our books, concerns it.
    hands.rewrite(name, (r"^SUMMARY.*", "SUMMARY:Dentist again"))
    hers = hands.get(name)
    cancelled(office)
    passes(office)
    assert hands.get(name) == hers
    assert len(hands.names()) == 3


def test_an_event_that_another_of_the_same_uid_keeps_out_stays_owed_and_comes_once_that_is_gone(
    office: Site, hands: Hands
) -> None:
    name = hands.name_of("DTSTART;TZID=America/New_York:20261117T1000")
    hers = hands.get(name).replace("SUMMARY:Session 1", "SUMMARY:Mine")
    hers = "\n".join(line for line in hers.split("\n") if not line.startswith("X-CALSYNC"))
    hands.delete(name)
    hands.put("carried.ics", hers)
    before = hands.get("carried.ics")
    passes(office)
    for _ in range(3):
        assert owed(office) == 1
        office.later(minutes=70)
    assert hands.get("carried.ics") == before
    assert told(office) == [("deleted", "revert", "open")]
    hands.delete("carried.ics")
    office.sync()
    office.later(minutes=70)
    passes(office)
    assert owed(office) == 0
    assert name in hands.names()
    assert told(office) == [("deleted", "revert", "reverted")]
