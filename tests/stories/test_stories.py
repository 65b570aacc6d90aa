"""Every folder beside this file is a story: what happened in the world, and the plan that must come of it."""

from __future__ import annotations

import pytest

from tests.stories.reading import load, run, story_names


@pytest.mark.parametrize("name", story_names())
def test_the_plan_is_the_one_written_down(name: str) -> None:
    assert run(name) == load(name, "plan")


def test_there_are_stories_of_every_kind_of_drift() -> None:
    from calsync.domain.drift import DriftKind  # noqa: PLC0415 - only this test asks

    told = {
        drift["kind"] for name in story_names() for one in load(name, "plan")["decisions"] for drift in one["found"]
    }
    assert {str(kind) for kind in DriftKind} <= told
    assert len(story_names()) >= 25
