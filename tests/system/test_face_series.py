"""Series from the outside: what stands on the books as time goes on, and edits of other programs' making."""

from __future__ import annotations

import re

from tests.system.hands import Hands
from tests.system.site import Site, at, row


def test_sessions_of_an_endless_series_stay_ahead_of_what_is_mirrored(practice: Site, hands: Hands) -> None:
    practice.set_up()
    practice.mirror([row("1", "P-1", at(1, 9), series="s", rule="FREQ=WEEKLY")])
    hands.find()
    practice.later(days=60)
    practice.sync()
    starts = [one["start"] for one in practice.calsync("appointments", "list", "--json").json]
    assert max(starts) == "2028-02-15T09:00:00"
    # Ten minutes on, the window reaches one more session; what is dragged there is an edit of a session on the books.
    practice.now = at(64, 13, 55).replace(tzinfo=practice.now.tzinfo) if practice.now else None
    hands.rewrite(hands.names()[0], (r"^DTSTART[^\n]*T090000", "DTSTART;TZID=America/New_York:20261117T120000"))
    hands.rewrite(hands.names()[0], (r"^DTEND[^\n]*T095000", "DTEND;TZID=America/New_York:20261117T125000"))
    practice.sync()
    found = practice.drifts()
    assert len(found) > 50
    assert not [d for d in found if d["appointment"] is None]


def test_one_occurrence_moved_as_other_programs_write_it(practice: Site, hands: Hands) -> None:
    practice.set_up()
    practice.mirror([row("1", "P-1", at(1, 9), series="s", rule="FREQ=WEEKLY;COUNT=6")])
    name = hands.find().names()[0]
    for original, day in ((":20261124T140000Z", "20261124"), (";VALUE=DATE:20261201", "20261201")):
        text = hands.get(name)
        uid = re.findall(r"^UID:.*$", text, flags=re.MULTILINE)[0]
        moved = (
            f"BEGIN:VEVENT\n{uid}\nRECURRENCE-ID{original}\nDTSTART;TZID=America/New_York:{day}T110000\n"
            f"DTEND;TZID=America/New_York:{day}T115000\nDTSTAMP:20261116T000000Z\nSUMMARY:Session s\nEND:VEVENT\n"
        )
        hands.put(name, text.replace("END:VCALENDAR", f"{moved}END:VCALENDAR"))
        practice.sync()
        assert [(d["kind"], d["observed_start"][:16]) for d in practice.drifts("--open")] == [
            ("moved", f"{day[:4]}-{day[4:6]}-{day[6:]}T11:00")
        ]
        assert practice.settle()["written"] == 1
        assert "RECURRENCE-ID" not in hands.get(name)


def test_one_occurrence_deleted_as_other_programs_write_it(practice: Site, hands: Hands) -> None:
    practice.set_up()
    practice.mirror([row("1", "P-1", at(1, 9), series="s", rule="FREQ=WEEKLY;COUNT=6")])
    name = hands.find().names()[0]
    for line, day in (("EXDATE;VALUE=DATE:20261208", "2026-12-08"), ("EXDATE:20261215T140000Z", "2026-12-15")):
        hands.rewrite(name, (r"^RRULE", f"{line}\nRRULE"))
        practice.sync()
        assert [(d["kind"], d["expected_start"][:10]) for d in practice.drifts("--open")] == [("deleted", day)]
        assert practice.settle()["written"] == 1
        assert "EXDATE" not in hands.get(name)
