"""Who asks for a claim, and who answers an edit or lets a stopped calendar go on."""

from __future__ import annotations

from calsync.answers.calendars import resume
from calsync.answers.edits import resolve_edit
from calsync.answers.words import Answer, Word
from calsync.claims.gate import drain_touched
from calsync.errors import NotFoundError, UserError
from calsync.store.errors import StoreUnavailable
from tests.simulation.acts import doing
from tests.simulation.billing import ask_gate
from tests.simulation.plan import Act
from tests.simulation.world import World


@doing("drain")
def _drain(world: World, _act: Act) -> None:
    while drain_touched(world.web, world.clock, world.ids, world.settings):
        pass


@doing("bill")
def _bill(world: World, _act: Act) -> None:
    ask_gate(world)


@doing("answer")
def _answer(world: World, act: Act) -> None:
    """A person answers the oldest edit that waits."""
    rows = world.books.rows(
        "SELECT DISTINCT edit FROM drifts WHERE resolution IN ('open', 'reverted') AND resolved_by IS NULL"
        " ORDER BY detected_at, edit"
    )
    if not rows:
        return
    edit = rows[act.get("which", 0) % len(rows)][0]
    word = Word(answer=Answer(act["word"]), by="support:sim", note="simulated")
    try:
        resolve_edit(world.desk, edit, word)
        world.observer.mark(f"answered-{act['word']}")
    except StoreUnavailable:
        raise
    except (UserError, NotFoundError, ValueError):
        world.observer.mark("refused")


@doing("resume")
def _resume(world: World, act: Act) -> None:
    state = world.books.rows("SELECT state FROM calendars WHERE id = ?", act["calendar"])
    if state and state[0][0] == "stopped":
        resume(world.desk, act["calendar"], by="support:sim", as_=act["as"])
        world.observer.mark(f"released-as-{act['as']}")
