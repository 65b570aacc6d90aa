"""The claims gate against an independent list of the dates that are still possible, over made-up histories.

**Supporting evidence**, for "taking away any single piece of evidence never turns `held` into `cleared`", is what
can only speak for the record: a read that agrees (its calendar stays linked, so the row becomes `never`), a logged
presence of both inside the booked slot and long enough, a word that answers an edit, the acknowledgement that
closed one, the declaration that there is no calendar. Taking away what speaks *against* the record (a log of
another date, a read that differs, an open edit, a word that contradicts or that takes an earlier word back) may of
course clear it.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from calsync.claims.answer import Answer, fingerprint
from calsync.claims.assess import assess
from calsync.claims.case_json import case_from_json, instant, policy_from_json

BASE = json.loads((Path(__file__).parents[1] / "unit" / "claims" / "gate-scenarios.json").read_text(encoding="utf-8"))[
    "base"
]
OUR_DAY, NEXT_DAY = date(2026, 11, 10), date(2026, 11, 11)
UNKNOWN = "unknown"
MINUTE = timedelta(minutes=1)
BUDGET = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# ---------------------------------------------------------------- made-up histories


def rarely(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([usual] * 4 + list(others))


def few(one: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.one_of(st.just([]), st.lists(one, max_size=1), st.lists(one, max_size=3))


HOURS = st.sampled_from(
    ["2026-11-10T15:00", "2026-11-10T15:20", "2026-11-10T16:40", "2026-11-11T05:30", "2026-11-11T15:00"]
)
LENGTHS = st.sampled_from([10, 20, 40, 45, 60])
SLOTS = [
    ("2026-11-10T09:00", "2026-11-10T09:45"),
    ("2026-11-10T23:30", "2026-11-11T00:15"),
    ("2026-11-11T09:00", "2026-11-11T09:45"),
]
MOMENTS = st.sampled_from(
    [f"2026-11-{one}:00Z" for one in ("10T14:00", "10T16:05", "10T17:00", "11T08:00", "11T17:00", "12T10:00")]
)
IDS = st.lists(st.sampled_from(["D-0", "D-1", "D-2", "E-0", "W-0", "W-1"]), unique=True, max_size=4)


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    start = datetime.fromisoformat(draw(HOURS) + "+00:00")
    who = draw(st.sampled_from(["both", "both", "provider", "client", None]))
    end = start + draw(LENGTHS) * MINUTE
    return {
        "source": draw(st.sampled_from(["telehealth-log", "desk"])),
        "who": who,
        "start": start.isoformat(),
        "end": end.isoformat(),
    }


@st.composite
def drifts(draw: st.DrawFn) -> dict[str, Any]:
    shown = draw(st.sampled_from([*SLOTS, ("2026-11-10T14:00", "2026-11-10T14:45"), (None, None)]))
    return {
        "calendar": "cal-1",
        "kind": draw(st.sampled_from(["moved", "moved", "resized", "deleted", "duplicated"])),
        "phase": draw(st.sampled_from(["upcoming", "past"])),
        "resolution": draw(st.sampled_from(["open", "reverted", "reverted", "acknowledged", "withdrawn"])),
        "scope": draw(rarely("occurrence", "series")),
        "mixed": draw(st.booleans()),
        "detected_at": draw(st.one_of(MOMENTS, st.none())),
        "observed_start": shown[0],
        "observed_end": shown[1],
    }


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    says = draw(st.sampled_from(["as-booked", "as-booked", "took-place", "another-day", "did-not-take-place"]))
    start, end = draw(st.sampled_from(SLOTS))
    named = {"start": start, "end": end} if says == "took-place" else {}
    day = {"date": draw(st.sampled_from(["2026-11-10", "2026-11-11", None]))} if says == "another-day" else {}
    return {"by": "provider", "at": draw(MOMENTS), "saw": draw(IDS), "says": says, **named, **day}


@st.composite
def reads(draw: st.DrawFn) -> dict[str, Any]:
    result = draw(rarely("agrees", "differs", "absent", "failed", "never", "stopped"))
    read = {
        "calendar": draw(rarely("cal-1", "cal-2")),
        "result": result,
        "read_at": draw(MOMENTS) if result != "never" else None,
    }
    if result in ("differs", "absent"):
        read["drift"] = draw(st.sampled_from([None, "D-0", "D-1"]))
    if result == "stopped":
        read["touched"] = draw(st.sampled_from([True, False, None]))
    if draw(rarely(False, True)):
        read["confirmed_at"] = draw(st.one_of(MOMENTS, st.none()))
    return read


def numbered(prefix: str, many: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": f"{prefix}-{number}", **one} for number, one in enumerate(many)]


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    start, end = draw(rarely(*SLOTS))
    record = {
        "start": start,
        "end": end,
        "status": draw(rarely("completed", "scheduled", "no-show")),
        "code": draw(rarely("90834", None, "90837")),
        "client_zone": draw(rarely(None, "America/New_York", "Asia/Tokyo")),
        "pending": draw(rarely(None, None, "reschedule")),
    }
    policy = {
        "unlinked": draw(rarely("hold", "clear")),
        "midnight": draw(rarely("hold", "start", "end")),
        "date_zone": draw(rarely("hold", "record")),
        "acknowledge_reverts": draw(rarely(True, False)),
        "require_observation_after_session": draw(rarely(True, False)),
        "backfilled": draw(rarely("hold", "clear")),
    }
    twin = {"id": "A-7", "provider": "P-1", "client": "K-1", "date": "2026-11-10", "code": "90847"}
    return {
        **BASE,
        "record": {**BASE["record"], **record},
        "policy": {**BASE["policy"], **policy},
        "provider": draw(rarely({}, {"calendars": "none", "reason": "paper", "since": "2026-01-01"})),
        "drifts": numbered("D", draw(few(drifts()))),
        "observations": draw(st.one_of(st.just(BASE["observations"]), st.lists(reads(), max_size=4))),
        "evidence": numbered("E", draw(few(rows()))),
        "statements": numbered("W", draw(few(statements()))),
        "others": draw(rarely([], [{**twin, "start": "2026-11-10T10:30", "end": "2026-11-10T11:20"}])),
        "now": draw(rarely("2026-11-13T12:00:00Z", "2026-11-10T15:30:00Z", "2026-11-11T09:00:00Z")),
    }


def answer(data: dict[str, Any], asked: date | None = None) -> Answer:
    return assess(case_from_json(data), instant(data["now"]), policy_from_json(data["policy"]), asked)


# ---------------------------------------------------------------- the dates still possible, minute by minute


def days(data: dict[str, Any], start: str, end: str) -> set[date]:
    """Every date of a span, by the practice's rules; wall times are the record's."""
    record, rule = data["record"], data["policy"]
    home = ZoneInfo(record["zone"])
    zones = [home]
    if rule["date_zone"] == "hold" and record["client_zone"] is not None:
        zones.append(ZoneInfo(record["client_zone"]))
    found = set()
    for zone in zones:
        first, last = (at(one, home).astimezone(zone) for one in (start, end))
        both = [first.date(), (last - MINUTE).date()]
        found |= set({"start": both[:1], "end": both[1:]}.get(rule["midnight"], both))
    return found


def at(text: str, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def minutes(row: dict[str, Any]) -> set[datetime]:
    start, end = datetime.fromisoformat(row["start"]), datetime.fromisoformat(row["end"])
    return {start + number * MINUTE for number in range(int((end - start) / MINUTE))}


def visits(rows_: list[dict[str, Any]]) -> Iterator[list[datetime]]:
    sides = [
        set().union(*(minutes(row) for row in rows_ if row["who"] in (side, "both"))) for side in ("provider", "client")
    ]
    visit: list[datetime] = []
    for minute in sorted(sides[0] & sides[1]):
        if visit and minute - visit[-1] > 31 * MINUTE:
            yield visit
            visit = []
        visit.append(minute)
    yield from [visit] if visit else []


def possible(data: dict[str, Any]) -> set[date | str]:
    """Every date on which the session can have been, and `UNKNOWN` for every doubt that nothing has answered."""
    record, home = data["record"], ZoneInfo(data["record"]["zone"])
    booked = days(data, record["start"], record["end"])
    left: set[date | str] = set(booked)
    if record["status"] != "completed" or record["pending"]:
        left.add(UNKNOWN)
    end = max([at(record["end"], home), *(datetime.fromisoformat(row["end"]) for row in data["evidence"])])
    left |= {UNKNOWN} if instant(data["now"]) < end else set()
    trusted = [row for row in data["evidence"] if row["source"] == "telehealth-log" and row["who"] is not None]
    for row in data["evidence"]:
        left |= days(data, row["start"], row["end"]) if row not in trusted else set()
    together = list(visits(trusted))
    for visit in together:
        left |= days(data, visit[0].isoformat(), (visit[-1] + MINUTE).isoformat())
    proven = any(len(visit) >= 15 for visit in together) and left == booked
    left |= {UNKNOWN} if trusted and not any(len(visit) >= 15 for visit in together) else set()
    live = [
        one
        for one in data["statements"]
        if not any(one["id"] in later["saw"] and later["at"] > one["at"] for later in data["statements"])
    ]
    for word in live:
        left |= days(data, word["start"], word["end"]) if word["says"] == "took-place" else set()
        left |= (
            {date.fromisoformat(word["date"]) if word["date"] else UNKNOWN} if word["says"] == "another-day" else set()
        )
        left |= {UNKNOWN} if word["says"] == "did-not-take-place" else set()
    answered = {
        seen
        for word in live
        for seen in word["saw"]
        for one in data["drifts"]
        if one["id"] == seen and (one["detected_at"] or "9") <= word["at"]
    }
    for drift in data["drifts"]:
        if not proven and drift["id"] not in answered and not dragged_along(data, drift, end):
            left |= left_by(data, drift)
    return left if proven else left | unseen(data, end, answered)


def left_by(data: dict[str, Any], drift: dict[str, Any]) -> set[date | str]:
    """What an unanswered edit leaves possible."""
    if drift["resolution"] in ("acknowledged", "withdrawn"):
        return set()
    if drift["resolution"] == "reverted" and not data["policy"]["acknowledge_reverts"]:
        return set()
    if drift["resolution"] == "reverted" and any(row["who"] in ("both", None) for row in data["evidence"]):
        return set()
    harmless = (
        drift["resolution"] == "reverted" and drift["phase"] == "upcoming" and drift["kind"] in ("moved", "resized")
    )
    return (
        set(days(data, drift["observed_start"], drift["observed_end"]))
        if harmless and drift["observed_start"]
        else {UNKNOWN}
    )


def dragged_along(data: dict[str, Any], drift: dict[str, Any], end: datetime) -> bool:
    past = (
        drift["scope"] == "series" and drift["mixed"] and drift["phase"] == "past" and drift["detected_at"] is not None
    )
    calendars = {one["calendar"] for one in data["observations"]}
    proofs = [one for one in data["observations"] if one["result"] == "agrees" and is_proof(data, one, end)]
    return past and calendars == {one["calendar"] for one in proofs if one["read_at"] < drift["detected_at"]}


def is_proof(data: dict[str, Any], read: dict[str, Any], end: datetime) -> bool:
    start = at(data["record"]["start"], ZoneInfo(data["record"]["zone"]))
    stood = "confirmed_at" not in read or (read["confirmed_at"] is not None and instant(read["confirmed_at"]) < start)
    return end < instant(read["read_at"]) <= instant(data["now"]) and (stood or data["policy"]["backfilled"] == "clear")


def unseen(data: dict[str, Any], end: datetime, answered: set[str]) -> set[date | str]:
    """The doubt that calendars leave: one that was not read in time, shows something unexplained, or stands still."""
    accepted = answered | {
        one["id"] for one in data["drifts"] if one["resolution"] == "acknowledged" or dragged_along(data, one, end)
    }
    lax = not data["policy"]["require_observation_after_session"]
    calendars = {one["calendar"] for one in data["observations"]}
    if not calendars:
        return set() if lax or data["policy"]["unlinked"] == "clear" or data["provider"] else {UNKNOWN}
    for calendar in calendars:
        own = [one for one in data["observations"] if one["calendar"] == calendar]
        stops = [one for one in own if one["result"] == "stopped"]
        good = [one for one in own if one["result"] in ("agrees", "differs", "absent")]
        good = [one for one in good if not stops or one["read_at"] < min(stop["read_at"] for stop in stops)]
        last = [one for one in good if one["read_at"] == max(other["read_at"] for other in good)]
        if any(one["result"] != "agrees" and one.get("drift") not in accepted for one in last):
            return {UNKNOWN}
        if stops and not (
            all(stop["touched"] is False for stop in stops) and any(is_proof(data, one, end) for one in good)
        ):
            return {UNKNOWN}
        as_booked = [one for one in good if one["result"] == "agrees" or one.get("drift") in accepted]
        if not lax and not any(is_proof(data, one, end) for one in as_booked):
            return {UNKNOWN}
    return set()


# ---------------------------------------------------------------- properties


@BUDGET
@given(histories())
def test_nothing_with_two_possible_dates_or_a_doubt_is_cleared(data: dict[str, Any]) -> None:
    found = answer(data)
    event(f"{found.verdict}")
    if found.verdict == "cleared":
        assert possible(data) == {found.date_of_service}
        assert not found.reasons
    else:
        assert found.date_of_service is None
        assert found.reasons


def weakened(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The case without one piece of supporting evidence, for every piece."""
    for number, read in enumerate(data["observations"]):
        if read["result"] == "agrees":
            yield changed(
                data, "observations", number, {"calendar": read["calendar"], "read_at": None, "result": "never"}
            )
    for number, row in enumerate(data["evidence"]):
        if supports(data, row):
            yield changed(data, "evidence", number, None)
    for number, word in enumerate(data["statements"]):
        if word["says"] == "as-booked" and not any(seen.startswith("W") for seen in word["saw"]):
            yield changed(data, "statements", number, None)
    for number, drift in enumerate(data["drifts"]):
        if drift["resolution"] == "acknowledged":
            yield changed(data, "drifts", number, {**drift, "resolution": "open"})
    yield {**data, "provider": {}}


def supports(data: dict[str, Any], row: dict[str, Any]) -> bool:
    home = ZoneInfo(data["record"]["zone"])
    inside = at(data["record"]["start"], home) <= instant(row["start"]) and instant(row["end"]) <= at(
        data["record"]["end"], home
    )
    return (
        inside
        and row["who"] == "both"
        and len(minutes(row)) >= {"90834": 38, "90837": 53}.get(data["record"]["code"], 15)
    )


def changed(data: dict[str, Any], key: str, number: int, into: dict[str, Any] | None) -> dict[str, Any]:
    copy = deepcopy(data)
    copy[key][number : number + 1] = [] if into is None else [into]
    return copy


@BUDGET
@given(histories())
def test_taking_away_what_supports_a_record_never_clears_it(data: dict[str, Any]) -> None:
    if answer(data).verdict == "cleared":
        return
    for less in weakened(data):
        assert answer(less).verdict != "cleared"


@BUDGET
@given(histories(), st.dates(date(2026, 11, 9), date(2026, 11, 12)))
def test_only_the_verified_date_is_ever_cleared(data: dict[str, Any], asked: date) -> None:
    found, unasked = answer(data, asked), answer(data)
    assert found.date_of_service in (None, asked)
    assert (found.verdict == "cleared") is (unasked.verdict == "cleared" and unasked.date_of_service == asked)


@BUDGET
@given(histories(), st.randoms(use_true_random=False))
def test_the_answer_follows_from_the_case_alone(data: dict[str, Any], chance: Any) -> None:
    shuffled = deepcopy(data)
    for key in ("drifts", "observations", "evidence", "statements"):
        chance.shuffle(shuffled[key])
    assert fingerprint(answer(data)) == fingerprint(answer(deepcopy(data))) == fingerprint(answer(shuffled))
