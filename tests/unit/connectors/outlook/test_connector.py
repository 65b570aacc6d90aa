"""The connector on the stand-in: places, busy time, the self-test, odd answers, subscriptions, consent."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import ValidationError

from calsync.connector.consent import Consent, Consenting
from calsync.connector.errors import CalendarError, CursorExpired, Malformed, NotFound, Throttled, Unavailable
from calsync.connector.protocol import Calendar, CalendarPlace, Outcome, Seen, Unreadable, Watch, Write
from calsync.domain.span import Window
from calsync.domain.write import WriteKind
from calsync.errors import UserError
from calsync.sandbox.graph.ids import calendar_id
from calsync.sandbox.graph.people import Person
from calsync.sandbox.graph.server import Sandbox
from calsync.sandbox.graph.weather import Damage, Storm
from calsync.testing import edits
from calsync.testing.conformance.bench import KnownVersions
from calsync.testing.conformance.samples import series, single
from calsync_outlook.connector import CONNECTOR
from calsync_outlook.gate import Gate
from calsync_outlook.settings import CalendarSettings, ConnectorSettings
from tests.servers.graph_subject import UPN, Login, graph

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
HOUR = timedelta(hours=1)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with graph() as running:
        yield running


@pytest.fixture
def person(sandbox: Sandbox) -> Person:
    return sandbox.add_person(UPN)


@pytest.fixture
def login(sandbox: Sandbox, tmp_path: Path) -> Login:
    return Login(sandbox, tmp_path)


@pytest.fixture
def calendar(login: Login, person: Person) -> Iterator[Calendar]:
    opened = CONNECTOR.open(login.request(), CalendarPlace(calendar_id(person.calendar, immutable=True)))
    yield opened
    opened.close()


def creation(name: str = "one") -> Write:
    return Write(f"key-{name}", WriteKind.CREATE, name, single(name), "marker")


def created(calendar: Calendar, write: Write | None = None) -> str:
    [result] = calendar.write([write or creation()])
    assert result.outcome is Outcome.WRITTEN
    return result.remote_id


class TestPlaces:
    def test_without_an_id_the_default_calendar_is_used(self, login: Login, person: Person) -> None:
        place = CONNECTOR.locate(login.request())
        assert place == CalendarPlace(calendar_id(person.calendar, immutable=True))

    def test_an_unknown_id_names_those_that_are_there(self, login: Login, person: Person) -> None:
        nowhere = calendar_id(999, immutable=True)
        with pytest.raises(UserError, match="Calendar"):
            CONNECTOR.locate(login.request(calendar=nowhere))

    @pytest.mark.parametrize("moves", [False, True])
    def test_a_dedicated_calendar_is_made_once_and_named_for_people(
        self, sandbox: Sandbox, login: Login, person: Person, moves: bool
    ) -> None:
        sandbox.knobs.calendar_id_changes_after_create = moves
        place = CONNECTOR.locate(login.request(placement="dedicated"))
        assert place.made
        names = [one.name for one in person.mailbox.calendars.values()]
        assert names == ["Calendar", "Appointments"]
        opened = CONNECTOR.open(login.request(placement="dedicated"), place)
        created(opened)
        opened.close()
        assert CONNECTOR.locate(login.request(placement="dedicated", remote=place.remote)).remote == place.remote

    def test_a_lost_answer_leaves_one_calendar(self, sandbox: Sandbox, login: Login, person: Person) -> None:
        sandbox.weather.damage("calendars.create", Damage.DROP_AFTER)
        request = login.request(placement="dedicated")
        with pytest.raises(Unavailable):
            CONNECTOR.locate(request)
        assert CONNECTOR.locate(request).made
        assert len(person.mailbox.calendars) == 2

    def test_a_persons_own_calendar_of_that_name_is_left_alone(
        self, sandbox: Sandbox, login: Login, person: Person
    ) -> None:
        own = sandbox.state.add_calendar(person.mailbox, "Appointments")
        place = CONNECTOR.locate(login.request(placement="dedicated"))
        assert place.remote != calendar_id(own.number, immutable=True)

    def test_one_that_was_deleted_is_not_made_again(self, sandbox: Sandbox, login: Login, person: Person) -> None:
        request = login.request(placement="dedicated")
        place = CONNECTOR.locate(request)
        number = max(person.mailbox.calendars)
        sandbox.state.drop_calendar(person.mailbox, number)
        with pytest.raises(NotFound):
            CONNECTOR.locate(login.request(placement="dedicated", remote=place.remote))


class TestSettings:
    @pytest.mark.parametrize(
        "values",
        [
            {"graph_url": "http://graph.example"}, {"graph_url": "https://user@graph.example"},
            {"authority": "ftp://x"}, {"tenant": "a/b"}, {"timeout": "0s"}, {"timeout": "1 minute"},
            {"client_secret_file": "a", "certificate_file": "b", "client_id": "c"},
            {"client_secret_file": "a"}, {"nonsense": 1},
        ],
    )  # fmt: skip
    def test_bad_keys_are_refused(self, values: dict[str, object]) -> None:
        with pytest.raises(ValidationError):
            ConnectorSettings.model_validate(values)

    def test_an_application_cannot_log_in_without_its_tenant(self, login: Login, person: Person) -> None:
        request = login.request()
        common = request.connector_settings.model_copy(update={"tenant": "common"})
        with pytest.raises(UserError, match="cannot log in"):
            CONNECTOR.locate(login.request(connector_settings=common))

    def test_a_mailbox_must_be_named(self, login: Login) -> None:
        with pytest.raises(UserError, match="names no mailbox"):
            CONNECTOR.locate(login.request(calendar_settings=CalendarSettings()))


class TestWrites:
    def test_a_conflict_that_the_service_made_itself_is_tried_once_more(
        self, sandbox: Sandbox, calendar: Calendar
    ) -> None:
        remote = created(calendar)
        [seen] = calendar.read([remote])
        assert isinstance(seen, Seen)
        sandbox.weather.refuse("events.update", 412, "ErrorIrresolvableConflict")
        update = Write("u", WriteKind.UPDATE, remote, edits.dragged(single("one"), HOUR), "marker", seen.version)
        [result] = calendar.write([update])
        assert result.outcome is Outcome.WRITTEN

    def test_a_lost_create_is_repeated_into_the_same_event_by_another_process(
        self, sandbox: Sandbox, login: Login, person: Person, calendar: Calendar
    ) -> None:
        sandbox.weather.damage("events.create", Damage.DROP_AFTER)
        with pytest.raises(Unavailable):
            list(calendar.write([creation()]))
        [remote] = person.ids()
        other = CONNECTOR.open(login.request(), CalendarPlace(calendar_id(person.calendar, immutable=True)))
        sandbox.clock.advance(600)  # type: ignore[attr-defined]
        [again] = other.write([creation()])
        assert (again.outcome, again.remote_id) == (Outcome.WRITTEN, remote)
        assert person.ids() == [remote]
        other.close()

    def test_one_that_a_person_dragged_meanwhile_is_a_conflict(
        self, sandbox: Sandbox, login: Login, person: Person, calendar: Calendar
    ) -> None:
        sandbox.weather.damage("events.create", Damage.DROP_AFTER)
        with pytest.raises(Unavailable):
            list(calendar.write([creation()]))
        person.retitle(person.ids()[0], "Mine")
        sandbox.clock.advance(600)  # type: ignore[attr-defined]
        other = CONNECTOR.open(login.request(), CalendarPlace(calendar_id(person.calendar, immutable=True)))
        [again] = other.write([creation()])
        assert (again.outcome, again.remote_id) == (Outcome.CONFLICT, person.ids()[0])
        other.close()

    def test_a_forbidden_day_is_said_and_the_event_stands(self, sandbox: Sandbox, calendar: Calendar) -> None:
        remote = created(calendar, Write("s", WriteKind.CREATE, "s", series(), "marker"))
        [seen] = calendar.read([remote])
        assert isinstance(seen, Seen)
        slot = datetime(2026, 3, 5, 15, tzinfo=UTC)
        wanted = edits.dragged(series(), timedelta(days=8), slot)
        [result] = calendar.write([Write("u", WriteKind.UPDATE, remote, wanted, "marker", seen.version)])
        assert (result.outcome, result.reason) == (Outcome.REJECTED, "crossing-boundary")

    def test_a_removed_occurrence_that_cannot_return_is_said(self, sandbox: Sandbox, calendar: Calendar) -> None:
        sandbox.knobs.rebuild_returns_deleted = False
        remote = created(calendar, Write("s", WriteKind.CREATE, "s", series(), "marker"))
        person = Person(sandbox.state, next(iter(sandbox.state.mailboxes.values())), sandbox.lock, 2)
        person.delete_occurrence(remote, datetime(2026, 3, 5).date())
        [seen] = calendar.read([remote])
        assert isinstance(seen, Seen)
        [result] = calendar.write([Write("u", WriteKind.UPDATE, remote, series(), "marker", seen.version)])
        assert (result.outcome, result.reason) == (Outcome.REJECTED, "occurrence-cannot-return")


ODD = {
    "error-with-200": (b'{"error":{"code":"x","message":""}}', Malformed),
    "no-json": (b"nonsense", Malformed),
    "nan": (b'{"value":[],"x":NaN}', Malformed),
    "deep": (b"[" * 100_000, Malformed),
    "rows-no-list": (b'{"value":{},"@odata.deltaLink":"x"}', Malformed),
    "link-no-text": (b'{"value":[],"@odata.deltaLink":7}', Malformed),
    "huge": (b'{"value":"' + b"x" * (17 << 20) + b'"}', Malformed),
}


class TestOddAnswers:
    @pytest.mark.parametrize("case", ODD)
    def test_an_answer_that_cannot_be_trusted_fails_the_pass(
        self, sandbox: Sandbox, calendar: Calendar, case: str
    ) -> None:
        body, kind = ODD[case]
        sandbox.weather.damage("delta", Damage.REPLACE, body=body)
        with pytest.raises(kind):
            list(calendar.changes(None, WINDOW, KnownVersions()))

    def test_a_round_that_leads_in_a_circle_ends(self, sandbox: Sandbox, calendar: Calendar) -> None:
        link = f"{sandbox.graph_url}/users/{UPN}/calendars/x/calendarView/delta?$skiptoken=1"
        body = f'{{"value":[],"@odata.nextLink":"{link}"}}'.encode()
        sandbox.weather.damage("delta", Damage.REPLACE, times=None, body=body)
        with pytest.raises(Malformed):
            list(calendar.changes(None, WINDOW, KnownVersions()))

    @pytest.mark.parametrize("link", ["@odata.nextLink", "@odata.deltaLink"])
    def test_a_token_never_goes_to_another_host(self, sandbox: Sandbox, calendar: Calendar, link: str) -> None:
        body = json.dumps({"value": [], link: "https://evil.example/v1.0/x"}).encode()
        sandbox.weather.damage("delta", Damage.REPLACE, body=body)
        with pytest.raises(Malformed, match="another host"):
            list(calendar.changes(None, WINDOW, KnownVersions()))

    @pytest.mark.parametrize(
        "cursor", ["", "{}", "[]", '{"v":1}', '{"v":1,"at":"other","link":"x","of":[],"series":[]}']
    )
    def test_a_cursor_of_another_kind_has_expired(self, calendar: Calendar, cursor: str) -> None:
        with pytest.raises(CursorExpired):
            list(calendar.changes(cursor, WINDOW, KnownVersions()))

    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [(429, "ApplicationThrottled", Throttled), (503, "UnknownError", Unavailable), (401, "x", CalendarError)],
    )
    def test_a_part_of_a_batch_that_speaks_for_all(
        self, sandbox: Sandbox, calendar: Calendar, status: int, code: str, kind: type[CalendarError]
    ) -> None:
        names = [created(calendar, creation(name)) for name in ("a", "b", "c")]
        sandbox.weather.refuse("events.get", status, code, retry_after="9" if status == 429 else None)
        with pytest.raises(kind):
            list(calendar.read(names))

    def test_one_event_that_the_service_fails_on_leaves_the_others(self, sandbox: Sandbox, calendar: Calendar) -> None:
        names = [created(calendar, creation(name)) for name in ("a", "b", "c")]
        sandbox.weather.add(Storm("events.get", fault=sandbox.weather.refuse("none", 500, "Odd").fault, skip=1))
        readings = {one.remote_id: one for one in calendar.read(names)}
        assert isinstance(readings[names[0]], Seen)
        assert isinstance(readings[names[2]], Seen)
        assert not isinstance(readings[names[1]], Seen | Unreadable)


def test_a_window_that_rolled_past_the_cursor_is_listed_anew(calendar: Calendar, person: Person) -> None:
    remote = created(calendar)
    books = KnownVersions()
    [*_, last] = calendar.changes(None, WINDOW, books)
    assert last.cursor is not None
    near = Window(WINDOW.start + timedelta(days=80), WINDOW.end + timedelta(days=80))
    assert [page.full for page in calendar.changes(last.cursor, near, books)] == [False]
    far = Window(WINDOW.start, WINDOW.end + timedelta(days=100))
    person.drag(remote, HOUR)
    pages = list(calendar.changes(last.cursor, far, books))
    assert all(page.full for page in pages)
    assert [item.remote_id for page in pages for item in page.items] == [remote]
    earlier = Window(WINDOW.start - timedelta(days=40), WINDOW.end)
    assert all(page.full for page in calendar.changes(last.cursor, earlier, books))


def test_busy_time_is_spans_and_nothing_else(calendar: Calendar, person: Person) -> None:
    at = datetime(2026, 3, 5, 12, tzinfo=UTC)
    person.add_own(at, at + HOUR)
    person.mark_free(person.add_own(at + 2 * HOUR, at + 3 * HOUR))
    created(calendar, Write("s", WriteKind.CREATE, "s", series(), "marker"))
    spans = list(calendar.busy(Window(at - HOUR, at + timedelta(days=1))))
    assert sorted(span.start_at for span in spans) == [at, datetime(2026, 3, 5, 15, tzinfo=UTC)]


def test_the_self_test_says_what_is_wrong(sandbox: Sandbox, calendar: Calendar, person: Person) -> None:
    assert [finding.ok for finding in calendar.check()] == [True] * 6
    person.mailbox.in_scope = False
    [finding] = calendar.check()
    assert (finding.ok, "access policy" in finding.remedy) == (False, True)
    person.mailbox.in_scope = True
    person.mailbox.calendars[person.calendar].role = "read"
    assert [finding.ok for finding in calendar.check()] == [True, True, False]


def test_a_subscription_is_asked_for_narrowly_and_else_for_the_mailbox(sandbox: Sandbox, calendar: Calendar) -> None:
    sandbox.subscriptions.post = lambda address, _body, _kind: (
        200, "text/plain", httpx.URL(address).params["validationToken"].encode(),
    )  # fmt: skip
    watch = calendar.watch("https://calsync.example/hooks/graph", "s" * 40, timedelta(days=7))
    assert watch is not None
    assert "/calendars/" in watch.resource
    assert watch.expires_at <= sandbox.clock.now() + timedelta(minutes=4200)
    sandbox.weather.refuse("subscriptions.create", 400, "InvalidRequest")
    wide = calendar.watch("https://calsync.example/hooks/graph", "s" * 40, timedelta(days=7))
    assert wide is not None
    assert wide.resource == f"users/{UPN}/events"
    calendar.unwatch(watch)
    calendar.unwatch(watch)
    calendar.unwatch(Watch("never-there", "", watch.expires_at))
    assert list(sandbox.subscriptions.rows) == [wide.id]


def test_a_handshake_that_fails_leaves_no_subscription(sandbox: Sandbox, calendar: Calendar) -> None:
    sandbox.subscriptions.post = lambda _address, _body, _kind: (200, "text/html", b"hello")
    with pytest.raises(CalendarError):
        calendar.watch("https://calsync.example/hooks/graph", "secret", timedelta(days=1))
    assert not sandbox.subscriptions.rows
    assert calendar.watch("http://calsync.example/hooks/graph", "secret", timedelta(days=1)) is None


def test_no_address_gets_into_the_log(calendar: Calendar, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    created(calendar)
    assert UPN not in caplog.text


def test_the_fifth_request_waits() -> None:
    gate = Gate(1)
    with gate.entered(1), pytest.raises(Unavailable), gate.entered(0.01):
        pass
    with gate.entered(0.01):
        pass


def test_a_person_agrees_in_the_browser(sandbox: Sandbox, login: Login, person: Person) -> None:
    assert isinstance(CONNECTOR, Consenting)
    consent = Consent("http://127.0.0.1:9/", "state-1", "v" * 43)
    url = CONNECTOR.consent_url(login.request(), consent, UPN)
    asked = parse_qs(urlsplit(url).query)
    assert asked["scope"] == [f"{sandbox.root}/Calendars.ReadWrite offline_access"]
    sandbox.consenting = UPN
    answer = httpx.get(url, verify=ssl.create_default_context(cafile=str(sandbox.ca_file)), trust_env=False)
    back = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert back["state"] == ["state-1"]
    token = CONNECTOR.redeem(login.request(), consent, back["code"][0])
    assert sandbox.tokens.refresh[token] == UPN
    with pytest.raises(CalendarError):
        CONNECTOR.redeem(login.request(), consent, back["code"][0])
