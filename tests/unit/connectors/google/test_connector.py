"""The connector on the stand-in: log-ins, rights, places, hostile answers, push, busy times, the self-test."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from calsync.connector.errors import AuthRevoked, CalendarError, CursorExpired, Malformed, NotFound, Unavailable
from calsync.connector.protocol import (
    Calendar,
    CalendarPlace,
    OpenRequest,
    Outcome,
    Page,
    Seen,
    Unreadable,
    Write,
)
from calsync.domain.span import Window
from calsync.domain.write import WriteKind
from calsync.errors import UserError
from calsync.sandbox.google.discovery import SCOPE
from calsync.sandbox.google.people import Person
from calsync.sandbox.google.server import Sandbox
from calsync.sandbox.google.weather import Damage, Storm
from calsync.testing.conformance.bench import KnownVersions
from calsync.testing.conformance.samples import single
from calsync_google.access import scopes_for
from calsync_google.connector import CONNECTOR, GoogleConnector
from calsync_google.settings import CalendarSettings, ConnectorSettings
from tests.servers.google_subject import EMAIL, ZONE, Login, google

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with google() as running:
        running.knobs.empty_pages = False
        yield running


@pytest.fixture
def login(sandbox: Sandbox, tmp_path: Path) -> Login:
    return Login(sandbox, tmp_path)


@pytest.fixture
def calendar(login: Login) -> Iterator[Calendar]:
    opened = CONNECTOR.open(login.request("primary"), CalendarPlace("primary"))
    yield opened
    opened.close()


def look(calendar: Calendar, cursor: str | None = None) -> list[Page]:
    return list(calendar.changes(cursor, WINDOW, KnownVersions()))


def event(name: str = "abcde", **more: Any) -> dict[str, Any]:
    moment = {"timeZone": ZONE}
    return {
        "kind": "calendar#event",
        "id": name,
        "etag": '"1"',
        "status": "confirmed",
        "start": {"dateTime": "2026-03-05T10:00:00-05:00", **moment},
        "end": {"dateTime": "2026-03-05T11:00:00-05:00", **moment},
        **more,
    }


class TestPlaces:
    def test_a_dedicated_calendar_is_made_with_the_least_right(self, login: Login, sandbox: Sandbox) -> None:
        request = login.request(None, searches=False)
        place = CONNECTOR.locate(request)
        assert place.made
        assert sandbox.state.calendars[place.remote].summary == "Appointments"
        assert {scope for grant in sandbox.tokens.access.values() for scope in grant.scopes} == {
            f"{SCOPE}calendar.app.created"
        }
        again = CONNECTOR.locate(replace(request, remote=place.remote))
        assert again == CalendarPlace(place.remote)
        opened = CONNECTOR.open(request, place)
        assert look(opened)[-1].cursor
        opened.close()

    def test_one_that_was_deleted_is_not_made_again(self, login: Login, sandbox: Sandbox) -> None:
        request = login.request(None, searches=False)
        place = CONNECTOR.locate(request)
        del sandbox.state.calendars[place.remote]
        with pytest.raises(NotFound):
            CONNECTOR.locate(replace(request, remote=place.remote))

    def test_a_named_calendar_must_be_there_and_writable(self, login: Login, sandbox: Sandbox) -> None:
        assert CONNECTOR.locate(login.request("primary")) == CalendarPlace("primary")
        with pytest.raises(UserError, match="no calendar"):
            CONNECTOR.locate(login.request("nobody@group.calendar.google.com"))
        sandbox.add_person("kim@practice.example")
        shared = sandbox.state.calendars["kim@practice.example"]
        sandbox.state.set_role(shared, EMAIL, "reader")
        with pytest.raises(UserError, match="reader"):
            CONNECTOR.locate(login.request("kim@practice.example"))

    def test_the_rights_are_the_least_for_each_placement(self) -> None:
        plain, searching = ConnectorSettings(), ConnectorSettings(search_other_calendars=True)
        assert scopes_for(plain, CalendarSettings(), dedicated=True) == [f"{SCOPE}calendar.app.created"]
        assert scopes_for(plain, CalendarSettings(), dedicated=False) == [f"{SCOPE}calendar.events.owned"]
        assert scopes_for(plain, CalendarSettings(shared=True), dedicated=False) == [f"{SCOPE}calendar.events"]
        assert len(scopes_for(searching, CalendarSettings(), dedicated=False)) == 2


class TestLoggingIn:
    def test_a_service_account_acts_for_a_person(self, sandbox: Sandbox, tmp_path: Path) -> None:
        scopes = {f"{SCOPE}calendar.events.owned"}
        key = sandbox.tokens.add_service_account("robot@sandbox.example", scopes, "https://elsewhere.example/token")
        path = tmp_path / "key.json"
        path.write_text(json.dumps(key), encoding="utf-8")
        settings = ConnectorSettings(
            api_endpoint=sandbox.api_endpoint, token_uri=sandbox.token_uri, service_account_file=path
        )
        calendar = self._open(settings, CalendarSettings(calendar_id="primary", subject=EMAIL))
        look(calendar)
        assert sandbox.state.calls[-1].account == EMAIL
        assert "quotaUser" in sandbox.state.calls[-1].query
        calendar.close()
        stranger = self._open(settings, CalendarSettings(calendar_id="primary", subject="nobody@practice.example"))
        with pytest.raises(AuthRevoked):
            look(stranger)
        stranger.close()
        too_much = self._open(settings, CalendarSettings(calendar_id="primary", subject=EMAIL, shared=True))
        with pytest.raises(AuthRevoked):
            look(too_much)
        too_much.close()

    def test_a_config_without_a_way_to_log_in_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="nothing to log in with"):
            self._open(ConnectorSettings(), CalendarSettings())
        path = tmp_path / "key.json"
        path.write_text("{}", encoding="utf-8")
        with pytest.raises(UserError, match="no person to act for"):
            self._open(ConnectorSettings(service_account_file=path), CalendarSettings())
        with pytest.raises(UserError, match="not the key file"):
            self._open(ConnectorSettings(service_account_file=path), CalendarSettings(subject=EMAIL))

    def test_expired_tokens_are_refreshed(self, calendar: Calendar, sandbox: Sandbox) -> None:
        look(calendar)
        sandbox.clock.advance(timedelta(hours=2))  # type: ignore[attr-defined]
        look(calendar)
        assert sandbox.tokens.asked == 2

    @pytest.mark.parametrize(
        ("trouble", "error"),
        [
            ((400, {"error": "invalid_grant"}), AuthRevoked),
            ((401, {"error": "deleted_client"}), AuthRevoked),
            ((401, {"error": "unauthorized_client"}), AuthRevoked),
            ((400, b"<html>"), Unavailable),
            ((404, b"nothing here"), Unavailable),
        ],
    )
    def test_trouble_with_tokens(
        self, calendar: Calendar, sandbox: Sandbox, trouble: tuple[int, object], error: type[CalendarError]
    ) -> None:
        sandbox.tokens.trouble = trouble
        with pytest.raises(error):
            look(calendar)

    @staticmethod
    def _open(settings: ConnectorSettings, calendar: CalendarSettings) -> Calendar:
        request = OpenRequest(
            calendar_id="cal-1",
            connector_settings=settings,
            calendar_settings=calendar,
            placement="existing",
            zone=ZONE,
            secret=lambda: "none",
        )
        return CONNECTOR.open(request, CalendarPlace("primary"))

    @pytest.mark.parametrize(
        "keys",
        [
            {"api_endpoint": "http://www.googleapis.com/calendar/v3/"},
            {"token_uri": "ftp://oauth2.googleapis.com/token"},
            {"token_uri": "https://user@oauth2.googleapis.com/token"},
            {"client_id": "c"},
            {"client_id": "c", "client_secret_file": "f", "service_account_file": "g"},
            {"timeout": "0s"},
            {"timeout": "5 minutes"},
            {"nonsense": 1},
        ],
    )
    def test_settings_that_cannot_be_meant(self, keys: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            ConnectorSettings(**keys)


def page(*items: object, **more: object) -> bytes:
    return json.dumps({"items": items, "nextSyncToken": "t", **more}).encode()


class TestHostileAnswers:
    @pytest.mark.parametrize(
        "body",
        [
            b'{"items": [], "nextSyncToken": NaN}',
            b'{"items": [], "x": 1e999, "nextSyncToken": "t"}',
            b'{"items": [], "x": ' + b"9" * 5000 + b', "nextSyncToken": "t"}',
            b"[" * 100_000,
            b'{"items": [], "items": [], "nextSyncToken": "t"}',
            page(nextPageToken="p"),
            b'{"items": []}',
            page("no object"),
            b'{"items": {}, "nextSyncToken": "t"}',
            b'{"error": {"code": 200}, "items": [], "nextSyncToken": "t"}',
            b"[]",
            b"",
            b"x" * (17 * 1024 * 1024),
            page("x" * (17 * 1024 * 1024)),
        ],
        ids=range(14),
    )
    def test_the_whole_answer_is_refused(self, calendar: Calendar, sandbox: Sandbox, body: bytes) -> None:
        sandbox.weather.add(Storm("events.list", Damage.REPLACE, body=body))
        with pytest.raises(Malformed):
            look(calendar)

    def test_pages_that_never_end_are_refused(self, calendar: Calendar, sandbox: Sandbox) -> None:
        body = b'{"items": [], "nextPageToken": "again"}'
        sandbox.weather.add(Storm("events.list", Damage.REPLACE, body=body, times=None))
        with pytest.raises(Malformed):
            look(calendar)

    def test_a_single_bad_event_does_not_stop_the_page(self, calendar: Calendar, sandbox: Sandbox) -> None:
        rows = [
            event("good1"),
            event("bad11", start={"date": "2026-03-05", "dateTime": "2026-03-05T10:00:00Z"}),
            event("bad22", end=None),
            event("x" * 10_000),
            event("a/../b"),
            event("good2", summary="\ud800\0"),
        ]
        sandbox.weather.add(Storm("events.list", Damage.REPLACE, body=page(*rows)))
        [told] = look(calendar)
        assert [item.remote_id for item in told.items if isinstance(item, Seen)] == ["good1", "good2"]
        assert sum(isinstance(item, Unreadable) for item in told.items) == 4

    def test_a_deleted_event_without_times_is_a_tombstone(self, calendar: Calendar, sandbox: Sandbox) -> None:
        cursor = look(calendar)[-1].cursor
        sandbox.weather.add(Storm("events.list", Damage.REPLACE, body=page({"id": "abcde", "status": "cancelled"})))
        [told] = look(calendar, cursor)
        assert [type(item).__name__ for item in told.items] == ["Gone"]

    def test_a_cursor_of_another_calendar_is_no_cursor(self, calendar: Calendar, login: Login) -> None:
        cursor = look(calendar)[-1].cursor
        other = CONNECTOR.open(login.request("primary"), CalendarPlace("elsewhere"))
        for text in (cursor, "nonsense", "{}"):
            with pytest.raises(CursorExpired):
                look(other, text)
        other.close()

    def test_the_token_never_leaves_for_another_host(self, calendar: Calendar, sandbox: Sandbox) -> None:
        sandbox.weather.add(Storm("events.list", Damage.REPLACE, body=page(nextLink="https://evil.example/")))
        look(calendar)
        assert all(call.method == "events.list" for call in sandbox.state.calls)


class TestWire:
    def test_a_connection_that_was_closed_meanwhile_costs_no_failure(
        self, calendar: Calendar, sandbox: Sandbox
    ) -> None:
        look(calendar)
        server = sandbox._server
        assert server is not None
        for handler in list(server.open):
            handler.connection.shutdown(socket.SHUT_RDWR)
        before = calendar.requests_made  # type: ignore[attr-defined]
        look(calendar)
        assert calendar.requests_made - before == 1  # type: ignore[attr-defined]

    def test_many_accounts_share_connections(self, login: Login) -> None:
        connector = GoogleConnector()
        opened = [connector.open(login.request("primary"), CalendarPlace("primary")) for _ in range(5)]
        for calendar in opened:
            look(calendar)
        assert len(connector._pool.idle) == 1
        for calendar in opened:
            calendar.close()
            calendar.close()
        assert len(connector._pool.idle) == 0


class TestLag:
    def test_an_old_state_in_a_list_is_no_news_after_our_own_write(self, calendar: Calendar, sandbox: Sandbox) -> None:
        person = Person(sandbox.state, EMAIL, sandbox.lock)
        [made] = calendar.write([Write("1", WriteKind.CREATE, "abcde", single(), "m.1")])
        cursor = look(calendar)[-1].cursor
        sandbox.knobs.lag = 5
        person.drag("primary", "abcde", timedelta(hours=1))
        sandbox.state.requests += 5
        [reading] = calendar.read(["abcde"])
        assert isinstance(reading, Seen)
        again = Write("2", WriteKind.UPDATE, "abcde", single(), "m.1", reading.version)
        assert [result.outcome for result in calendar.write([again])] == [Outcome.WRITTEN]
        told = [item for page in look(calendar, cursor) for item in page.items]
        assert [item.event.master.span for item in told if isinstance(item, Seen)] == [single().master.span]
        assert made.version != reading.version


class TestAbilities:
    def test_busy_times_are_spans_and_nothing_else(self, calendar: Calendar, sandbox: Sandbox) -> None:
        person = sandbox.add_person(EMAIL)
        moment = {"timeZone": ZONE}
        body = {
            "id": "abcde",
            "summary": "Dentist",
            "start": {"dateTime": "2026-03-05T10:00:00", **moment},
            "end": {"dateTime": "2026-03-05T11:00:00", **moment},
            "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"],
        }
        person.seed("primary", [body, {**body, "id": "free1", "transparency": "transparent"}])
        spans = list(calendar.busy(WINDOW))
        assert sorted(span.start for span in spans) == [datetime(2026, 3, day, 10) for day in (5, 12, 19)]

    def test_a_channel_is_opened_and_ended(self, calendar: Calendar, sandbox: Sandbox) -> None:
        sandbox.hold_pushes = True
        watch = calendar.watch("https://calsync.example/hooks/google", "secret", timedelta(days=30))
        assert watch is not None
        assert watch.expires_at == sandbox.clock.now() + timedelta(days=7)
        assert [headers["X-Goog-Channel-Token"] for _, headers in sandbox.pending] == ["secret"]
        calendar.unwatch(watch)
        calendar.unwatch(watch)
        assert sandbox.channels.channels[watch.id].stopped

    def test_the_self_test_names_the_step_that_fails(self, calendar: Calendar, sandbox: Sandbox) -> None:
        assert [finding.what for finding in calendar.check()] == [
            "reach the calendar",
            "create an event",
            "read it back",
            "refuse a stale write",
            "follow changes",
            "remove it",
        ]
        sandbox.state.set_role(sandbox.state.calendars[EMAIL], EMAIL, "reader")
        findings = list(calendar.check())
        assert [finding.what for finding in findings if not finding.ok] == ["create an event"]
        assert "right to make changes" in findings[-1].remedy
        sandbox.tokens.revoke(EMAIL)
        [only] = calendar.check()
        assert "connect google" in only.remedy
