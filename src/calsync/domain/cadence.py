"""The cadence of our own series: rules that people write, checked, brought to one form and changed part by part. Pure.

Narrower than what calendars may send (`rule`): sessions recur by day, week, month or year, at the hour of the first.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from calsync.domain.rule import WEEKDAYS, RuleRefused, normalise_rule, parse_rule, rule_with_until
from calsync.domain.span import instant

_FORM: Final = "write a rule such as FREQ=WEEKLY;BYDAY=TU or FREQ=WEEKLY;INTERVAL=2;COUNT=10"
_HOURS: Final = ("BYHOUR", "BYMINUTE", "BYSECOND")


def normal_rule(text: str, zone: str) -> str:
    """Return the rule in normal form, its UNTIL as a UTC instant (a date means its whole day).

    `ValueError`, with a sentence for its writer, for what is no cadence of sessions.
    """
    try:
        rule = parse_rule(text)
        parts = rule_parts(normalise_rule(text))
    except RuleRefused as problem:
        raise ValueError(f"not a cadence ({problem.broken}): {_FORM}") from problem
    if any(name in parts for name in _HOURS):
        raise ValueError(f"a cadence has no hours of its own, sessions keep the first one's: {_FORM}")
    if rule.count is not None and rule.until is not None:
        raise ValueError("a cadence ends by COUNT or by UNTIL, not by both")
    if rule.until is not None and not rule.until.utc:
        last = rule.until.at + (timedelta(days=1, seconds=-1) if rule.until.whole_day else timedelta(0))
        return rule_with_until(text, instant(last, zone))
    return normalise_rule(text)


def rule_parts(rule: str) -> dict[str, str]:
    """Return the parts of a rule in normal form, by name."""
    return dict(part.split("=", 1) for part in rule.split(";"))


def with_count(rule: str, count: int) -> str:
    """Return the rule with another COUNT, at least 1."""
    return _joined(rule_parts(rule) | {"COUNT": str(count)})


def shifted_rule(rule: str, days: int, later_by: timedelta) -> str | None:
    """Return the rule of a series moved by whole local days and `later_by` as a whole; None if no rule says just that.

    Weekdays of a weekly rule turn with the days; a rule without BY parts follows its first occurrence; others, such as
    "fourth Tuesday", have no plain meaning on another day.
    """
    parts = rule_parts(rule)
    if days:
        by = {name for name in parts if name.startswith("BY")}
        if by - {"BYDAY"} or (by and parts["FREQ"] != "WEEKLY"):
            return None
        if by:
            parts["BYDAY"] = _turned(parts["BYDAY"], days)
    if "UNTIL" in parts:
        until = datetime.strptime(parts["UNTIL"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        parts["UNTIL"] = f"{until + later_by:%Y%m%dT%H%M%SZ}"
    return _joined(parts)


def _joined(parts: dict[str, str]) -> str:
    return normalise_rule(";".join(f"{name}={value}" for name, value in parts.items()))


def _turned(by_day: str, days: int) -> str:
    return ",".join(WEEKDAYS[(WEEKDAYS.index(day[-2:]) + days) % 7] for day in by_day.split(","))
