"""Rules that people write: what is a cadence, in which form it is kept, and how it moves with its series."""

from datetime import timedelta

import pytest

from calsync.domain.cadence import normal_rule, shifted_rule, with_count

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("RRULE:freq=weekly;byday=TU;interval=1", "FREQ=WEEKLY;BYDAY=TU"),
        ("FREQ=WEEKLY;UNTIL=20261103", "FREQ=WEEKLY;UNTIL=20261103T225959Z"),
        ("FREQ=WEEKLY;UNTIL=20261103T100000", "FREQ=WEEKLY;UNTIL=20261103T090000Z"),
        ("FREQ=WEEKLY;UNTIL=20261103T100000Z", "FREQ=WEEKLY;UNTIL=20261103T100000Z"),
    ],
)
def test_one_form(written: str, kept: str) -> None:
    assert normal_rule(written, BERLIN) == kept


@pytest.mark.parametrize(
    "written",
    [
        "",
        "weekly",
        "FREQ=SECONDLY",
        "FREQ=WEEKLY;INTERVAL=0",
        "FREQ=WEEKLY;BYHOUR=9,10",
        "FREQ=WEEKLY;COUNT=3;UNTIL=20261103",
        "FREQ=WEEKLY;COUNT=0",
        "FREQ=WEEKLY;UNTIL=20260230",
    ],
)
def test_what_is_no_cadence(written: str) -> None:
    with pytest.raises(ValueError, match="cadence"):
        normal_rule(written, BERLIN)


def test_weekdays_turn_with_the_day() -> None:
    assert shifted_rule("FREQ=WEEKLY;BYDAY=TU,SU", 1, timedelta(days=1)) == "FREQ=WEEKLY;BYDAY=MO,WE"
    assert shifted_rule("FREQ=WEEKLY;BYDAY=MO", -1, timedelta(days=-1)) == "FREQ=WEEKLY;BYDAY=SU"
    assert shifted_rule("FREQ=MONTHLY", 3, timedelta(days=3)) == "FREQ=MONTHLY"
    assert shifted_rule("FREQ=MONTHLY;BYDAY=4TU", 0, timedelta(hours=1)) == "FREQ=MONTHLY;BYDAY=4TU"
    assert shifted_rule("FREQ=MONTHLY;BYDAY=4TU", 1, timedelta(days=1)) is None
    moved = shifted_rule("FREQ=WEEKLY;UNTIL=20261103T090000Z", 1, timedelta(days=1))
    assert moved == "FREQ=WEEKLY;UNTIL=20261104T090000Z"


def test_count_is_replaced() -> None:
    assert with_count("FREQ=WEEKLY;COUNT=9;BYDAY=TU", 4) == "FREQ=WEEKLY;COUNT=4;BYDAY=TU"
