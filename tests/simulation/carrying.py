"""Carries out acts. They enter themselves by name as their modules are read."""

from __future__ import annotations

from typing import Final

from tests.simulation import acts, staff, trouble
from tests.simulation.plan import Act
from tests.simulation.world import World

ROOMS: Final = (acts, staff, trouble)


def carry_out(world: World, act: Act) -> None:
    """Do one act of whatever kind."""
    acts.DOINGS[act["do"]](world, act)
