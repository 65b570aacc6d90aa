"""A running Google stand-in and the unmodified client library in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import google_auth_httplib2
import httplib2
import pytest
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build_from_document

from calsync.sandbox.google.discovery import SCOPE, document
from calsync.sandbox.google.people import Person
from calsync.sandbox.google.server import Sandbox
from calsync.testing.fake_ports import FakeClock

EMAIL = "ash@practice.example"
_OPENED: list[httplib2.Http] = []


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    running = Sandbox(FakeClock()).start()
    running.tokens.add_client()
    yield running
    while _OPENED:
        _OPENED.pop().close()
    running.stop()


@pytest.fixture
def person(sandbox: Sandbox) -> Person:
    return sandbox.add_person(EMAIL)


@pytest.fixture
def service(sandbox: Sandbox, person: Person) -> Any:
    return client_of(sandbox, person.email)


def client_of(sandbox: Sandbox, email: str, *scopes: str) -> Any:
    wanted = {SCOPE + scope for scope in scopes or ("calendar",)}
    credentials = Credentials(  # type: ignore[no-untyped-call]
        token=None,
        refresh_token=sandbox.tokens.consent(email, wanted),
        token_uri=sandbox.token_uri,
        client_id="client-1",
        client_secret="sandbox-secret-1",
        scopes=sorted(wanted),
    )
    _OPENED.append(httplib2.Http(timeout=10))
    http = google_auth_httplib2.AuthorizedHttp(credentials, http=_OPENED[-1])
    return build_from_document({**document(), "rootUrl": sandbox.root + "/"}, http=http)
