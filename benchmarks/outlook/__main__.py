"""`./dev benchmark outlook [sweeps [CALENDARS EVENTS] | push [EDITS]]`; without words, all of it."""

from __future__ import annotations

import sys

from benchmarks.hosted.command import measure
from benchmarks.outlook.echo import OUTLOOK as PLACE
from benchmarks.outlook.sides import OUTLOOK as SERVICE

if __name__ == "__main__":
    measure("outlook", SERVICE, PLACE, sys.argv[1:])
