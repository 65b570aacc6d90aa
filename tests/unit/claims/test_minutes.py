"""Edges of minutes and codes (claims sheet, 5, and 11 rule 10)."""

import pytest

from calsync.claims.codes import read_codes, shipped_codes
from tests.unit.claims.cases import advised, codes, judge, read, row, rules, word

LATER = [read("10T23:00")]


def lasting(code: str | None, end: str, **given: object) -> set[str]:
    return codes(judge(record={"code": code, "end": f"2026-11-10T{end}"}, observations=LATER, **given))


@pytest.mark.parametrize(
    ("code", "short", "enough"),
    [
        ("90832", "09:15", "09:16"),
        ("90833", "09:15", "09:16"),
        ("90834", "09:37", "09:38"),
        ("90836", "09:37", "09:38"),
        ("90837", "09:52", "09:53"),
        ("90838", "09:52", "09:53"),
        ("90846", "09:25", "09:26"),
        ("90847", "09:25", "09:26"),
        ("90839", "09:29", "09:30"),
    ],
)
def test_each_code_has_its_floor(code: str, short: str, enough: str) -> None:
    assert (lasting(code, short), lasting(code, enough)) == ({"minutes-below-code"}, set())


@pytest.mark.parametrize("code", ["90791", "90792", "90849", "90853", "99999", None])
def test_codes_without_minutes_are_not_judged(code: str | None) -> None:
    answer = judge(record={"code": code, "end": "2026-11-10T09:05"}, observations=LATER)
    assert codes(answer) == set()
    assert any("not judged" in one.says for one in answer.evidence if one.kind == "code")


@pytest.mark.parametrize(("end", "above"), [("09:52", False), ("09:53", True)])
def test_above_the_ceiling_is_said_and_holds_only_if_strict(end: str, above: bool) -> None:
    record = {"end": f"2026-11-10T{end}"}
    answer = judge(record=record, observations=LATER)
    assert (codes(answer), advised(answer)) == (set(), {"minutes-above-code"} if above else set())
    strict = judge(record=record, observations=LATER, policy={"minutes": "strict"})
    assert codes(strict) == ({"minutes-above-code"} if above else set())


def test_a_started_minute_is_none() -> None:
    assert codes(judge(evidence=[row("10T15:00", "10T15:37:59")])) == {"minutes-below-code"}
    assert (
        advised(
            judge(record={"end": "2026-11-10T09:53:00"}, evidence=[row("10T15:00", "10T15:52:59")], observations=LATER)
        )
        == set()
    )


def test_the_shortest_attestation_counts() -> None:
    said = [
        word("took-place", id=f"W-{end}", start="2026-11-10T09:00", end=f"2026-11-10T09:{end}") for end in ("45", "37")
    ]
    answer = judge(statements=said)
    assert (codes(answer), "minutes-attested" in rules(answer)) == ({"minutes-below-code"}, True)


def test_an_attestation_of_another_date_gives_no_minutes() -> None:
    said = word("took-place", start="2026-11-11T09:00", end="2026-11-11T09:10")
    assert codes(judge(statements=[said], now="2026-11-13T12:00:00Z")) == {"statement-contradicts"}


def test_the_slot_is_what_is_left() -> None:
    assert "minutes-slot" in rules(judge())


def test_a_longer_record_does_not_lengthen_an_attested_session() -> None:
    said = word("took-place", start="2026-11-10T09:00", end="2026-11-10T09:50")
    desk = row("10T15:00", "10T15:55", source="desk")
    assert lasting("90837", "10:00", statements=[said], evidence=[desk]) == {"minutes-below-code"}


def test_the_shipped_table_reads_and_covers_its_codes() -> None:
    assert set(shipped_codes()) >= {"90791", "90832", "90834", "90837", "90847", "90853"}
    assert shipped_codes()["90853"].per_client


@pytest.mark.parametrize(
    "text",
    [
        "[codes.1]\nfloor = -1",
        "[codes.1]\nfloor = 1.5",
        "[codes.1]\nfloors = 16",
        "[codes.1]\nceiling = true",
        "[codes.1]\nper_client = 1",
    ],
)
def test_a_table_with_a_mistake_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"codes\.1"):
        read_codes(text)


def test_the_shortest_reading_of_an_attested_span_counts() -> None:
    said = word("took-place", "02T08:00", start="2026-11-01T01:15", end="2026-11-01T02:00")
    record = {"start": "2026-11-01T01:00", "end": "2026-11-01T03:00", "zone": "America/New_York", "code": "90837"}
    answer = judge(record=record, statements=[said], observations=[read("02T08:00")])
    assert codes(answer) == {"minutes-below-code"}
