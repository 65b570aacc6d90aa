"""Who may import whom, as `pyproject.toml` says, and what import-linter cannot see."""

import ast
import subprocess
import sys
from pathlib import Path

from tests.tidy.tree import ROOT, judge, product_files


def test_the_layer_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_the_store_speaks_sql() -> None:
    """Others may hand a connection on; what is asked of the database is written in the store."""
    found = {
        path: f"imports {', '.join(names)} from sqlalchemy"
        for path, module in product_files().items()
        if not path.startswith("src/calsync/store/") and (names := _sqlalchemy_names(module))
    }
    judge("sqlalchemy", found, "Move the statement into calsync.store")


def _sqlalchemy_names(module: ast.Module) -> list[str]:
    names: list[str] = []
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sqlalchemy":
            names += [alias.name for alias in node.names if alias.name != "Connection"]
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names if alias.name.split(".")[0] == "sqlalchemy"]
    return names
