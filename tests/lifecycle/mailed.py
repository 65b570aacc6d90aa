"""A practice that mails and answers over the web, with shipped rules: what clients and providers get, and what they do.

Mails leave through a mailer that keeps them; pages are asked for as browsers do. The clock is the test's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Connection

from calsync.answers.mail_book import BookForMails
from calsync.booking import commands
from calsync.booking.commands import Booking, Command, Outcome, Rulebook
from calsync.booking.requests import expire_requests
from calsync.domain.appointment import Appointment
from calsync.domain.span import Span
from calsync.domain.working_times import Hours, WorkingTimes
from calsync.notices.reminding import Reminding
from calsync.notices.send import PostOffice
from calsync.notices.station import Station
from calsync.notices.texts import Texts
from calsync.settings import load
from calsync.settings.secrets import Key, KeyRing
from calsync.store import availability, clients, money, providers, records
from calsync.store.clients import ClientRow
from calsync.store.database import Database
from calsync.store.money import Fee
from calsync.store.providers import ProviderRow
from calsync.testing.fake_ports import FakeClock, FakeIds
from calsync.web.app import make_app
from calsync.web.site import Site
from tests.lifecycle.practice import RULES, ZONE, wall
from tests.unit.notices.office import KeepingMailer, text_of

PUBLIC = "https://calsync.example.org"
KEYS = KeyRing((Key("k1", b"1" * 32),))
DAYS = (Hours(9 * 60, 17 * 60),)


@dataclass
class Mailed:
    """Provider P-1 with working times, clients C-1 and C-2, at nine on Monday 2 November 2026."""

    database: Database
    folder: Path
    rules: str
    changed: tuple[str, str] = ("", "")
    clock: FakeClock = field(default_factory=lambda: FakeClock(wall("2026-11-02T09:00")))
    ids: FakeIds = field(default_factory=FakeIds)
    mailer: KeepingMailer = field(default_factory=KeepingMailer)

    def __post_init__(self) -> None:
        text = (RULES / f"{self.rules}.toml").read_text(encoding="utf-8")
        assert self.changed[0] in text
        (self.folder / "practices").mkdir(exist_ok=True)
        (self.folder / "practices" / f"{self.rules}.toml").write_text(
            text.replace(*self.changed) if self.changed[0] else text, encoding="utf-8"
        )
        config = (
            f'[web]\npublic_url = "{PUBLIC}"\n[mail]\nsender = "office@example.org"\nsupport = "help@example.org"\n'
        )
        (self.folder / "calsync.toml").write_text(config, encoding="utf-8")
        self.settings = load(self.folder / "calsync.toml", {})
        with self.database.transaction() as conn:
            providers.put(conn, ProviderRow("P-1", "Dr. Made Up", "p1@example.org", ZONE, self.rules))
            clients.put(conn, ClientRow("C-1", "Cleo Made", "c1@example.org"))
            clients.put(conn, ClientRow("C-2", "Ada Up", "c2@example.org"))
            times = WorkingTimes((DAYS, DAYS, DAYS, DAYS, DAYS, (), ()), every=60)
            availability.put(conn, "P-1", times, now=self.clock.now(), by="support:x")
        book = BookForMails(self.settings, self.ids, lambda: KEYS)
        station = Station(self.database, self.clock, self.ids, self.settings, Texts(), book)
        self.post = PostOffice(station, self.mailer)
        self.site = Site(self.database, self.settings, self.clock, self.ids, lambda: KEYS)
        self.browser = TestClient(make_app(self.site), base_url=PUBLIC)

    # --- the practice ------------------------------------------------------------------------------------------------

    def command(self, actor: str, reason: str | None = None) -> Command:
        return Command(actor=actor, now=self.clock.now(), reason=reason, rulebook=Rulebook.of_settings(self.settings))

    def do(self, act: Callable[[Connection], Outcome]) -> Outcome:
        with self.database.transaction() as conn:
            return act(conn)

    def book(self, key: str, start: str, client: str = "C-1", **more: Any) -> None:
        begin = datetime.fromisoformat(start)
        span = Span(begin, begin + timedelta(minutes=50), ZONE)
        wanted = Booking(id=key, provider="P-1", client=client, span=span, **more)
        self.do(lambda conn: commands.book(conn, self.command("support:x"), wanted))

    def weekly(self, key: str, start: str, count: int = 4) -> list[str]:
        begin = datetime.fromisoformat(start)
        first = Booking(id=key, provider="P-1", client="C-1", span=Span(begin, begin + timedelta(minutes=50), ZONE))
        horizon = self.clock.now() + timedelta(days=100)
        rule = f"FREQ=WEEKLY;COUNT={count}"
        made = self.do(lambda conn: commands.book_series(conn, self.command("support:x"), first, rule, horizon))
        return list(made.appointments)

    def session(self, key: str) -> Appointment:
        with self.database.reading() as conn:
            found = records.appointment(conn, key)
        assert found is not None
        return found

    def sessions(self, client: str = "C-1") -> list[Appointment]:
        with self.database.reading() as conn:
            return list(records.appointments(conn, records.AppointmentFilter(client=client)))

    def fees(self) -> list[Fee]:
        with self.database.reading() as conn:
            return money.fees(conn)

    def dump(self) -> list[str]:
        from calsync.store.schema import metadata  # noqa: PLC0415

        with self.database.reading() as conn:
            return [f"{table.name} {row}" for table in metadata.sorted_tables for row in conn.execute(table.select())]

    # --- time and mail -----------------------------------------------------------------------------------------------

    def at(self, text: str) -> None:
        self.clock.advance((wall(text) - self.clock.now()).total_seconds())

    def passes(self, **time: float) -> list[EmailMessage]:
        """Let time pass, with all that comes with it; what was mailed meanwhile."""
        before = len(self.mailer.taken)
        self.clock.advance(timedelta(**time).total_seconds())
        reminding = Reminding(self.database, self.settings)
        now = self.clock.now()
        expire_requests(self.database, Rulebook.of_settings(self.settings), now)
        for act in (reminding.remind_clients, reminding.owe_day_sheets, reminding.escalate):
            act(now)
        self.post.drain()
        return [one.message for one in self.mailer.taken[before:]]

    def mailed(self, address: str = "c1@example.org") -> EmailMessage:
        """The last mail to somebody, after ten minutes."""
        self.passes(minutes=11)
        return [one.message for one in self.mailer.taken if one.message["To"] == address][-1]

    # --- pages -------------------------------------------------------------------------------------------------------

    def path(self, mail: EmailMessage, label: str) -> str:
        """The path behind a button of a mail."""
        found = re.search(rf"{label}: {PUBLIC}(/\S+)", text_of(mail))
        assert found, text_of(mail)
        return found[1]

    def see(self, path: str) -> Response:
        answer: Response = self.browser.get(path)
        return answer

    def fields(self, page: Response) -> dict[str, str]:
        """The hidden fields of a page's form."""
        assert page.status_code == 200, page.text
        return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))

    def submit(self, path: str, wish: str = "", **given: str) -> Response:
        """Open a page's form and hand it in with what a person chooses."""
        page = self.see(path + wish)
        answer: Response = self.browser.post(path, data=self.fields(page) | given)
        return answer

    def times(self, page: Response) -> dict[str, str]:
        """The free times that a page offers: what it calls them, and the query that each leads to."""
        found = re.findall(r'href="(\?[^"]*at=[^"]*)" aria-label="([^"]+)"', page.text)
        return {label: query.replace("&amp;", "&") for query, label in found}
