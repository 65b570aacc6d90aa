"""Hidden titles: unreadable, and still equal when they were."""

from __future__ import annotations

from calsync.store.titles import hidden_title, hide_titles, titles_of
from tests.unit.store.samples import event, series_event


def test_a_mark_tells_nothing_but_sameness() -> None:
    mark = hidden_title("Mrs Miller")
    assert "Miller" not in mark
    assert mark == hidden_title("Mrs Miller") != hidden_title("Mr Miller")
    assert hidden_title(mark) == mark
    assert hidden_title("") == ""


def test_what_only_looks_like_a_mark_is_hidden() -> None:
    for title in ("#", "#1 priority", "#" + "g" * 24, "0" * 24, "\ud800"):
        assert hidden_title(title) != title


def test_our_own_titles_stay_readable() -> None:
    assert hide_titles(series_event(), titles_of(series_event())) == series_event()
    assert titles_of(None) == frozenset()
    assert titles_of(event("x")) == {"x"}
    hidden = hide_titles(series_event("x"), frozenset({"y"}))
    assert hidden.master.title == hidden.overrides[0].appearance.title == hidden_title("x")
