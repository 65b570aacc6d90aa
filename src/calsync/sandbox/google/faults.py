"""Answers that are refusals, in the two shapes that Google gives them (contract sheet 11, 16b)."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """A refusal. `front` gives it the shape of Google's front end, with a status word and an ErrorInfo."""

    def __init__(
        self,
        code: int,
        reason: str,
        *,
        domain: str = "global",
        location: tuple[str, str] | None = None,
        front: tuple[str, str] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason
        self.domain = domain
        self.location = location
        self.front = front
        self.retry_after = retry_after

    def body(self) -> Json:
        """The JSON of the answer."""
        entry: Json = {"domain": self.domain, "reason": self.reason, "message": f"({self.reason})"}
        if self.location is not None:
            entry["locationType"], entry["location"] = self.location
        error: Json = {"errors": [entry], "code": self.code, "message": f"({self.reason})"}
        if self.front is not None:
            status, info = self.front
            error["status"] = status
            error["details"] = [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": info,
                    "domain": "googleapis.com",
                    "metadata": {"service": "calendar-json.googleapis.com"},
                }
            ]
        return {"error": error}


def not_found() -> ApiError:
    """404: never existed, or not for these eyes."""
    return ApiError(404, "notFound")


def invalid(name: str) -> ApiError:
    """400 about one parameter or field."""
    return ApiError(400, "invalid", location=("parameter", name))


def required(name: str) -> ApiError:
    """400 about a missing one."""
    return ApiError(400, "required", location=("parameter", name))


def gone_token() -> ApiError:
    """410: this sync token is dead."""
    return ApiError(410, "fullSyncRequired", domain="calendar", location=("parameter", "syncToken"))


def stale() -> ApiError:
    """412: If-Match met another etag."""
    return ApiError(412, "conditionNotMet", location=("header", "If-Match"))


def scope_missing() -> ApiError:
    """403: the token does not carry a scope that the method takes."""
    return ApiError(403, "insufficientPermissions", front=("PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"))


def unauthenticated(reason: str) -> ApiError:
    """401: no token (`required`) or a bad one (`authError`)."""
    info = "CREDENTIALS_MISSING" if reason == "required" else "ACCESS_TOKEN_EXPIRED"
    return ApiError(401, reason, location=("header", "Authorization"), front=("UNAUTHENTICATED", info))


def usage(code: int, reason: str, retry_after: int | None = None) -> ApiError:
    """403 or 429 about limits: `rateLimitExceeded`, `userRateLimitExceeded`, `quotaExceeded`, `dailyLimitExceeded`."""
    return ApiError(code, reason, domain="usageLimits", retry_after=retry_after)
