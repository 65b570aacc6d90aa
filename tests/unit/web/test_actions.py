"""Links in mails: looking changes nothing, a post acts once, and whatever is wrong is said in the same words."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from calsync.domain.drift import Phase, Resolution
from calsync.settings.secrets import Key, KeyRing
from calsync.store import action_links, audit, holds, statements
from tests.unit.web.conftest import House


def field_of(page: str) -> str:
    found = re.search(r'name="field" value="([^"]+)"', page)
    assert found
    return found[1]


STANDS = {"do": "stands", "sure": "yes"}
KEEP = {"do": "keep", "reason": "slip"}


def answered(house: House, path: str, said: dict[str, str] = STANDS) -> int:
    page = house.client.get(f"{path}?do={said['do']}")
    field = {"field": field_of(page.text)} if page.status_code == 200 else {}
    return int(house.client.post(path, data=said | field).status_code)


def test_as_booked_settles_the_edit(house: House) -> None:
    edit = house.edit("4821")
    path = house.link(edit)
    page = house.client.get(path)
    assert "Tuesday 24 November, 10:00-10:50" in page.text
    assert "moved to 14:00-14:50" in page.text
    assert "K-1" not in page.text
    form = house.client.get(f"{path}?do=stands").text
    done = house.client.post(path, data=STANDS | {"field": field_of(form)})
    assert done.status_code == 200
    drift = house.drift_of(edit)
    assert drift.resolution is Resolution.ACKNOWLEDGED
    with house.database.reading() as conn:
        (said,) = statements.of_appointments(conn, ["4821"])["4821"]
        assert (said.by, said.says) == ("provider:P-1", "as-booked")
        assert holds.standing(conn) == []
        assert [row.actor for row in audit.rows(conn) if row.what == "drift-answered"] == ["provider:P-1"]


@pytest.mark.parametrize("phase", [Phase.PAST, Phase.STARTED, Phase.CLAIMED])
def test_every_phase_behind_can_be_answered(house: House, phase: Phase) -> None:
    assert answered(house, house.link(house.edit("4821", phase))) == 200


def test_one_that_was_put_back_needs_the_word_alone(house: House) -> None:
    edit = house.edit("4821", Phase.UPCOMING, Resolution.REVERTED)
    assert answered(house, house.link(edit), KEEP) == 200
    assert house.drift_of(edit).resolution is Resolution.ACKNOWLEDGED


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_a_hundred_times_changes_nothing(house: House, method: str) -> None:
    path = house.link(house.edit("4821"))
    ahead = house.link(house.edit("4822", Phase.UPCOMING, Resolution.REVERTED))
    before = house.dump()
    steps = ("stands", "seen", "time", "none", "keep", "move", "cancel", "other")
    for wish in ("", *(f"?do={step}" for step in steps)):
        for _ in range(10):
            assert house.client.request(method, path + wish).status_code in (200, 204)
            assert house.client.request(method, ahead + wish).status_code in (200, 204)
    assert house.dump() == before


def test_a_scanner_that_posts_the_form_as_it_is_changes_nothing(house: House) -> None:
    past = house.link(house.edit("4821"))
    ahead = house.link(house.edit("4822", Phase.UPCOMING, Resolution.REVERTED))
    before = house.dump()
    pages = [(past, step) for step in ("stands", "seen", "time", "none")]
    for path, step in [*pages, *((ahead, step) for step in ("keep", "move", "time", "cancel"))]:
        page = house.client.get(f"{path}?do={step}").text
        assert "checked" not in page
        assert "<script" not in page
        as_it_is = dict(re.findall(r'<input type="(?:hidden|date|time|text)" name="([^"]+)" value="([^"]*)"', page))
        assert house.client.post(path, data=as_it_is).status_code == 422, step
    assert house.dump() == before


@pytest.mark.parametrize("field", ["", "x", "1.2", "99999999999999999999.x", "1795442400.\ud7ff", "١.x"])
def test_a_post_without_the_pages_field_is_403(house: House, field: str) -> None:
    path = house.link(house.edit("4821"))
    before = house.dump()
    assert house.client.post(path, data=STANDS | {"field": field}).status_code == 403
    assert house.dump() == before


def test_the_field_of_another_link_or_of_yesterday_is_none(house: House) -> None:
    one, other = house.link(house.edit("1")), house.link(house.edit("2"))
    field = field_of(house.client.get(f"{other}?do=stands").text)
    assert house.client.post(one, data=STANDS | {"field": field}).status_code == 403
    field = field_of(house.client.get(f"{one}?do=stands").text)
    house.clock.advance(25 * 3600)
    assert house.client.post(one, data=STANDS | {"field": field}).status_code == 403


def test_the_field_survives_a_rotation_of_keys(house: House) -> None:
    path = house.link(house.edit("4821"))
    field = field_of(house.client.get(f"{path}?do=stands").text)
    house.ring = KeyRing((Key("k2", b"2" * 32), *house.ring.keys))
    assert house.client.post(path, data=STANDS | {"field": field}).status_code == 200


class TestUselessLinks:
    def test_all_of_them_say_the_same(self, house: House) -> None:
        used, expired, revoked = (house.link(house.edit(number)) for number in ("1", "2", "3"))
        assert answered(house, used) == 200
        with house.database.transaction() as conn:
            assert action_links.revoke(conn, action_links.hash_of(revoked.removeprefix("/a/")), house.clock.now())
        good = house.link(house.edit("4"))
        altered = good[:-1] + ("A" if good[-1] != "A" else "B")
        kinds = {
            used: 410,
            revoked: 410,
            altered: 404,
            "/a/x": 404,
            "/a/" + "y" * 3000: 404,
            "/a/\u00e4": 404,
        }
        texts = set()
        for path, status in kinds.items():
            for answer in (house.client.get(path), house.client.post(path, data=STANDS | {"field": "1.2"})):
                assert answer.status_code == status, path
                texts.add(answer.text)
        house.clock.advance(31 * 24 * 3600)
        answer = house.client.get(expired)
        assert answer.status_code == 410
        assert texts == {answer.text}

    def test_eight_at_once_act_once(self, house: House) -> None:
        edit = house.edit("4821")
        path = house.link(edit)
        given = STANDS | {"field": field_of(house.client.get(f"{path}?do=stands").text)}
        with ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(lambda _: house.client.post(path, data=given).status_code, range(8)))
        assert sorted(codes) == [200] + [410] * 7
        with house.database.reading() as conn:
            assert len(statements.of_appointments(conn, ["4821"])["4821"]) == 1

    def test_what_support_settled_first_is_gone(self, house: House) -> None:
        edit = house.edit("4821")
        first, second = house.link(edit), house.link(edit)
        assert answered(house, first) == 200
        assert house.client.get(second).status_code == 410
