"""What a decision stands on: answered edits, writes that arrived without an answer, and events under another name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calsync.domain.drift import Disposition, Drift, DriftKind, Resolution
from calsync.domain.event import Appearance, Event, Override
from calsync.domain.marker import Marker
from calsync.domain.notation import content_hash
from calsync.reconcile.case import ConfirmedAbsent, Copy, LinkCase, Moment, NothingNew, SeenNow, SentWrite, Sight
from calsync.reconcile.ground import Ground, accepted_drifts, marker_is_lost, survey, without_renaming
from tests.properties.pretend import NOW, POLICY, World
from tests.unit.reconcile.cases import drift
from tests.unit.reconcile.histories import WINDOW, weekly
from tests.unit.reconcile.scenes import seen, single

FIRST = datetime(2026, 12, 1, 15, tzinfo=UTC)
SECOND = datetime(2026, 12, 8, 15, tzinfo=UTC)
THIRD = datetime(2026, 12, 15, 15, tzinfo=UTC)
MOVED = single("2026-12-01T14:00")


def agreed(event: Event = MOVED, *, sight: Sight | None = None, **more: object) -> LinkCase:
    """A case where one event is agreed and wanted; `sight` is what was read since."""
    case = World.agreed(event).case()
    return replace(case, sight=case.sight if sight is None else sight, **more)  # type: ignore[arg-type]


def surveyed(case: LinkCase) -> Ground:
    return survey(case, Moment(NOW, WINDOW), POLICY)


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

    def test_one_that_was_given_up_arrived_only_where_its_own_marker_says_so(self) -> None:
        wrote = content_hash(MOVED)
        late = replace(self.update, content=wrote, given_up=True)
        for content, shown, arrived in ((wrote, MOVED, late), ("other", MOVED, None), (wrote, single(), None)):
            assert self.arrived(SeenNow("2", shown, Marker("L1", 1, content, "place")), late) == arrived
        assert self.arrived(SeenNow("2", MOVED), late) is None
        assert self.arrived(ConfirmedAbsent(), replace(self.removal, given_up=True)) is None

    def test_one_that_was_given_up_and_carried_what_was_confirmed_is_not_heard_of_by_that(self) -> None:
        wrote = content_hash(single())
        late = SentWrite("late", single(), wrote, given_up=True)
        assert self.arrived(SeenNow("2", single(), Marker("L1", 1, wrote, "place")), late) is None

    def test_one_that_was_given_up_was_the_only_one_where_none_was_ever_confirmed(self) -> None:
        wrote = content_hash(MOVED)
        late = replace(self.update, content=wrote, given_up=True)
        sight = SeenNow("2", single("2026-12-05T10:00"), Marker("L1", 1, wrote, "place"))
        for wanted in (MOVED, None):
            case = agreed(single(), sight=sight, sent=(late,), expected=wanted)
            unheard = replace(case.link, baseline=None, baseline_hash=None, confirmed_at=None)
            ground = survey(replace(case, link=unheard), Moment(NOW, WINDOW), POLICY)
            assert (ground.arrived, ground.agreed) == (late, MOVED)

    def test_an_update_arrived_where_the_event_is_as_it_was_sent(self) -> None:
        assert self.arrived(SeenNow("2", MOVED), self.update) == self.update
        assert self.arrived(SeenNow("2", single()), self.update) is None
        assert self.arrived(ConfirmedAbsent(), self.update) is None

    def test_one_that_our_last_marker_still_stands_on_did_not_arrive_though_somebody_moved_it_there(self) -> None:
        wrote = content_hash(MOVED)
        sent = replace(self.update, content=wrote)
        last = Marker("L1", 1, content_hash(single()), "place")
        assert self.arrived(SeenNow("2", MOVED, last), sent) is None
        assert self.arrived(SeenNow("2", MOVED, replace(last, content=wrote)), sent) == sent

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

    def series(self, *moved: datetime, marker: str | None, **more: object) -> LinkCase:
        """A weekly session; these have been moved by two hours, and the marker says this."""
        since = tuple(Override(at, seen(f"{at:%Y-%m-%d}T12:00")) for at in moved)
        told = None if marker is None else Marker("L1", 1, marker, "place")
        return agreed(weekly(), sight=SeenNow("2", replace(weekly(), overrides=since), told), **more)

    def reverted(self, *at: datetime) -> tuple[Drift, ...]:
        return tuple(replace(drift(), id=f"D-{one}", original_start=one) for one in at)

    def test_a_marker_of_another_write_proves_nothing(self) -> None:
        for marker, arrived in (("new", True), ("older", False)):
            case = self.series(FIRST, marker=marker, sent=(SentWrite("W-1", weekly(), "new"),))
            assert (surveyed(case).arrived is not None) is arrived

    def test_a_revert_is_proven_by_all_that_it_put_back(self) -> None:
        same = content_hash(weekly())
        back = (SentWrite("back", weekly(), same),)
        for moved, arrived in (((), True), ((SECOND,), False), ((FIRST, SECOND), False), ((THIRD,), True)):
            case = self.series(*moved, marker=same, sent=back, drifts=self.reverted(FIRST, SECOND))
            assert (surveyed(case).arrived is not None) is arrived

    def test_without_a_marker_only_the_whole_event_proves_a_revert(self) -> None:
        back = (SentWrite("back", weekly(), content_hash(weekly())),)
        for moved, arrived in (((), True), ((THIRD,), False)):
            case = self.series(*moved, marker=None, sent=back, drifts=self.reverted(FIRST))
            assert (surveyed(case).arrived is not None) is arrived

    def test_what_cannot_be_seen_proves_nothing(self) -> None:
        far = datetime(2027, 6, 1, 14, tzinfo=UTC)
        same = content_hash(weekly())
        case = self.series(marker=same, sent=(SentWrite("back", weekly(), same),), drifts=self.reverted(far))
        assert surveyed(case).arrived is None
        nothing_inside = SeenNow("2", weekly("2027-06-01T10:00"))
        assert self.arrived(nothing_inside, self.removal) is None

    def test_a_new_title_on_top_of_it_hides_no_write(self) -> None:
        renamed = replace(MOVED, master=replace(MOVED.master, title="Yoga"))
        assert self.arrived(SeenNow("2", renamed), self.update) == self.update


class TestLostBooks:
    """An event of ours is there, and the books do not say what was agreed."""

    def ground(self, marked: str | None, *, wanted: Event | None = MOVED) -> Ground:
        marker = None if marked is None else Marker("L1", 1, marked, "place")
        case = agreed(single(), sight=SeenNow("2", single(), marker), expected=wanted)
        return surveyed(replace(case, link=replace(case.link, baseline=None, baseline_hash=None)))

    def test_what_nobody_touched_since_we_wrote_it_is_what_was_agreed(self) -> None:
        assert self.ground(content_hash(single())).agreed == single()

    @pytest.mark.parametrize("marked", ["older", None])
    def test_what_was_touched_is_measured_against_the_record(self, marked: str | None) -> None:
        assert self.ground(marked).agreed == MOVED

    def test_of_a_cancelled_session_all_that_is_there_was_agreed(self) -> None:
        assert self.ground("older", wanted=None).agreed == single()

    def test_what_is_known_without_being_read_now_bears_no_marker(self) -> None:
        case = agreed(MOVED, sight=NothingNew())
        unknown = replace(case, link=replace(case.link, baseline=None, baseline_hash=None, observed=single()))
        assert (surveyed(unknown).agreed, surveyed(unknown).first_seen) == (MOVED, True)


class TestWhatDriftsSay:
    """Drifts that stand say what a copy is, and what stands beside all that was agreed."""

    cut = weekly(count=2)
    rest = Copy("c-1", "1", replace(weekly("2026-12-15T14:00", 1), uid="u-c-1"))

    def ground(self, **changes: object) -> Ground:
        """Our event was written without the third session, which a copy goes on with."""
        given = {"kind": DriftKind.SPLIT, "original_start": THIRD, "copy_id": "c-1", **changes}
        shown = {"expected": seen("2026-12-15T10:00"), "observed": seen("2026-12-15T14:00")}
        about = replace(drift(), **{**shown, **given})  # type: ignore[arg-type]
        return surveyed(agreed(self.cut, expected=weekly(), copies=(self.rest,), drifts=(about,)))

    def test_the_rest_of_a_split_goes_on_with_what_our_event_was_written_without(self) -> None:
        view = self.ground().view
        assert (view.shown[THIRD].copy_id, view.duplicates) == ("c-1", ())

    @pytest.mark.parametrize("changes", [{"kind": DriftKind.MOVED}, {"copy_id": None}])
    def test_what_was_no_rest_of_a_split_becomes_none(self, changes: dict[str, object]) -> None:
        assert THIRD not in self.ground(**changes).view.shown

    def test_what_the_record_wants_no_more_is_no_rest_of_it(self) -> None:
        case = self.ground().case
        shorter = surveyed(replace(case, expected=self.cut))
        assert THIRD not in shorter.view.shown
        cancelled = surveyed(replace(case, expected=None))
        assert THIRD not in cancelled.view.shown

    @pytest.mark.parametrize(("wanted", "alone"), [(None, True), (seen("2026-12-09T10:00"), False)])
    def test_what_was_extra_before_takes_nobodys_place(self, wanted: Appearance | None, alone: bool) -> None:
        at = SECOND + timedelta(days=1)
        event = weekly()
        assert event.recurrence is not None
        shows = replace(event, recurrence=replace(event.recurrence, excluded=(SECOND,), added=(at,)))
        about = replace(drift(), original_start=at, expected=wanted, observed=seen("2026-12-09T10:00"))
        found = surveyed(agreed(event, sight=SeenNow("2", shows), drifts=(about,))).view.shown
        assert (at in found, found[SECOND].own is None) == (alone, alone)


class TestTheMarkerIsLost:
    """That our event comes without its marker is told once, until we write it anew."""

    def lost(self, told_at: datetime | None = None, confirmed_at: datetime | None = NOW, **more: object) -> bool:
        notes = () if told_at is None else (replace(drift(DriftKind.MARKER_LOST), detected_at=told_at),)
        case = agreed(MOVED, sight=SeenNow("2", MOVED), **{"drifts": notes, **more})
        return marker_is_lost(surveyed(replace(case, link=replace(case.link, confirmed_at=confirmed_at))))

    def test_once_after_each_write(self) -> None:
        assert self.lost()
        assert not self.lost(NOW)
        assert not self.lost(NOW + timedelta(hours=1))
        assert self.lost(NOW - timedelta(hours=1))

    def test_once_where_no_write_is_known(self) -> None:
        assert not self.lost(NOW, confirmed_at=None)
        assert self.lost(confirmed_at=None)

    def test_another_edit_says_nothing_of_it(self) -> None:
        assert self.lost(drifts=(drift(),))

    def test_it_is_no_news_where_the_books_are_lost_as_well(self) -> None:
        case = agreed(MOVED, sight=SeenNow("2", MOVED))
        unknown = replace(case, link=replace(case.link, baseline=None, baseline_hash=None))
        assert not marker_is_lost(surveyed(unknown))


def test_where_else_an_event_went_is_known_only_where_it_is_gone() -> None:
    assert surveyed(agreed(sight=ConfirmedAbsent("K-2"))).elsewhere == "K-2"
    assert surveyed(agreed()).elsewhere is None


def test_an_event_is_hers_only_where_its_session_is_cancelled() -> None:
    hers = replace(MOVED, master=replace(seen("2026-12-01T19:00"), title="Choir"))
    for wanted, is_hers in ((None, True), (MOVED, False)):
        assert surveyed(agreed(MOVED, sight=SeenNow("2", hers), expected=wanted)).hers is is_hers


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

    @pytest.mark.parametrize(
        ("kind", "resolution", "accepted", "takes"),
        [
            (DriftKind.DUPLICATED, Resolution.ACKNOWLEDGED, True, False),
            (DriftKind.DUPLICATED, Resolution.WITHDRAWN, False, True),
            (DriftKind.SPLIT, Resolution.ACKNOWLEDGED, True, True),
        ],
    )
    def test_a_copy_that_a_person_let_be_takes_nobodys_place(
        self, kind: DriftKind, resolution: Resolution, accepted: bool, takes: bool
    ) -> None:
        about = replace(drift(kind, resolution, accepted=accepted), copy_id="r-copy")
        case = agreed(single(), sight=ConfirmedAbsent(), copies=(self.copy(),), drifts=(about,))
        assert (without_renaming(case).link.remote_id == "r-copy") is takes
