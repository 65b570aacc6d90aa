"""Whose event it is: remote id first, then a marker that we signed for this place and generation."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from calsync.domain.marker import Marker, MarkerKeys, place_of, sign_marker
from calsync.reconcile.match import Matches, Role, genuine_marker, is_strangers, match_items
from tests.properties.pretend import link
from tests.unit.reconcile.scenes import single

KEYS = MarkerKeys("k1", {"k1": b"one", "k2": b"two"}, "here")
LINK = link()
OTHER = replace(LINK, id="L2", remote_id="r-2")


@dataclass(frozen=True)
class Item:
    remote_id: str
    marker: str | None = None


@dataclass(frozen=True)
class Gone:
    remote_id: str


def marker(**changes: object) -> str:
    made = Marker(LINK.id, 1, "c" * 16, place_of(KEYS, "K-1"))
    return sign_marker(KEYS, replace(made, **changes))  # type: ignore[arg-type]


def matched(*items: Item | Gone, gone: frozenset[str] = frozenset(), absent: bool = False) -> Matches[Item | Gone]:
    links = [replace(LINK, absent=absent), OTHER]
    return match_items(
        items,
        {one.remote_id: one for one in links},
        links_by_id={one.id: one for one in links},
        keys=KEYS,
        gone=gone,
    )


def test_the_remote_id_speaks_first() -> None:
    own = matched(Item("r-1", marker(link="L2"))).ours[0]
    assert (own.link.id, own.role, own.marker) == ("L1", Role.OWN, None)


def test_an_own_event_brings_its_marker_along() -> None:
    own = matched(Item("r-1", marker())).ours[0]
    assert own.marker is not None
    assert own.marker.content == "c" * 16


def test_a_tombstone_has_no_marker() -> None:
    assert matched(Gone("r-1")).ours[0].marker is None
    assert matched(Gone("r-9")).foreign == (Gone("r-9"),)


def test_a_copy_carries_our_marker() -> None:
    copy = matched(Item("r-9", marker())).ours[0]
    assert (copy.link.id, copy.role) == ("L1", Role.COPY)


@pytest.mark.parametrize(("gone", "absent"), [(frozenset({"r-1"}), False), (frozenset(), True)])
def test_with_its_own_gone_the_first_one_is_the_event_renamed(gone: frozenset[str], absent: bool) -> None:
    roles = [one.role for one in matched(Item("r-8", marker()), Item("r-9", marker()), gone=gone, absent=absent).ours]
    assert roles == [Role.RENAMED, Role.COPY]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "not ours",
        marker()[:-1] + ("0" if marker()[-1] != "0" else "1"),
        marker().replace("L1", "L2"),
        marker(place=place_of(KEYS, "K-2")),
        marker(place=place_of(replace(KEYS, installation="elsewhere"), "K-1")),
        marker(generation=2),
        marker(link="L9"),
        sign_marker(MarkerKeys("k1", {"k1": b"forged"}, "here"), Marker("L1", 1, "c", place_of(KEYS, "K-1"))),
    ],
    ids=["none", "empty", "text", "altered", "relabelled", "calendar", "installation", "generation", "link", "forged"],
)
def test_everything_else_is_foreign(text: str | None) -> None:
    assert matched(Item("r-9", text)) == Matches((), (Item("r-9", text),))


def test_each_item_is_told_apart_in_its_place() -> None:
    items: list[Item | Gone] = [
        Item("r-7"),
        Item("r-1"),
        Item("r-6", "not ours"),
        Item("r-9", marker()),
        Item("r-2"),
        Gone("r-5"),
    ]
    found = matched(*items)
    assert [(one.item.remote_id, one.role) for one in found.ours] == [
        ("r-1", Role.OWN),
        ("r-9", Role.COPY),
        ("r-2", Role.OWN),
    ]
    assert found.foreign == (items[0], items[2], items[5])


def test_one_that_is_back_under_its_own_name_is_no_other_by_another() -> None:
    for items in ((Item("r-1"), Item("r-9", marker())), (Item("r-9", marker()), Item("r-1"))):
        roles = {one.item.remote_id: one.role for one in matched(*items, absent=True).ours}
        assert roles == {"r-1": Role.OWN, "r-9": Role.COPY}


@pytest.mark.parametrize("changed", [{"generation": 2}, {"place": place_of(KEYS, "K-2")}])
def test_a_marker_of_another_place_or_life_is_none_of_our_own_event(changed: dict[str, object]) -> None:
    (own,) = matched(Item("r-1", marker(**changed))).ours
    assert (own.role, own.marker) == (Role.OWN, None)
    assert genuine_marker(marker(**changed), LINK, KEYS) is None


def test_a_marker_that_is_no_text_is_none() -> None:
    odd = Item("r-9", 7)  # type: ignore[arg-type] # what a connector should never give
    assert matched(odd).foreign == (odd,)


def test_an_older_key_still_proves() -> None:
    rotated = replace(KEYS, signing="k2")
    assert genuine_marker(marker(), LINK, rotated) is not None
    assert genuine_marker(marker(), OTHER, rotated) is None


def test_a_stranger_under_our_name_has_neither_our_uid_nor_our_marker() -> None:
    assert is_strangers("dentist", None, LINK, KEYS)
    assert is_strangers("dentist", marker(link="L2"), LINK, KEYS)
    assert not is_strangers("dentist", marker(), LINK, KEYS)
    assert not is_strangers(LINK.uid, None, LINK, KEYS)
    renamed = replace(LINK, baseline=single().with_uid("theirs"))
    assert not is_strangers("theirs", None, renamed, KEYS)
