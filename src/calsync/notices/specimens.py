"""Tries every template of an installation's own on made-up facts, so that a mistake is found before a mail is due.

`calsync config check` tells what is found. Each text is tried with one session and with several, with and without
buttons, so that both sides of its conditions run.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from calsync.domain.drift import DriftKind, Phase
from calsync.domain.span import Span
from calsync.errors import Problem
from calsync.notices.compose import compose
from calsync.notices.facts import (
    CalendarFacts,
    DaySheetFacts,
    EditedSession,
    EditFacts,
    Fact,
    Fate,
    FleetStopped,
    Letter,
    MailsHeld,
    MoveOffer,
    NewsKind,
    OfficeFacts,
    SessionNews,
    ToldSession,
)
from calsync.notices.texts import TextFault, Texts

_NOW: Final = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
_ZONE: Final = "Europe/Berlin"
_START: Final = datetime(2026, 11, 24, 10, 0)
_URL: Final = "https://example.org/a/specimen"
_OFFICE: Final[dict[str, Any]] = {
    "report_url": _URL,
    "since": "Mon 16 Nov",
    "until": "Sun 22 Nov 2026",
    "open": 3,
    "held": 2,
    "in_trouble": 1,
    "lines": "Sessions: 12\n",
    "number": "4821",
    "provider": "ada",
    "short": "Tue 24 Nov, 10:00",
    "long": "Tuesday 24 November, 10:00-10:50 (Berlin time)",
    "by": "provider:ada",
    "is_off": False,
    "wanted": "2026-11-24 11:00 (Europe/Berlin)",
    "recall": "recall-1",
    "action": "replace",
    "to_do": "Send a replacement.",
    "old": "2026-11-24",
    "new": "2026-11-25",
    "reasons": "drift-open",
    "known_since": "Wednesday 25 November, 09:12",
    "filed_on": "2026-11-24",
    "batch": "1120",
    "claim": "c-1",
    "line": "2",
    "control": "83",
    "filing": "filing-1",
    "edit": "edit-1",
    "more": 1,
    "asked": "2026-11-24 09:00 UTC",
}


def check_templates(folder: Path, practices: list[str]) -> list[Problem]:
    """Everything that is wrong with the templates in a folder, and in its folders that are named after practices."""
    if not folder.is_dir():
        return []
    known = {one.name for one in files("calsync.notices").joinpath("templates").iterdir()}
    problems = [*_strangers(folder, known, practices), *_faults(Texts(folder, strict=True), folder)]
    for practice in practices:
        own = folder / practice
        if own.is_dir():
            problems += [*_strangers(own, known, []), *_faults(Texts(folder, practice, strict=True), own)]
    return list(dict.fromkeys(problems))


def _strangers(folder: Path, known: set[str], practices: list[str]) -> Iterator[Problem]:
    for path in sorted(folder.iterdir()):
        if path.name in known or path.name.startswith(".") or (path.is_dir() and path.name in practices):
            continue
        near = get_close_matches(path.name, known, n=1)
        remedy = f'Did you mean "{near[0]}"?' if near else f"The names are: {', '.join(sorted(known))}"
        yield Problem("there is no text of that name", str(path), remedy)


def _faults(texts: Texts, folder: Path) -> Iterator[Problem]:
    for fact in _facts():
        for support in ("support@example.org", None):
            letter = Letter(zone=_ZONE, now=_NOW, facts=(fact,), support=support, support_day=_NOW + timedelta(days=4))
            try:
                compose(letter, texts)
            except TextFault as fault:
                where = str(folder / fault.file) + (f":{fault.line}" if fault.line else "")
                yield Problem(fault.what, where, "Correct it, or take the file away: the built-in text is used then")


def _facts() -> Iterator[Fact]:
    yield from (MailsHeld(200), FleetStopped("drifting"))
    troubles = ("calendar-needs-reconnect", "calendar-stopped", "calendar-read-only", "write-rejected")
    for trouble in troubles:
        for numbers in (None, {"changed": 22, "upcoming": 25}):
            yield CalendarFacts(
                trouble,
                "ada-work",
                "ada",
                "google",
                _NOW,
                "gone",
                waiting=2,
                numbers=numbers,
                url=_URL,
                is_last=bool(numbers),
            )
    offers = (
        None,
        MoveOffer(may_move=True),
        MoveOffer(may_move=False, because="it is taken", free=(_START,)),
        MoveOffer(may_move=False, elsewhere=_URL),
    )
    for fate in Fate:
        for count in (1, 2):
            for offer in offers:
                yield _edit(fate, count, offer)
    yield _edit(Fate.RESTORED, 3, None, is_cleared_day=True)
    for kind in NewsKind:
        for for_client in (True, False):
            yield from (_news(kind, for_client, count) for count in (1, 2))
    told = _told(1)
    yield DaySheetFacts(date(2026, 11, 24), 5, (told,), _URL)
    yield DaySheetFacts(date(2026, 11, 24), 5, (), _URL, (told, told))
    yield DaySheetFacts(date(2026, 11, 24), 20, (told,) * 14, None)
    for action in ("stop", "review", "replace", "void"):
        yield OfficeFacts("claim-recall", {**_OFFICE, "action": action})
    for name in ("record-correction", "recall-withdrawn", "filed-against-gate", "question-unanswered"):
        yield OfficeFacts(name, _OFFICE)
    yield OfficeFacts("records-stopped", {**_OFFICE, "because": "many changed"})
    yield OfficeFacts("records-unread", {**_OFFICE, "because": "no answer", "since": "2026-11-24 09:00 UTC"})
    yield OfficeFacts("record-correction", {**_OFFICE, "is_off": True})


def _span(hours: int = 0) -> Span:
    start = _START + timedelta(hours=hours)
    return Span(start, start + timedelta(minutes=50), _ZONE)


def _told(number: int) -> ToldSession:
    return ToldSession(f"48{number}", _span(number), _ZONE, former=_span(number + 3), format="video")


def _edit(fate: Fate, count: int, offer: MoveOffer | None, *, is_cleared_day: bool = False) -> EditFacts:
    phase = Phase.PAST if fate is Fate.PAST else Phase.UPCOMING
    kind = DriftKind.DELETED if is_cleared_day else DriftKind.MOVED
    sessions = tuple(
        EditedSession(f"d-{n}", f"48{n}", kind, phase, fate, _span(n), None if is_cleared_day else _span(n + 4))
        for n in range(count)
    )
    return EditFacts(
        "edit-1",
        "google",
        _NOW,
        sessions,
        answer_url=_URL,
        offer=offer,
        reminds=count == 2,
        is_cleared_day=is_cleared_day,
        last_day=(_NOW + timedelta(days=30)).date() if count == 1 else None,
    )


def _news(kind: NewsKind, for_client: bool, count: int) -> SessionNews:  # noqa: FBT001 - called here alone
    is_full = count == 1
    return SessionNews(
        kind=kind,
        for_client=for_client,
        by="client" if is_full else "provider",
        sessions=tuple(_told(n) for n in range(count)),
        with_whom="Ada Example" if is_full else "",
        manage_url=_URL if is_full else None,
        book_url=_URL if is_full else None,
        choose_url=_URL if is_full else None,
        choose_by=_NOW if is_full else None,
        repeats="" if is_full else "every week",
        fee="You owe a fee." if is_full else "",
        resources=(("Help", "https://example.org"),) if is_full else (),
    )
