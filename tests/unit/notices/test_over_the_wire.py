"""Whole mails over a real SMTP server, and what support and billing get."""

from __future__ import annotations

from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import icalendar
import pytest

from calsync.notices.send import PostOffice
from calsync.store import filings, outbox, recalls
from calsync.store.filings import Filing
from calsync.store.recalls import RecallRow
from tests.unit.notices.office import Office
from tests.unit.notices.test_session_news import book, office_with
from tests.unit.notices.test_smtp import Box, serving


def test_a_confirmation_arrives_with_its_three_parts() -> None:
    office, box = office_with(), Box()
    with serving(box) as mailer:
        book(office, "4821")
        office.world.later(minutes=12)
        assert PostOffice(office.post.station, mailer).drain() == 2
    taken = next(one for one in box.taken if one.rcpt_tos == ["k1@example.org"])
    assert taken.mail_from == "calendars@example.org"
    message = message_from_bytes(taken.content, _class=EmailMessage, policy=policy.default)
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    part: Any = list(message.walk())[-1]
    assert part.get_param("method") == "REQUEST"
    text = part.get_payload(decode=True)
    assert text.startswith(b"BEGIN:VCALENDAR\r\n")
    assert b"\n" not in text.replace(b"\r\n", b"")
    assert str(icalendar.Calendar.from_ical(text).walk("VEVENT")[0]["UID"]) == "4821@calsync"
    assert (message["Auto-Submitted"], message["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert max(len(line) for line in taken.content.split(b"\r\n")) <= 998


def owe(office: Office, kind: str, recipient: str, payload: dict[str, object]) -> None:
    now = office.world.clock.now()
    with office.world.database.transaction() as conn:
        outbox.put(conn, f"{kind}/x", kind, recipient, payload, now=now, due_at=now)


class TestTheOffice:
    def recalled(self, office: Office, action: str = "replace") -> None:
        office.world.book("4790", "2026-11-16T15:00")
        now = office.world.clock.now()
        day = date(2026, 11, 16)
        filing = Filing("f-1", "4790", day, "90834", "1", "c-1", "2", "1120", None, now, "support:x")
        row = RecallRow(
            id="r-1",
            key="k",
            appointment="4790",
            clearance=None,
            filing="f-1",
            action=action,
            old_date=day,
            new_date=date(2026, 11, 17),
            old_code="90834",
            new_code=None,
            reasons=("statement-contradicts",),
            evidence={"facts": ["x"], "items": []},
            version=1,
            detected_at=now,
            identified_at=now,
        )
        with office.world.database.transaction() as conn:
            filings.insert(conn, filing)
            recalls.put(conn, row)

    @pytest.mark.parametrize(
        ("action", "subject"),
        [
            ("replace", "1 filed claim to correct: session 4790, 2026-11-16 is 2026-11-17"),
            ("review", "A filed claim in question: session 4790, 2026-11-16"),
            ("stop", "Stop: do not send the claim of session 4790, 2026-11-16"),
            ("void", "1 filed claim to take back: session 4790, 2026-11-16"),
        ],
    )
    def test_billing_is_told_of_a_recall_and_what_to_do(self, action: str, subject: str) -> None:
        office = Office(keys={"mail": {"sender": "c@example.org", "billing": "bill@example.org"}})
        self.recalled(office, action)
        owe(office, "claim-recall", "billing", {"recall": "r-1", "version": 1, "action": action})
        assert office.drained(minutes=12) == 1
        assert (office.mails[0]["To"], office.mails[0]["Subject"]) == ("bill@example.org", subject)
        assert "batch 1120" in office.texts[0]
        assert "Only you can use" not in office.texts[0]

    def test_an_older_version_is_not_told_any_more(self) -> None:
        office = Office()
        self.recalled(office)
        owe(office, "claim-recall", "billing", {"recall": "r-1", "version": 0, "action": "stop"})
        assert office.drained(minutes=12) == 0

    def test_that_a_claim_must_stop_waits_for_no_other_mail(self) -> None:
        office = Office()
        self.recalled(office, "stop")
        owe(office, "claim-recall", "billing", {"recall": "r-1", "version": 1, "action": "stop"})
        assert office.drained(minutes=0) == 1

    def test_without_an_address_of_its_own_billings_mail_goes_to_support(self) -> None:
        office = Office()
        self.recalled(office)
        owe(office, "claim-recall", "billing", {"recall": "r-1", "version": 1, "action": "replace"})
        assert office.drained(minutes=12) == 1
        assert office.mails[0]["To"] == "support@example.org"

    def test_support_is_told_what_the_platform_must_correct_and_what_was_filed_too_early(self) -> None:
        office = Office()
        office.world.book("4790", "2026-11-16T15:00")
        wanted: object = {"start": "2026-11-17T15:00:00", "end": "2026-11-17T15:50:00", "zone": "America/New_York"}
        payload = {"appointment": "4790", "wanted": wanted, "by": "provider:P-1"}
        owe(office, "record-correction", "support", payload)
        owe(office, "filed-against-gate", "support", {"filing": "f-1", "appointment": "4790"})
        assert office.drained(minutes=12) == 1
        assert "took place at 2026-11-17 15:00 (America/New_York)" in office.texts[0]
        assert "Filed although it was held: session 4790" in office.texts[0]
        assert "K-1" not in office.texts[0]
