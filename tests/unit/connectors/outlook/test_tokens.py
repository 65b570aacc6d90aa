"""Tokens through msal against the stand-in's Entra: cached failures, dead tokens, rotation, the environment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from calsync.connector.errors import AuthRevoked, CalendarError, Throttled, Unavailable
from calsync.connector.protocol import CalendarPlace
from calsync.errors import UserError
from calsync.sandbox.graph.ids import calendar_id
from calsync.sandbox.graph.server import CLIENT_ID, CLIENT_SECRET, Sandbox
from calsync_outlook.access import keep_in, registration
from calsync_outlook.connector import CONNECTOR
from calsync_outlook.settings import CalendarSettings
from calsync_outlook.tokens import ApplicationTokens, PersonTokens, Registration
from tests.servers.graph_subject import UPN, Login, connector_settings, graph


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with graph() as running:
        yield running


def registered(sandbox: Sandbox, credential: object = CLIENT_SECRET) -> Registration:
    return Registration(f"{sandbox.root}/t.example", CLIENT_ID, credential, ca_file=str(sandbox.ca_file))


def application(sandbox: Sandbox, credential: object = CLIENT_SECRET) -> ApplicationTokens:
    return ApplicationTokens(registered(sandbox, credential), f"{sandbox.root}/.default")


def test_one_token_serves_until_it_is_forced(sandbox: Sandbox) -> None:
    source = application(sandbox)
    first = source.token()
    assert source.token() == first
    assert len(sandbox.tokens.asked) == 1
    assert source.token(force=True) != first


def test_a_challenge_is_passed_on(sandbox: Sandbox) -> None:
    source = application(sandbox)
    source.token()
    source.token(force=True, claims='{"access_token":{"nbf":{"essential":true}}}')
    assert "nbf" in sandbox.tokens.asked[-1]["claims"]


def test_the_environment_does_not_beat_the_config(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "/nowhere/ca.pem")
    assert application(sandbox).token()


def test_a_foreign_certificate_is_not_trusted(sandbox: Sandbox) -> None:
    source = ApplicationTokens(Registration(f"{sandbox.root}/t", CLIENT_ID, CLIENT_SECRET, ca_file=None), "s/.default")
    with pytest.raises(Unavailable):
        source.token()


def test_a_failure_that_msal_remembers_is_forgotten_on_demand(sandbox: Sandbox) -> None:
    source = application(sandbox)
    sandbox.tokens.failures.append((400, {"error": "invalid_grant", "error_codes": [53003]}, {}))
    with pytest.raises(AuthRevoked, match="53003"):
        source.token()
    asked = len(sandbox.tokens.asked)
    with pytest.raises(AuthRevoked):
        source.token()
    assert len(sandbox.tokens.asked) == asked  # msal replayed it
    source.forget_failures()
    assert source.token()


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind"),
    [
        (401, {"error": "invalid_client", "error_codes": [7000222]}, {}, AuthRevoked),
        (400, {"error": "unauthorized_client", "error_codes": [700016]}, {}, AuthRevoked),
        (400, {"error": "invalid_request", "error_codes": [50196]}, {}, Throttled),
        (503, {"error": "temporarily_unavailable"}, {"Retry-After": "5"}, Unavailable),
    ],
)
def test_refusals(
    sandbox: Sandbox, status: int, body: dict[str, object], headers: dict[str, str], kind: type[CalendarError]
) -> None:
    sandbox.tokens.failures.append((status, body, headers))
    with pytest.raises(kind):
        application(sandbox).token()


def test_a_certificate_instead_of_a_secret(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "app.pem"
    path.write_bytes(certificate())
    path.chmod(0o600)
    sandbox.tokens.register(CLIENT_ID, takes_assertions=True)
    settings = connector_settings(sandbox, tmp_path, certificate_file=path)
    assert ApplicationTokens(registration(settings), f"{sandbox.root}/.default").token()
    assert "client_assertion" in sandbox.tokens.asked[-1]
    path.write_text("nothing", encoding="utf-8")
    with pytest.raises(UserError, match="private key"):
        registration(settings)


class Holder:
    """A refresh token in a place of its own."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.kept: list[str] = []

    def secret(self) -> str:
        return self.token

    def keep(self, token: str) -> None:
        self.token = token
        self.kept.append(token)


def person(sandbox: Sandbox, holder: Holder) -> PersonTokens:
    return PersonTokens(registered(sandbox, None), [f"{sandbox.root}/Calendars.ReadWrite"], holder.secret, holder.keep)


@pytest.mark.parametrize("short", [False, True])
def test_a_persons_rotated_tokens_are_kept(sandbox: Sandbox, short: bool) -> None:
    sandbox.tokens.short_scopes = short
    first = sandbox.tokens.consent(UPN)
    holder = Holder(first)
    source = person(sandbox, holder)
    assert source.token()
    assert holder.token != first
    source.token(force=True)
    assert sandbox.tokens.asked[-1]["refresh_token"] != first
    assert person(sandbox, holder).token()
    assert first in sandbox.tokens.retired


def test_a_dead_token_is_not_kept_alive_by_msal(sandbox: Sandbox) -> None:
    holder = Holder(sandbox.tokens.consent(UPN))
    source = person(sandbox, holder)
    source.token()
    sandbox.tokens.revoke(UPN)
    with pytest.raises(AuthRevoked, match="50173"):
        source.token(force=True)
    holder.token = sandbox.tokens.consent(UPN)
    source.forget_failures()
    assert source.token()


def test_a_kept_token_is_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "ash.token"
    path.write_text("old", encoding="utf-8")
    keep_in(path, "new")
    assert path.read_text(encoding="utf-8") == "new\n"
    assert path.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [path]


def test_a_calendar_asks_anew_when_its_token_has_run_out(sandbox: Sandbox, tmp_path: Path) -> None:
    box = sandbox.add_person(UPN)
    place = CalendarPlace(calendar_id(box.calendar, immutable=True))
    calendar = CONNECTOR.open(Login(sandbox, tmp_path).request(), place)
    assert list(calendar.read(["nothing"]))
    sandbox.tokens.access.clear()
    assert list(calendar.read(["nothing"]))
    sandbox.tokens.registrations.clear()
    sandbox.tokens.access.clear()
    with pytest.raises(AuthRevoked):
        list(calendar.read(["nothing"]))
    calendar.close()


def test_a_person_reaches_their_own_mailbox(sandbox: Sandbox, tmp_path: Path) -> None:
    box = sandbox.add_person(UPN)
    path = tmp_path / "ash.token"
    path.write_text(sandbox.tokens.consent(UPN), encoding="utf-8")
    request = Login(sandbox, tmp_path).request(
        calendar_settings=CalendarSettings(refresh_token_file=path), secret=lambda: path.read_text(encoding="utf-8")
    )
    place = CONNECTOR.locate(request)
    assert place.remote == calendar_id(box.calendar, immutable=True)
    assert sandbox.tokens.refresh[path.read_text(encoding="utf-8").strip()] == UPN


def certificate() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made up")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(start).not_valid_after(start + timedelta(days=36500))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + made.public_bytes(serialization.Encoding.PEM)
