"""What the pages for connecting say. Plain words; each page has one thing to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi.responses import HTMLResponse

from calsync.connecting import going_live
from calsync.connecting.agreeing import where_to_agree
from calsync.connecting.going_live import Standing
from calsync.connecting.reception import Reception, Visitor
from calsync.notices import wording
from calsync.store import calendars
from calsync.store.calendars import CalendarRow, CalendarState
from calsync.store.connect_attempts import Attempt
from calsync.web.guards import content_policy
from calsync.web.pages import page

SERVICES: Final[Mapping[str, str]] = {"google": "Google Calendar", "outlook": "Outlook or Microsoft 365"}
"""Services whose own page asks the provider, by connector."""
_COMPANIES: Final = {"google": "Google", "outlook": "Microsoft"}


@dataclass(frozen=True, slots=True)
class Preset:
    """A service that takes a name and a password. `url` "": the provider types the address."""

    name: str
    url: str
    user: str
    password: str
    hint: str
    page: str = ""


PRESETS: Final[Mapping[str, Preset]] = {
    "icloud": Preset(
        "iCloud",
        "https://caldav.icloud.com/",
        "Apple Account (the mail address)",
        "App-specific password",
        "Not your usual password: Apple gives other programs one of their own. Sign in on the page below, choose "
        "“Sign-In and Security”, then “App-Specific Passwords”, and make one named “Appointments”.",
        "account.apple.com",
    ),
    "fastmail": Preset(
        "Fastmail",
        "https://caldav.fastmail.com/",
        "Fastmail address",
        "App password",
        "Not your usual password: in Fastmail choose “Settings”, “Privacy & Security”, then “Manage app passwords”, "
        "and make one that may use calendars.",
    ),
    "caldav": Preset(
        "Another calendar (CalDAV)",
        "",
        "Name for the login",
        "Password",
        "Nextcloud, mailbox.org, Posteo and many others. If your service has passwords for single apps, make one.",
    ),
}
_TROUBLE: Final = {
    CalendarState.NEEDS_RECONNECT: "The service does not let us in. Please connect it once more.",
    CalendarState.READ_ONLY: "We may look into that calendar, but not write.",
    CalendarState.STOPPED: "We stopped writing there, and will write to you.",
    CalendarState.PAUSED: "It rests just now.",
}


@dataclass(frozen=True, slots=True)
class ConnectPages:
    """The pages for one provider. `problem` is said on top of whatever comes next."""

    reception: Reception
    visitor: Visitor
    field: str
    support: str | None
    problem: str = ""

    def choose(self) -> HTMLResponse:
        """Which service it is."""
        offered = [(key, name) for key, name in SERVICES.items() if self._agrees_at(key)]
        if self._agrees_at("caldav") is not None:
            offered += [(key, preset.name) for key, preset in PRESETS.items()]
        if self.visitor.calendar is not None:
            offered = []  # this one is connected by the practice, not by the provider
        own = [self._connected(row) for row in self._calendars()]
        return self._page("connect-choose", offered=offered, connected=own)

    def service(self, wish: str) -> HTMLResponse | None:
        """The form of one service; None if it is not offered."""
        again = self._again()
        if again is not None:
            wish = again.connector if again.connector in SERVICES else (wish if wish in PRESETS else "caldav")
        if wish in SERVICES and (origin := self._agrees_at(wish)):
            company = _COMPANIES[wish]
            told = self._page(
                "connect-agree", service=wish, called=SERVICES[wish], company=company, again=again is not None
            )
            told.headers["Content-Security-Policy"] = content_policy(origin)
            return told
        if wish in PRESETS and self._agrees_at("caldav") is not None:
            return self._page("connect-login", wish=wish, preset=PRESETS[wish], again=again is not None)
        return None

    def plan(self, attempt: Attempt) -> HTMLResponse:
        """What will be written, before anything is (R-31)."""
        found, zone = going_live.plan(self.reception, self.visitor), self.visitor.provider.zone
        with self.reception.database.reading() as conn:
            row = calendars.get(conn, attempt.calendar)
        return self._page(
            "connect-plan",
            service=self._service_name(attempt.connector),
            plan=found,
            next=[wording.short_moment(at, zone) for _, at in found.next],
            own=attempt.placement == "dedicated",
            choices=[name or "the calendar at that address" for _, name in attempt.choices],
            again=row is not None and row.removed_at is None,
        )

    def connected(self, standing: Standing) -> HTMLResponse:
        """Whether it can be seen."""
        zone, ahead = self.visitor.provider.zone, standing.next
        row = standing.row
        return self._page(
            "connect-done",
            service=self._service_name(row.connector),
            own=row.placement == "dedicated",
            in_place=standing.in_place,
            next=None if ahead is None else (ahead[0], wording.long_moment(ahead[1], zone)),
            trouble=_TROUBLE.get(row.state, "") or ("We cannot reach it yet." if row.attempts else ""),
            may_disconnect=going_live.may_disconnect(row, self.visitor),
        )

    def not_seen(self, connector: str) -> HTMLResponse:
        """What to look at when it cannot be seen."""
        return self._page("connect-not-seen", connector=connector)

    def disconnect(self) -> HTMLResponse:
        """What letting go means, before it happens."""
        own = [self._connected(row) for row in self._calendars() if going_live.may_disconnect(row, self.visitor)]
        return self._page("connect-disconnect", connected=own)

    def _calendars(self) -> list[CalendarRow]:
        with self.reception.database.reading() as conn:
            rows = calendars.rows(conn, self.visitor.provider.id)
        return [row for row in rows if row.mode == "mirror" and self.visitor.calendar in (None, row.id)]

    def _again(self) -> CalendarRow | None:
        """The calendar that this link is for, if it is for one only."""
        return next(iter(self._calendars()), None) if self.visitor.calendar is not None else None

    def _connected(self, row: CalendarRow) -> dict[str, Any]:
        return {
            "id": row.id,
            "name": self._service_name(row.connector),
            "trouble": _TROUBLE.get(row.state, ""),
            "may_go": going_live.may_disconnect(row, self.visitor),
        }

    def _agrees_at(self, connector: str) -> str | None:
        return where_to_agree(self.reception, self.visitor, connector)

    def _service_name(self, connector: str) -> str:
        return SERVICES.get(connector, "your calendar")

    def _page(self, template: str, **facts: Any) -> HTMLResponse:
        status = 422 if self.problem else 200
        return page(template, status, field=self.field, problem=self.problem, support=self.support, **facts)
