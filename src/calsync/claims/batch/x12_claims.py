"""Service lines of an 837P file (005010X222A1): what stands where is in the claims sheet, 1 and 10.

Only control data, ids, codes and dates of service are looked at; names, addresses and diagnoses are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TextIO

from pyx12.segment import Segment

from calsync.claims.batch.lines import (
    MOST_LINES,
    BatchLine,
    FileRefused,
    ServiceDate,
    compact_date,
    read_code,
    read_days,
    shown_id,
    units_problem,
    usable_id,
)
from calsync.claims.batch.x12_stream import Interchange, interchanges
from calsync.claims.reasons import ReasonCode

GUIDE: Final = "005010X222"
FREQUENCIES: Final = ("1", "7", "8")

_OF_A_DATE: Final = 3  # elements: whose date, its form, the date
_ENDS_A_CLAIM: Final = frozenset({"CLM", "HL", "SE"})


@dataclass(slots=True)
class _Line:
    """A 2400 loop as far as it was read."""

    number: str
    code: str | None = None
    place: str | None = None
    provider: str | None = None
    services: int = 0
    dates: list[ServiceDate] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    units: str | None = None


@dataclass(slots=True)
class _Claim:
    """A 2300 loop as far as it was read."""

    number: int
    id: str
    place: str
    frequency: str
    references: list[str] = field(default_factory=list)
    dates: list[ServiceDate] = field(default_factory=list)
    periods: list[str] = field(default_factory=list)
    provider: str | None = None
    other_payers: bool = False
    lines: list[BatchLine] = field(default_factory=list)


def read_x12(file: TextIO) -> Iterator[BatchLine]:
    """The lines of the file, in its order. Raises FileRefused, possibly after many lines: none of them counts then.

    `file` must be opened as latin-1 with `newline=""`.
    """
    claims = 0
    for one in interchanges(file):
        reader = _ClaimReader(one, claims)
        yield from reader.lines()
        claims = reader.claims
    if not claims:
        raise FileRefused(ReasonCode.FILE_NO_CLAIMS)


class _ClaimReader:
    """The claims of one interchange."""

    def __init__(self, interchange: Interchange, claims: int) -> None:
        self.interchange = interchange
        self.claims = claims
        self._in_set = False
        self._set = ""
        self._guide = ""
        self._claim: _Claim | None = None
        self._line: _Line | None = None

    def lines(self) -> Iterator[BatchLine]:
        """All lines of the interchange."""
        for segment in self.interchange.segments():
            name = segment.seg_id
            if name in _ENDS_A_CLAIM and self._claim is not None:
                yield from self._end_claim()
            act = _ACTS.get(name)
            if act is not None:
                act(self, segment)
            elif name in ("SV2", "SV3"):
                raise self._refused(ReasonCode.FILE_NOT_837P)

    def group(self, segment: Segment) -> None:
        self._guide = element(segment, 8)
        if element(segment, 1) != "HC":
            raise self._refused(ReasonCode.FILE_NOT_837P)

    def begin_set(self, segment: Segment) -> None:
        self._in_set = True
        self._set = f"interchange {self.interchange.number}, set {shown_id(element(segment, 2))}"
        guide = element(segment, 3) or self._guide
        if element(segment, 1) != "837" or not guide.startswith(GUIDE) or not self._guide.startswith(GUIDE):
            raise self._refused(ReasonCode.FILE_NOT_837P)

    def end_set(self, _segment: Segment) -> None:
        self._in_set = False

    def begin_claim(self, segment: Segment) -> None:
        if not self._in_set:
            raise self._refused(ReasonCode.FILE_UNREADABLE)
        self.claims += 1
        self._claim = _Claim(self.claims, element(segment, 1), component(segment, 5, 1), component(segment, 5, 3))

    def begin_line(self, segment: Segment) -> None:
        claim = self._open_claim()
        self._end_line(claim)
        self._line = _Line(element(segment, 1))

    def _open_claim(self) -> _Claim:
        if self._claim is None:
            raise self._refused(ReasonCode.FILE_UNREADABLE)
        return self._claim

    def reference(self, segment: Segment) -> None:
        kind = element(segment, 1)
        if self._line is not None:
            if kind == "6R":
                self._line.references.append(element(segment, 2))
        elif kind == "F8" and self._claim is not None and not self._claim.other_payers:
            self._claim.references.append(element(segment, 2))

    def other_payer(self, _segment: Segment) -> None:
        # From here on references may be another payer's (2330B).
        if self._claim is not None:
            self._claim.other_payers = True

    def service(self, segment: Segment) -> None:
        line = self._line
        if line is None:
            raise self._refused(ReasonCode.FILE_UNREADABLE)
        line.services += 1
        line.code = component(segment, 1, 2) or None
        line.place = element(segment, 5) or None
        # Anything but units, such as minutes, is not "once".
        line.units = element(segment, 4) if element(segment, 3) in ("", "UN") else f"{element(segment, 3)} of them"

    def date(self, segment: Segment) -> None:
        told = self._line or self._claim
        kind = element(segment, 1).strip()
        if kind == "472" and told is not None:
            told.dates.append(_service_date(segment))
        elif kind == "434" and self._claim is not None:
            self._claim.periods.append(element(segment, 3))

    def name(self, segment: Segment) -> None:
        claim = self._claim
        if claim is None or element(segment, 1) != "82" or element(segment, 8) != "XX":
            return
        if self._line is not None:
            self._line.provider = element(segment, 9)
        elif not claim.other_payers:
            claim.provider = element(segment, 9)

    def _end_line(self, claim: _Claim) -> None:
        if self._line is not None:
            claim.lines.append(self._read(claim, self._line))
            self._line = None
            if len(claim.lines) > MOST_LINES:
                raise self._refused(ReasonCode.FILE_UNREADABLE)

    def _end_claim(self) -> list[BatchLine]:
        claim = self._open_claim()
        self._end_line(claim)
        self._claim = None
        # A claim without lines must not vanish: it would leave the file unseen.
        return claim.lines or [self._made(claim, None, problems=(ReasonCode.CLAIM_UNREADABLE,))]

    def _read(self, claim: _Claim, line: _Line) -> BatchLine:
        problems = []
        day = ServiceDate(problem=ReasonCode.DATE_MISSING)
        if line.dates:
            # The guide knows no date of service of a whole claim; one that says something else is another date.
            alone = len(line.dates) == 1 and all(one == line.dates[0] for one in claim.dates)
            alone = alone and all(_lies_in(line.dates[0], one) for one in claim.periods)
            day = line.dates[0] if alone else ServiceDate(problem=ReasonCode.DATE_REPEATED)
        if day.problem is not None:
            problems.append(day.problem)
        if len(line.references) > 1:
            problems.append(ReasonCode.AMBIGUOUS_MATCH)
        if len(claim.references) > 1 and claim.frequency != "1":
            problems.append(ReasonCode.CORRECTION_REFERENCE_MISMATCH)
        if (odd := units_problem(read_code(line.code)[0], line.units)) is not None:
            problems.append(odd)
        if line.services != 1 or line.code is None or not read_code(line.code)[1] or claim.frequency not in FREQUENCIES:
            problems.append(ReasonCode.CLAIM_UNREADABLE)
        return self._made(claim, line, day=day, problems=tuple(problems))

    def _made(
        self,
        claim: _Claim,
        line: _Line | None,
        *,
        day: ServiceDate | None = None,
        problems: tuple[ReasonCode, ...],
    ) -> BatchLine:
        where = f"{self._set}, claim {claim.number}"
        references = line.references if line is not None else []
        return BatchLine(
            claim=claim.number,
            place=where if line is None else f"{where}, line {shown_id(line.number)}",
            claim_id=shown_id(claim.id),
            line=None if line is None else shown_id(line.number),
            stated=usable_id(references[0]) if len(references) == 1 else None,
            provider=usable_id((line.provider if line is not None else None) or claim.provider),
            day=None if day is None else day.day,
            code=None if line is None else read_code(line.code)[0],
            where=usable_id((line.place if line is not None else None) or claim.place),
            frequency=claim.frequency if claim.frequency in FREQUENCIES else "1",
            control=usable_id(claim.references[0]) if claim.references else None,
            problems=problems,
        )

    def _refused(self, code: ReasonCode) -> FileRefused:
        return self.interchange.refused(code)


_ACTS = {
    "GS": _ClaimReader.group,
    "ST": _ClaimReader.begin_set,
    "SE": _ClaimReader.end_set,
    "CLM": _ClaimReader.begin_claim,
    "LX": _ClaimReader.begin_line,
    "REF": _ClaimReader.reference,
    "SBR": _ClaimReader.other_payer,
    "SV1": _ClaimReader.service,
    "DTP": _ClaimReader.date,
    "NM1": _ClaimReader.name,
}


def _service_date(segment: Segment) -> ServiceDate:
    form, text = element(segment, 2), element(segment, 3)
    if form == "D8" and len(segment.elements) == _OF_A_DATE:
        return read_days(text)
    if form == "RD8" and len(segment.elements) == _OF_A_DATE:
        first, _, last = text.partition("-")
        return read_days(first, last)
    return ServiceDate(problem=ReasonCode.DATE_UNREADABLE)


def _lies_in(found: ServiceDate, period: str) -> bool:
    """Whether a day lies in the period that a whole claim says it is for, as institutional claims do."""
    first, _, last = period.partition("-")
    try:
        return found.day is None or compact_date(first) <= found.day <= compact_date(last or first)
    except ValueError:
        return False


def element(segment: Segment, place: int) -> str:
    """An element by its number, as text; empty when it is not there."""
    # pyx12's own look-up by name costs as much as reading the segment.
    if place > len(segment.elements):
        return ""
    whole = segment.elements[place - 1]
    # What should be one value and is several must not be mistaken for its first part.
    return str(whole.elements[0].value) if len(whole.elements) == 1 else str(whole.format())


def component(segment: Segment, place: int, part: int) -> str:
    """A part of a composite element; empty when it is not there."""
    if place > len(segment.elements):
        return ""
    parts = segment.elements[place - 1].elements
    return str(parts[part - 1].value) if part <= len(parts) else ""
