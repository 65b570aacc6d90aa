"""The small pure parts: settings, errors, hrefs, cursors, the guard's list."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from calsync.connector.errors import (
    AuthRevoked,
    CalendarError,
    CursorExpired,
    Forbidden,
    Malformed,
    NotFound,
    Throttled,
    Unavailable,
)
from calsync_caldav.cursors import Cursor, cursor_of
from calsync_caldav.errors import error_for
from calsync_caldav.guard import AddressRefused, Guard, is_private, networks, origin_of
from calsync_caldav.hrefs import href_of, member_of
from calsync_caldav.quirks import accepted_silently, ignores_preconditions, strong_form, token_refused
from calsync_caldav.settings import CalendarSettings, ConnectorSettings
from calsync_caldav.writing import named

HERE = "https://cal.example.org/dav/user1/work/"


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (401, {}, AuthRevoked),
        (403, {}, Forbidden),
        (404, {}, NotFound),
        (410, {}, NotFound),
        (429, {}, Throttled),
        (503, {"retry-after": "7"}, Throttled),
        (503, {}, Unavailable),
        (500, {}, Unavailable),
        (408, {}, Unavailable),
        (423, {}, Unavailable),
        (507, {}, Unavailable),
        (301, {}, Malformed),
        (302, {}, Malformed),
        (200, {}, Malformed),
        (418, {}, Malformed),
    ],
)
def test_statuses_become_our_errors(status: int, headers: dict[str, str], expected: type[CalendarError]) -> None:
    assert type(error_for("REPORT", status, headers)) is expected


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("/dav/user1/work/a.ics", "a.ics"),
        ("https://cal.example.org/dav/user1/work/a.ics", "a.ics"),
        ("https://CAL.example.org:443/dav/user1/work/a.ics", "a.ics"),
        ("/dav/user1/work/a%40b.ics", "a@b.ics"),
        ("/dav/user1/work/a@b.ics", "a@b.ics"),
        ("/dav/user%31/work/a%20b.ics", "a b.ics"),
        ("/dav/user1/work/", ""),
        ("/dav/user1/work", ""),
        ("https://evil.example.org/dav/user1/work/a.ics", None),
        ("//evil.example.org/dav/user1/work/a.ics", None),
        ("http://cal.example.org/dav/user1/work/a.ics", None),
        ("/dav/user1/work/../work/a.ics", None),
        ("/dav/user1/work/%2e%2e/a.ics", None),
        ("/dav/user1/work/b/a.ics", None),
        ("/dav/user1/work/b%2fa.ics", None),
        ("/dav/user2/work/a.ics", None),
        ("/dav/user1/work/a%00.ics", None),
        ("/dav/user1/work/" + "a" * 5000, None),
        ("", None),
        ("http://[", None),
        ("javascript:alert(1)", None),
    ],
)
def test_hrefs_are_compared_decoded_and_stay_in_the_collection(href: str, expected: str | None) -> None:
    assert member_of(HERE, href) == expected


@pytest.mark.parametrize("remote_id", ["a.ics", "a@b.ics", "ü b.ics", "100%.ics", "a;b,c.ics", "?#.ics"])
def test_a_remote_id_survives_its_href(remote_id: str) -> None:
    assert member_of(HERE, href_of(HERE, remote_id)) == remote_id


def test_the_name_under_which_an_id_is_created_is_the_same_each_time() -> None:
    assert named("0123") == "0123.ics"
    assert named(named("0123")) == "0123.ics"


def test_icloud_answers_from_partitions() -> None:
    base = "https://p07-caldav.icloud.com/123/calendars/work/"
    assert member_of(base, "https://caldav.icloud.com/123/calendars/work/a.ics") == "a.ics"
    assert member_of(base, "https://caldav.icloud.com.evil.org/123/calendars/work/a.ics") is None


def test_a_cursor_comes_back() -> None:
    cursor = Cursor("sync", 'data:,1-"x"')
    assert cursor_of(cursor.text(HERE), HERE) == cursor


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{}", '{"v":1}', Cursor("sync", "x").text("https://cal.example.org/other/"), "x" * 9]
)
def test_a_cursor_of_another_form_or_place_is_expired(text: str) -> None:
    with pytest.raises(CursorExpired):
        cursor_of(text, HERE)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "::1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "fc00::1", "fd12::1"),
        *("169.254.169.254", "fe80::1", "fe80::1%eth0", "100.64.0.1", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe"),
        *("2002:7f00:1::", "::127.0.0.1", "fec0::1", "224.0.0.1", "192.88.99.1", "255.255.255.255", "198.18.0.1"),
    ],
)
def test_addresses_that_no_public_server_has(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize("address", ["17.248.1.1", "93.184.216.34", "2606:2800:220:1::1", "172.32.0.1"])
def test_public_addresses(address: str) -> None:
    assert not is_private(address)


def guard(*addresses: str, **more: object) -> Guard:
    return Guard(resolve=lambda host, port: list(addresses), **more)  # type: ignore[arg-type]


def test_one_private_address_among_public_ones_is_refused() -> None:
    with pytest.raises(AddressRefused, match="private address"):
        guard("17.1.1.1", "10.0.0.1").addresses("cal.example.org", 443)


def test_a_host_of_the_config_may_be_private_at_its_port_only() -> None:
    trusting = guard("10.0.0.1", trusted=frozenset({("cal.example.org", 8080)}))
    assert trusting.addresses("CAL.example.org", 8080) == ["10.0.0.1"]
    with pytest.raises(AddressRefused):
        trusting.addresses("cal.example.org", 443)


def test_listed_networks_are_allowed() -> None:
    assert guard("10.0.0.1", allowed=networks(["10.0.0.0/24"])).addresses("x", 25) == ["10.0.0.1"]


@pytest.mark.parametrize("port", [22, 25, 6379, 11211])
def test_ports_of_other_services_are_refused(port: int) -> None:
    with pytest.raises(AddressRefused, match="port"):
        guard("17.1.1.1").addresses("cal.example.org", port)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "①②⑦.0.0.1", "localhost"])
def test_odd_ways_to_write_loopback_are_refused(host: str) -> None:
    with pytest.raises((AddressRefused, OSError)):
        Guard().addresses(host, 443)


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "gopher://x/", "ftp://x/", "https://good@evil/", "https://good\\@evil/", "https://"),
        *("https://a\nb/", "https://a\0b/", "https://a b/", "https://x:99999/", "https://u:p@x/", "x", ""),
    ],
)
def test_urls_that_are_refused_unsent(url: str) -> None:
    with pytest.raises(AddressRefused):
        origin_of(url)
    with pytest.raises(ValidationError):
        CalendarSettings(url=url, username="u")


def test_connector_settings() -> None:
    settings = ConnectorSettings.model_validate({"timeout": "5m", "allow_networks": ["10.0.0.0/8", "fd00::/8"]})
    assert settings.timeout == timedelta(minutes=5)
    assert ConnectorSettings().timeout == timedelta(seconds=30)


@pytest.mark.parametrize(
    "data",
    [
        {"timeout": "5 minutes"},
        {"timeout": "0s"},
        {"timeout": "-1s"},
        {"timeout": "2h"},
        {"allow_networks": ["10.0.0.1/8"]},
        {"allow_networks": ["all"]},
        {"verify": True},
    ],
)
def test_connector_settings_that_are_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ConnectorSettings.model_validate(data)


def test_quirks() -> None:
    assert strong_form('W/"a"') == '"a"' == strong_form('"a"')
    assert ignores_preconditions("https://x/SOGo/dav/u/Calendar/personal/", {})
    assert not ignores_preconditions(HERE, {"server": "Radicale"})
    assert token_refused(403, {"valid-sync-token"})
    assert not token_refused(403, set())
    assert accepted_silently(10, 9)
    assert not accepted_silently(10, 8)
    assert not accepted_silently(0, 0)
