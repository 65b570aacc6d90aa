"""Our stepping over rules against dateutil's engine, on rules that dateutil survives."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile

from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from calsync.domain.rule import normalise_rule, parse_rule
from calsync.domain.rule_days import rule_times

WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
some_days = st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=3, unique=True).map(",".join)
nth_days = st.lists(
    st.tuples(st.sampled_from([1, 2, 3, 4, 5, -1, -2]), st.sampled_from(WEEKDAYS)).map(lambda d: f"{d[0]}{d[1]}"),
    min_size=1,
    max_size=2,
    unique=True,
).map(",".join)
month_days = st.lists(st.sampled_from([1, 2, 13, 28, 29, 30, 31, -1, -3]), min_size=1, max_size=3, unique=True).map(
    lambda days: ",".join(map(str, days))
)
months = st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True).map(lambda m: ",".join(map(str, m)))


@st.composite
def rules(draw: st.DrawFn) -> str:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 4))}"]
    if draw(st.booleans()):
        parts.append(f"COUNT={draw(st.integers(1, 40))}")
    if draw(st.booleans()):
        parts.append(f"BYMONTH={draw(months)}")
    match draw(st.integers(0, 3)):
        case 1:
            parts.append(f"BYDAY={draw(nth_days if frequency in ('MONTHLY', 'YEARLY') else some_days)}")
        case 2 if frequency != "WEEKLY":
            parts.append(f"BYMONTHDAY={draw(month_days)}")
        case 3 if frequency == "YEARLY":
            parts.append(
                draw(st.sampled_from(["BYYEARDAY=1,100,366,-1", "BYWEEKNO=1,20,53,-1", "BYWEEKNO=1;BYDAY=MO,FR"]))
            )
    if frequency in ("MONTHLY", "YEARLY") and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(st.sampled_from(['1', '-1', '1,-1', '2']))}")
    if draw(st.booleans()):
        parts.append(f"WKST={draw(st.sampled_from(WEEKDAYS))}")
    return ";".join(parts)


@given(rule=rules(), day=st.integers(0, 5000), ahead=st.integers(0, 2000))
@settings(max_examples=200, deadline=None)
def test_same_times_as_dateutil(rule: str, day: int, ahead: int) -> None:
    begin = datetime(2016, 1, 1, 10, 30) + timedelta(days=day)
    # dateutil counts the start only where it fits the rule; take a start that does.
    bare = ";".join(part for part in rule.split(";") if not part.startswith("COUNT"))
    start = next(takewhile(lambda wall: wall.year < 2060, rrulestr(bare, dtstart=begin)), None)
    if start is None:
        return
    first, last = start + timedelta(days=ahead), start + timedelta(days=ahead + 800)
    theirs = list(takewhile(lambda wall: wall <= last, rrulestr(rule, dtstart=start)))
    ours = list(rule_times(parse_rule(rule), start, first=first, last=last))
    assert ours == [wall for wall in theirs if wall >= first]


@given(rule=rules())
def test_the_normal_form_is_its_own_and_means_the_same(rule: str) -> None:
    normal = normalise_rule(rule)
    assert normalise_rule(normal) == normal
    start, last = datetime(2026, 3, 3, 9), datetime(2028, 3, 3)
    assert list(rule_times(parse_rule(rule), start, first=start, last=last)) == list(
        rule_times(parse_rule(normal), start, first=start, last=last)
    )
