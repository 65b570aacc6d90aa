"""Every reason that Google gives means one thing to the worker (contract sheet 11)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from calsync.connector.errors import AuthRevoked, Forbidden, Malformed, NotFound, Throttled, Unavailable
from calsync_google.account_lock import READ_AGAIN, AccountLocks
from calsync_google.errors import grant_error, reason_of, refused


def body(reason: str, **more: Any) -> bytes:
    return json.dumps({"error": {"errors": [{"domain": "x", "reason": reason}], "code": 400, **more}}).encode()


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        (401, "authError", AuthRevoked),
        (401, "required", AuthRevoked),
        (403, "insufficientPermissions", AuthRevoked),
        (403, "userRateLimitExceeded", Throttled),
        (403, "rateLimitExceeded", Throttled),
        (403, "quotaExceeded", Throttled),
        (403, "dailyLimitExceeded", Throttled),
        (403, "accessNotConfigured", Unavailable),
        (403, "SERVICE_DISABLED", Unavailable),
        (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", AuthRevoked),
        (403, "forbiddenForNonOrganizer", Forbidden),
        (403, "forbiddenForServiceAccounts", Forbidden),
        (403, "forbidden", Forbidden),
        (403, "requiredAccessLevel", Forbidden),
        (403, "domainPolicy", Forbidden),
        (403, "somethingNew", Forbidden),
        (404, "notFound", NotFound),
        (410, "deleted", NotFound),
        (429, "rateLimitExceeded", Throttled),
        (408, "", Unavailable),
        (500, "backendError", Unavailable),
        (502, "", Unavailable),
        (503, "backendError", Unavailable),
        (504, "", Unavailable),
        (410, "fullSyncRequired", NotFound),
        (500, "internalError", Unavailable),
        (400, "invalid", Malformed),
        (400, "timeRangeEmpty", Malformed),
        (400, "required", Malformed),
        (400, "badRequest", Malformed),
        (400, "parseError", Malformed),
        (400, "invalidParameter", Malformed),
        (409, "duplicate", Malformed),
        (409, "conflict", Malformed),
        (412, "conditionNotMet", Malformed),
        (301, "", Malformed),
        (302, "", Malformed),
    ],
)
def test_every_reason_has_its_meaning(status: int, reason: str, error: type[Exception]) -> None:
    said = refused("list", status, {}, body(reason))
    assert type(said.error()) is error


def test_a_wait_that_is_asked_for_is_kept() -> None:
    for status in (429, 503):
        problem = refused("list", status, {"retry-after": "37"}, b"").error()
        assert isinstance(problem, Throttled)
        assert problem.retry_after == 37
    problem = refused("insert", 403, {}, body("quotaExceeded")).error()
    assert isinstance(problem, Throttled)
    assert problem.retry_after == 3600


def test_the_reason_is_found_in_both_shapes() -> None:
    assert reason_of(body("invalid")) == "invalid"
    front = {"error": {"code": 403, "status": "PERMISSION_DENIED", "details": [{"reason": "SERVICE_DISABLED"}]}}
    assert reason_of(json.dumps(front).encode()) == "SERVICE_DISABLED"
    assert reason_of(b'{"error":{"status":"UNAVAILABLE"}}') == "UNAVAILABLE"
    for odd in (b"", b"<html>", b"[]", b'{"error":"x"}', b'{"error":{"errors":7}}', body("Kim Doe, 4 pm")):
        assert reason_of(odd) == ""


@pytest.mark.parametrize(
    "word",
    [
        "invalid_grant",
        "unauthorized_client",
        "deleted_client",
        "invalid_client",
        "admin_policy_enforced",
        "access_denied",
        "invalid_scope",
    ],
)
def test_a_dead_grant_is_a_lost_consent(word: str) -> None:
    assert isinstance(grant_error(word, retryable=False), AuthRevoked)


@pytest.mark.parametrize(("word", "retryable"), [("internal_failure", True), ("invalid_grant", True), (None, False)])
def test_other_trouble_with_tokens_is_not(word: str | None, retryable: bool) -> None:
    assert isinstance(grant_error(word, retryable=retryable), Unavailable)


def test_a_locked_account_is_asked_again_only_for_reading() -> None:
    now = [0.0]
    locks = AccountLocks(now=lambda: now[0])
    locks.lock("ash", 3600)
    locks.check("kim")
    with pytest.raises(Throttled) as told:
        locks.check("ash")
    assert told.value.retry_after == READ_AGAIN
    now[0] = 3590
    with pytest.raises(Throttled) as told:
        locks.check("ash")
    assert told.value.retry_after == 10
    now[0] = 3601
    locks.check("ash")
