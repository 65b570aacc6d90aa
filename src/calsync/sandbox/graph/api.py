"""The routes of the stand-in: one request in, one answer out. Strict about what Graph is strict about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from calsync.sandbox.graph.batch import answer_batch
from calsync.sandbox.graph.calendar_routes import CalendarRoutes
from calsync.sandbox.graph.call import Call, call_of, wishes
from calsync.sandbox.graph.delta import Delta
from calsync.sandbox.graph.event_routes import EventRoutes
from calsync.sandbox.graph.exchange import Answer, Asked
from calsync.sandbox.graph.faults import Fault, bad, throttled
from calsync.sandbox.graph.ids import parse_calendar_id
from calsync.sandbox.graph.listings import Listings
from calsync.sandbox.graph.state import GraphState, Mailbox
from calsync.sandbox.graph.subscriptions import Subscriptions
from calsync.sandbox.graph.tokens import Grant, Tokens
from calsync.sandbox.graph.weather import Damage, Weather

Json = dict[str, Any]


class Api:
    """All routes over one state."""

    def __init__(self, state: GraphState, tokens: Tokens, subscriptions: Subscriptions, weather: Weather) -> None:
        self.state = state
        self.tokens = tokens
        self.subscriptions = subscriptions
        self.weather = weather
        self.delta = Delta(state)
        self.log: list[tuple[str, int]] = []  # (route, status) of all answers
        self.answers: list[tuple[str, int, Any]] = []  # with their content, for tests against the schema
        listings = Listings(state)
        self.calendars = CalendarRoutes(state, listings)
        self.events = EventRoutes(state, listings, self.delta)
        self.in_flight: dict[str, int] = {}

    def answer(self, asked: Asked, root: str) -> Answer:
        """Answer one request."""
        name, run = "unknown", None
        try:
            name, run = self._route(asked, root)
            storm = self.weather.strike(name)
            if storm is not None and storm.damage is Damage.DROP_BEFORE:
                return self._noted(Answer(0, route=name, damage=storm))
            if storm is not None and storm.fault is not None:
                raise storm.fault
            answer = run()
            answer.damage = storm
        except Fault as fault:
            now = f"{self.state.clock.now():%Y-%m-%dT%H:%M:%S}"
            answer = Answer(fault.status, fault.body("made-up-request", now), dict(fault.headers))
        answer.route = name
        return self._noted(answer)

    def _noted(self, answer: Answer) -> Answer:
        self.log.append((answer.route, answer.status))
        self.answers.append((answer.route, answer.status, answer.content))
        return answer

    # -- routing

    def _route(self, asked: Asked, root: str) -> tuple[str, Callable[[], Answer]]:
        path = asked.path
        if path == ["$batch"]:
            self._grant(asked)
            return "batch", lambda: answer_batch(asked, lambda part: self.answer(part, root))
        if path[0] == "subscriptions":
            self._grant(asked)
            return self._subscription_route(asked, path)
        box, rest = self._mailbox(asked, path)
        call = call_of(asked, box, self.state, root)
        return self._mailbox_route(call, rest)

    def _mailbox_route(self, call: Call, rest: list[str]) -> tuple[str, Callable[[], Answer]]:
        shape = tuple("*" if at == 1 and rest[0] in ("calendars", "events") else part for at, part in enumerate(rest))
        name = rest[1] if len(rest) > 1 else ""
        found = self._routes().get((call.asked.method, *shape))
        if found is None:
            raise Fault(404, "ResourceNotFound", "Resource not found for the segment.")
        route, run = found
        return route, lambda: run(call, name)

    def _routes(self) -> dict[tuple[str, ...], tuple[str, Callable[[Call, str], Answer]]]:
        return {
            ("GET", "calendars"): ("calendars.list", self.calendars.every),
            ("POST", "calendars"): ("calendars.create", self.calendars.make),
            ("GET", "calendar"): ("calendars.get", self.calendars.get),
            ("GET", "calendars", "*"): ("calendars.get", self.calendars.get),
            ("PATCH", "calendars", "*"): ("calendars.update", self.calendars.rename),
            ("DELETE", "calendars", "*"): ("calendars.delete", self.calendars.drop),
            ("GET", "calendars", "*", "events"): ("events.list", self.events.every),
            ("POST", "calendars", "*", "events"): ("events.create", self.events.create),
            ("POST", "events"): ("events.create", self.events.create),
            ("GET", "calendars", "*", "calendarView"): ("view", self.events.view),
            ("GET", "calendars", "*", "calendarView", "delta"): ("delta", self.events.changes),
            ("GET", "events", "*"): ("events.get", self.events.get),
            ("PATCH", "events", "*"): ("events.update", self.events.update),
            ("DELETE", "events", "*"): ("events.delete", self.events.delete),
            ("GET", "events", "*", "instances"): ("instances", self.events.instances),
            ("POST", "calendar", "getSchedule"): ("schedule", self.events.schedule),
        }

    def _grant(self, asked: Asked) -> Grant:
        kind, _, token = asked.headers.get("authorization", "").partition(" ")
        grant = self.tokens.grant_of(token) if kind == "Bearer" else None
        if grant is None:
            raise Fault(401, "InvalidAuthenticationToken", "Access token has expired or is not valid.")
        return grant

    def _mailbox(self, asked: Asked, path: list[str]) -> tuple[Mailbox, list[str]]:
        grant = self._grant(asked)
        if path[0] == "me":
            if grant.person is None:
                raise bad("BadRequest", "/me request is only valid with delegated authentication flow.")
            name, rest = grant.person, path[1:]
        elif path[0] == "users" and len(path) > 1:
            name, rest = path[1], path[2:]
        else:
            raise Fault(404, "ResourceNotFound", "Resource not found for the segment.")
        box = self.state.mailbox(name)
        if box is None:
            raise Fault(404, "ErrorInvalidUser", "The requested user is invalid.")
        if not box.is_enabled:
            raise Fault(404, self.state.knobs.mailbox_missing_code, "The mailbox is either inactive or missing.")
        if not box.in_scope or (grant.person is not None and self.state.mailbox(grant.person) is not box):
            raise Fault(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        if self.in_flight.get(name, 0) > self.state.knobs.concurrency:
            raise throttled()
        return box, rest

    # -- subscriptions

    def _subscription_route(self, asked: Asked, path: list[str]) -> tuple[str, Callable[[], Answer]]:
        match (asked.method, *path[1:]):
            case ("POST",):
                return "subscriptions.create", lambda: self._subscribe(asked)
            case ("GET",):
                rows = self.subscriptions.rows.values()
                return "subscriptions.list", lambda: Answer(
                    200, {"value": [self.subscriptions.shown(row) for row in rows]}
                )
            case ("PATCH", name):
                return "subscriptions.renew", lambda: Answer(
                    200, self.subscriptions.renew(self.subscriptions.find(name), asked.json())
                )
            case ("DELETE", name):
                return "subscriptions.delete", lambda: self._unsubscribe(name)
        raise Fault(404, "ResourceNotFound", "Resource not found for the segment.")

    def _subscribe(self, asked: Asked) -> Answer:
        body = asked.json()
        resource = [unquote(part) for part in str(body.get("resource", "")).strip("/").split("/")]
        box, rest = self._mailbox(asked, resource)
        calendar = parse_calendar_id(rest[1]) if rest[:1] == ["calendars"] else None
        if rest[-1:] != ["events"] or (calendar is not None and calendar not in box.calendars):
            raise bad("InvalidRequest", "The resource cannot be subscribed to.")
        immutable = wishes(asked).get("IdType") == "ImmutableId"
        return Answer(201, self.subscriptions.create(body, box, calendar, immutable=immutable))

    def _unsubscribe(self, name: str) -> Answer:
        self.subscriptions.find(name)
        del self.subscriptions.rows[name]
        return Answer(204)
