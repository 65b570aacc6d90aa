"""Carries out acts. They enter themselves by name as their modules are read."""

from __future__ import annotations

from typing import Final

from tests.simulation import answers, bookings, filing, foreign_events, hosts, people_edits, staff, trouble
from tests.simulation.acts import DOINGS
from tests.simulation.plan import Act
from tests.simulation.world import World

ROOMS: Final = (answers, bookings, filing, people_edits, hosts, staff, foreign_events, trouble)


def carry_out(world: World, act: Act) -> None:
    """Do one act of whatever kind."""
    DOINGS[act["do"]](world, act)
