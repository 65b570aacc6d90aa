"""What people are asked to allow: events, and nothing of their mail, their contacts or their directory."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from calsync.connector.consent import Consent
from calsync.connector.protocol import OpenRequest
from calsync_google.consenting import consent_url as google_url
from calsync_google.settings import CalendarSettings as GoogleCalendar
from calsync_google.settings import ConnectorSettings as GoogleSettings
from calsync_outlook.consenting import consent_url as outlook_url
from calsync_outlook.settings import ConnectorSettings as OutlookSettings

CONSENT = Consent("https://calsync.example.org/connect/return/x", "a-state", "a-verifier-" + "v" * 40)
GOOGLE = "https://www.googleapis.com/auth/"


def query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query, keep_blank_values=True)


def asked_of_google(placement: str, *, search: bool = False, **more: object) -> dict[str, list[str]]:
    settings = GoogleSettings(client_id="c", client_secret_file=Path("x"), search_other_calendars=search)
    calendar = GoogleCalendar.model_validate(more)
    request = OpenRequest(
        calendar_id="k", connector_settings=settings, calendar_settings=calendar, placement=placement, zone="UTC",
        secret=lambda: "", keep_secret=None,
    )  # fmt: skip
    return query(google_url(request, settings, calendar, CONSENT, "ada@example.org"))


@pytest.mark.parametrize(
    ("placement", "more", "scopes"),
    [
        ("dedicated", {}, {"calendar.app.created"}),
        ("existing", {"calendar_id": "primary"}, {"calendar.events.owned"}),
        ("existing", {"calendar_id": "team", "shared": True}, {"calendar.events"}),
        ("existing", {"calendar_id": "primary", "search": True},
         {"calendar.events.owned", "calendar.calendarlist.readonly"}),
    ],
)  # fmt: skip
def test_google_is_asked_for_events_alone(placement: str, more: dict[str, object], scopes: set[str]) -> None:
    asked = asked_of_google(placement, **more)  # type: ignore[arg-type]
    assert set(asked["scope"][0].split()) == {GOOGLE + name for name in scopes}
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["state"] == ["a-state"]
    assert "a-verifier" not in str(asked)


def test_microsoft_is_asked_for_calendars_alone() -> None:
    asked = query(outlook_url(OutlookSettings(client_id="c"), CONSENT, "ada@example.org"))
    assert set(asked["scope"][0].split()) == {"https://graph.microsoft.com/Calendars.ReadWrite", "offline_access"}
    assert asked["code_challenge_method"] == ["S256"]
    assert "a-verifier" not in str(asked)


@pytest.mark.parametrize(
    "word", ["Mail", "Contacts", "Directory", "User.Read", "Files", "gmail", "drive", 'auth/calendar"']
)
def test_no_right_beyond_that_stands_anywhere_in_the_connectors(word: str) -> None:
    for path in (Path(__file__).parents[2] / "connectors").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert f'"{word}.' not in text, path
        assert f"/auth/{word}" not in text, path
