"""Harley Therapy's rules, each by its number."""

from __future__ import annotations

from tests.lifecycle.conftest import Make
from tests.lifecycle.practice import CLIENT, PROVIDER, SUPPORT, Practice


def over_the_limit(practice: Practice) -> dict[str, tuple[int, int]]:
    """Providers whom the report wants looked at: changes that they caused, and bookings left unconfirmed."""
    report = practice.json("report", "--format", "json")
    found = report["providers_to_review"]
    assert report["cancellations_over_limit"] == len(found)
    return {one["provider"]: (one["changes"], one["unconfirmed"]) for one in found}


def decisions(practice: Practice) -> list[tuple[str, str, str]]:
    """Recorded decisions about refunds: session, yes or no, amount."""
    return [tuple(row) for row in practice.rows("SELECT appointment, decision, amount FROM refunds ORDER BY at, id")]


def test_ht_01_an_initial_session_is_cancelled_by_support_only(harley: Practice) -> None:
    harley.book("A-1", "2026-11-04T08:00", "--kind", "initial", "--paid", "120.00")
    cancel = ("appointments", "cancel", "A-1", "--reason", "client-asked")
    said = harley.refused("who-may-cancel", *cancel, by=PROVIDER)
    for needed in ("Ask support", "the reason", "the client is aware", "whether to refund"):
        assert needed in said
    assert "support team" in harley.refused("who-may-cancel", *cancel, by=CLIENT)
    harley.refused("reason-needed", *cancel[:3], "--client-aware", "--refund", "no", by=SUPPORT)
    harley.refused("client-aware-needed", *cancel, "--refund", "no", by=SUPPORT)
    harley.refused("refund-answer-needed", *cancel, "--client-aware", by=SUPPORT)  # 47 hours away
    answer = harley.json(*cancel, "--client-aware", "--refund", "yes", by=SUPPORT)
    assert harley.status("A-1") == "cancelled"
    assert len(answer["refunds"]) == 1
    assert decisions(harley) == [("A-1", "yes", "120.00")]


def test_ht_01_with_48_hours_there_is_nothing_to_decide(harley: Practice) -> None:
    harley.book("A-1", "2026-11-04T09:00", "--kind", "initial", "--paid", "120.00")
    harley.do("appointments", "cancel", "A-1", "--reason", "client-asked", "--client-aware", by=SUPPORT)
    assert decisions(harley) == [("A-1", "yes", "120.00")]


def test_ht_02_a_cancellation_may_ask_for_other_therapists(harley: Practice) -> None:
    harley.book("A-1", "2026-11-10T09:00", "--kind", "initial")
    line = ("--reason", "not-the-best-fit", "--client-aware", "--suggest-others")
    answer = harley.cancel("A-1", *line, by=SUPPORT)
    assert answer["rebook"] is False
    assert harley.json("report", "--format", "json")["suggest_others"] == ["A-1"]
    assert "suggested, by session: 1 (A-1)" in harley.do("report").out
    assert harley.rows("SELECT appointment, suggest_others, client_aware FROM plan_changes") == [("A-1", 1, 1)]


def test_ht_03_a_paid_follow_up_asks_whether_to_refund(harley: Practice) -> None:
    for key, day in (("A-1", "03"), ("A-2", "20"), ("A-3", "21")):
        harley.book(key, f"2026-11-{day}T12:00")
    harley.do("appointments", "paid", "A-1", "--amount", "90.00", by=SUPPORT)
    harley.do("appointments", "paid", "A-2", "--amount", "90.00", by=SUPPORT)
    cancel = ("appointments", "cancel", "A-1", "--reason", "client-asked")
    assert "--refund yes" in harley.refused("refund-answer-needed", *cancel, by=PROVIDER)
    harley.do(*cancel, "--refund", "yes", by=PROVIDER)  # an exception: less than 48 hours' notice
    harley.refused("refund-answer-needed", "appointments", "cancel", "A-2", "--reason", "client-asked", by=PROVIDER)
    harley.cancel("A-2", "--reason", "client-asked", "--refund", "no")
    harley.cancel("A-3", "--reason", "client-asked")  # not paid: no question
    assert decisions(harley) == [("A-1", "yes", "90.00"), ("A-2", "no", "90.00")]


def test_ht_04_a_move_carries_its_payment(harley: Practice) -> None:
    harley.book("A-1", "2026-11-05T10:00", "--paid", "90.00")
    harley.move("A-1", "2026-11-06T10:00")
    assert harley.start("A-1") == "2026-11-06T10:00"
    assert harley.rows("SELECT appointment, amount FROM payments") == [("A-1", "90.00")]
    assert (decisions(harley), harley.fees()) == ([], [])
    move = ("appointments", "reschedule", "A-1", "--start", "2026-11-09T10:00")
    harley.at("2026-11-06T10:00")
    assert "support" in harley.refused("already-started", *move, by=PROVIDER)
    harley.do(*move, "--reason", "agreed by phone", by=SUPPORT)
    assert harley.start("A-1") == "2026-11-09T10:00"


def test_ht_05_the_slot_is_free_again_unless_the_provider_is_away(make: Make) -> None:
    practice = make("harley-therapy", mirrored=True)
    for key, day in (("A-1", "05"), ("A-2", "06"), ("A-3", "09")):
        practice.book(key, f"2026-11-{day}T10:00")
    practice.cancel("A-1", "--reason", "client-asked")
    practice.move("A-2", "2026-11-10T10:00")
    practice.book("B-1", "2026-11-05T10:00", client="C-2")
    practice.book("B-2", "2026-11-06T10:00", client="C-2")
    cancel = ("appointments", "cancel", "A-3", "--reason", "unavailable")
    assert "--block" in practice.refused("block-needed", *cancel, by=PROVIDER)
    answer = practice.json(*cancel, "--block", by=PROVIDER)
    assert practice.status("A-3") == "cancelled"
    line = ("--provider", "P-1", "--client", "C-2", "--start", "2026-11-09T10:00", "--minutes", "50")
    practice.refused("overlaps", "appointments", "book", *line, by=SUPPORT)
    assert [block["id"] for block in practice.json("blocks", "list")] == answer["blocks"]
    assert practice.settled() == ["20261105T100000", "20261106T100000", "20261109T100000", "20261110T100000"]


def test_ht_06_a_provider_pauses_and_only_support_reactivates(harley: Practice) -> None:
    harley.book("A-1", "2026-11-05T10:00")
    harley.refused("not-yours", "providers", "pause", "P-2", by=PROVIDER)
    harley.do("providers", "pause", "P-1", by=PROVIDER)
    line = ("--provider", "P-1", "--client", "C-1", "--start", "2026-11-06T10:00", "--minutes", "50")
    harley.refused("provider-paused", "appointments", "book", *line, by=SUPPORT)
    assert harley.status("A-1") == "scheduled"
    assert "support" in harley.refused("who-may-resume", "providers", "resume", "P-1", by=PROVIDER)
    harley.do("providers", "resume", "P-1", "--reason", "back from leave", by=SUPPORT)
    harley.book("A-2", "2026-11-06T10:00")


def test_ht_07_changes_that_the_provider_caused_count_over_a_rolling_period(harley: Practice) -> None:
    for number in range(1, 6):
        harley.book(f"A-{number}", f"2026-11-{10 + number}T10:00")
        harley.do("appointments", "confirm", f"A-{number}", by=PROVIDER)
    harley.cancel("A-1", "--reason", "unavailable", "--block")
    harley.move("A-2", "2026-11-20T10:00")
    harley.cancel("A-3", "--reason", "client-asked")  # not the provider's doing
    harley.at("2026-11-03T09:00")
    harley.cancel("A-4", "--reason", "unavailable", "--block", by=SUPPORT)  # the provider's, whoever types it
    assert over_the_limit(harley) == {}
    harley.cancel("A-5", "--reason", "unavailable", "--block")
    assert over_the_limit(harley) == {"P-1": (4, 0)}
    assert harley.json("providers", "show", "P-1")["paused"] is False  # a person looks; nobody is suspended
    harley.at("2027-01-31T09:00")  # 90 days after the first two
    assert over_the_limit(harley) == {}


def test_ht_08_a_move_that_was_agreed_needs_no_confirmation_and_is_mailed_to_both(harley: Practice) -> None:
    harley.book("A-1", "2026-11-05T10:00")
    harley.move("A-1", "2026-11-06T10:00", note="agreed with the client")
    assert harley.show("A-1")["pending"] is None
    assert sorted(who for who, _ in harley.owed("appointment-rescheduled")) == ["client:C-1", "provider:P-1"]


def test_ht_09_bookings_left_unconfirmed_count(harley: Practice) -> None:
    for number in range(1, 6):
        harley.book(f"A-{number}", f"2026-11-{10 + number}T10:00")
    harley.do("appointments", "confirm", "A-1", by=PROVIDER)
    harley.refused("nothing-to-confirm", "appointments", "confirm", "A-1", by=PROVIDER)
    harley.refused("not-yours", "appointments", "confirm", "A-2", by="provider:P-2")
    harley.at("2026-11-04T09:00")
    assert over_the_limit(harley) == {}
    harley.at("2026-11-04T09:01")
    assert over_the_limit(harley) == {"P-1": (0, 4)}
    assert "0 changes of plans, 4 bookings left unconfirmed" in harley.do("report").out
    page = harley.do("report", "--format", "html").out
    assert "more often than their practice allows" in page
    assert "not confirmed them in time (4): A-2, A-3, A-4, A-5" in page
    unconfirmed = harley.json("report", "--format", "json")["bookings_unconfirmed"]
    assert unconfirmed == ["A-2", "A-3", "A-4", "A-5"]
    harley.do("appointments", "confirm", "A-2", by=PROVIDER)  # too late not to count
    assert over_the_limit(harley) == {"P-1": (0, 4)}


def test_ht_09_a_provider_need_not_confirm_their_own_booking(harley: Practice) -> None:
    harley.book("A-1", "2026-11-10T10:00", by=PROVIDER)
    harley.refused("nothing-to-confirm", "appointments", "confirm", "A-1", by=PROVIDER)


def test_ht_10_support_pauses_and_reactivates_with_a_reason(harley: Practice) -> None:
    harley.refused("reason-needed", "providers", "pause", "P-1", by=SUPPORT)
    harley.do("providers", "pause", "P-1", "--reason", "complaint under review", by=SUPPORT)
    harley.refused("reason-needed", "providers", "resume", "P-1", by=SUPPORT)
    harley.do("providers", "resume", "P-1", "--reason", "settled", by=SUPPORT)
    kept = harley.rows("SELECT what, detail FROM audit WHERE what LIKE 'provider-%' ORDER BY seq")
    assert [(what, "complaint" in detail or "settled" in detail) for what, detail in kept[-2:]] == [
        ("provider-paused", True),
        ("provider-resumed", True),
    ]
