"""Names of clients in calendars: what the practice says holds for the events that stand, too."""

from __future__ import annotations

import re

from tests.system.hands import Hands
from tests.system.site import Site, at, row


def titles(hands: Hands) -> list[str]:
    return sorted(re.findall(r"^SUMMARY:(.*)$", "\n".join(hands.events().values()), flags=re.MULTILINE))


def test_a_stricter_rule_reaches_the_events_that_stand(practice: Site, hands: Hands) -> None:
    practice.set_up()
    rules = practice.folder / "practices" / "default.toml"
    rules.parent.mkdir()
    rules.write_text('[privacy]\ntitle = "full-name"\n', encoding="utf-8")
    people = practice.folder / "clients.csv"
    people.write_text("id,name,email,zone\nk-1,Zelda Quist,zelda@example.org,UTC\n", encoding="utf-8")
    assert practice.calsync("clients", "import", str(people)).code == 0
    series = row("S", "P-1", at(1, 15), series="s", rule="FREQ=WEEKLY;COUNT=3", client="k-1")
    practice.mirror([row("1", "P-1", at(1)), row("2", "P-1", at(-2), client="k-1"), series])
    hands.find()
    assert titles(hands) == ["Session Zelda Quist"] * 3
    rules.write_text('[privacy]\ntitle = "id"\n', encoding="utf-8")
    changed = practice.sync()
    assert (changed["written"], changed["drifts"]) == (3, 0)
    assert titles(hands) == ["Session 1", "Session 2", "Session s"]
    again = practice.sync()
    assert (again["written"], again["calendars"][0]["requests"]) == (0, 1)
