"""An 837P file with only the claims that may be sent: a smaller file that is as valid as the whole one was.

Segments are copied as they stand. What must change with the claims that are left out: subscribers, patients and
providers without claims go with them, hierarchy levels are numbered anew, and every trailer counts what is there.
Control numbers stay: the whole file was never sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TextIO

from pyx12.rawx12file import RawX12File

from calsync.claims.batch.x12_stream import Rest, skip_blank

Keep = Callable[[int], bool]


@dataclass(slots=True)
class _Level:
    """A hierarchy level (HL): whether any claim below it stays, and whether a level below it does."""

    parent: int | None
    stays: bool = False
    has_child: bool = False


@dataclass(slots=True)
class _Plan:
    """What stays, by order of appearance in the file."""

    levels: list[_Level] = field(default_factory=list)
    sets: list[bool] = field(default_factory=list)
    groups: list[bool] = field(default_factory=list)
    interchanges: list[bool] = field(default_factory=list)


@dataclass(slots=True)
class _Raw:
    """One interchange as text: its separators, what ends its lines, and its segments split into elements."""

    file: RawX12File
    line_end: str

    def segments(self) -> Iterator[list[str]]:
        """Every segment's elements, the name being the first."""
        for text in self.file:
            elements = text.lstrip(" ").split(self.file.ele_term)
            yield elements
            if elements[0] == "IEA":
                return

    def text(self, elements: list[str]) -> str:
        """A segment as it stands in the file."""
        return f"{self.file.ele_term.join(elements)}{self.file.seg_term}{self.line_end}"


def write_x12(source: TextIO, target: TextIO, keep: Keep) -> None:
    """Copy the claims whose numbers are kept; `source`, read twice, must have been read by `read_x12` without refusal.

    Both files are latin-1 with `newline=""`.
    """
    plan = _plan(source, keep)
    source.seek(0)
    _Copy(plan, keep, target).run(source)


def _interchanges(file: TextIO) -> Iterator[_Raw]:
    source: TextIO | Rest = file
    head = skip_blank("", file)
    while head:
        source = Rest(head, source)
        raw = RawX12File(source)
        behind = raw.buffer[106:108]
        line_end = "" if raw.seg_term in "\r\n" else behind[: len(behind) - len(behind.lstrip("\r\n"))]
        yield _Raw(raw, line_end)
        head = skip_blank(raw.buffer, source)


def _plan(source: TextIO, keep: Keep) -> _Plan:
    plan = _Plan()
    claims = 0
    known: dict[str, int] = {}
    for raw in _interchanges(source):
        plan.interchanges.append(False)
        for one in raw.segments():
            name = one[0]
            if name == "GS":
                plan.groups.append(False)
            elif name == "ST":
                plan.sets.append(False)
                known = {}
            elif name == "HL":
                parent = known.get(one[2]) if len(one) > 2 else None
                known[one[1]] = len(plan.levels)
                plan.levels.append(_Level(parent))
            elif name == "CLM":
                claims += 1
                if keep(claims):
                    plan.sets[-1] = plan.groups[-1] = plan.interchanges[-1] = True
                    _stay(plan.levels)
    return plan


def _stay(levels: list[_Level]) -> None:
    """The last level has a claim that stays, and so have all above it."""
    place = len(levels) - 1 if levels else None
    if place is None or levels[place].stays:
        return
    levels[place].stays = True
    above = levels[place].parent
    while above is not None and not levels[above].has_child:
        levels[above].stays = levels[above].has_child = True
        above = levels[above].parent


class _Copy:
    """The second reading: writes what stays and counts it."""

    def __init__(self, plan: _Plan, keep: Keep, target: TextIO) -> None:
        self.plan = plan
        self.keep = keep
        self.target = target
        # What was met so far, and what was written of it to the interchange, group and set that are open.
        self.claims = self.levels = self.groups = self.sets = self.written_groups = self.written_sets = self.written = 0
        self.numbers: dict[str, str] = {}
        self.level_stays = self.claim_stays = True

    def run(self, source: TextIO) -> None:
        """Copy every interchange that stays."""
        for number, raw in enumerate(_interchanges(source)):
            self.written_groups = 0
            for elements in raw.segments():
                changed = self._changed(elements)
                if changed is not None and self.plan.interchanges[number]:
                    self.written += 1
                    self.target.write(raw.text(changed))

    def _changed(self, one: list[str]) -> list[str] | None:
        """The segment as it is to be, or None if it goes."""
        act = _ACTS.get(one[0])
        if act is not None:
            return act(self, one)
        return one if self._set_stays() and self.level_stays and self.claim_stays else None

    def _set_stays(self) -> bool:
        return self.sets == 0 or self.plan.sets[self.sets - 1]

    def envelope(self, one: list[str]) -> list[str]:
        """ISA: always as it is."""
        return one

    def group(self, one: list[str]) -> list[str] | None:
        """GS."""
        self.groups += 1
        self.written_sets = 0
        self.written_groups += self.plan.groups[self.groups - 1]
        return one if self.plan.groups[self.groups - 1] else None

    def begin_set(self, one: list[str]) -> list[str] | None:
        """ST."""
        self.sets += 1
        self.numbers = {}
        self.level_stays = self.claim_stays = True
        self.written = 0
        self.written_sets += self._set_stays()
        return one if self._set_stays() else None

    def level(self, one: list[str]) -> list[str] | None:
        """HL: numbered anew, and told whether anything is below it."""
        level = self.plan.levels[self.levels]
        self.levels += 1
        self.level_stays, self.claim_stays = level.stays, True
        if not level.stays:
            return None
        self.numbers[one[1]] = number = str(len(self.numbers) + 1)
        changed = [one[0], number, *one[2:]]
        if len(changed) > 2 and changed[2]:
            changed[2] = self.numbers.get(changed[2], changed[2])
        if len(changed) > 4:
            changed[4] = "1" if level.has_child else "0"
        return changed

    def claim(self, one: list[str]) -> list[str] | None:
        """CLM."""
        self.claims += 1
        self.claim_stays = self.keep(self.claims)
        return one if self.claim_stays else None

    def end_set(self, one: list[str]) -> list[str] | None:
        """SE: counts the segments from ST on, itself included."""
        return [one[0], str(self.written + 1), *one[2:]] if self._set_stays() else None

    def end_group(self, one: list[str]) -> list[str] | None:
        """GE: counts sets."""
        stays = self.plan.groups[self.groups - 1]
        return [one[0], str(self.written_sets), *one[2:]] if stays else None

    def end(self, one: list[str]) -> list[str]:
        """IEA: counts groups."""
        return [one[0], str(self.written_groups), *one[2:]]


_ACTS: dict[str, Callable[[_Copy, list[str]], list[str] | None]] = {
    "ISA": _Copy.envelope,
    "GS": _Copy.group,
    "ST": _Copy.begin_set,
    "HL": _Copy.level,
    "CLM": _Copy.claim,
    "SE": _Copy.end_set,
    "GE": _Copy.end_group,
    "IEA": _Copy.end,
}
