"""The files that the house rules speak of, and the exceptions that were granted, each with its reason."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = ("src/calsync", "connectors")


@cache
def product_files() -> dict[str, ast.Module]:
    """Every module of the product, by path from the root, parsed."""
    paths = sorted(path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py"))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def text_files() -> Iterator[tuple[str, str]]:
    """Every text that people read: code, documents, configuration; not what tools keep for themselves."""
    wanted = {".py", ".md", ".toml", ".sh", ".yml", ".yaml", ".cfg", ".ini", ".mako", ".j2", ".html", ".service", ""}
    for folder in (".ci", "benchmarks", "config", "connectors", "docs", "src", "systemd", "tests"):
        for path in sorted((ROOT / folder).rglob("*")):
            if (
                path.is_file()
                and path.suffix in wanted
                and "__pycache__" not in path.parts
                and ".egg-info" not in str(path)
            ):
                yield _read(path)
    for path in sorted(ROOT.iterdir()):
        if path.is_file() and path.suffix in wanted:
            yield _read(path)


def _read(path: Path) -> tuple[str, str]:
    return str(path.relative_to(ROOT)), path.read_text(encoding="utf-8", errors="replace")


@cache
def exceptions(rule: str) -> dict[str, str]:
    """Where a rule does not hold, and why."""
    table = tomllib.loads((ROOT / "tests/tidy/exceptions.toml").read_text(encoding="utf-8"))
    return dict(table.get(rule, {}))


def judge(rule: str, found: dict[str, str], advice: str) -> None:
    """Fail for every finding without a granted exception, and for every exception that is not needed any more."""
    granted = exceptions(rule)
    broken = [f"{place}: {what}" for place, what in found.items() if place not in granted]
    stale = [f"{place}: the exception is not needed any more" for place in granted if place not in found]
    assert not broken + stale, f"{advice} (or give a reason in tests/tidy/exceptions.toml):\n" + "\n".join(
        broken + stale
    )
