"""Dates and names as claim files write them: read exactly, or not at all."""

from __future__ import annotations

from datetime import date

import pytest

from calsync.claims.batch.lines import (
    FileRefused,
    ServiceDate,
    iso_date,
    one_day,
    read_code,
    read_days,
    shown_id,
    usable_id,
)
from calsync.claims.reasons import ReasonCode

DAY, NEXT = date(2026, 11, 10), date(2026, 11, 11)
UNREADABLE = ServiceDate(problem=ReasonCode.DATE_UNREADABLE)
SEVERAL = ServiceDate(problem=ReasonCode.DATE_RANGE_NOT_SINGLE)


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        ("20261110", None, ServiceDate(DAY)),
        ("20261110", "20261110", ServiceDate(DAY)),
        ("20261110", "20261111", SEVERAL),
        ("20261111", "20261110", UNREADABLE),
        ("20261110", "", UNREADABLE),
        ("", None, UNREADABLE),
        (None, None, UNREADABLE),
        (None, "20261110", UNREADABLE),
        ("2026111", None, UNREADABLE),
        ("202611100", None, UNREADABLE),
        ("2026111x", None, UNREADABLE),
        ("2026111\u0661", None, UNREADABLE),
        ("2026 1 1", None, UNREADABLE),
        ("2026+1+1", None, UNREADABLE),
        ("20260230", None, UNREADABLE),
        ("20261301", None, UNREADABLE),
    ],
)
def test_a_date_of_service_is_eight_digits(first: str | None, last: str | None, found: ServiceDate) -> None:
    assert read_days(first, last) == found


@pytest.mark.parametrize(
    ("text", "code", "sound"),
    [
        (" 90834 ", "90834", True),
        ("", None, True),
        (None, None, True),
        ("90834-95", "90834-95", False),
        # Digits to Python, and to a reader: but no code that anybody knows the minutes of.
        ("\uff1990834", "\uff1990834", False),
    ],
)
def test_a_code_is_plain_letters_and_digits(text: str | None, code: str | None, *, sound: bool) -> None:
    assert read_code(text) == (code, sound)


def test_a_range_is_a_day_where_it_has_only_one() -> None:
    assert [one_day(DAY, DAY), one_day(DAY, NEXT), one_day(NEXT, DAY)] == [ServiceDate(DAY), SEVERAL, UNREADABLE]


def test_an_iso_date_has_its_hyphens_where_they_belong() -> None:
    assert iso_date("2026-11-10") == DAY
    for text in (
        "20261110",
        "2026-11-1",
        "2026-1-110",
        "202611-10-",
        "2026-111-0",
        "2026/11-10",
        "2026-11/10",
        "2026-W46-2",
        "-202611-10",
        "2026-1110-",
    ):
        with pytest.raises(ValueError, match="not "):
            iso_date(text)


@pytest.mark.parametrize(
    ("text", "usable", "shown"),
    [
        (None, None, None),
        ("", None, None),
        ("A-1", "A-1", "A-1"),
        (" A-1", " A-1", " A-1"),
        ("x" * 200, "x" * 200, "x" * 200),
        ("x" * 201, None, "x" * 200),
        ("A\x1b1", None, "A\ufffd1"),
        ("\x1b" * 201, None, "\ufffd" * 200),
    ],
)
def test_an_id_is_looked_up_as_it_is_or_not_and_is_always_safe_to_show(
    text: str | None, usable: str | None, shown: str | None
) -> None:
    assert (usable_id(text), shown_id(text)) == (usable, shown)


def test_a_refusal_tells_its_place_if_it_has_one() -> None:
    assert str(FileRefused(ReasonCode.FILE_EMPTY)) == "file-empty"
    assert str(FileRefused(ReasonCode.FILE_UNREADABLE, "row 2")) == "file-unreadable: row 2"
