"""The list of mutants: what each number breaks, the patches that do it, and what catches them. `docs/mutants.md`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.mutants.broken import Mutant, mutants
from tests.mutation import FIGURES

# Number: what is done wrong on purpose, and the promise that it breaks.
THE_LIST: dict[int, tuple[str, str]] = {
    1: ("what is written goes out before it is on the books", "I2"),
    2: ("the cursor is committed before the drifts", "I2, I4"),
    3: ("the cursor is never kept, or kept though a page failed", "I4"),
    4: ("writes do not depend on the version that was read", "I2"),
    5: ("a conflict is written over without reading", "I2"),
    6: ("a conflict is dropped and nothing stays owed", "I4"),
    7: ("an expired cursor is read as an empty calendar", "I2, I6"),
    8: ("what a full listing leaves out counts as deleted, unasked", "I2"),
    9: ("a calendar that is gone or forbidden counts as so many deletions", "I6"),
    10: ("a new event's id is drawn by chance", "I4, I7"),
    11: ("an event that is there with our marker is created once more", "I4"),
    12: ("our own write becomes a drift when its answer was lost", "I2"),
    13: ("drifts are not kept apart by occurrence, or not at all", "I2"),
    14: ("what was seen is taken as agreed before it is confirmed", "I2, I4"),
    15: ("the hold comes only with the second transaction", "I1"),
    16: ("the gate asks for no reading after the session", "I1"),
    17: ("a reading counts from when it was stored, or as late as a clock said that was ahead", "I1"),
    18: ("the moment of the end counts as after it; the date is that of UTC", "I1"),
    19: ("one calendar of several is enough", "I1"),
    20: ("a calendar that cannot be reached counts as agreed", "I1"),
    21: ("an answer about something else opens the gate", "I1"),
    22: ("an edit, a request or a write of ours that is pending is ignored", "I1"),
    23: ("what is found late recalls nothing", "I1"),
    24: ("an edit of a session that is over is put back", "I2"),
    25: ("reverts are forgotten, or counted for more than their occurrence", "I5"),
    26: ("a stampede is not asked about, asked for each pass alone, or after the first writes", "I6"),
    27: ("the marker's signature is not verified, or the marker not asked for", "I3"),
    28: ("a write brings fields of the user along", "I3"),
    29: ("a marker of another installation or calendar is believed", "I3"),
    30: ("an effect counts as done before it is, or its key includes the attempt", "I7"),
    31: ("a credit or a fee is booked again when the cancellation is repeated", "I7"),
    32: ("a worker that lost its lease still commits", "I2, I7"),
    33: ("a request to reschedule lapses at the wrong moment", "GT-25"),
    34: ("a client's limit is counted on the wall clock", "GT-3"),
    35: ("whether a slot is free is looked up outside the transaction that takes it", "PB-4"),
    36: ("this-and-following takes earlier sessions or their claims along", "GT-21, I1"),
    37: ("looking at a link acts; a used link acts again", "PB-6, I7"),
    38: ("a service's wait is ignored; a write without a key is repeated", "I7"),
    39: ("an edit that keeps the date counts as none", "I2"),
    40: ("the audit row is committed apart from what it tells", "I2"),
}
_HEAD = """# Mutants: breaking calsync on purpose

A test that cannot fail proves nothing. Each patch in `tests/mutants/patches` breaks calsync in one way, and each test
run checks that the break is caught by what stands beside it here: a check of the simulation in a stored history or a
fixed seed, or a named test. `./dev mutants` runs them, `./dev mutants --hunt NAME` looks for new histories, and
`./dev mutants --list` prints this page, which is written by `./dev render`.

Beside these, `./dev mutate` makes every small change that a program can think of in the pure core and in the gate; what
the tests do not notice stands, with the reason, in `tests/mutation/survivors.toml`; how much they notice, below.

| number | what is broken | promise | patch | caught by |
| --- | --- | --- | --- | --- |
"""

_SMALL = """
## Small changes

What `./dev mutate --keep` found last for each module: the changes there are, those that were judged, those that no test
can notice, and the share of the others that a test noticed. Where not all were judged, those that were are a sample.
Those of `claims` were judged by the tests of that package; those of `reconcile` by its own, the stories, the planner's
random cases and the stored histories. What other tests would notice besides is not counted. The aim is 95 % in each.
Modules that are not listed have nothing that could be changed.

| module | changes | judged | excused | noticed |
| --- | --- | --- | --- | --- |""".splitlines()


def number_of(mutant: Mutant) -> int:
    """Its number on the list; several patches may share one. 0 is the canary."""
    return int(mutant.name[:2])


def killer_of(mutant: Mutant) -> str:
    """What catches it, for people."""
    if mutant.test is not None:
        return f"test `{mutant.test.partition('::')[2].partition('[')[0].replace('::', '.')}`"
    if mutant.check is None:
        return f"nothing: {mutant.survives}"
    return f"`{mutant.check}`, {f'plan `{mutant.plan}`' if mutant.plan else f'seed {mutant.seed}'}"


def _rows() -> Iterator[str]:
    known = mutants()
    for number, (what, promise) in THE_LIST.items():
        own = [one for one in known if number_of(one) == number]
        patches = "<br>".join(f"`{one.name}`" for one in own)
        killers = "<br>".join(map(killer_of, own))
        yield f"| {number} | {what} | {promise} | {patches} | {killers} |"


def render() -> str:
    """The page."""
    return _HEAD + "\n".join(_rows()) + "\n" + "\n".join(_small_changes()) + "\n"


def _small_changes() -> Iterator[str]:
    yield from _SMALL
    for name, one in sorted(json.loads(FIGURES.read_text(encoding="utf-8")).items()):
        judged = one["changes"] - one["left"] - one["excused"]
        share = f"{100 * one['noticed'] / judged:.1f} %" if judged else "-"
        share += " before its newest tests or changes" if one.get("older") else ""
        yield f"| `{name}` | {one['changes']} | {one['changes'] - one['left']} | {one['excused']} | {share} |"
