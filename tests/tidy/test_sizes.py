"""Modules, functions and signatures stay small enough to be read at one go."""

import ast
from collections.abc import Iterator

from tests.tidy.tree import ROOT, judge, product_files

MODULE_LINES = 400
FUNCTION_LINES = 60
PARAMETERS = 6

WRITTEN_ONCE = "/migrations/versions/"
"""A migration is a list of statements, never edited after its release; splitting it would say nothing."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions() -> Iterator[tuple[str, Function]]:
    for path, module in product_files().items():
        for node in ast.walk(module):
            if isinstance(node, Function) and WRITTEN_ONCE not in path:
                yield f"{path}::{node.name}", node


def _parameters(function: Function) -> int:
    spec = function.args
    names = [each.arg for each in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def _is_command(function: Function) -> bool:
    """Whether its parameters are a command line's, which has as many options as people need."""
    return any(
        "option" in ast.unparse(decorator) or "argument" in ast.unparse(decorator)
        for decorator in function.decorator_list
    )


def test_modules_are_short() -> None:
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in product_files()}
    long = {
        path: f"{count} lines" for path, count in lengths.items() if count > MODULE_LINES and WRITTEN_ONCE not in path
    }
    judge("module-lines", long, f"A module has at most {MODULE_LINES} lines: split it by what it does")


def test_functions_are_short() -> None:
    lengths = {name: (node.end_lineno or 0) - node.lineno + 1 for name, node in _functions()}
    long = {name: f"{count} lines" for name, count in lengths.items() if count > FUNCTION_LINES}
    judge("function-lines", long, f"A function has at most {FUNCTION_LINES} lines: name its steps")


def test_signatures_are_short() -> None:
    counts = {name: _parameters(node) for name, node in _functions() if not _is_command(node)}
    long = {name: f"{count} parameters" for name, count in counts.items() if count > PARAMETERS}
    judge("parameters", long, f"A function takes at most {PARAMETERS} parameters: give what belongs together a name")
