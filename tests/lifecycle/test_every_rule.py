"""Every number of the published rules has a test that is named by it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

RULES = {
    "gt": [*range(1, 14), *range(20, 28)],
    "pb": [*range(1, 9)],
    "ht": [*range(1, 11)],
    "all": [1, 2, 3],
}


def test_every_rule_has_a_test_named_by_its_number() -> None:
    wanted = {(house, number) for house, numbers in RULES.items() for number in numbers}
    found = {rule for path in Path(__file__).parent.glob("test_*.py") for rule in _rules_of(path)}
    assert wanted - found == set()
    assert found - wanted == set()


def _rules_of(path: Path) -> Iterator[tuple[str, int]]:
    """The rules that the tests of a module are named by: `test_gt_01_gt_02_…` is two."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        named = re.match(r"test((?:_(?:gt|pb|ht|all)_\d+)+)_", getattr(node, "name", ""))
        for house, number in re.findall(r"(gt|pb|ht|all)_(\d+)", named[1] if named else ""):
            yield house, int(number)
