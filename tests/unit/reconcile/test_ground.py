"""What a decision stands on: answered edits, writes that arrived without an answer, and events under another name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import Event, Override
from calsync.reconcile.case import ConfirmedAbsent, Copy, LinkCase, Moment, NothingNew, SeenNow, SentWrite, Sight
from calsync.reconcile.ground import accepted_drifts, survey, without_renaming
from tests.properties.pretend import NOW, POLICY, World
from tests.unit.reconcile.histories import WINDOW, seen, single, weekly

FIRST = datetime(2026, 12, 1, 15, tzinfo=UTC)
SECOND = datetime(2026, 12, 8, 15, tzinfo=UTC)
MOVED = single("2026-12-01T14:00")


def drift(
    kind: DriftKind = DriftKind.MOVED, resolution: Resolution = Resolution.OPEN, *, accepted: bool = False
) -> Drift:
    return Drift(
        id="D-1",
        edit="E-1",
        link="L-1",
        calendar="K-1",
        provider="P-1",
        appointment="A-1",
        block=None,
        series=None,
        original_start=None,
        episode=1,
        kind=kind,
        phase=Phase.UPCOMING,
        expected=single().master,
        observed=MOVED.master,
        scope=Scope.OCCURRENCE,
        mixed=False,
        disposition=Disposition.REVERT,
        resolution=resolution,
        detected_at=NOW,
        changed_at=NOW,
        accepted=accepted,
    )


def agreed(event: Event = MOVED, *, sight: Sight | None = None, **more: object) -> LinkCase:
    """A case where one event is agreed and wanted; `sight` is what was read since."""
    case = World.agreed(event).case()
    return replace(case, sight=case.sight if sight is None else sight, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "resolution", "accepted", "counts"),
    [
        (DriftKind.MOVED, Resolution.ACKNOWLEDGED, True, True),
        (DriftKind.MOVED, Resolution.ACKNOWLEDGED, False, False),
        (DriftKind.MOVED, Resolution.IGNORED, False, True),
        (DriftKind.MOVED, Resolution.OPEN, True, False),
        (DriftKind.DUPLICATED, Resolution.ACKNOWLEDGED, True, False),
        (DriftKind.MARKER_LOST, Resolution.IGNORED, False, False),
    ],
)
def test_what_was_accepted_or_let_be_is_the_agreed_state(
    kind: DriftKind, resolution: Resolution, accepted: bool, counts: bool
) -> None:
    one = drift(kind, resolution, accepted=accepted)
    assert accepted_drifts(agreed(drifts=(one,))) == ({None: one} if counts else {})


class TestWritesWithoutAnAnswer:
    """A write whose answer was lost is found again by what the calendar shows (I4)."""

    def arrived(self, sight: Sight, *sent: SentWrite, event: Event | None = None, **more: object) -> SentWrite | None:
        case = agreed(event or single(), sight=sight, sent=sent, **more)
        return survey(case, Moment(NOW, WINDOW), POLICY).arrived

    removal = SentWrite("remove", None, None)
    update = SentWrite("update", MOVED, "hash")

    def test_a_removal_arrived_where_the_event_is_gone_and_nowhere_else(self) -> None:
        assert self.arrived(ConfirmedAbsent(), self.removal) == self.removal
        assert self.arrived(SeenNow("2", single()), self.removal) is None
        assert self.arrived(NothingNew(), self.removal) is None

    def test_an_update_arrived_where_the_event_is_as_it_was_sent(self) -> None:
        assert self.arrived(SeenNow("2", MOVED), self.update) == self.update
        assert self.arrived(SeenNow("2", single()), self.update) is None
        assert self.arrived(ConfirmedAbsent(), self.update) is None

    def test_the_latest_of_several_counts(self) -> None:
        again = replace(self.update, key="again")
        assert self.arrived(SeenNow("2", MOVED), self.update, again) == again
        assert self.arrived(SeenNow("2", MOVED), self.update, self.removal) == self.update

    def test_what_it_put_where_is_known(self) -> None:
        sight = SeenNow("2", MOVED)
        ground = survey(agreed(single(), sight=sight, sent=(self.update,)), Moment(NOW, WINDOW), POLICY)
        assert (ground.agreed, ground.arrived_state(None)) == (MOVED, MOVED.master)
        gone = survey(agreed(single(), sight=ConfirmedAbsent(), sent=(self.removal,)), Moment(NOW, WINDOW), POLICY)
        assert (gone.agreed, gone.arrived, gone.arrived_state(None)) == (None, self.removal, None)
        quiet = survey(agreed(single()), Moment(NOW, WINDOW), POLICY)
        assert (quiet.arrived, quiet.arrived_state(None)) == (None, None)

    def test_an_event_that_our_own_creation_put_there_is_not_seen_for_the_first_time(self) -> None:
        case = agreed(MOVED, sight=SeenNow("1", MOVED), sent=(self.update,))
        unknown = replace(case, link=replace(case.link, baseline=None, baseline_hash=None, observed=None))
        assert not survey(unknown, Moment(NOW, WINDOW), POLICY).first_seen
        assert survey(replace(unknown, sent=()), Moment(NOW, WINDOW), POLICY).first_seen

    @pytest.mark.parametrize(("restores", "proven"), [((), False), ((FIRST,), True), ((SECOND,), False)])
    def test_what_a_person_said_to_put_back_is_proven_by_its_own_occurrence(
        self, restores: tuple[datetime, ...], proven: bool
    ) -> None:
        # The marker says the same before and after, and somebody has moved the second session meanwhile.
        asked = replace(drift(), original_start=FIRST, disposition=Disposition.FLAG)
        case = World.agreed(weekly()).case()
        assert isinstance(case.sight, SeenNow)
        assert case.sight.marker is not None
        since = replace(weekly(), overrides=(Override(SECOND, seen("2026-12-08T12:00")),))
        back = SentWrite("back", weekly(), case.sight.marker.content, restores)
        sight = replace(case.sight, event=since)
        ground = survey(replace(case, sight=sight, sent=(back,), drifts=(asked,)), Moment(NOW, WINDOW), POLICY)
        assert (ground.arrived is not None) is proven


class TestAnotherName:
    """A copy takes the place of an event that is gone: the same event under another name."""

    def copy(self, *, told: bool = False, name: str = "r-copy", event: Event | None = None) -> Copy:
        return Copy(name, "9", event or MOVED, told=told)

    @pytest.mark.parametrize("told", [False, True])
    def test_what_was_recorded_of_it_as_a_copy_is_what_was_last_seen(self, told: bool) -> None:
        case = agreed(single(), sight=ConfirmedAbsent(), copies=(self.copy(told=told),))
        before = replace(case, link=replace(case.link, observed=single(), absent=True))
        after = without_renaming(before)
        assert (after.link.remote_id, after.link.version, after.copies) == ("r-copy", "9", ())
        assert isinstance(after.sight, SeenNow)
        assert (after.sight.version, after.sight.event) == ("9", MOVED)
        assert (after.link.observed, after.link.absent) == ((MOVED, False) if told else (single(), True))
        assert after.gone_copies == {"r-copy"}

    def test_the_earliest_of_several_is_it(self) -> None:
        copies = (self.copy(name="r-b"), self.copy(name="r-a"), self.copy(name="r-c", event=single()))
        after = without_renaming(agreed(single(), sight=ConfirmedAbsent(), copies=copies))
        assert (after.link.remote_id, [one.remote_id for one in after.copies]) == ("r-c", ["r-b", "r-a"])
        after = without_renaming(agreed(single(), sight=ConfirmedAbsent(), copies=copies[:2]))
        assert after.link.remote_id == "r-a"

    def test_none_takes_the_place_of_what_is_there_or_not_wanted(self) -> None:
        copies = (self.copy(),)
        there = agreed(single(), copies=copies)
        unwanted = agreed(single(), sight=ConfirmedAbsent(), copies=copies, expected=None)
        assert without_renaming(there) == there
        assert without_renaming(unwanted) == unwanted
