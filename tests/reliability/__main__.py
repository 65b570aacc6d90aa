"""`python -m tests.reliability [--write]`: print promise, test and figure; `--write` renders the page of it as well."""

from __future__ import annotations

import sys

from tests.reliability.table import PAGE, missing, page, proofs


def main(arguments: list[str]) -> int:
    """Print the table; 1 if a test that it names is missing."""
    if "--write" in arguments:
        PAGE.write_text(page(), encoding="utf-8")
    gone = 0
    for one in proofs():
        print(f"{one.id}: {one.words}" + (f"\n    reached: {one.figure}" if one.figure else ""))
        lost = set(missing(one))
        gone += len(lost)
        for test in one.tests:
            print(f"    {'MISSING ' if test in lost else ''}{test}")
    return 1 if gone else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
