"""What other programs are told: once committed, in order, again until it arrives, never twice under two ids."""

from __future__ import annotations

import base64
import contextlib
import hmac
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import update

from calsync.domain.drift import Resolution
from calsync.settings.webhooks import Webhook
from calsync.store import calendars, drifts, webhooks
from calsync.store.schema import calendars as calendars_table
from calsync.webhooks.deliver import KEPT, Courier
from calsync.webhooks.post import HttpPoster
from calsync.webhooks.sign import headers_of, keys_of
from tests.unit.claims.gate_world import NEXT_DAY, NOW, READ, GateWorld
from tests.unit.webhooks.receiver import SECRET, Receiver

HOUR = timedelta(hours=1)


def courier(world: GateWorld) -> Courier:
    return Courier(world.db, world.settings, world.clock, world.ids)


def bring(world: GateWorld) -> int:
    one = courier(world)
    one.sort()
    return sum(one.deliver(hook) for hook in world.settings.webhooks)


def emit(world: GateWorld, effect: str, subject: str = "appointment:A-1", kind: str = "edit.found") -> None:
    with world.db.transaction() as conn:
        webhooks.emit(conn, effect, kind, subject, {"effect": effect}, world.clock.now())


def effects(receiver: Receiver) -> list[str]:
    return [one["data"]["effect"] for one in receiver.arrived]


class TestWhatIsTold:
    def test_a_claims_way_from_cleared_over_an_edit_to_a_recall(self, world: GateWorld, receiver: Receiver) -> None:
        world.touch("A-1")
        world.drain()
        world.drain()
        world.check()
        world.drift()
        world.drain()
        with world.db.transaction() as conn:
            drifts.resolve(conn, "D-1", Resolution.ACKNOWLEDGED, NOW, by="support:ada", accepted=True)
        world.touch("A-1")
        world.drain()
        bring(world)
        assert receiver.types == [
            "claim.cleared", "edit.found", "claim.recalled", "claim.held", "edit.resolved", "claim.recall-withdrawn",
            "claim.cleared",
        ]  # fmt: skip
        cleared, found, recalled, held, *_ = receiver.arrived
        assert cleared["data"]["date_of_service"] == "2026-11-10"
        assert (found["data"]["drift"], found["data"]["kind"]) == ("D-1", "moved")
        assert (recalled["data"]["action"], recalled["data"]["old_date"]) == ("stop", "2026-11-10")
        assert (held["data"]["reasons"], held["data"]["waiting_on"]) == (["drift-open"], "provider")
        assert [one["seq"] for one in receiver.arrived] == sorted(one["seq"] for one in receiver.arrived)
        assert "Ada" not in str(receiver.arrived), "ids only"

    def test_what_merely_waits_for_a_reading_is_no_news(self, world: GateWorld, receiver: Receiver) -> None:
        world.book("A-2", span=NEXT_DAY.starting(NEXT_DAY.start))
        world.touch("A-2")
        world.clock.set(READ - 2 * HOUR)
        world.drain()
        world.clock.set(NOW + 24 * HOUR)
        world.touch("A-2")
        world.drain()
        bring(world)
        assert receiver.types == []

    def test_nothing_is_kept_of_verdicts_while_nobody_listens(self, world: GateWorld) -> None:
        world.settings = world.settings.model_copy(update={"webhooks": ()})
        world.touch("A-1")
        world.drain()
        with world.db.reading() as conn:
            assert webhooks.verdicts(conn, ["A-1"]) == {}

    def test_a_calendars_state_is_told_when_it_changes(self, world: GateWorld, receiver: Receiver) -> None:
        with world.db.transaction() as conn:
            for _ in range(2):
                calendars.set_state(conn, "K-1", "needs-reconnect", "revoked", NOW)
        bring(world)
        assert [(one["type"], one["data"]) for one in receiver.arrived] == [
            ("calendar.state", {"calendar": "K-1", "state": "needs-reconnect"})
        ]

    def test_a_calendar_that_leaves_the_config_and_comes_back_is_told_of(
        self, world: GateWorld, receiver: Receiver
    ) -> None:
        with world.db.transaction() as conn:
            conn.execute(update(calendars_table).values(source="config"))
            row = calendars.get(conn, "K-1")
            assert row is not None
            calendars.missing_from_config(conn, [], NOW)
            spec = calendars.CalendarSpec(
                row.id, row.provider, row.connection, row.connector, row.mode, row.placement, "config"
            )
            calendars.register(conn, spec, NOW)
        bring(world)
        told = [one["data"]["state"] for one in receiver.arrived if one["data"].get("calendar") == "K-1"]
        assert told == ["paused", "active"]

    def test_a_rolled_back_change_is_told_to_nobody(self, world: GateWorld, receiver: Receiver) -> None:
        def change() -> None:
            with world.db.transaction() as conn:
                webhooks.emit(conn, "e-1", "edit.found", "appointment:A-1", {}, NOW)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            change()
        assert bring(world) == 0
        assert receiver.tries == []

    def test_a_receiver_gets_what_it_asked_for(self, world: GateWorld, hook: Webhook, receiver: Receiver) -> None:
        wants = hook.model_copy(update={"events": ("claim.held",)})
        world.settings = world.settings.model_copy(update={"webhooks": (wants,)})
        emit(world, "e-1", kind="edit.found")
        emit(world, "e-2", kind="claim.held")
        bring(world)
        assert effects(receiver) == ["e-2"]


class TestOnTheWay:
    def test_once_however_often_it_is_told_or_tried(self, world: GateWorld, receiver: Receiver) -> None:
        for _ in range(3):
            emit(world, "e-1")
        assert (bring(world), bring(world), effects(receiver)) == (1, 0, ["e-1"])

    def test_a_refusal_is_tried_again_under_the_same_id_with_growing_pauses(
        self, world: GateWorld, receiver: Receiver
    ) -> None:
        receiver.answers += [500, 503, 302]
        emit(world, "e-1")
        waits = []
        for _ in range(3):
            assert bring(world) == 0
            with world.db.reading() as conn:
                ((_, row),) = webhooks.rows(conn)
            assert bring(world) == 0, "not before its time"
            waits.append(row.due_at - world.clock.now())
            world.clock.set(row.due_at)
        assert bring(world) == 1
        assert waits == sorted(waits)
        assert len(set(receiver.tries)) == 1
        assert len(receiver.tries) == 4

    def test_a_receiver_may_say_when(self, world: GateWorld, receiver: Receiver) -> None:
        receiver.answers, receiver.headers = [429], {"retry-after": "900"}
        emit(world, "e-1")
        bring(world)
        with world.db.reading() as conn:
            ((_, row),) = webhooks.rows(conn)
        assert row.due_at - world.clock.now() == timedelta(seconds=900)

    def test_one_sessions_events_keep_their_order_and_hold_up_no_other(
        self, world: GateWorld, receiver: Receiver
    ) -> None:
        receiver.answers += [500]
        for effect, subject in (("1", "appointment:A"), ("2", "appointment:A"), ("3", "appointment:B")):
            emit(world, effect, subject)
        bring(world)
        assert effects(receiver) == ["3"]
        world.clock.set(world.clock.now() + HOUR)
        while bring(world):
            pass
        assert effects(receiver) == ["3", "1", "2"]

    def test_given_up_in_the_end_then_replayed(self, world: GateWorld, receiver: Receiver) -> None:
        receiver.answers += [500] * 2
        emit(world, "1")
        emit(world, "2")
        bring(world)
        world.clock.set(world.clock.now() + timedelta(days=3))
        bring(world)
        with world.db.reading() as conn:
            ((event, row),) = webhooks.rows(conn, states=["failed"])
        assert (event.payload, row.attempts, row.last_error) == ({"effect": "1"}, 2, "answered 500")
        bring(world)
        assert effects(receiver) == ["2"], "what was given up keeps the next one no longer"
        with world.db.transaction() as conn:
            assert webhooks.replay(conn, "platform", world.clock.now(), event=None, since=None) == 1
        bring(world)
        assert effects(receiver) == ["2", "1"]
        assert len(set(receiver.tries)) == 2

    def test_a_receiver_that_is_not_there_or_never_answers_costs_only_its_timeout(
        self, world: GateWorld, receiver: Receiver
    ) -> None:
        receiver.hang = threading.Event()
        assert HttpPoster(0.2).post(receiver.url, {}, b"{}").words == "no answer in time"
        assert HttpPoster(0.2).post("http://127.0.0.1:1/", {}, b"{}").words == "cannot be reached"
        assert HttpPoster(0.2).post("https://127.0.0.1:1/", {}, b"{}").status is None

    def test_an_answer_that_comes_byte_by_byte_keeps_nobody_for_ever(self) -> None:
        sent: list[int] = []

        def drip(listening: socket.socket) -> None:
            one, _ = listening.accept()
            with one, contextlib.suppress(OSError):
                one.sendall(b"HTTP/1.1 200 OK\r\n")
                for byte in b"X: y\r\n" * 100:
                    time.sleep(0.02)  # the receiver's own pace
                    one.sendall(bytes([byte]))
                    sent.append(byte)

        with socket.create_server(("127.0.0.1", 0)) as listening:
            thread = threading.Thread(target=drip, args=(listening,))
            thread.start()
            reply = HttpPoster(0.3).post(f"http://127.0.0.1:{listening.getsockname()[1]}/", {}, b"{}")
            thread.join()
        assert (reply.words, len(sent) < 100) == ("no answer in time", True)

    def test_a_redirect_is_not_followed(self, receiver: Receiver) -> None:
        with Receiver() as other:
            receiver.answers, receiver.headers = [307], {"location": other.url}
            headers = headers_of("evt_1", b"{}", NOW, SECRET)
            assert not HttpPoster(5).post(receiver.url, headers, b"{}").is_taken
            assert other.tries == []

    def test_a_lost_secret_is_told_and_nothing_goes_out_unsigned(self, world: GateWorld, receiver: Receiver) -> None:
        world.settings.webhooks[0].secret_file.unlink()
        emit(world, "1")
        bring(world)
        with world.db.reading() as conn:
            ((_, row),) = webhooks.rows(conn)
        assert (row.state, row.last_error, receiver.tries) == ("due", "its secret file cannot be read", [])

    def test_two_that_deliver_at_once_take_different_events(self, world: GateWorld, receiver: Receiver) -> None:
        for number in range(30):
            emit(world, str(number), f"appointment:{number}")
        one, other = courier(world), courier(world)
        one.sort()
        hook = world.settings.webhooks[0]
        with world.db.transaction() as conn:
            taken = webhooks.take(conn, hook.id, world.clock.now(), HOUR, 10)
        assert len(taken) == 10
        assert other.deliver(hook) == 20
        world.clock.set(world.clock.now() + HOUR)
        assert other.deliver(hook) == 10
        assert sorted(effects(receiver), key=int) == [str(number) for number in range(30)]

    def test_old_events_go_those_that_wait_stay(self, world: GateWorld, receiver: Receiver) -> None:
        receiver.answers += [500]
        emit(world, "1", "appointment:A")
        emit(world, "2", "appointment:B")
        bring(world)
        courier(world).forget_old(world.clock.now() + KEPT + HOUR)
        with world.db.reading() as conn:
            assert [event.payload["effect"] for event, _ in webhooks.rows(conn)] == ["1"]


PROGRAM = """
import sys
from pathlib import Path
from calsync.cli.main import run
sys.exit(run(["webhooks", "deliver"]))
"""


def test_killed_in_the_middle_it_is_told_again_under_the_same_id(tmp_path: Path) -> None:
    from calsync.store.database import open_database  # noqa: PLC0415
    from calsync.store.upgrade import upgrade  # noqa: PLC0415

    address = f"sqlite:///{tmp_path / 'calsync.db'}"
    upgrade(address)
    database = open_database(address)
    world = GateWorld(database)
    world.clock.set(NOW)
    emit(world, "1")
    secret = tmp_path / "hook.secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    with Receiver() as receiver:
        receiver.hang = threading.Event()
        (tmp_path / "calsync.toml").write_text(
            "[testing]\nclock = true\n"
            f'[[webhooks]]\nid = "platform"\nurl = "{receiver.url}"\nsecret_file = "hook.secret"\n'
        )
        environ = {**os.environ, "CALSYNC_CONFIG": str(tmp_path / "calsync.toml"), "CALSYNC_NOW": NOW.isoformat()}
        process = subprocess.Popen([sys.executable, "-c", PROGRAM], env=environ, stdout=subprocess.DEVNULL)
        receiver.wait_for(1)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        receiver.hang.set()
        receiver.hang = None
        later = {**environ, "CALSYNC_NOW": (NOW + HOUR).isoformat()}
        assert subprocess.run([sys.executable, "-c", PROGRAM], env=later, check=False).returncode == 0
        assert len(receiver.tries) == 2
        assert len(set(receiver.tries)) == 1
        assert subprocess.run([sys.executable, "-c", PROGRAM], env=later, check=False).returncode == 0
        assert len(receiver.tries) == 2
    database.dispose()


class TestSigning:
    def test_the_scheme_is_standard_webhooks(self) -> None:
        headers = headers_of("evt_1", b'{"a":1}', NOW, SECRET)
        stamp = str(int(NOW.timestamp()))
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        digest = hmac.new(key, b"evt_1." + stamp.encode() + b'.{"a":1}', sha256).digest()
        assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
        assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("evt_1", stamp)

    def test_two_secrets_sign_while_one_is_changed(self) -> None:
        assert keys_of(f"{SECRET}\n\nplain text\n") == [b"a secret of twenty-four.", b"plain text"]
        assert len(headers_of("evt_1", b"{}", NOW, f"{SECRET}\nother")["webhook-signature"].split()) == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/x",
        "ftp://example.org",
        "https://",
        "https://user@example.org/",
        "https://e.org/#x",
        "https://e.org:99999/",
    ],
)
def test_addresses_that_cannot_be_meant_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        Webhook(id="w", url=url, secret_file=tmp_path)


def test_addresses_on_this_machine_may_be_plain(tmp_path: Path) -> None:
    keys: dict[str, Any] = {"id": "w", "secret_file": tmp_path}
    assert Webhook(url="http://[::1]:80/x", **keys).wants("claim.held")
    assert not Webhook(url="http://localhost/x", events=("claim.held",), **keys).wants("claim.cleared")
