"""The ids of a subject's event in a calendar: the same each time they are made, so that lost books find it again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from calsync.domain.appointment import Subject, SubjectKind
from calsync.domain.marker import MarkerKeys
from calsync.testing.fake_ports import FakeIds
from calsync.worker.in_play import new_link

KEYS = MarkerKeys("k1", {"k1": b"0" * 32}, "installation-1")
SESSION = Subject(SubjectKind.APPOINTMENT, "A-1")


def context(calendar: str) -> Any:
    worker = SimpleNamespace(keys=KEYS, ids=FakeIds(1))
    return SimpleNamespace(worker=worker, row=SimpleNamespace(id=calendar, provider="P-1"))


def test_a_link_made_again_has_the_same_ids() -> None:
    here = context("c1")
    first, again = new_link(here, SESSION), new_link(here, SESSION)
    assert (again.id, again.remote_id, again.uid) == (first.id, first.remote_id, first.uid)


def test_each_calendar_and_generation_has_its_own() -> None:
    links = [new_link(context("c1"), SESSION), new_link(context("c2"), SESSION)]
    later = new_link(context("c1"), SESSION, generation=2)
    assert len({one.remote_id for one in (*links, later)}) == 3
    assert later.id == links[0].id
