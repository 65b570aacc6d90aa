"""Secrets are compared in constant time, everywhere: `==` on one of them is found by its name.

What is looked up by its hash in an index is no comparison of ours; the hash of a random token tells nothing by time.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECRET = re.compile(
    r"(^|_)(token|secret|sig|signature|mac|hmac|password|passwd|cookie|credential|verifier|mark|state_hash|"
    r"link_hash|secret_hash|token_hash|client_state)$"
)
# Names that look like it and are not: a `sync-token` of CalDAV is a place in a feed, and a byte of JSON is a `token`.
HARMLESS = {
    ("connectors/calsync_caldav/feed.py", "token"),
    ("connectors/calsync_caldav/feed.py", "sync_token"),
    ("src/calsync/answers/review.py", "seen_mark"),  # which state of an edit the page showed
    ("src/calsync/web/nesting.py", "token"),
}


def named(node: ast.expr) -> str:
    """The last word of a name, an attribute or a key; of a call, of what is called."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Call(func=function):
            return named(function)
    return ""


def is_nothing(node: ast.expr) -> bool:
    """A comparison with None, or with an empty or fixed text, tells no secret."""
    return isinstance(node, ast.Constant)


def plain_comparisons(text: str) -> Iterator[tuple[int, str]]:
    """Line and name of each secret that `==`, `!=` or `in` compares."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Compare) or isinstance(node.ops[0], ast.Is | ast.IsNot):
            continue
        sides = [node.left, *node.comparators]
        if any(map(is_nothing, sides)) or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
            continue
        for side in sides:
            if SECRET.search(named(side)) and not _is_column(side):
                yield node.lineno, named(side)


def _is_column(node: ast.expr) -> bool:
    """`_c.hash == bindparam(...)` is SQL: the database looks it up."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name | ast.Attribute)
        and (named(node.value) in ("c", "_c", "_s", "_u"))
    )


def test_no_secret_is_compared_plainly() -> None:
    found = []
    for folder in ("src/calsync", "connectors"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            if "/sandbox/" in place or "/testing/" in place or "/demo/" in place:
                continue
            for line, name in plain_comparisons(path.read_text(encoding="utf-8")):
                if (place, name) not in HARMLESS:
                    found.append(f"{place}:{line} {name}")
    assert found == []


@pytest.mark.parametrize(
    "text",
    ["given == token", "one.secret != theirs", "row['password'] == x", "sign(body) == header_signature", "a.mark == b"],
)
def test_it_would_be_found(text: str) -> None:
    assert list(plain_comparisons(text))


@pytest.mark.parametrize("text", ["token is None", "token == ''", "_c.secret_hash == bindparam('x')", "a == b"])
def test_what_is_no_secret_is_let_be(text: str) -> None:
    assert not list(plain_comparisons(text))


def test_each_comparison_in_constant_time_is_of_bytes() -> None:
    """`compare_digest` on texts refuses whatever is not ASCII, with an error that strangers could cause (row 91)."""
    for folder in ("src/calsync", "connectors"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and named(node.func) == "compare_digest":
                    assert all(_is_bytes(one) for one in node.args), (path, node.lineno)


def _is_bytes(node: ast.expr) -> bool:
    # `given` is bytes by the line before.
    return (isinstance(node, ast.Call) and named(node.func) in ("encode", "digest")) or named(node) == "given"
