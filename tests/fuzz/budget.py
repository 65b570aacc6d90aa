"""How much is tried: the same small number in every test run, `CALSYNC_FUZZ` times as much, at random, by command."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

FACTOR = int(os.environ.get("CALSYNC_FUZZ", "1"))


def budget(examples: int) -> settings:
    """Hypothesis' settings for one target: so many examples, the same ones each time unless the command asks for more.

    Nothing is kept between runs: a failure that was found becomes an example in the code, or a file.
    """
    return settings(
        max_examples=examples * FACTOR,
        derandomize=FACTOR == 1,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
