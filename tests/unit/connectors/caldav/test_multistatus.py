"""Multistatus as servers write it: properties by their own status, in any order, whatever stands between them."""

from __future__ import annotations

import pytest

from calsync.connector.errors import Malformed
from calsync_caldav.dav_xml import CALDAV, DAV
from calsync_caldav.multistatus import Multistatus, parse_conditions, parse_multistatus

NS = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'


def read(*rows: str) -> Multistatus:
    return parse_multistatus(f'<?xml version="1.0"?><multistatus {NS}>{"".join(rows)}</multistatus>'.encode())


def test_each_part_has_its_own_status() -> None:
    found = '<propstat><prop><getetag>"1"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat>'
    lost = "<propstat><status>HTTP/1.1 404 Not Found</status><prop><C:calendar-data/><getetag/></prop></propstat>"
    one, other = read(f"<response><href>/a</href>{found}{lost}</response>",
                      "<response><status>HTTP/1.1 404 X</status><href>/b</href></response>").responses  # fmt: skip
    assert (one.href, one.status, one.etag) == ("/a", 0, '"1"')
    assert one.refused == {f"{CALDAV}calendar-data": 404, f"{DAV}getetag": 404}
    assert (other.href, other.status, other.props) == ("/b", 404, {})


def test_a_part_without_a_status_was_found() -> None:
    (one,) = read(
        "<response><href> /a </href><propstat><prop><getetag>x</getetag></prop></propstat></response>"
    ).responses
    assert (one.href, one.props) == ("/a", {f"{DAV}getetag": "x"})


def test_what_is_inside_a_property_is_told_by_name() -> None:
    inside = (
        "<resourcetype><collection/><C:calendar/></resourcetype>"
        "<supported-report-set><supported-report><report><sync-collection/></report></supported-report></supported-report-set>"
        '<C:supported-calendar-component-set><C:comp name="vevent"/></C:supported-calendar-component-set>'
        "<C:calendar-home-set> <href> /home/ </href> </C:calendar-home-set>"
    )
    (one,) = read(f"<response><href>/</href><propstat><prop>{inside}</prop></propstat></response>").responses
    assert one.inner[f"{DAV}resourcetype"] == (f"{DAV}collection", f"{CALDAV}calendar")
    assert one.inner[f"{DAV}supported-report-set"] == (f"{DAV}sync-collection",)
    assert one.inner[f"{CALDAV}supported-calendar-component-set"] == ("VEVENT",)
    assert one.inner[f"{CALDAV}calendar-home-set"] == ("/home/",)


def test_remarks_other_elements_and_escapes_change_nothing() -> None:
    etag = "<getetag>&lt;<!-- b -->1<![CDATA[>]]></getetag>"
    row = (
        f"<response><!-- a --><href>/a</href><x><href>/no</href></x><propstat><prop>{etag}</prop></propstat></response>"
    )
    told = read("<?x y?><error><href>/e</href></error>", row, "<sync-token>\n t1 </sync-token>")
    assert [one.href for one in told.responses] == ["/a"]
    assert told.responses[0].props == {f"{DAV}getetag": "<1>"}
    assert told.sync_token == "t1"


def test_a_response_before_it_leaves_nothing_to_the_next() -> None:
    one, other = read("<response><href>/a</href><propstat><prop><getetag>1</getetag></prop></propstat></response>",
                      "<response><propstat><prop/></propstat></response>").responses  # fmt: skip
    assert (one.href, other.href, other.props) == ("/a", "", {})


@pytest.mark.parametrize("body", [b"", b" ", b"<multistatus/>", b"<html/>", b'<multistatus xmlns="DAV:">', b"x"])
def test_what_is_no_multistatus_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse_multistatus(body)


def test_conditions_are_named_and_anything_else_names_none() -> None:
    assert parse_conditions(f"<error {NS}><C:no-uid-conflict/><valid-sync-token/></error>".encode()) == {
        "no-uid-conflict",
        "valid-sync-token",
    }
    for body in (b"", b"<html/>", b"no", b'<error xmlns="DAV:">' + b"<a/>" * 100_000 + b"</error>"):
        assert parse_conditions(body) == frozenset()
