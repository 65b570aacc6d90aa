"""The gate's answers to the last word: sentences, evidence and whom it waits on, not verdicts and codes only."""

from __future__ import annotations

from tests.unit.claims.whole_answers import answers, stored


def test_every_answer_is_the_one_that_is_kept() -> None:
    kept, found = stored(), answers()
    assert found.keys() == kept.keys()
    differing = {name: (kept[name], found[name]) for name in kept if kept[name] != found[name]}
    assert differing == {}, "look at the difference; `python -m tests.unit.claims.whole_answers` keeps it"
