"""Headers and addresses under hostile input (reliability tests 133 to 135)."""

from __future__ import annotations

import email
from datetime import UTC, datetime
from email import policy

import pytest

from calsync.errors import ConfigError
from calsync.notices.compose import Mail
from calsync.notices.message import Sender, build, is_address, message_id, one_line

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
SENDER = Sender("calendars@example.org", "support@example.org")


def built(mail: Mail, key: str = "edit-reverted:1") -> bytes:
    mail_id = message_id(key, SENDER.address)
    return build(mail, SENDER, "ada@example.org", mail_id=mail_id, now=NOW).message.as_bytes(policy=policy.SMTP)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c"])
def test_no_line_break_ends_a_header(end: str) -> None:
    raw = built(Mail(f"Subject{end}Bcc: evil@example.com", "text\n", "<p>text</p>"))
    parsed = email.message_from_bytes(raw, policy=policy.default)
    assert parsed["Bcc"] is None
    assert parsed["Subject"] == "Subject Bcc: evil@example.com"


def test_what_hides_or_turns_the_reading_is_taken_out() -> None:
    assert one_line("a\u202eb\x00c\ud800d") == "a b c d"


@pytest.mark.parametrize(
    "address",
    [
        "a@b@example.org",
        "a@example.org,b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "a b@example.org",
        '"a,b"@example.org',
        "<a@example.org>",
        "ä@example.org",
        "a@",
        "",
        "a" * 300 + "@example.org",
    ],
)
def test_only_one_plain_address_is_one(address: str) -> None:
    assert not is_address(address)
    with pytest.raises(ConfigError):
        build(Mail("s", "t\n", "h"), SENDER, address, mail_id="<1@example.org>", now=NOW)


def test_the_same_effect_is_the_same_bytes() -> None:
    mail = Mail("Subject", "text\n", "<p>text</p>")
    assert built(mail) == built(mail)
    assert built(mail) != built(mail, "edit-reverted:2")


def test_it_says_that_no_person_wrote_it() -> None:
    parsed = email.message_from_bytes(built(Mail("Subject", "text\n", "<p>text</p>")), policy=policy.default)
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["X-Auto-Response-Suppress"] == "All"
    assert parsed["Reply-To"] == "support@example.org"
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]


def test_a_megabyte_of_subject_is_cut() -> None:
    parsed = email.message_from_bytes(built(Mail("x" * 1_000_000, "t\n", "h")), policy=policy.default)
    assert len(parsed["Subject"]) == 200
