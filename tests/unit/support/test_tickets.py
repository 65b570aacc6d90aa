"""Texts for tickets: three voices, plain words, no names, no codes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution
from calsync.domain.event import Appearance
from calsync.store import records
from calsync.support.tickets import Matter, Voice, candidate_dates, ticket_text
from tests.unit.claims.gate_world import NEXT_DAY, NOW, GateWorld


def _matter(world: GateWorld, drift: Drift) -> Matter:
    with world.db.reading() as conn:
        one = records.appointment(conn, "A-1")
    assert one is not None
    (assessed,) = world.gate.look(["A-1"])
    return Matter(one, [drift], assessed.answer, None, NOW)


@pytest.fixture
def past(world: GateWorld) -> Matter:
    """A session of yesterday, dragged to the next day afterwards."""
    return _matter(world, world.drift())


class TestVoices:
    def test_a_provider_is_told_what_counts_and_what_to_do(self, past: Matter) -> None:
        text = ticket_text(past, Voice.PROVIDER)
        assert text.startswith("Your session on Tue 10 Nov, 09:00-09:50 (no. A-1):")
        assert "moved to Wed 11 Nov, 09:00-09:50" in text
        assert "We changed nothing" in text
        assert "tell us which time is right" in text

    def test_a_provider_is_told_why_it_jumped_back(self, past: Matter) -> None:
        back = replace(past.drifts[0], phase=Phase.UPCOMING, resolution=Resolution.REVERTED)
        text = ticket_text(replace(past, drifts=[back], answer=None), Voice.PROVIDER)
        assert "still booked as before" in text
        assert "jump back" in text

    def test_support_is_told_who_acts_and_until_when(self, past: Matter) -> None:
        text = ticket_text(past, Voice.SUPPORT)
        assert "left as it is" in text
        assert "Its claim waits." in text
        assert "the provider must answer" in text

    def test_billing_is_told_the_possible_days(self, past: Matter) -> None:
        assert candidate_dates(past) == [date(2026, 11, 10), date(2026, 11, 11)]
        text = ticket_text(past, Voice.BILLING)
        assert "Tue 10 Nov 2026, Wed 11 Nov 2026" in text
        assert "It is released when" in text

    @pytest.mark.parametrize("voice", list(Voice))
    def test_nobody_reads_jargon_or_names(self, past: Matter, voice: Voice) -> None:
        with_title = replace(past.drifts[0], observed=Appearance(NEXT_DAY, "Jo Doe <script>"))
        text = ticket_text(replace(past, drifts=[with_title]), voice)
        for word in ("drift-open", "baseline", "disposition", "C-1", "Jo Doe", "<script>"):
            assert word not in text
        if voice is Voice.PROVIDER:
            for word in ("drift", "hold", "master", "link", "D-1", "K-1"):
                assert word not in text.casefold()

    def test_nothing_that_happened_says_so(self, past: Matter) -> None:
        calm = replace(past, drifts=[])
        assert "nothing is needed from you" in ticket_text(calm, Voice.PROVIDER)
        assert "Nobody has changed it" in ticket_text(calm, Voice.SUPPORT)

    def test_there_are_words_for_everything_that_happens(self, past: Matter) -> None:
        seen = past.drifts[0]
        for kind, phase, disposition, resolution in product(DriftKind, Phase, Disposition, Resolution):
            one = replace(seen, kind=kind, phase=phase, disposition=disposition, resolution=resolution)
            for voice in Voice:
                text = ticket_text(replace(past, drifts=[one]), voice)
                assert "-" not in kind.value or kind.value not in text
                assert resolution.value != "record-corrected" or resolution.value not in text
