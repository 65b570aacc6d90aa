"""Grow Therapy's rules for cancelling, each by its number."""

from __future__ import annotations

from tests.lifecycle.conftest import Make
from tests.lifecycle.practice import CLIENT, PROVIDER, SUPPORT, Practice


def test_gt_01_provider_cancels_with_a_listed_reason(make: Make) -> None:
    practice = make("grow-therapy", mirrored=True)
    practice.book("A-1", "2026-11-04T10:00")
    practice.book("A-2", "2026-11-05T10:00")
    assert practice.settled() == ["20261104T100000", "20261105T100000"]
    assert "provider-sick" in practice.refused("reason-needed", "appointments", "cancel", "A-1", by=PROVIDER)
    said = practice.refused("reason-unknown", "appointments", "cancel", "A-1", "--reason", "moon", by=PROVIDER)
    assert "client-asked" in said
    practice.cancel("A-1", "--reason", "provider-sick", note="flu")
    assert practice.status("A-1") == "cancelled"
    (last,) = [row for row in practice.history("A-1") if row["action"] == "cancelled"]
    assert (last["actor"], last["reason"], last["note"]) == (PROVIDER, "provider-sick", "flu")
    told = practice.owed("appointment-cancelled")
    assert sorted(recipient for recipient, _ in told) == ["client:C-1", "provider:P-1"]
    assert practice.settled() == ["20261105T100000"]


def test_gt_02_the_reason_decides_whether_the_mail_offers_to_rebook(grow: Practice) -> None:
    for key, day, reason, rebook in (("A-1", "04", "provider-sick", True), ("A-2", "05", "not-a-fit", False)):
        grow.book(key, f"2026-11-{day}T10:00")
        assert grow.cancel(key, "--reason", reason)["rebook"] is rebook
    by_session = {payload["appointments"][0]: payload["rebook"] for _, payload in grow.owed("appointment-cancelled")}
    assert by_session == {"A-1": True, "A-2": False}


def test_gt_03_a_client_cancels_until_24_elapsed_hours_before(grow: Practice) -> None:
    grow.book("A-1", "2026-11-04T10:00")
    grow.book("A-2", "2026-11-04T11:00")
    grow.at("2026-11-03T10:00", seconds=1)
    said = grow.refused("client-notice", "appointments", "cancel", "A-1", by=CLIENT)
    assert "contact your provider" in said
    assert "24 hours" in said
    grow.at("2026-11-03T10:01")
    grow.refused("client-notice", "appointments", "cancel", "A-1", by=CLIENT)
    grow.at("2026-11-03T10:00")
    grow.cancel("A-1", by=CLIENT)
    assert grow.status("A-1") == "cancelled"
    assert grow.fees() == []
    assert "somebody else's" in grow.refused("not-yours", "appointments", "cancel", "A-2", by="client:C-2")


def test_gt_03_counts_elapsed_hours_when_clocks_change(grow: Practice) -> None:
    # Clocks go forward on 14 March 2027, 02:00, and back on 7 November 2027.
    grow.book("A-1", "2027-03-14T10:00")
    grow.book("A-2", "2027-11-07T10:00")
    grow.at("2027-03-13T09:01")  # 23 h 59 min before, although the clocks say 24 h 59 min
    grow.refused("client-notice", "appointments", "cancel", "A-1", by=CLIENT)
    grow.at("2027-03-13T09:00")
    grow.cancel("A-1", by=CLIENT)
    grow.at("2027-11-06T11:01")
    grow.refused("client-notice", "appointments", "cancel", "A-2", by=CLIENT)
    grow.at("2027-11-06T11:00")  # 24 h before, although the clocks say 23 h
    grow.cancel("A-2", by=CLIENT)


def test_gt_04_a_late_cancellation_owes_the_providers_fee(make: Make) -> None:
    practice = make("grow-therapy", changed=("late_cancellation_of = {}", 'late_cancellation_of = { "P-1" = "90.00" }'))
    for key, hour in (("A-1", 10), ("A-2", 11), ("A-3", 12), ("A-4", 13)):
        practice.book(key, f"2026-11-04T{hour}:00")
    practice.at("2026-11-03T16:00")
    practice.refused("client-notice", "appointments", "cancel", "A-1", by=CLIENT)
    answer = practice.cancel("A-1", "--reason", "client-asked")
    assert practice.status("A-1") == "late-cancelled"
    (fee,) = practice.fees()
    assert answer["fees"] == [fee["id"]]
    assert "The fee of 90.00 USD (late cancellation) is owed" in practice.do("appointments", "explain", "A-1").out
    assert (fee["amount"], fee["currency"], fee["state"], fee["client"]) == ("90.00", "USD", "owed", "C-1")

    waiving = ("appointments", "cancel", "A-2", "--reason", "client-sick", "--waive-fee")
    practice.refused("waive-needs-note", *waiving, by=PROVIDER)
    practice.do(*waiving, by=PROVIDER, note="in hospital")
    assert practice.status("A-2") == "late-cancelled"
    assert [one["state"] for one in practice.fees() if one["appointment"] == "A-2"] == ["waived"]

    practice.cancel("A-3", "--reason", "provider-sick")  # the provider's own doing costs the client nothing
    assert practice.status("A-3") == "cancelled"
    practice.at("2026-11-03T13:00")
    practice.cancel("A-4", "--reason", "client-asked")  # exactly 24 hours before
    assert practice.status("A-4") == "cancelled"
    assert len(practice.fees()) == 2


def test_gt_05_fees_are_never_billable(grow: Practice) -> None:
    grow.book("A-1", "2026-11-04T10:00")
    grow.book("A-2", "2026-11-03T10:00")
    grow.at("2026-11-03T16:00")
    grow.cancel("A-1", "--reason", "client-asked")
    grow.do("appointments", "no-show", "A-2", by=PROVIDER)
    for key, code in (("A-1", "late-cancelled"), ("A-2", "no-show")):
        answer = grow.claim(key)
        assert (answer["verdict"], answer["date_of_service"]) == ("not-billable", None)
        assert [reason["code"] for reason in answer["reasons"]] == [code]
        assert "the client owes all of it" in answer["reasons"][0]["text"]


def test_gt_06_a_no_show_needs_its_grace(grow: Practice) -> None:
    grow.book("A-1", "2026-11-04T10:00")
    grow.at("2026-11-04T10:14", seconds=59)
    assert "15 minutes" in grow.refused("not-started", "appointments", "no-show", "A-1", by=PROVIDER)
    grow.refused("who-may-no-show", "appointments", "no-show", "A-1", by=CLIENT)
    grow.at("2026-11-04T10:15")
    grow.do("appointments", "no-show", "A-1", by=PROVIDER)
    assert grow.status("A-1") == "no-show"
    assert [(fee["kind"], fee["amount"], fee["state"]) for fee in grow.fees()] == [("no-show", "75.00", "owed")]


def test_gt_07_appointments_are_found_by_the_clients_name(grow: Practice) -> None:
    grow.book("A-1", "2026-11-03T10:00")
    grow.book("A-2", "2026-11-05T10:00")
    grow.book("A-3", "2026-11-06T10:00")
    grow.book("A-4", "2026-11-04T10:00", client="C-2")
    grow.at("2026-11-04T12:00")
    assert [row["id"] for row in grow.json("appointments", "list", "--client", "cLEO")] == ["A-2", "A-3", "A-1"]
    assert [row["id"] for row in grow.json("appointments", "list", "--client", "up")] == ["A-4"]
    assert grow.json("appointments", "list", "--client", "nobody") == []


def test_gt_09_a_client_cancels_all_upcoming_but_what_is_too_near(make: Make) -> None:
    practice = make("grow-therapy", mirrored=True)
    practice.weekly("S", "2026-11-03T10:00")
    practice.at("2026-11-09T18:00")
    practice.cancel("S@20261117T1000", "--scope", "this", by=CLIENT)
    assert practice.status("S@20261117T1000") == "cancelled"
    practice.settled()
    assert "--scope" in practice.refused("scope-needed", "appointments", "cancel", "S@20261124T1000", by=CLIENT)
    answer = practice.cancel("S@20261124T1000", "--scope", "all-upcoming", by=CLIENT, code=3)
    assert answer["appointments"] == ["S@20261124T1000", "S@20261201T1000", "S@20261208T1000"]
    assert answer["codes"] == {"S@20261110T1000": "client-notice"}
    assert "contact your provider" in answer["refused"]["S@20261110T1000"]
    assert practice.statuses("S") == {
        "2026-11-03": "scheduled",
        "2026-11-10": "scheduled",
        "2026-11-17": "cancelled",
        "2026-11-24": "cancelled",
        "2026-12-01": "cancelled",
        "2026-12-08": "cancelled",
    }
    practice.settled()
    assert practice.hands is not None
    (text,) = practice.hands.events().values()
    assert "20261201" not in text.replace("UNTIL=", "") or "EXDATE" in text
    rest = practice.refused(
        "client-notice", "appointments", "cancel", "S@20261110T1000", "--scope", "all-upcoming", by=CLIENT
    )
    assert "24 hours" in rest


def test_gt_09_no_session_grows_after_all_were_cancelled(grow: Practice) -> None:
    line = ("--provider", "P-1", "--client", "C-1", "--start", "2026-11-03T10:00", "--minutes", "50", "--id", "S")
    grow.do("series", "book", *line, "--rule", "FREQ=WEEKLY", by=SUPPORT)
    grow.at("2026-11-03T12:00")
    grow.cancel("S@20261110T1000", "--scope", "all-upcoming", by=CLIENT)
    grow.at("2027-01-05T12:00")
    grow.passes()
    assert {day: word for day, word in grow.statuses("S").items() if word == "scheduled"} == {"2026-11-03": "scheduled"}


def test_gt_10_after_cancelling_the_client_is_offered_to_book_again(grow: Practice) -> None:
    grow.book("A-1", "2026-11-05T10:00")
    assert grow.cancel("A-1", by=CLIENT)["rebook"] is True
    assert all(payload["rebook"] for _, payload in grow.owed("appointment-cancelled"))
    grow.book("A-1b", "2026-11-05T10:00")  # the slot is free again


def test_gt_11_support_changes_a_disputed_fee(grow: Practice) -> None:
    grow.book("A-1", "2026-11-02T20:00")
    grow.cancel("A-1", "--reason", "client-asked")
    (fee,) = grow.fees()
    change = ("fees", "change", fee["id"], "--amount", "40.00", "--because", "the provider agrees to half")
    assert "support" in grow.refused("who-may-change-fee", *change, by=PROVIDER)
    assert grow.json(*change, by=SUPPORT)["amount"] == "40.00"
    grow.refused("no-change", *change, by=SUPPORT)
    assert grow.json("fees", "change", fee["id"], "--amount", "0", "--because", "ill", by=SUPPORT)["state"] == "waived"
    entries = grow.rows("SELECT actor, detail FROM audit WHERE what = 'fee-changed' ORDER BY seq")
    assert [actor for actor, _ in entries] == [SUPPORT, SUPPORT]
    assert "the provider agrees to half" in entries[0][1]
    assert "75.00 owed" in entries[0][1]
    grow.do("audit", "verify")


def test_gt_12_a_reason_asks_questions_and_shows_resources(grow: Practice) -> None:
    grow.book("A-1", "2026-11-05T10:00")
    cancel = ("appointments", "cancel", "A-1", "--reason", "ending-care")
    assert "handover" in grow.refused("answer-needed", *cancel, by=PROVIDER)
    grow.refused("answer-unknown", *cancel, "--answer", "handover=yes", "--answer", "mood=good", by=PROVIDER)
    answer = grow.cancel("A-1", "--reason", "ending-care", "--answer", "handover=a colleague takes over")
    assert [one["url"] for one in answer["resources"]] == ["https://example.org/find-a-therapist"]
    assert grow.rows("SELECT answers FROM plan_changes") == [('{"handover":"a colleague takes over"}',)]


def test_attendance_is_recorded_by_staff_for_their_own_sessions(grow: Practice) -> None:
    grow.book("A-1", "2026-11-03T10:00")
    grow.at("2026-11-03T11:00")
    grow.refused("who-may-complete", "appointments", "complete", "A-1", by=CLIENT)
    grow.refused("not-yours", "appointments", "complete", "A-1", by="provider:P-2")
    day = ("appointments", "complete", "--provider", "P-1", "--day", "2026-11-03")
    grow.refused("not-yours", *day, by="provider:P-2")
    grow.do(*day, by=PROVIDER)
    assert grow.status("A-1") == "completed"
