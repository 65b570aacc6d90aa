"""`./dev benchmark google [sweeps [CALENDARS EVENTS] | push [EDITS]]`; without words, all of it."""

from __future__ import annotations

import sys

from benchmarks.google.echo import GOOGLE as PLACE
from benchmarks.google.sides import GOOGLE as SERVICE
from benchmarks.hosted.command import measure

if __name__ == "__main__":
    measure("google", SERVICE, PLACE, sys.argv[1:])
