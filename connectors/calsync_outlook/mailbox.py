"""One calendar in one mailbox: the requests that the connector makes, and what their refusals mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from calsync.connector.errors import Malformed, Throttled, Unavailable
from calsync.connector.retry_after import retry_after
from calsync.domain.span import Window
from calsync_outlook.client import PREFER, Answer, Client
from calsync_outlook.errors import Refused, code_of
from calsync_outlook.ours import EXPANSION

Json = dict[str, Any]

BATCH = 20
_MOST_PAGES = 1000
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Part:
    """The answer to one part of a batch: its object, or how it was refused."""

    json: Json | None
    refused: Refused | None


class Mailbox:
    """`prefix` is the mailbox's path (`/me`, or `/users/ID`), `calendar` the calendar's id."""

    def __init__(self, client: Client, prefix: str, calendar: str) -> None:
        self.client = client
        self.prefix = prefix
        self.calendar = calendar

    # -- paths

    @property
    def calendar_path(self) -> str:
        """The calendar."""
        return f"{self.prefix}/calendars/{quote(self.calendar, safe='')}"

    def event_path(self, event: str, query: str = "") -> str:
        """An event, with everything that is read of it."""
        return f"{self.prefix}/events/{quote(event, safe='')}{query}"

    def whole_event_path(self, event: str) -> str:
        """An event with all its members and our properties."""
        return self.event_path(event, "?" + _query({"$select": "*", "$expand": EXPANSION}))

    def instances_path(self, series: str, extent: Window) -> str:
        """The occurrences of a series in an extent."""
        query = {**_range(extent), "$select": "*", "$top": str(_PAGE)}
        return f"{self.event_path(series)}/instances?{_query(query)}"

    def view_path(self, extent: Window, select: str) -> str:
        """What the calendar shows in an extent."""
        return f"{self.calendar_path}/calendarView?{_query({**_range(extent), '$select': select, '$top': str(_PAGE)})}"

    def delta_path(self, extent: Window) -> str:
        """The first page of a delta round."""
        return f"{self.calendar_path}/calendarView/delta?{_query(_range(extent))}"

    # -- requests

    def exists(self) -> None:
        """Return if the calendar is there; raise what its absence means otherwise."""
        self.client.get(self.calendar_path)

    def read_all(self, paths: Sequence[str]) -> list[Part]:
        """GET many things: alone if it is one, else in batches whose parts run one after the other.

        Raises what a part's refusal says about more than that part.
        """
        if len(paths) == 1:
            answer = self.client.call("GET", paths[0])
            return [_part(None, answer) if isinstance(answer, Refused) else Part(answer.object(), None)]
        parts: list[Part] = []
        while len(parts) < len(paths):
            parts += self._batch(paths[len(parts) : len(parts) + BATCH])
        return parts

    def listed(self, first: Json) -> Iterator[Json]:
        """Yield the rows of a listing whose first page was read, page after page."""
        page = first
        for _ in range(_MOST_PAGES):
            rows = page.get("value")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise Malformed("a listing without rows")
            yield from rows
            link = page.get("@odata.nextLink")
            if link is None:
                return
            if not isinstance(link, str):
                raise Malformed("a link that is no text")
            page = self.client.get(link)
        raise Malformed("a listing without an end")

    def listing(self, path: str) -> Iterator[Json]:
        """Yield all rows of a listing."""
        yield from self.listed(self.client.get(path))

    def send(self, method: str, path: str, body: Json | None = None, *, version: str | None = None) -> Answer | Refused:
        """Write, on condition of a version where one is given."""
        headers = {} if version is None else {"If-Match": f'W/"{version}"'}
        return self.client.call(method, path, body=body, headers=headers)

    def _batch(self, paths: Sequence[str]) -> list[Part]:
        """Return parts in order, up to the first that stopped the chain."""
        requests: list[Json] = []
        for number, path in enumerate(paths):
            # A chain runs one by one; loose parts would meet the limit of four at a time (sheet 8.3).
            chain = {"dependsOn": [str(number - 1)]} if number else {}
            requests.append({"id": str(number), "method": "GET", "url": path, "headers": {"Prefer": PREFER}, **chain})
        answer = self.client.call("POST", "/$batch", body={"requests": requests})
        if isinstance(answer, Refused):
            raise answer.error()
        told = _responses(answer.object(), len(paths))
        parts: list[Part] = []
        for number in range(len(paths)):
            row = told[number]
            status = row["status"]
            if status == 424 and number:
                break
            if 200 <= status < 300:
                body = row.get("body")
                if not isinstance(body, dict):
                    raise Malformed("a part of a batch without a body")
                parts.append(Part(body, None))
            else:
                headers = {str(k).lower(): str(v) for k, v in (row.get("headers") or {}).items()}
                refused = Refused("GET", status, code_of(row.get("body")), retry_after(headers))
                parts.append(_part(row.get("body"), refused))
        return parts


def _responses(body: Json, count: int) -> dict[int, Json]:
    rows = body.get("responses")
    if not isinstance(rows, list):
        raise Malformed("a batch without answers")
    told = {
        int(row["id"]): row
        for row in rows
        if isinstance(row, dict) and str(row.get("id", "")).isdecimal() and isinstance(row.get("status"), int)
    }
    if set(told) != set(range(count)) or len(rows) != count:
        raise Malformed("a batch with missing or doubled answers")
    return told


def _part(_body: object, refused: Refused) -> Part:
    """Return a refusal that is about one event alone; raise every other."""
    error = refused.error()
    if isinstance(error, (Throttled, Unavailable)) and refused.status not in (500, 507):
        raise error
    if refused.status in (401, 403):
        raise error
    return Part(None, refused)


def _range(extent: Window) -> dict[str, str]:
    return {"startDateTime": instant_text(extent.start), "endDateTime": instant_text(extent.end)}


def instant_text(at: datetime) -> str:
    """Return an instant as Graph takes it in queries and bodies."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def _query(values: Mapping[str, str]) -> str:
    return urlencode(values, quote_via=quote, safe="$*/():,'")
