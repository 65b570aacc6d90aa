"""The routes of the stand-in: one request in, one answer out. Strict about what Graph is strict about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from calsync.sandbox.graph import writing
from calsync.sandbox.graph.batch import answer_batch
from calsync.sandbox.graph.delta import Delta, Place, View
from calsync.sandbox.graph.exchange import Answer, Asked
from calsync.sandbox.graph.faults import Fault, bad, missing, throttled
from calsync.sandbox.graph.ids import event_id, parse_calendar_id, parse_event_id
from calsync.sandbox.graph.resources import Look, calendar_json, event_json
from calsync.sandbox.graph.state import CalendarBox, GraphState, Item, Mailbox, overlaps
from calsync.sandbox.graph.subscriptions import Subscriptions
from calsync.sandbox.graph.tokens import Grant, Tokens
from calsync.sandbox.graph.weather import Damage, Weather
from calsync.sandbox.graph.zones import zone_of

Json = dict[str, Any]

_PROPERTY_FILTER = re.compile(r"singleValueExtendedProperties/Any\(ep: ep/id eq '([^']+)' and ep/value eq '([^']*)'\)")
_EXPAND_PROPERTIES = re.compile(r"singleValueExtendedProperties\(\$filter=([^)]*)\)")
_PREFER = re.compile(r'([A-Za-z.\-]+)=("[^"]*"|[^,]*)')


@dataclass(frozen=True, slots=True)
class _Call:
    asked: Asked
    box: Mailbox
    look: Look
    page_size: int
    root: str


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
        self.listings: dict[str, list[Json]] = {}
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
        call = _Call(asked, box, self._look(asked), self._page_size(asked), root)
        return self._mailbox_route(call, rest)

    def _mailbox_route(self, call: _Call, rest: list[str]) -> tuple[str, Callable[[], Answer]]:
        shape = tuple("*" if at == 1 and rest[0] in ("calendars", "events") else part for at, part in enumerate(rest))
        name = rest[1] if len(rest) > 1 else ""
        found = self._routes().get((call.asked.method, *shape))
        if found is None:
            raise Fault(404, "ResourceNotFound", "Resource not found for the segment.")
        route, run = found
        return route, lambda: run(call, name)

    def _routes(self) -> dict[tuple[str, ...], tuple[str, Callable[[_Call, str], Answer]]]:
        return {
            ("GET", "calendars"): ("calendars.list", self._calendars),
            ("POST", "calendars"): ("calendars.create", self._make_calendar),
            ("GET", "calendar"): ("calendars.get", self._calendar),
            ("GET", "calendars", "*"): ("calendars.get", self._calendar),
            ("PATCH", "calendars", "*"): ("calendars.update", self._rename_calendar),
            ("DELETE", "calendars", "*"): ("calendars.delete", self._drop_calendar),
            ("GET", "calendars", "*", "events"): ("events.list", self._events),
            ("POST", "calendars", "*", "events"): ("events.create", self._create),
            ("POST", "events"): ("events.create", self._create),
            ("GET", "calendars", "*", "calendarView"): ("view", self._view),
            ("GET", "calendars", "*", "calendarView", "delta"): ("delta", self._delta),
            ("GET", "events", "*"): ("events.get", self._get),
            ("PATCH", "events", "*"): ("events.update", self._patch),
            ("DELETE", "events", "*"): ("events.delete", self._delete),
            ("GET", "events", "*", "instances"): ("instances", self._instances),
            ("POST", "calendar", "getSchedule"): ("schedule", self._schedule),
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

    def _prefer(self, asked: Asked) -> dict[str, str]:
        return {name: value.strip('"') for name, value in _PREFER.findall(asked.headers.get("prefer", ""))}

    def _page_size(self, asked: Asked) -> int:
        wish = self._prefer(asked).get("odata.maxpagesize")
        return min(int(wish), 1000) if wish else self.state.knobs.page_size

    def _look(self, asked: Asked) -> Look:
        prefer, query = self._prefer(asked), asked.query
        zone = prefer.get("outlook.timezone", "UTC")
        expand = query.get("$expand", "")
        listed = _EXPAND_PROPERTIES.search(expand)
        properties = re.findall(r"id eq '([^']+)'", listed[1]) if listed else []
        return Look(
            immutable=prefer.get("IdType") == "ImmutableId",
            zone=zone,
            tz=zone_of(zone),
            text=prefer.get("outlook.body-content-type") == "text",
            select=tuple(part for part in query.get("$select", "").split(",") if part),
            properties=tuple(properties),
            expand_exceptions="exceptionOccurrences" in expand and not self.state.knobs.government,
            government=self.state.knobs.government,
        )

    # -- calendars

    def _box(self, call: _Call, name: str) -> CalendarBox:
        if not name:
            return next(calendar for calendar in call.box.calendars.values() if calendar.is_default)
        found = call.box.calendars.get(parse_calendar_id(name))
        if found is None:
            raise missing()
        return found

    def _calendars(self, call: _Call, _name: str) -> Answer:
        rows = [calendar_json(call.box, one, immutable=call.look.immutable) for one in call.box.calendars.values()]
        return self._paged(call, rows)

    def _make_calendar(self, call: _Call, _name: str) -> Answer:
        name = str(call.asked.json().get("name", ""))
        if any(one.name == name for one in call.box.calendars.values()):
            raise Fault(409, "ErrorFolderExists", "A folder with the specified name already exists.")
        made = self.state.add_calendar(call.box, name)
        told = calendar_json(call.box, made, immutable=call.look.immutable)
        if self.state.knobs.calendar_id_changes_after_create:
            told["id"] = calendar_json(call.box, made, immutable=not call.look.immutable)["id"]
        return Answer(201, told)

    def _calendar(self, call: _Call, name: str) -> Answer:
        calendar = self._box(call, name)
        return Answer(200, calendar_json(call.box, calendar, immutable=call.look.immutable))

    def _rename_calendar(self, call: _Call, name: str) -> Answer:
        calendar, wanted = self._box(call, name), str(call.asked.json().get("name", ""))
        if any(one.name == wanted and one is not calendar for one in call.box.calendars.values()):
            raise Fault(409, "ErrorFolderExists", "A folder with the specified name already exists.")
        calendar.name = wanted
        return self._calendar(call, name)

    def _drop_calendar(self, call: _Call, name: str) -> Answer:
        self.state.drop_calendar(call.box, self._box(call, name).number)
        return Answer(204)

    # -- events

    def _item(self, call: _Call, name: str) -> tuple[Item, date | None]:
        named = parse_event_id(name)
        item = call.box.items.get(named.item)
        if item is None:
            raise missing()
        if named.slot is not None:
            writing.occurrence_stands(item, named.slot, named.build)
        return item, named.slot

    def _event(self, call: _Call, item: Item, slot: date | None, status: int = 200) -> Answer:
        headers = {"Preference-Applied": call.asked.headers.get("prefer", "")}
        return Answer(status, event_json(call.box, item, call.look, slot), headers)

    def _get(self, call: _Call, name: str) -> Answer:
        if "exceptionOccurrences" in call.asked.query.get("$expand", "") and self.state.knobs.government:
            raise bad("BadRequest", "Could not find a property named 'exceptionOccurrences'.")
        item, slot = self._item(call, name)
        return self._event(call, item, slot)

    def _create(self, call: _Call, name: str) -> Answer:
        calendar = self._box(call, name)
        item = writing.create(self.state, call.box, calendar, call.asked.json())
        answer = self._event(call, item, None, 201)
        if self.state.knobs.touches_after_create:
            self.state.touch(call.box, item)
        return answer

    def _patch(self, call: _Call, name: str) -> Answer:
        item, slot = self._item(call, name)
        writing.check_version(self.state, item, slot, call.asked.headers)
        writing.patch(self.state, call.box, item, slot, call.asked.json())
        return self._event(call, item, slot)

    def _delete(self, call: _Call, name: str) -> Answer:
        named = parse_event_id(name)
        if named.item in call.box.bin and self.state.knobs.deleted_again != 404:
            raise Fault(self.state.knobs.deleted_again, "ErrorItemNotFound", "Already gone.")
        item, slot = self._item(call, name)
        writing.check_version(self.state, item, slot, call.asked.headers)
        writing.delete(self.state, call.box, item, slot)
        return Answer(204)

    def _events(self, call: _Call, name: str) -> Answer:
        calendar = self._box(call, name)
        items: Iterable[Item] = [item for item in call.box.items.values() if item.calendar == calendar.number]
        wanted = call.asked.query.get("$filter")
        if wanted is not None:
            found = _PROPERTY_FILTER.fullmatch(wanted)
            if found is None:
                raise bad("ErrorInvalidProperty", "The property filter is not understood.")
            items = [item for item in items if item.props.get(found[1], "").lower() == found[2].lower()]
        return self._paged(call, [event_json(call.box, item, call.look) for item in items])

    def _range(self, call: _Call) -> tuple[datetime, datetime]:
        query = call.asked.query
        try:
            start, end = (_instant(query[name]) for name in ("startDateTime", "endDateTime"))
        except (KeyError, ValueError):
            raise bad("ErrorInvalidParameter", "startDateTime and endDateTime are wanted") from None
        if end - start > timedelta(days=1825):
            raise bad("ErrorInvalidParameter", "The range is too long.")
        return start, end

    def _view(self, call: _Call, name: str) -> Answer:
        calendar = self._box(call, name)
        if "singleValueExtendedProperties" in call.asked.query.get("$filter", ""):
            raise Fault(500, "ErrorInternalServerError")
        start, end = self._range(call)
        rows = []
        for item in [item for item in call.box.items.values() if item.calendar == calendar.number]:
            if item.recurrence is None:
                if overlaps(item.when, start, end):
                    rows.append(event_json(call.box, item, call.look, is_view=True))
            else:
                slots = self.state.shown_slots(item, start, end)
                rows += [event_json(call.box, item, call.look, day, is_view=True) for day in slots]
        return self._paged(call, rows)

    def _instances(self, call: _Call, name: str) -> Answer:
        if "$skiptoken" in call.asked.query:
            return self._paged(call, [])
        item, _ = self._item(call, name)
        start, end = self._range(call)
        if item.recurrence is None:
            raise bad("ErrorInvalidRequest", "not a series master")
        slots = self.state.shown_slots(item, start, end)
        return self._paged(call, [event_json(call.box, item, call.look, day, is_view=True) for day in slots])

    def _paged(self, call: _Call, rows: list[Json]) -> Answer:
        query = call.asked.query
        token = query.get("$skiptoken")
        if token is not None:
            rows = self.listings.get(token, [])
        size = min(int(query.get("$top", call.page_size)), 999)
        answer: Json = {"value": rows[:size]}
        if rows[size:]:
            following = f"s{self.state.next_number()}"
            self.listings[following] = rows[size:]
            base = call.asked.target.partition("?")[0]
            kept = "&".join(f"{name}={value}" for name, value in query.items() if name != "$skiptoken")
            answer["@odata.nextLink"] = f"{call.root}{base}?{_quoted(kept)}&$skiptoken={following}"
        return Answer(200, answer)

    def _schedule(self, call: _Call, _name: str) -> Answer:
        asked = call.asked.json()
        start, end = (_instant(asked[name]["dateTime"]) for name in ("startTime", "endTime"))
        found = []
        for item in call.box.items.values():
            days = [None] if item.recurrence is None else list(self.state.shown_slots(item, start, end))
            for day in days:
                when = item.when if day is None else item.shown_when(day)
                if overlaps(when, start, end):
                    shown = event_json(call.box, item, call.look, day)
                    found.append({"status": shown["showAs"], "start": shown["start"], "end": shown["end"]})
        rows = [{"scheduleId": name, "scheduleItems": found} for name in asked.get("schedules", ())]
        return Answer(200, {"value": rows})

    # -- delta

    def _delta(self, call: _Call, calendar: str) -> Answer:
        query = call.asked.query
        if {"$select", "$filter", "$orderby", "$search", "$top"} & query.keys():
            raise bad("ErrorInvalidUrlQuery", "The query option is not supported.")
        if "$expand" in query:
            raise Fault(500, "InternalServerError")
        token = query.get("$deltatoken") or query.get("$skiptoken")
        box = self._box(call, calendar)
        place: Place
        if token is None:
            start, end = self._range(call)
            place = self.delta.first(View(call.box.guid, box.number, start, end))
        else:
            place = self.delta.follow(token)
        rows, following, is_last = self.delta.page(place, call.page_size, call.box, call.look)
        base = f"{call.root}{call.asked.target.partition('?')[0]}"
        link = ("@odata.deltaLink", "$deltatoken") if is_last else ("@odata.nextLink", "$skiptoken")
        return Answer(
            200, {"value": rows, link[0]: f"{base}?{link[1]}={following}"},
            {"Preference-Applied": "odata.track-changes"},
        )  # fmt: skip

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
        immutable = self._prefer(asked).get("IdType") == "ImmutableId"
        return Answer(201, self.subscriptions.create(body, box, calendar, immutable=immutable))

    def _unsubscribe(self, name: str) -> Answer:
        self.subscriptions.find(name)
        del self.subscriptions.rows[name]
        return Answer(204)

    def remote_id(self, item: Item) -> str:
        """The immutable id of an event, for tests."""
        return event_id(item, immutable=True)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _quoted(text: str) -> str:
    return text.replace(" ", "%20").replace("'", "%27").replace("+", "%2B")
