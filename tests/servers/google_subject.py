"""A calendar on the Google stand-in as a subject of the conformance suite, and a person with a client of their own."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from calsync.connector.protocol import Calendar, CalendarPlace, OpenRequest
from calsync.domain.event import Appearance, Event, Override
from calsync.domain.recurrence import slots_between
from calsync.domain.span import wall_time, zone_named
from calsync.sandbox.google import events
from calsync.sandbox.google.discovery import SCOPE
from calsync.sandbox.google.knobs import Knobs
from calsync.sandbox.google.people import Person
from calsync.sandbox.google.server import Sandbox
from calsync.sandbox.google.times import instant_of
from calsync.testing.conformance import PersonHands, Subject, Weakness
from calsync.testing.edits import Edit
from calsync.testing.fake_ports import FakeClock
from calsync_google.connector import CONNECTOR
from calsync_google.mapping import Reader, appearance, bare_event, is_cancelled, original_start
from calsync_google.settings import CalendarSettings, ConnectorSettings

ZONE = "America/New_York"
EMAIL = "ash@practice.example"
Json = dict[str, Any]


@contextmanager
def google(knobs: Knobs | None = None) -> Iterator[Sandbox]:
    """A running stand-in with an OAuth client and the person EMAIL."""
    sandbox = Sandbox(FakeClock(), knobs or Knobs()).start()
    sandbox.knobs.rate_per_minute = 0
    sandbox.tokens.add_client()
    sandbox.add_person(EMAIL, ZONE)
    try:
        yield sandbox
    finally:
        sandbox.stop()


def secret_file(folder: Path) -> Path:
    """The OAuth client's secret in a file."""
    path = folder / "client_secret"
    path.write_text("sandbox-secret-1\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def connector_settings(sandbox: Sandbox, folder: Path, **more: Any) -> ConnectorSettings:
    """`[connectors.google]` for the stand-in."""
    return ConnectorSettings(
        api_endpoint=sandbox.api_endpoint,
        token_uri=sandbox.token_uri,
        client_id="client-1",
        client_secret_file=secret_file(folder),
        **more,
    )


@dataclass(frozen=True, slots=True)
class Login:
    """Whose consent is used, and where the calendar lies."""

    sandbox: Sandbox
    folder: Path
    email: str = EMAIL

    def request(self, calendar: str | None, *, token: str | None = None, searches: bool = True) -> OpenRequest:
        """A request to open a calendar; None: a dedicated one."""
        names = ["calendar.app.created"] if calendar is None else ["calendar.events.owned"]
        if searches:
            names.append("calendar.calendarlist.readonly")
        given = token or self.sandbox.tokens.consent(self.email, {SCOPE + name for name in names})
        return OpenRequest(
            calendar_id="cal-1",
            connector_settings=connector_settings(self.sandbox, self.folder, search_other_calendars=searches),
            calendar_settings=CalendarSettings(calendar_id=calendar),
            placement="dedicated" if calendar is None else "existing",
            zone=ZONE,
            secret=lambda: given,
            dedicated_id="0123abcd",
            extras={"addresses": [self.email]},
        )


class GoogleHands(PersonHands):
    """A person at the web page. Whatever an edit asks for is done as the page would: patches, exceptions, deletions."""

    def __init__(self, person: Person, calendar: str, other: str) -> None:
        self.person = person
        self.calendar = calendar
        self._other = other
        self._reader = Reader(ZONE, frozenset({person.email}))

    def count(self) -> int:
        """See `PersonHands`."""
        return len(self.person.events(self.calendar))

    def see(self, remote_id: str) -> Event | None:
        """See `PersonHands`."""
        body = self.person.event(self.calendar, remote_id)
        if is_cancelled(body):
            return None
        event = bare_event(body, self._reader)
        if event.recurrence is None:
            return event
        overrides, deleted = [], set(event.recurrence.excluded)
        for row in self.person.exceptions(self.calendar, remote_id):
            at = original_start(row, self._reader)
            if is_cancelled(row):
                deleted.add(at)
            else:
                overrides.append(Override(at, appearance(row, self._reader)))
        overrides.sort(key=lambda one: one.original_start)
        return replace(
            event,
            recurrence=replace(event.recurrence, excluded=tuple(sorted(deleted))),
            overrides=tuple(overrides),
        )

    def raw(self, remote_id: str) -> object:
        """See `PersonHands`."""
        rows = [self.person.event(self.calendar, remote_id), *self.person.exceptions(self.calendar, remote_id)]
        return copy.deepcopy(rows)

    def save(self, remote_id: str, change: Edit) -> None:
        """See `PersonHands`."""
        before = self.see(remote_id)
        assert before is not None
        self._become(remote_id, before, change(before))

    def add(self, event: Event, *, like: str | None = None) -> str:
        """See `PersonHands`."""
        body = _body(event.master)
        if event.recurrence is not None:
            body["recurrence"] = _lines(event)
        if event.description or event.location:
            body |= {"description": event.description, "location": event.location}
        if event.uid.endswith("@conformance") and like is None:
            body["extendedProperties"] = {"private": {"calsyncUid": event.uid}}
        self._made = getattr(self, "_made", 0) + 1
        body["id"] = hashlib.sha256(f"{event.uid} {self._made}".encode()).hexdigest()[:26]
        for part in ("start", "end"):
            body[part] = {key: value for key, value in body[part].items() if value is not None}
        name = self.person.add(self.calendar, body, like=like)
        for one in event.overrides:
            self.person.change(self.calendar, name, _body(one.appearance), one.original_start)
        return name

    def delete(self, remote_id: str) -> None:
        """See `PersonHands`."""
        self.person.delete(self.calendar, remote_id)

    def decorate(self, remote_id: str) -> None:
        """See `PersonHands`."""
        self.person.decorate(self.calendar, remote_id)

    def decorations(self, remote_id: str) -> object:
        """See `PersonHands`."""
        body = self.person.event(self.calendar, remote_id)
        notes = "bring the file" in body["description"]
        return {"colour": body["colorId"], "reminders": copy.deepcopy(body["reminders"]), "notes": notes}

    def strip_marker(self, remote_id: str) -> None:
        """See `PersonHands`."""
        kept = self.person.event(self.calendar, remote_id)["extendedProperties"]["private"]["calsyncUid"]
        self.person.strip_properties(self.calendar, remote_id)
        self.person.change(self.calendar, remote_id, {"extendedProperties": {"private": {"calsyncUid": kept}}})

    def spoil(self, remote_id: str) -> None:
        """See `PersonHands`: as seen by accounts that may not see details, or in times to come."""
        place = self.person.place(self.calendar)
        with self.person.lock:
            body = dict(place.calendar.rows[remote_id].body)
            body["start"] = {"moonPhase": "waxing"}
            place.state.store(place.calendar, body)

    def move_away(self, remote_id: str) -> None:
        """See `PersonHands`."""
        self.person.move(self.calendar, remote_id, self._other)

    def _become(self, name: str, before: Event, after: Event) -> None:
        if after.master.cancelled:
            self.person.delete(self.calendar, name)
            return
        patch: Json = {}
        if after.master != before.master:
            patch |= _body(after.master)
        schedule = (before.master.span, before.recurrence), (after.master.span, after.recurrence)
        excluded_only = before.recurrence and after.recurrence and _same_rule(before, after)
        if schedule[0] != schedule[1] and not excluded_only and after.recurrence is not None:
            patch["recurrence"] = _lines(after)
        if patch:
            self.person.change(self.calendar, name, patch)
        if after.recurrence is not None:
            self._occurrences(name, after)

    def _occurrences(self, name: str, after: Event) -> None:
        """Bring each occurrence to where the edit has it, one by one."""
        wanted = {one.original_start: one.appearance for one in after.overrides}
        assert after.recurrence is not None
        place = self.person.place(self.calendar)
        stored = {
            instant_of(row["originalStartTime"], ZONE): row for row in self.person.exceptions(self.calendar, name)
        }
        for at in after.recurrence.excluded:
            row = stored.pop(at, None)
            if row is None and not slots_between(
                replace(after, recurrence=replace(after.recurrence, excluded=())), at, at
            ):
                continue
            if row is None and at not in _starts(place, name):
                continue
            if row is None or not is_cancelled(row):
                self.person.delete(self.calendar, name, at)
        for at, look in wanted.items():
            row = stored.pop(at, None)
            if look.cancelled:
                self.person.delete(self.calendar, name, at)
            elif row is None or is_cancelled(row) or appearance(row, self._reader) != look:
                self.person.change(self.calendar, name, {**_body(look), "status": "confirmed"}, at)
        for row in stored.values():
            with self.person.lock:
                place.state.drop(place.calendar, row["id"])


def _starts(place: events.Place, name: str) -> set[datetime]:
    from calsync.sandbox.google.times import slots  # noqa: PLC0415 - only here

    return set(slots(place.calendar.rows[name].body, place.zone))


def _same_rule(before: Event, after: Event) -> bool:
    assert before.recurrence is not None
    assert after.recurrence is not None
    return (before.recurrence.rule, before.recurrence.added, before.master.span) == (
        after.recurrence.rule,
        after.recurrence.added,
        after.master.span,
    )


def _body(look: Appearance) -> Json:
    """The page's fields for a look, the other kind of time taken away."""
    none = {"date": None, "dateTime": None, "timeZone": None}
    span = look.span
    moments: Mapping[str, datetime] = {"start": span.start, "end": span.end}
    if span.all_day:
        times = {part: {**none, "date": wall.date().isoformat()} for part, wall in moments.items()}
    else:
        zone = zone_named(span.zone)
        times = {
            part: {**none, "dateTime": wall.replace(tzinfo=zone).isoformat(), "timeZone": span.zone}
            for part, wall in moments.items()
        }
    return {**times, "summary": look.title, "transparency": "opaque" if look.busy else "transparent"}


def _lines(event: Event) -> list[str]:
    assert event.recurrence is not None
    lines = [f"RRULE:{event.recurrence.rule}"]
    zone = event.master.span.zone
    for name, dates in (("RDATE", event.recurrence.added), ("EXDATE", event.recurrence.excluded)):
        if dates:
            walls = ",".join(f"{wall_time(at.astimezone(UTC), zone):%Y%m%dT%H%M%S}" for at in dates)
            lines.append(f"{name};TZID={zone}:{walls}")
    return lines


class GoogleSubject(Subject):
    """One fresh calendar of the person, with another one beside it."""

    def __init__(self, sandbox: Sandbox, folder: Path, **weaknesses: str) -> None:
        self._sandbox = sandbox
        person = sandbox.add_person(f"ash-{len(sandbox.state.accounts)}@practice.example", ZONE)
        self._login = Login(sandbox, folder, person.email)
        self._calendar = person.make_calendar("Work", ZONE)
        other = person.make_calendar("Private", ZONE)
        self.hands: GoogleHands = GoogleHands(person, self._calendar, other)
        self.weaknesses = {
            Weakness.NO_CALLED_OFF: "an event of one's own is there or deleted (sheet 4, status)",
            **{Weakness(name.replace("_", "-")): why for name, why in weaknesses.items()},
        }

    def open(self) -> Calendar:
        """See `Subject`."""
        return CONNECTOR.open(self._login.request(self._calendar), CalendarPlace(self._calendar))

    def settle(self) -> None:
        """See `Subject`: let what lags become visible."""
        self._sandbox.state.requests += self._sandbox.knobs.lag

    def expire(self, cursor: str) -> str:
        """See `Subject`."""
        with self._sandbox.lock:
            self._sandbox.state.expire_tokens(self._sandbox.state.calendars[self._calendar])
        return cursor

    def open_with_wrong_password(self) -> Calendar:
        """See `Subject`."""
        request = self._login.request(self._calendar, token="1//revoked")
        return CONNECTOR.open(request, CalendarPlace(self._calendar))

    def take_away(self) -> None:
        """See `Subject`."""
        self.hands.person.remove_calendar(self._calendar)
