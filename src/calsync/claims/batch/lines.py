"""One line of a claim file as the check needs it, whatever the format; and the file that cannot be believed at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from calsync.claims.codes import shipped_codes
from calsync.claims.reasons import ReasonCode
from calsync.errors import CalsyncError

MOST_LINES: Final = 1000
"""Lines of one claim; the guide allows 50. A claim with more is no claim."""

_LONGEST_ID: Final = 200


class FileRefused(CalsyncError):
    """Nothing in the file may be trusted. `code` is one of the `file-…` codes, `where` a position, never content."""

    def __init__(self, code: ReasonCode, where: str = "") -> None:
        super().__init__(f"{code}: {where}" if where else str(code))
        self.code = code
        self.where = where


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine:
    """One service line.

    `claim` numbers the claims of the file from 1; `place` says where the line stands, without content. `stated` is the
    appointment that the line names, `claim_id` and `line` are the file's own names. `day` is the date of service, None
    when there is no single readable one: `problems` then say why. `frequency` is 1, 7 or 8, `control` the payer's
    number of the claim that is corrected, `where` the code of the place of service.
    """

    claim: int
    place: str
    claim_id: str | None = None
    line: str | None = None
    stated: str | None = None
    provider: str | None = None
    client: str | None = None
    day: date | None = None
    code: str | None = None
    where: str | None = None
    frequency: str = "1"
    control: str | None = None
    problems: tuple[ReasonCode, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceDate:
    """What a line says of its date: one day, or why there is none."""

    day: date | None = None
    problem: ReasonCode | None = None


def read_days(first: str | None, last: str | None = None) -> ServiceDate:
    """A date of service from `CCYYMMDD` texts; a range is one only when it has a single day."""
    try:
        start = compact_date(first or "")
        end = start if last is None else compact_date(last)
    except ValueError:
        return ServiceDate(problem=ReasonCode.DATE_UNREADABLE)
    return one_day(start, end)


def one_day(start: date, end: date) -> ServiceDate:
    """The day of a range, if it has only one."""
    if end < start:
        return ServiceDate(problem=ReasonCode.DATE_UNREADABLE)
    return ServiceDate(start) if start == end else ServiceDate(problem=ReasonCode.DATE_RANGE_NOT_SINGLE)


def compact_date(text: str) -> date:
    """The date of exactly eight ASCII digits. Raises ValueError for everything else, shorter forms above all."""
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        raise ValueError("not eight digits")
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def iso_date(text: str) -> date:
    """The date of exactly `YYYY-MM-DD`. Raises ValueError for everything else, such as times and week dates."""
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        raise ValueError("not YYYY-MM-DD")
    return compact_date(text.replace("-", ""))


def usable_id(text: str | None) -> str | None:
    """An id that can be looked up: as it is, or None if it is empty, overlong or has unprintable characters."""
    if not text or len(text) > _LONGEST_ID or not text.isprintable():
        return None
    return text


def read_code(text: str | None) -> tuple[str | None, bool]:
    """What a line bills, without blanks around it, and whether that is letters and digits or nothing at all.

    Anything else holds the line: a code that nobody knows by its letters would pass for one that asks for no minutes.
    """
    code = (text or "").strip()
    return usable_id(code), not code or (code.isascii() and code.isalnum())


def units_problem(code: str | None, units: str | None) -> ReasonCode | None:
    """What is wrong with how often a line bills its code: those that we know are billed once for a session.

    More of them would claim minutes or sessions that nothing here has looked at. None and "" say nothing.
    """
    try:
        is_one = not units or Decimal(units) == 1
    except InvalidOperation:
        return ReasonCode.CLAIM_UNREADABLE
    return None if is_one or code not in shipped_codes() else ReasonCode.UNITS_NOT_SINGLE


def shown_id(text: str | None) -> str | None:
    """The file's own name of something, safe to print: cut, and without unprintable characters."""
    if not text:
        return None
    if text.isprintable():
        return text[:_LONGEST_ID]
    return "".join(one if one.isprintable() else "\ufffd" for one in text[:_LONGEST_ID])
