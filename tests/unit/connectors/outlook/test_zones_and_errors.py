"""Zone names both ways, refusals to errors, and JSON that nobody should send."""

from __future__ import annotations

import pytest

from calsync.connector.errors import (
    AuthRevoked,
    CalendarError,
    Forbidden,
    Malformed,
    NotFound,
    Throttled,
    Unavailable,
)
from calsync_outlook.errors import Refused, code_of, token_error
from calsync_outlook.zones import iana_of, same_zone, windows_of


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Eastern Standard Time", "America/New_York"),
        ("eastern standard time", "America/New_York"),
        ("Romance Standard Time", "Europe/Paris"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("UTC", "Etc/UTC"),
        ("tzone://Microsoft/Utc", "Etc/UTC"),
        ("America/New_York", "America/New_York"),
        ("tzone://Microsoft/Custom", None),
        ("Eastern Standard Time 1", None),
        ("Mars Standard Time", None),
        ("Europe", None),
        ("../etc/passwd", None),
        ("x" * 5000, None),
        ("", None),
        (None, None),
    ],
)
def test_a_name_is_known_or_said_not_to_be(name: str | None, zone: str | None) -> None:
    assert iana_of(name) == zone


def test_windows_names_of_zones() -> None:
    assert windows_of("America/Detroit") == "Eastern Standard Time"
    assert windows_of("Etc/UTC") == "UTC"
    assert windows_of("Antarctica/Troll") is None


@pytest.mark.parametrize(
    ("ours", "told", "same"),
    [
        ("America/Detroit", "Eastern Standard Time", True),
        ("America/Detroit", "America/New_York", True),
        ("America/Detroit", "Central Standard Time", False),
        ("America/Detroit", "tzone://Microsoft/Custom", False),
        ("America/Detroit", None, False),
    ],
)
def test_our_zone_is_recognised_behind_its_windows_name(ours: str, told: str | None, same: bool) -> None:
    assert same_zone(ours, told) is same


CODES: list[tuple[int, str, float | None, type[CalendarError]]] = [
    (400, "errorinvalididmalformed", None, Malformed),
    (400, "unabletodeserializepostbody", None, Malformed),
    (400, "errorpropertyvalidationfailure", None, Malformed),
    (400, "timezonenotsupportedexception", None, Malformed),
    (400, "erroroccurrencecrossingboundary", None, Malformed),
    (400, "errorinvalidproperty", None, Malformed),
    (400, "validationerror", None, Malformed),
    (409, "errorduplicatetransactionid", None, Malformed),
    (409, "errorfolderexists", None, Malformed),
    (412, "errorirresolvableconflict", None, Malformed),
    (502, "errorserverbusy", None, Unavailable),
    (503, "errormailboxstoreunavailable", None, Unavailable),
    (500, "errorinternalservertransienterror", None, Unavailable),
    (401, "invalidauthenticationtoken", None, AuthRevoked),
    (403, "erroraccessdenied", None, Forbidden),
    (403, "authorization_requestdenied", None, Forbidden),
    (404, "erroritemnotfound", None, NotFound),
    (404, "mailboxnotenabledforrestapi", None, Unavailable),
    (404, "resourcenotfound", None, Unavailable),
    (404, "errornonexistentmailbox", None, Unavailable),
    (429, "applicationthrottled", 7.0, Throttled),
    (429, "", None, Throttled),
    (503, "serviceunavailable", 3.0, Throttled),
    (503, "unknownerror", None, Unavailable),
    (504, "unknownerror", None, Unavailable),
    (500, "errorinternalservererror", None, Unavailable),
    (507, "errorquotaexceeded", None, Unavailable),
    (418, "", None, Malformed),
]


@pytest.mark.parametrize(("status", "code", "wait", "kind"), CODES)
def test_refusals_become_errors(status: int, code: str, wait: float | None, kind: type[CalendarError]) -> None:
    error = Refused("GET", status, code, wait).error()
    assert type(error) is kind
    if isinstance(error, Throttled):
        assert error.retry_after == wait


@pytest.mark.parametrize(
    ("status", "code", "lost"),
    [
        (410, "", True),
        (410, "syncstatenotfound", True),
        (400, "errorinvalidsyncstatedata", True),
        (404, "resyncrequired", True),
        (404, "erroritemnotfound", False),
        (400, "badrequest", False),
        (500, "syncstatenotfound", False),
    ],
)
def test_lost_sync_states_in_all_their_forms(status: int, code: str, lost: bool) -> None:
    assert Refused("GET", status, code).is_lost_sync is lost


def test_the_deepest_code_counts() -> None:
    inner = {"code": "ErrorItemNotFound", "innererror": {"code": "odd words, not a code"}}
    assert code_of({"error": {"code": "generalException", "innerError": inner}}) == "erroritemnotfound"
    assert code_of({"error": "text"}) == ""
    assert code_of([]) == ""


@pytest.mark.parametrize(
    ("error", "number", "kind"),
    [
        ("invalid_grant", 700082, AuthRevoked),
        ("invalid_grant", 50057, AuthRevoked),
        ("interaction_required", 50076, AuthRevoked),
        ("invalid_client", 7000222, AuthRevoked),
        ("unauthorized_client", 700016, AuthRevoked),
        ("invalid_request", 50196, Throttled),
        ("temporarily_unavailable", 90033, Unavailable),
        ("something_new", 1, Unavailable),
    ],
)
def test_token_refusals(error: str, number: int, kind: type[CalendarError]) -> None:
    found = token_error({"error": error, "error_codes": [number], "error_description": "names a person"})
    assert type(found) is kind
    assert str(number) in str(found)
    assert "person" not in str(found)
