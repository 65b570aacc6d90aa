"""Whatever is public says what a caller may rely on. Tests that we ship (conformance) say it by their names."""

import ast
from collections.abc import Iterator

from tests.tidy.tree import judge, product_files

Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _public(body: list[ast.stmt], path: str) -> Iterator[tuple[str, Documented]]:
    for node in body:
        if isinstance(node, Documented) and not node.name.startswith(("_", "test_")):
            yield f"{path}::{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body, f"{path}::{node.name}")


def _is_overload(node: Documented) -> bool:
    return any(
        "overload" in ast.unparse(decorator) or ".setter" in ast.unparse(decorator) for decorator in node.decorator_list
    )


def test_public_names_have_docstrings() -> None:
    missing = {path: "no docstring" for path, module in product_files().items() if not ast.get_docstring(module)}
    for path, module in product_files().items():
        if "/migrations/versions/" in path:
            continue  # Alembic calls `upgrade` and `downgrade`; the module says what the step is for
        names = _public(module.body, path)
        missing |= {
            name: "no docstring" for name, node in names if not ast.get_docstring(node) and not _is_overload(node)
        }
    judge("docstrings", missing, "Say what a caller may rely on")
