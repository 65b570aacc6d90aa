"""Small changes to the pure core and the gate, one at a time: a test must notice each, or a person says why none can.

`./dev mutate PATH ...` weaves all small changes of a module into it at once, each behind a switch, runs the tests that
are quick once to learn which of them pass by which switch, and then for every switch those tests in a forked process.
What no test notices must stand in `survivors.toml` with its reason; a reason whose change is noticed must go.
"""

from pathlib import Path

FIGURES = Path(__file__).parent / "figures.json"
"""What was found last, for `docs/mutants.md`."""
