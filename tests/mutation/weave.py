"""Write all small changes of a module into its syntax tree, each behind its own switch."""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

SWITCH = "__calsync_switch__"
_COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_CALLS = {"any": "all", "all": "any", "min": "max", "max": "min", "sorted": "list"}


@dataclass(frozen=True)
class Change:
    """One small change: what stood there and what stands there instead; `place` is the function that it is in."""

    number: int
    file: str
    place: str
    line: int
    before: str
    after: str

    @property
    def key(self) -> str:
        """What it is known by in `survivors.toml`, wherever its line goes."""
        return f"{self.file}::{self.place}: {self.before} -> {self.after}"


class Weaver(ast.NodeTransformer):
    """Weaves one module; `changes` are what it made, numbered from `first`. Only code in functions is changed.

    What a variant is made of is left as it was, so that no two changes are ever in force together.
    """

    def __init__(self, file: str, first: int) -> None:
        self.changes: list[Change] = []
        self._file, self._first, self._place = file, first, ""

    def weave(self, tree: ast.Module) -> ast.Module:
        """The module with every change in it, all switched off."""
        self.visit(tree)
        return ast.fix_missing_locations(tree)

    def visit(self, node: ast.AST) -> ast.AST:
        """Weave a node and all below it."""
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            return self._definition(node)
        if not self._place:
            return self.generic_visit(node)
        # What is said in an error, and what only tells the reader something, are not behaviour.
        if isinstance(node, ast.expr_context | ast.JoinedStr | ast.Raise | ast.Assert | ast.pattern):
            return node
        return self._code(node)

    def _code(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.AnnAssign):
            node.value = self.visit(node.value) if node.value is not None else None  # type: ignore[assignment]
            return node
        before = copy.deepcopy(node)
        woven = self._below(node)
        if isinstance(before, ast.expr):
            return self._choose(before, woven, _expressions(before))
        return self._choose_statement(before, woven) if isinstance(before, ast.stmt) else woven

    def _definition(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        outer = self._place
        name = f"{self._class_of(outer)}{node.name}"
        self._place = f"{name}|class" if isinstance(node, ast.ClassDef) else name
        if isinstance(node, ast.ClassDef):
            # Fields and their defaults are values of the import; only its methods are woven.
            node.body = [self.visit(one) if isinstance(one, ast.FunctionDef) else one for one in node.body]  # type: ignore[misc]
        else:
            node.body = [self.visit(one) for one in node.body if not _is_text(one)] or [ast.Pass()]  # type: ignore[misc]
        self._place = outer
        return node

    @staticmethod
    def _class_of(place: str) -> str:
        return f"{place.removesuffix('|class')}." if place else ""

    def _below(self, node: ast.AST) -> ast.AST:
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                setattr(node, name, [self.visit(one) if isinstance(one, ast.AST) else one for one in value])
            elif isinstance(value, ast.AST) and not (isinstance(node, ast.Call) and name == "func" and _plain(value)):
                setattr(node, name, self.visit(value))
        return node

    def _choose(self, before: ast.expr, woven: ast.AST, variants: Iterator[ast.expr]) -> ast.AST:
        for one in variants:
            woven = ast.IfExp(self._switch(before, one), one, cast(ast.expr, woven))
        return woven

    def _choose_statement(self, before: ast.stmt, woven: ast.AST) -> ast.AST:
        for one in _statements(before):
            woven = ast.If(self._switch(before, one), [one], [cast(ast.stmt, woven)])
        return woven

    def _switch(self, before: ast.AST, after: ast.AST) -> ast.expr:
        number = self._first + len(self.changes)
        told = (_short(before), _short(after))
        self.changes.append(Change(number, self._file, self._place, getattr(before, "lineno", 0), *told))
        return ast.Call(ast.Name(SWITCH, ast.Load()), [ast.Constant(number)], [])


def _plain(node: ast.AST) -> bool:
    return isinstance(node, ast.Name)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _short(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())


def _expressions(node: ast.expr) -> Iterator[ast.expr]:
    made: Iterator[ast.expr] = iter(())
    if isinstance(node, ast.Compare):
        made = _compared(node)
    elif isinstance(node, ast.BoolOp):
        made = _joined(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        made = iter((node.operand,))
    elif isinstance(node, ast.IfExp):
        made = iter((node.body, node.orelse))
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        made = iter((ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right),))
    elif isinstance(node, ast.Call):
        made = _called(node)
    elif isinstance(node, ast.Constant):
        made = _constant(node.value)
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        made = _filtered(node)
    yield from made


def _compared(node: ast.Compare) -> Iterator[ast.expr]:
    for place, op in enumerate(node.ops):
        for other in _COMPARE[type(op)]:
            yield ast.Compare(node.left, [*node.ops[:place], other(), *node.ops[place + 1 :]], node.comparators)


def _joined(node: ast.BoolOp) -> Iterator[ast.expr]:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for place in range(len(node.values)):
        rest = [*node.values[:place], *node.values[place + 1 :]]
        yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _called(node: ast.Call) -> Iterator[ast.expr]:
    if isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        kept = [] if node.func.id == "sorted" else node.keywords
        yield ast.Call(ast.Name(_CALLS[node.func.id], ast.Load()), node.args, kept)


def _constant(value: object) -> Iterator[ast.expr]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)
    elif isinstance(value, str):
        yield ast.Constant("changed" if value != "changed" else "")


def _filtered(node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Iterator[ast.expr]:
    for place, one in enumerate(node.generators):
        for which in range(len(one.ifs)):
            other = copy.deepcopy(node)
            del other.generators[place].ifs[which]
            yield other


def _statements(node: ast.stmt) -> Iterator[ast.stmt]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.Pass()
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom):
        # Without its yield a function would be no generator any more: the switch keeps it one.
        yield ast.Pass()
    elif isinstance(node, ast.AugAssign):
        yield ast.Pass()
    elif isinstance(node, ast.Return) and not (node.value is None or isinstance(node.value, ast.Constant)):
        yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Continue):
        yield ast.Break()
    elif isinstance(node, ast.Break):
        yield ast.Continue()
    elif isinstance(node, ast.If):
        yield from (ast.If(test, node.body, node.orelse) for test in _tests(node.test))


def _tests(test: ast.expr) -> Iterator[ast.expr]:
    """A condition turned round; comparisons and the like turn by themselves."""
    if not isinstance(test, ast.Compare | ast.BoolOp) and not (
        isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    ):
        yield ast.UnaryOp(ast.Not(), test)


def woven(source: str, file: str, first: int) -> tuple[ast.Module, list[Change]]:
    """The tree of a module with all its changes, and what they are."""
    weaver = Weaver(file, first)
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 5000))
    return weaver.weave(ast.parse(source)), weaver.changes
