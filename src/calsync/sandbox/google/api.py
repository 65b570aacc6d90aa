"""From a request to its answer: authorisation, scopes, quota, parameters, then the method (contract sheet 16).

A method is found in the discovery document, so that nothing is served which Google does not offer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from calsync.sandbox.google import calendars, discovery, events, faults, feed
from calsync.sandbox.google.channels import Channels
from calsync.sandbox.google.discovery import SCOPE, Method
from calsync.sandbox.google.events import Place
from calsync.sandbox.google.faults import ApiError
from calsync.sandbox.google.state import ROLES, CalendarState, Call, GoogleState
from calsync.sandbox.google.tokens import Grant, Tokens
from calsync.sandbox.google.weather import Damage, Weather

Json = dict[str, Any]

_MINUTE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, outer or part of a batch. Header names in lower case; `target`: path and query below the root."""

    verb: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    batched: bool = False


@dataclass(slots=True)
class Answer:
    """One answer. `body` None: no content. `damage`: what is done to it on its way."""

    status: int
    body: Json | None = None
    headers: dict[str, str] = field(default_factory=dict)
    damage: Damage | None = None
    instead: bytes = b""

    @property
    def content(self) -> bytes:
        """The octets of the body."""
        return b"" if self.body is None else json.dumps(self.body, separators=(",", ":")).encode("utf-8")


@dataclass(frozen=True, slots=True)
class _Context:
    """What a method works with."""

    method: Method
    path: dict[str, str]
    query: dict[str, list[str]]
    body: Json
    headers: dict[str, str]
    grant: Grant


@dataclass(slots=True)
class Api:
    """The calendar API of the stand-in."""

    state: GoogleState
    tokens: Tokens
    channels: Channels
    weather: Weather = field(default_factory=Weather)
    recent: dict[str, list[datetime]] = field(default_factory=dict)

    def answer(self, asked: Asked, root: str = "/calendar/v3/") -> Answer:
        """Answer one request. Never raises for what a client sends."""
        verb, target, body = _overridden(asked)
        parts = urlsplit(target)
        found = discovery.match(verb, parts.path.removeprefix(root)) if parts.path.startswith(root) else None
        if found is None:
            return _refusal(faults.not_found())
        method, path = found
        calendar = path.get("calendarId")
        storm = self.weather.strike(method.id, calendar)
        if storm is not None and storm.damage is Damage.DROP_BEFORE:
            return Answer(200, damage=storm.damage)
        account, query = "", parse_qs(parts.query, keep_blank_values=True)
        try:
            grant = self._granted(asked.headers, method)
            account = grant.account
            if storm is not None and storm.damage is Damage.REFUSE:
                raise storm.error or faults.usage(503, "backendError")
            context = _Context(method, path, query, _json(body, verb), asked.headers, grant)
            answer = self._served(context)
        except ApiError as refusal:
            answer = _refusal(refusal)
        if storm is not None and storm.damage is not Damage.REFUSE:
            answer.damage, answer.instead = storm.damage, storm.body
        self._note(asked, method, (account, path, query, body), answer.status)
        return answer

    def _note(
        self,
        asked: Asked,
        method: Method,
        what: tuple[str, dict[str, str], dict[str, list[str]], bytes],
        status: int,
    ) -> None:
        account, path, query, body = what
        if self.state.keep_calls:
            held = json.loads(body) if body and body[:1] == b"{" else None
            self.state.calls.append(Call(account, method.id, path, query, held, status, asked.batched))

    def _granted(self, headers: dict[str, str], method: Method) -> Grant:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or not token:
            raise faults.unauthenticated("required")
        grant = self.tokens.of(token)
        if grant is None:
            raise faults.unauthenticated("authError")
        if not grant.scopes & method.scopes:
            raise faults.scope_missing()
        self._within_quota(grant.account)
        return grant

    def _within_quota(self, account: str) -> None:
        self.state.requests += 1
        now, knobs = self.state.now(), self.state.knobs
        if knobs.rate_per_minute <= 0:
            return
        recent = [at for at in self.recent.get(account, ()) if at > now - _MINUTE]
        if len(recent) >= knobs.rate_per_minute:
            self.recent[account] = recent
            raise faults.usage(knobs.rate_code, "rateLimitExceeded")
        self.recent[account] = [*recent, now]

    def _served(self, context: _Context) -> Answer:
        for name, values in context.query.items():
            if discovery.unfit_parameter(context.method, name, values):
                raise faults.invalid(name)
        handler = _HANDLERS.get(context.method.id)
        if handler is None:
            raise ApiError(501, "notImplemented")
        body = handler(self, context)
        return self._finished(context, body)

    def _finished(self, context: _Context, body: Json | None) -> Answer:
        if body is None:
            return Answer(204)
        etag = body.get("etag")
        if etag is not None and context.method.verb == "GET" and context.headers.get("if-none-match") == etag:
            return Answer(304, headers={"ETag": etag})
        return Answer(200, body, {} if etag is None else {"ETag": etag})

    # -- what methods need

    def place(self, context: _Context, least: str) -> Place:
        """Return the calendar that a call is about; 404 if it is not for this account, 403 if the role is too low."""
        account = context.grant.account
        calendar = self.state.calendar(account, context.path["calendarId"])
        if calendar is None:
            raise faults.not_found()
        if ROLES.index(calendar.role_of(account)) < ROLES.index(least):
            raise ApiError(403, "requiredAccessLevel", domain="calendar")
        if context.grant.scopes == {f"{SCOPE}calendar.app.created"} and calendar.primary:
            raise faults.not_found()
        return Place(self.state, calendar, account)

    def writing(self, context: _Context) -> Place:
        """Return the calendar of a writing call; watches that nobody gets mail unasked."""
        place = self.place(context, "writer")
        if self.state.knobs.require_send_updates and "sendUpdates" not in context.query:
            self.state.strict_faults.append(f"{context.method.id} without sendUpdates")
        guests = context.body.get("attendees")
        service = self.tokens.services.get(context.grant.client)
        if guests and service is not None and context.grant.account == service.email:
            raise ApiError(403, "forbiddenForServiceAccounts", domain="calendar")
        return place


def _overridden(asked: Asked) -> tuple[str, str, bytes]:
    """Undo what the client does to a GET whose URI grew too long [46]."""
    if asked.verb == "POST" and asked.headers.get("x-http-method-override") == "GET":
        return "GET", f"{asked.target}?{asked.body.decode('utf-8')}", b""
    return asked.verb, asked.target, asked.body


def _json(body: bytes, verb: str) -> Json:
    if not body or verb == "GET":
        return {}
    try:
        parsed = json.loads(body)
    except ValueError:
        raise ApiError(400, "parseError") from None
    if not isinstance(parsed, dict):
        raise ApiError(400, "parseError")
    return parsed


def _refusal(refusal: ApiError) -> Answer:
    headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    return Answer(refusal.code, refusal.body(), headers)


def _zone(context: _Context) -> str | None:
    return context.query.get("timeZone", [None])[0]


def _shown(place: Place, context: _Context, body: Json) -> Json:
    return events.shown_event(place, body, _zone(context))


def _insert(api: Api, context: _Context) -> Json:
    place = api.writing(context)
    if api.state.knobs.require_client_ids and "id" not in context.body:
        api.state.strict_faults.append("insert without id")
    return _shown(place, context, events.insert(place, context.body))


def _get(api: Api, context: _Context) -> Json:
    place = api.place(context, "reader")
    return _shown(place, context, events.get(place, _event(api, place, context)))


def _event(api: Api, place: Place, context: _Context) -> str:
    name = context.path["eventId"]
    known = place.calendar.named.get(name)
    if known is not None and name not in place.calendar.told:
        api.state.strict_faults.append("an instance id that no answer has held")
    return name


def _patch(api: Api, context: _Context) -> Json:
    place = api.writing(context)
    name = _event(api, place, context)
    return _shown(place, context, events.patch(place, name, context.body, context.headers.get("if-match")))


def _update(api: Api, context: _Context) -> Json:
    place = api.writing(context)
    name = _event(api, place, context)
    return _shown(place, context, events.update(place, name, context.body, context.headers.get("if-match")))


def _delete(api: Api, context: _Context) -> None:
    place = api.writing(context)
    events.delete(place, _event(api, place, context), context.headers.get("if-match"))


def _move(api: Api, context: _Context) -> Json:
    place = api.writing(context)
    destination = api.state.calendar(context.grant.account, context.query.get("destination", [""])[0])
    if destination is None or destination.role_of(context.grant.account) not in ("writer", "owner"):
        raise faults.not_found()
    body = events.move(place, context.path["eventId"], destination, context.headers.get("if-match"))
    return _shown(place, context, body)


def _list(api: Api, context: _Context) -> Json:
    return feed.list_events(api.place(context, "reader"), context.query)


def _instances(api: Api, context: _Context) -> Json:
    place = api.place(context, "reader")
    return feed.list_instances(place, _event(api, place, context), context.query)


def _watch(api: Api, context: _Context) -> Json:
    place = api.place(context, "reader")
    return api.channels.watch(context.grant.account, place.calendar, context.body)


def _stop(api: Api, context: _Context) -> None:
    api.channels.stop(context.grant.account, context.body)


def _calendar(api: Api, context: _Context) -> CalendarState:
    return api.place(context, "freeBusyReader").calendar


def _remove_calendar(api: Api, context: _Context) -> None:
    calendars.delete(api.state, context.grant.account, _calendar(api, context))


def _clear(api: Api, context: _Context) -> None:
    calendars.clear(api.place(context, "owner"))


def _made(api: Api, context: _Context) -> Json:
    return calendars.insert(api.state, context.grant.account, context.body)


def _settings(api: Api, context: _Context) -> Json:
    zone = api.state.accounts.get(context.grant.account, "UTC")
    item = {"kind": "calendar#setting", "etag": '"0"', "id": "timezone", "value": zone}
    return {"kind": "calendar#settings", "etag": '"0"', "nextSyncToken": "settings", "items": [item]}


_HANDLERS: dict[str, Callable[[Api, _Context], Json | None]] = {
    "events.insert": _insert,
    "events.get": _get,
    "events.patch": _patch,
    "events.update": _update,
    "events.delete": _delete,
    "events.move": _move,
    "events.list": _list,
    "events.instances": _instances,
    "events.watch": _watch,
    "channels.stop": _stop,
    "calendars.insert": _made,
    "calendars.get": lambda api, context: calendars.show(_calendar(api, context)),
    "calendars.patch": lambda api, context: calendars.change(api.place(context, "owner").calendar, context.body),
    "calendars.delete": _remove_calendar,
    "calendars.clear": _clear,
    "calendarList.list": lambda api, context: calendars.calendar_list(api.state, context.grant.account, context.query),
    "calendarList.get": lambda api, context: calendars.entry(_calendar(api, context), context.grant.account),
    "acl.list": lambda api, context: calendars.rules(api.place(context, "owner").calendar),
    "freebusy.query": lambda api, context: calendars.free_busy(api.state, context.grant.account, context.body),
    "settings.list": _settings,
}
