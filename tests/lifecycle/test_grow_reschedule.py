"""Grow Therapy's rules for moving a session and for asking the client to, each by its number."""

from __future__ import annotations

from tests.lifecycle.conftest import Make
from tests.lifecycle.practice import CLIENT, PROVIDER, SUPPORT, Practice

ASK = ("appointments", "ask-to-reschedule")


def ask(practice: Practice, key: str, *more: str, reason: str = "provider-unavailable") -> str:
    """Ask the client for another time; the token of their link."""
    return str(practice.json(*ASK, key, "--reason", reason, *more, by=PROVIDER)["token"])


def test_gt_20_the_provider_moves_and_lengthens_a_session(make: Make) -> None:
    practice = make("grow-therapy", mirrored=True)
    practice.book("A-1", "2026-11-04T10:00")
    practice.settled()
    practice.at("2026-11-04T08:00")  # inside 24 hours: only clients are bound
    practice.move("A-1", "2026-11-04T14:00", "--minutes", "60")
    assert (practice.start("A-1"), practice.show("A-1")["end"][:16]) == ("2026-11-04T14:00", "2026-11-04T15:00")
    told = practice.owed("appointment-rescheduled")
    assert sorted(recipient for recipient, _ in told) == ["client:C-1", "provider:P-1"]
    assert practice.settled() == ["20261104T140000"]


def test_gt_21_a_series_needs_a_scope_and_keeps_what_lies_before(make: Make) -> None:
    practice = make("grow-therapy", mirrored=True)
    practice.weekly("S", "2026-11-03T10:00")
    practice.at("2026-11-03T11:00")
    practice.do("appointments", "complete", "S@20261103T1000", by=PROVIDER)
    practice.move("S@20261124T1000", "2026-11-25T15:00", "--scope", "this")
    practice.settled()
    claim = practice.claim("S@20261103T1000")
    move = ("appointments", "reschedule", "S@20261117T1000", "--start", "2026-11-18T12:00")
    assert "this-and-following" in practice.refused("scope-needed", *move, by=PROVIDER)
    practice.do(*move, "--scope", "this-and-following", by=PROVIDER)
    starts = sorted(row["start"][:16] for row in practice.json("appointments", "list"))
    assert starts == [
        "2026-11-03T10:00",
        "2026-11-10T10:00",
        "2026-11-18T12:00",
        "2026-11-25T15:00",  # moved on its own before, and kept
        "2026-12-02T12:00",
        "2026-12-09T12:00",
    ]
    after = practice.claim("S@20261103T1000")
    assert {key: after[key] for key in ("verdict", "date_of_service")} == {
        key: claim[key] for key in ("verdict", "date_of_service")
    }
    practice.settled()


def test_gt_21_moved_sessions_take_their_place_again_on_reset(grow: Practice) -> None:
    grow.weekly("S", "2026-11-03T10:00", count=4)
    grow.move("S@20261117T1000", "2026-11-19T15:00", "--scope", "this")
    grow.move("S@20261110T1000", "2026-11-10T11:00", "--scope", "this-and-following", "--moved", "reset")
    starts = sorted(row["start"][:16] for row in grow.json("appointments", "list"))
    assert starts == ["2026-11-03T10:00", "2026-11-10T11:00", "2026-11-17T11:00", "2026-11-24T11:00"]


def test_gt_22_a_cadence_changes_for_all_that_follow_only(make: Make) -> None:
    practice = make("grow-therapy", mirrored=True)
    practice.weekly("S", "2026-11-03T10:00", count=5)
    practice.settled()
    move = ("appointments", "reschedule", "S@20261110T1000", "--start", "2026-11-10T10:00")
    rule = ("--cadence", "FREQ=WEEKLY;INTERVAL=2;COUNT=3")
    practice.refused("cadence-needs-following", *move, *rule, "--scope", "this", by=PROVIDER)
    practice.do(*move, *rule, "--scope", "this-and-following", by=PROVIDER)
    standing = [row for row in practice.json("appointments", "list") if row["status"] == "scheduled"]
    assert sorted(row["start"][:10] for row in standing) == ["2026-11-03", "2026-11-10", "2026-11-24", "2026-12-08"]
    practice.settled()


def test_gt_23_asking_keeps_the_session_and_holds_its_claim(grow: Practice) -> None:
    grow.book("A-1", "2026-11-05T10:00")
    assert "technical" in grow.refused("reason-needed", *ASK, "A-1", by=PROVIDER)
    grow.refused("who-may-ask-to-reschedule", *ASK, "A-1", "--reason", "technical", by=CLIENT)
    answer = grow.json(*ASK, "A-1", "--reason", "technical", by=PROVIDER)
    assert answer["expires_at"] == "2026-11-04T14:00:00Z"
    assert (grow.status("A-1"), grow.show("A-1")["pending"]) == ("scheduled", "reschedule")
    assert {recipient for recipient, _ in grow.owed("reschedule-asked")} == {"client:C-1", "provider:P-1"}
    grow.refused("already-asked", *ASK, "A-1", "--reason", "technical", by=PROVIDER)
    grow.at("2026-11-03T09:00")
    assert "reschedule-pending" in grow.codes("A-1")


def test_gt_24_the_old_time_can_be_blocked(make: Make) -> None:
    practice = make("grow-therapy", mirrored=True)
    practice.book("A-1", "2026-11-05T10:00")
    practice.settled()
    practice.refused("block-not-offered", *ASK, "A-1", "--reason", "technical", "--block", by=PROVIDER)
    token = ask(practice, "A-1", "--block")
    (block,) = practice.json("blocks", "list")
    assert (block["start"][:16], block["title"]) == ("2026-11-05T10:00", "Out of office")
    assert practice.settled() == ["20261105T100000", "20261105T100000"]
    assert practice.hands is not None
    assert sum("Out of office" in text for text in practice.hands.events().values()) == 1
    practice.json("appointments", "respond", token, "--start", "2026-11-06T10:00")
    line = ("--provider", "P-1", "--client", "C-2", "--start", "2026-11-05T10:00", "--minutes", "50")
    practice.refused("overlaps", "appointments", "book", *line, by=SUPPORT)
    assert practice.settled() == ["20261105T100000", "20261106T100000"]


def test_gt_25_without_an_answer_the_system_cancels_once(make: Make) -> None:
    practice = make("grow-therapy", mirrored=True)
    practice.book("A-1", "2026-11-06T10:00")
    practice.book("A-2", "2026-11-03T16:00")
    practice.settled()
    practice.at("2026-11-02T10:00")
    ask(practice, "A-1")
    near = practice.json(*ASK, "A-2", "--reason", "technical", by=PROVIDER)
    assert near["expires_at"] == "2026-11-03T21:00:00Z"  # when it starts: sooner than 48 hours
    practice.at("2026-11-03T15:59")
    practice.passes()
    assert practice.status("A-2") == "scheduled"
    practice.at("2026-11-03T16:00")
    practice.passes()
    assert practice.status("A-2") == "cancelled"
    practice.at("2026-11-04T09:59")
    practice.passes()
    assert practice.status("A-1") == "scheduled"
    # Nothing ran while the limit passed.
    practice.at("2026-11-05T13:00")
    practice.passes()
    practice.passes()
    assert practice.status("A-1") == "cancelled"
    (last,) = [row for row in practice.history("A-1") if row["action"] == "cancelled"]
    assert (last["actor"], last["reason"]) == ("system", "no-answer")
    told = [who for who, payload in practice.owed("appointment-cancelled") if payload["appointments"] == ["A-1"]]
    assert sorted(told) == ["client:C-1", "provider:P-1"]
    assert practice.fees() == []
    assert practice.settled() == []


def test_gt_25_counts_elapsed_hours_when_clocks_change(grow: Practice) -> None:
    grow.book("A-1", "2027-03-19T10:00")
    grow.at("2027-03-13T10:00")
    ask(grow, "A-1")
    grow.at("2027-03-15T10:59")  # 47 h 59 min, although the clocks say 48 h 59 min
    grow.passes()
    assert grow.status("A-1") == "scheduled"
    grow.at("2027-03-15T11:00")
    grow.passes()
    assert grow.status("A-1") == "cancelled"


def test_gt_26_the_clients_answer_moves_the_session_once(make: Make) -> None:
    practice = make("grow-therapy", mirrored=True)
    practice.book("A-1", "2026-11-04T10:00")
    practice.book("A-2", "2026-11-05T11:00")
    practice.settled()
    token = ask(practice, "A-1")
    respond = ("appointments", "respond")
    practice.refused("link-unknown", *respond, token[:-1] + "?", "--start", "2026-11-05T10:00")
    practice.refused("slot-taken", *respond, token, "--start", "2026-11-05T11:00")
    practice.at("2026-11-03T16:00")  # inside the 24 hours that hold for a client's own wish
    practice.do(*respond, token, "--start", "2026-11-05T10:00")
    one = practice.show("A-1")
    assert (one["start"][:16], one["pending"], one["status"]) == ("2026-11-05T10:00", None, "scheduled")
    assert practice.history("A-1")[-1]["actor"] == CLIENT
    assert "2026, 10:00" in practice.refused("request-answered", *respond, token, "--start", "2026-11-06T10:00")
    told = practice.owed("appointment-rescheduled")
    assert sorted(recipient for recipient, _ in told) == ["client:C-1", "provider:P-1"]
    assert practice.settled() == ["20261105T100000", "20261105T110000"]
    practice.at("2026-11-04T18:00")
    practice.passes()  # past the request's limit: it is closed, and nothing comes of it
    assert practice.status("A-1") == "scheduled"


def test_gt_26_a_request_ends_with_any_other_change(grow: Practice) -> None:
    respond = ("appointments", "respond")
    for key, day in (("A-1", "04"), ("A-2", "05"), ("A-3", "06")):
        grow.book(key, f"2026-11-{day}T10:00")
    moved, off, lapsed = ask(grow, "A-1"), ask(grow, "A-2"), ask(grow, "A-3")
    grow.move("A-1", "2026-11-04T12:00")
    grow.cancel("A-2", "--reason", "client-asked")
    assert grow.show("A-1")["pending"] is None
    for token in (moved, off):
        grow.refused("request-withdrawn", *respond, token, "--start", "2026-11-10T10:00")
    grow.book("A-4", "2026-11-02T09:30")
    held = ask(grow, "A-4")
    grow.at("2026-11-02T09:29")
    rows = "id,provider,client,start,end,zone,kind,status\nA-4,P-1,C-1,2026-11-02T09:30,2026-11-02T10:20,"
    path = grow.site.folder / "rows.csv"
    path.write_text(f"{rows}America/New_York,follow-up,cancelled\n", encoding="utf-8")
    grow.do("appointments", "import", str(path))
    grow.refused("request-withdrawn", *respond, held, "--start", "2026-11-10T10:00")
    grow.at("2026-11-04T09:00")
    grow.refused("request-expired", *respond, lapsed, "--start", "2026-11-10T10:00")


def test_gt_27_a_client_moves_until_24_elapsed_hours_before(grow: Practice) -> None:
    grow.book("A-1", "2026-11-04T10:00")
    move = ("appointments", "reschedule", "A-1", "--start", "2026-11-06T10:00")
    grow.at("2026-11-03T10:01")
    assert "contact your provider" in grow.refused("client-notice", *move, by=CLIENT)
    grow.at("2026-11-03T10:00")
    grow.do(*move, by=CLIENT)
    assert grow.start("A-1") == "2026-11-06T10:00"
