"""`python -m tests.hostile [--crowd N]`: print the register; or hold N slow connections open on a server of its own."""

from __future__ import annotations

import argparse
import sys

from tests.hostile.crowded import crowded
from tests.hostile.register import entries, missing


def main(arguments: list[str]) -> int:
    """1 if something that the register names is missing, or the client among the crowd was not served."""
    parser = argparse.ArgumentParser(prog="./dev hostile", description=__doc__)
    parser.add_argument(
        "--crowd", type=int, metavar="N", help="how many slow and idle connections (the list asks for 10,000)"
    )
    asked = parser.parse_args(arguments)
    if asked.crowd is None:
        return _register()
    served = crowded(asked.crowd)
    print(f"{asked.crowd} connections held; {served.requests} requests beside them, the slowest {served.slowest:.3f} s")
    return 0


def _register() -> int:
    gone = 0
    for one in entries():
        lost = set(missing(one))
        gone += len(lost)
        print(f"{one.number or '':>3} {one.what}: {one.answer}")
        for name in (*one.files, *one.proof):
            print(f"      {'MISSING ' if name in lost else ''}{name}")
    return 1 if gone else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
