"""The scanner finds the line of every key that the parser knows."""

import tomllib

import pytest

from calsync.settings.toml_scan import Scan

TEXT = '''\
# a comment with [brackets] and "quotes
title = "a # no comment" # a comment
[a.b]
list = [
    1, # one ] bracket
    "x]",
    [2, 3],
]
text = """
[not.a.table]
key = 1
"""
'raw key' = \'\'\'
x = 1
\'\'\'
dotted.key . "with space" = { x = 1, y = { z = "}" } }

[[rows]]
id = 1
  [[rows.cells]]
  id = 11
  [rows.cells.more]
  deep = true
  [[rows.cells]]
  id = 12
[[rows]]
id = 2
'''

LINES = {
    ("title",): 2,
    ("a", "b", "list"): 4,
    ("a", "b", "text"): 9,
    ("a", "b", "raw key"): 13,
    ("a", "b", "dotted", "key", "with space"): 16,
    ("rows", 0, "id"): 19,
    ("rows", 0, "cells", 0, "id"): 21,
    ("rows", 0, "cells", 0, "more", "deep"): 23,
    ("rows", 0, "cells", 1, "id"): 25,
    ("rows", 1, "id"): 27,
}


def test_finds_every_line() -> None:
    tomllib.loads(TEXT)
    scan = Scan(TEXT)
    assert {key: scan.lines[key] for key in LINES} == LINES
    assert scan.doubled == []
    assert scan.too_deep is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1\na = 2", [(("a",), 1, 2)]),
        ("a = 1\n'a' = [\n1]\na = 3", [(("a",), 1, 2), (("a",), 1, 4)]),
        ("[[r]]\na = 1\n[[r]]\na = 1", []),
        ("[r]\na = 1\n[r.s]\na = 1", []),
        ("[r]\n[r]", [(("r",), 1, 2)]),
        ("r = 1\n[[r]]", [(("r",), 1, 2)]),
    ],
)
def test_finds_keys_that_are_set_twice(text: str, expected: object) -> None:
    assert Scan(text).doubled == expected


def test_blanks_out_repeated_assignments() -> None:
    text = Scan('a = 1\na = """\n2"""\nb = 3').text_without_doubles()
    assert tomllib.loads(text) == {"a": 1, "b": 3}
    assert text.count("\n") == 3


@pytest.mark.parametrize(
    "text", ["", "=", "[", "[[a]", "a", "a = ", 'a = "', "'", '"""', "a = '''", "a.b.", "]", "a = ]]]", "\x00"]
)
def test_stops_where_toml_ends(text: str) -> None:
    scan = Scan(text)
    assert scan.doubled == []
