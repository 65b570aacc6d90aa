"""What mails say: time and weekday first, one thing to do, and no word of ours that means nothing to a reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

import pytest

from calsync.domain.drift import DriftKind, Phase
from calsync.domain.span import Span
from calsync.notices.compose import Mail, compose
from calsync.notices.facts import CalendarFacts, EditedSession, EditFacts, Fact, Fate, Letter, MailsHeld
from calsync.notices.texts import Texts

ZONE = "America/New_York"
NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
TEXTS = Texts()
JARGON = re.compile(
    r"\b(drift\w*|hold|holds|held|master|link|links|linked|disposition|revert\w*|baseline|observed|occurrence|resolv\w*"
    r"|aggregate|cursor|phase|payload|stampede|recall)\b",
    re.IGNORECASE,
)


def span(start: str, end: str, zone: str = ZONE) -> Span:
    return Span(datetime.fromisoformat(start), datetime.fromisoformat(end), zone)


BOOKED = span("2026-11-24T10:00", "2026-11-24T10:50")
SEEN = span("2026-11-24T14:00", "2026-11-24T14:50")


def session(fate: Fate = Fate.RESTORED, **changes: object) -> EditedSession:
    values: dict[str, object] = {
        "drift": "drift-1",
        "appointment": "4821",
        "kind": DriftKind.MOVED,
        "phase": Phase.PAST if fate is Fate.PAST else Phase.UPCOMING,
        "fate": fate,
        "expected": BOOKED,
        "observed": SEEN,
    }
    return EditedSession(**(values | changes))  # type: ignore[arg-type]


def edit(*sessions: EditedSession, url: str | None = "https://calsync.example.org/a/abc") -> EditFacts:
    return EditFacts("edit-1", "google", NOW, sessions or (session(),), url)


def mail(*facts: Fact, support: str | None = "support@example.org") -> Mail:
    return compose(Letter(ZONE, NOW, facts, support, NOW), TEXTS)


def calendar(trouble: str, **changes: object) -> CalendarFacts:
    values: dict[str, object] = {
        "trouble": trouble,
        "calendar": "ada-google",
        "provider": "ada",
        "service": "google",
        "since": NOW,
        "because": "auth-revoked",
        "waiting": 2,
    }
    return CalendarFacts(**(values | changes))  # type: ignore[arg-type]


def every_mail() -> Iterator[tuple[str, Mail]]:
    for fate, kind in product(Fate, DriftKind):
        gone = kind is DriftKind.DELETED
        one = session(fate, kind=kind, observed=None if gone else SEEN)
        yield f"{fate} {kind}", mail(edit(one))
        yield f"{fate} {kind} twice", mail(edit(one, session(fate, drift="drift-2", appointment="4822")))
        yield f"{fate} {kind} without pages", mail(edit(one, url=None), support=None)
    yield "claimed", mail(edit(session(Fate.PAST, phase=Phase.CLAIMED)))
    yield "unknown", mail(edit(session(expected=None, observed=None, appointment=None)))
    for trouble in ("calendar-needs-reconnect", "calendar-stopped", "calendar-read-only", "write-rejected"):
        yield trouble, mail(calendar(trouble))
    yield "stopped", mail(calendar("calendar-stopped", numbers={"changed": 22, "upcoming": 25}))
    yield "held", mail(MailsHeld(200))


ALL = dict(every_mail())


@pytest.mark.parametrize("name", ALL)
def test_no_mail_uses_a_word_of_ours(name: str) -> None:
    one = ALL[name]
    # Commands for support may be named as they are typed; prose may not.
    prose = "\n".join(line for line in one.text.splitlines() if not line.startswith("    "))
    assert JARGON.findall(one.subject + "\n" + prose) == []


@pytest.mark.parametrize("name", ALL)
def test_the_html_says_what_the_text_says(name: str) -> None:
    one = ALL[name]
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", one.html)).replace("&#34;", '"').replace("&#39;", "'")
    for line in one.text.splitlines()[2:]:
        if line.strip() and not line.startswith(("Answer: ", "Only you", "--", "https://", "[ ")):
            assert re.sub(r"\s+", " ", line).strip().rstrip(".") in shown


def test_a_put_back_drag_is_told_on_the_lock_screen() -> None:
    one = mail(edit())
    assert one.subject == "Tue 24 Nov, 10:00 session: moved to 14:00-14:50 in your calendar. Did you mean it?"
    assert "Tuesday 24 November, 10:00-10:50 (no. 4821)" in one.text
    assert "still booked for 10:00" in one.text
    assert "Please answer before Tuesday 24 November, 10:00." in one.text
    assert "https://calsync.example.org/a/abc" in one.text


def test_a_move_to_another_day_names_that_day() -> None:
    one = mail(edit(session(Fate.PAST, observed=span("2026-11-25T15:00", "2026-11-25T15:45"))))
    assert "moved to Wed 25 Nov, 15:00-15:45" in one.subject
    assert one.subject.endswith("When was it?")
    assert "We changed nothing." in one.text


def test_times_are_those_of_the_recipients_clock() -> None:
    one = mail(edit(session(expected=span("2026-11-24T16:00", "2026-11-24T16:50", "Europe/Berlin"))))
    assert one.subject.startswith("Tue 24 Nov, 10:00 session")


def test_without_pages_the_mail_names_whom_to_write_to_and_what_to_quote() -> None:
    one = mail(edit(url=None))
    assert "write to support@example.org and quote no. 4821" in one.text
    assert "Answer" not in one.text


def test_several_sessions_are_one_list_with_one_question() -> None:
    many = [session(drift=f"drift-{n}", appointment=str(n)) for n in range(20)]
    one = mail(edit(*many))
    assert "and 19 more" in one.subject
    assert one.text.count("- Tue 24 Nov") == 12
    assert "- and 8 more" in one.text
    assert one.text.count("Answer") == 1


def test_an_edit_that_spans_past_and_future_tells_the_future_first_and_asks_once() -> None:
    one = mail(edit(session(Fate.PAST), session(Fate.RESTORED, drift="drift-2", appointment="9")))
    assert one.text.index("(no. 9)") < one.text.index("(no. 4821)")
    assert one.text.count("Answer") == 1


def test_values_are_inert_in_html() -> None:
    one = mail(calendar("calendar-needs-reconnect", calendar="<img src=x onerror=alert(1)>{{7*7}}"))
    assert "<img" not in one.html
    assert "&lt;img" in one.html
    assert "{{7*7}}" in one.html
