"""The only import of Google's API library: builds requests with it and sends them, once.

What comes back is a JSON object, `Refused`, or an error of the closed set; nothing of the library leaves this module.
"""

from __future__ import annotations

import copy
import http.client
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode, urlsplit

import google.auth.exceptions
import google_auth_httplib2
import httplib2
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import BatchError, HttpError
from googleapiclient.http import BatchHttpRequest
from googleapiclient.model import JsonModel

from calsync.connector import strict_json
from calsync.connector.errors import CalendarError, Malformed, Unavailable
from calsync_google.errors import Refused, grant_error, refused
from calsync_google.transport import TooLarge, Wire

Answer = dict[str, Any]

BATCH = 50
"""Parts of one batch: the smaller of the two limits that Google's pages name (sheet 3.5)."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the service lies: the API with its path, the batch endpoint, and the one for tokens."""

    api: str
    batch: str
    tokens: str


class _StrictModel(JsonModel):  # type: ignore[misc]
    """The library's own reader gives raw bytes for broken JSON and takes NaN; this one refuses both."""

    def deserialize(self, content: Any) -> Any:
        return strict_json.parse(content)


@dataclass(frozen=True, slots=True)
class _Vendor:
    """The library's resources, built once for an endpoint: building costs more than a request."""

    events: Any
    calendars: Any
    calendar_list: Any
    channels: Any


@lru_cache(maxsize=8)
def _vendor(api: str) -> _Vendor:
    text = files("googleapiclient").joinpath("discovery_cache", "documents", "calendar.v3.json").read_text("utf-8")
    parts = urlsplit(api)
    document = {
        **strict_json.parse(text),
        "rootUrl": f"{parts.scheme}://{parts.netloc}/",
        "servicePath": parts.path.strip("/") + "/",
    }
    # The http given here is never used: each call brings its own (the library's objects are shared by all threads).
    service = build_from_document(document, http=httplib2.Http(), model=_StrictModel())
    return _Vendor(service.events(), service.calendars(), service.calendarList(), service.channels())


@dataclass(slots=True)
class Client:
    """One account's client. `quota_user` attributes the requests of a service account to the person (sheet 2.2)."""

    endpoints: Endpoints
    wire: Wire
    credentials: Any
    quota_user: str | None = None
    _http: Any = field(init=False)
    _built: tuple[Any, Any] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Put the credentials around the wire."""
        self._http = google_auth_httplib2.AuthorizedHttp(self.credentials, http=self.wire)

    @property
    def requests(self) -> int:
        """How many requests were sent, batches as one, those for tokens aside."""
        return self.wire.sent

    # -- events

    def list_events(self, calendar: str, *expected: int, **query: Any) -> Answer | Refused:
        """One page of a list; a status among `expected` comes back as `Refused`, any other raises."""
        return self._one("list", self._listing(calendar, query), expected)

    def get(self, calendar: str, name: str) -> Answer | Refused:
        """One event; 404 and 410 come back as `Refused`."""
        return self._one("get", self._get(calendar, name), (404, 410))

    def get_all(self, calendar: str, names: Sequence[str]) -> dict[str, Answer | Refused | CalendarError]:
        """Several events, in batches; see `several`."""
        return self.several("get", {name: self._get(calendar, name) for name in names})

    def instances_request(self, calendar: str, master: str, **query: Any) -> Any:
        """A request for the occurrences of a series, deleted ones too; to be sent by `one` or `several`."""
        return self._vendor.events.instances(
            calendarId=calendar, eventId=master, showDeleted=True, maxResults=2500, **self._with(query)
        )

    def get_request(self, calendar: str, name: str) -> Any:
        """A request for one event; to be sent by `several`."""
        return self._get(calendar, name)

    def insert(self, calendar: str, body: Mapping[str, Any]) -> Answer | Refused:
        """Create an event; whatever is said about this one event comes back as `Refused`."""
        request = self._vendor.events.insert(calendarId=calendar, body=body, sendUpdates="none", **self._with({}))
        return self._one("insert", request, _ABOUT_ONE)

    def patch(self, calendar: str, name: str, body: Mapping[str, Any], etag: str | None) -> Answer | Refused:
        """Change an event if it still has this etag."""
        request = self._vendor.events.patch(
            calendarId=calendar, eventId=name, body=body, sendUpdates="none", **self._with({})
        )
        return self._one("patch", _conditional(request, etag), _ABOUT_ONE)

    def delete(self, calendar: str, name: str, etag: str | None) -> Answer | Refused:
        """Delete an event if it still has this etag."""
        request = self._vendor.events.delete(calendarId=calendar, eventId=name, sendUpdates="none", **self._with({}))
        return self._one("delete", _conditional(request, etag), _ABOUT_ONE)

    def watch(self, calendar: str, body: Mapping[str, Any]) -> Answer:
        """Open a push channel."""
        return self._sure("watch", self._vendor.events.watch(calendarId=calendar, body=body, **self._with({})))

    def stop(self, body: Mapping[str, Any]) -> Answer | Refused:
        """End a push channel."""
        return self._one("stop", self._vendor.channels.stop(body=body, **self._with({})), (404, 400))

    # -- calendars

    def make_calendar(self, body: Mapping[str, Any]) -> Answer:
        """Make a secondary calendar."""
        return self._sure("calendars.insert", self._vendor.calendars.insert(body=body, **self._with({})))

    def calendar(self, name: str) -> Answer:
        """A calendar's own data; NotFound when it is gone."""
        return self._sure("calendars.get", self._vendor.calendars.get(calendarId=name, **self._with({})))

    def calendar_list(self, **query: Any) -> Answer | Refused:
        """One page of the account's calendars; 403 comes back as `Refused`."""
        return self._one("calendarList", self._vendor.calendar_list.list(**self._with(query)), (403,))

    # -- sending

    def one(self, method: str, request: Any) -> Answer | Refused:
        """Send a request that was made here; 404 and 410 come back as `Refused`."""
        return self._one(method, request, (404, 410))

    def several(self, method: str, requests: Mapping[str, Any]) -> dict[str, Answer | Refused | CalendarError]:
        """Send requests together, in batches, and return an answer for each: what it says, or why it failed.

        What concerns the account or everybody (throttling, a lost consent) is raised.
        """
        names = list(requests)
        answers: dict[str, Answer | Refused | CalendarError] = {}
        for first in range(0, len(names), BATCH):
            some = names[first : first + BATCH]
            if len(some) == 1:
                answers[some[0]] = self._one(method, requests[some[0]], (404, 410))
            else:
                self._batch(method, {name: requests[name] for name in some}, answers)
        return answers

    def close(self) -> None:
        """Give back connections."""
        self.wire.close()

    @property
    def _vendor(self) -> _Vendor:
        return _vendor(self.endpoints.api)

    def _with(self, query: Mapping[str, Any]) -> dict[str, Any]:
        return dict(query) if self.quota_user is None else {**query, "quotaUser": self.quota_user}

    def _listing(self, calendar: str, query: dict[str, Any]) -> Any:
        """A request for a page. The library builds and checks one; the next differ in the feed's place alone."""
        place = {name: query.pop(name) for name in _PLACES if name in query}
        asked = (calendar, tuple(sorted(query.items())))
        if self._built is None or self._built[0] != asked:
            self._built = asked, self._vendor.events.list(calendarId=calendar, **self._with(query))
        request = copy.copy(self._built[1])
        request.headers = dict(request.headers)
        if place:
            request.uri = f"{request.uri}&{urlencode(place)}"
        return request

    def _get(self, calendar: str, name: str) -> Any:
        return self._vendor.events.get(calendarId=calendar, eventId=name, **self._with({}))

    def _sure(self, method: str, request: Any) -> Answer:
        answer = self._one(method, request, ())
        assert not isinstance(answer, Refused)
        return answer

    def _one(self, method: str, request: Any, expected: Sequence[int]) -> Answer | Refused:
        answer = _guarded(method, lambda: request.execute(http=self._http, num_retries=0))
        if isinstance(answer, Refused):
            return _expected_or_raise(answer, expected)
        if method in _WITHOUT_BODY and not answer:
            return {}
        return _object(method, answer)

    def _batch(
        self, method: str, requests: Mapping[str, Any], answers: dict[str, Answer | Refused | CalendarError]
    ) -> None:
        batch = BatchHttpRequest(
            callback=lambda name, answer, fault: told.update({name: (answer, fault)}), batch_uri=self.endpoints.batch
        )
        told: dict[str, tuple[Any, Any]] = {}
        for number, request in enumerate(requests.values()):
            batch.add(request, request_id=str(number))
        whole = _guarded("batch", lambda: batch.execute(http=self._http))
        if isinstance(whole, Refused):
            raise whole.error()
        for number, name in enumerate(requests):
            answers[name] = _part(method, *told.get(str(number), (None, None)))


_WITHOUT_BODY = ("delete", "stop")
_PLACES = ("syncToken", "pageToken")
# What Google says about one event: whether it is an item's result or the calendar's trouble is told by `writing`.
_ABOUT_ONE = (400, 403, 404, 409, 410, 412)


def _conditional(request: Any, etag: str | None) -> Any:
    if etag is not None:
        request.headers["If-Match"] = etag
    return request


def _expected_or_raise(answer: Refused, expected: Sequence[int]) -> Refused:
    if answer.status not in expected:
        raise answer.error()
    return answer


def _part(method: str, answer: Any, fault: Any) -> Answer | Refused | CalendarError:
    if fault is None:
        try:
            return _object(method, answer)
        except Malformed as problem:
            return problem
    said = _said(method, fault) if isinstance(fault, HttpError) else None
    if said is None:
        return Malformed(f"{method} in a batch answered {type(fault).__name__}")
    if said.status in (404, 410):
        return said
    error = said.error()
    if isinstance(error, Unavailable | Malformed) or said.status == 409:
        return error
    raise error


def _object(method: str, answer: Any) -> Answer:
    if not isinstance(answer, dict) or "error" in answer:
        raise Malformed(f"{method} answered something that is not of its kind")
    return answer


def _said(method: str, fault: Any) -> Refused:
    headers = {str(name).lower(): str(value) for name, value in fault.resp.items()}
    return refused(method, int(fault.resp.status), headers, fault.content)


def _guarded(method: str, send: Callable[[], Any]) -> Any:
    """Send, and turn every way in which that can fail into `Refused` or an error of the closed set."""
    try:
        return send()
    except HttpError as fault:
        return _said(method, fault)
    except google.auth.exceptions.RefreshError as fault:
        told = fault.args[1] if len(fault.args) > 1 else None
        code = told.get("error") if isinstance(told, dict) else None
        raise grant_error(code, retryable=bool(fault.retryable)) from None
    except (strict_json.BadJson, BatchError, TooLarge) as fault:
        raise Malformed(f"{method} answered {type(fault).__name__}: {getattr(fault, 'reason', '')}") from None
    except (
        OSError,
        http.client.HTTPException,
        httplib2.HttpLib2Error,
        google.auth.exceptions.GoogleAuthError,
    ) as fault:
        raise Unavailable(f"{method}: {type(fault).__name__}") from None
    except (IndexError, KeyError, ValueError, UnicodeError) as fault:
        # The library's own parser met an answer that it cannot take apart.
        raise Malformed(f"{method} answered {type(fault).__name__}") from None
