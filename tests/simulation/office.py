"""The office of a history: timers and mail, in a process of their own, with a mail server that keeps what it takes.

Each mail is checked as it is taken (I7, I8): its sending was committed before, a second copy comes only after a
dialogue whose end nobody knows, and nothing stands in it that people wrote for themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from calsync.answers.adopting import adopt_drags
from calsync.answers.mail_book import BookForMails
from calsync.booking.horizon import extend_all
from calsync.booking.requests import expire_requests
from calsync.booking.rulebook import Rulebook
from calsync.claims.gate import drain_touched
from calsync.notices.mailer import Envelope, MailDeferred, MailRefused, MailUnknown
from calsync.notices.reminding import Reminding
from calsync.notices.send import LOST_AFTER, PostOffice
from calsync.notices.station import Station
from calsync.notices.texts import Texts
from calsync.settings.secrets import Key, KeyRing
from calsync.store import clients
from calsync.store.clients import ClientRow
from calsync.testing.fake_ports import FakeIds
from calsync.worker import fleet, retention
from tests.simulation.canaries import found_in
from tests.simulation.faults import CRASHES
from tests.simulation.passes import run_as
from tests.simulation.ports import Crash, Process, ProcessDatabase

if TYPE_CHECKING:
    from tests.simulation.world import World

RING = KeyRing((Key("k1", b"1" * 32),))
TEXTS = Texts()
CLIENT = ClientRow("K-1", "Zelda Farquhar", "zelda@example.net")
_LAST_ROUNDS = 4


class MailServer:
    """Takes mails, or fails as the plan says: at the n-th dialogue of the history."""

    def __init__(self, world: World, faults: dict[int, str]) -> None:
        self.world = world
        self.faults = faults
        self.dialogues = 0
        self.taken: Counter[str] = Counter()

    def send(self, envelope: Envelope) -> None:
        """See `Mailer`."""
        self.dialogues += 1
        self.world.clock.advance(0.2)
        if self.world.boundaries.inside:
            self.world.observer.fail("I-network-in-transaction", "a mail is sent inside a transaction")
        kind = self.faults.pop(self.dialogues, "")
        if kind:
            self.world.struck += 1
            if kind not in CRASHES:
                self.world.fired(kind)
        self._fail_before(kind)
        self._take(envelope.message)
        if kind == "mail-taken-and-crash":
            raise Crash(kind, self.world.boundaries.dies).with_traceback(None)
        if kind == "mail-taken-unheard":
            raise MailUnknown("connection-lost")

    def _fail_before(self, kind: str) -> None:
        match kind:
            case "mail-crash":
                raise Crash(kind, self.world.boundaries.dies).with_traceback(None)
            case "mail-deferred":
                raise MailDeferred("451")
            case "mail-server-away":
                raise MailDeferred("connect", everywhere=True)
            case "mail-refused":
                raise MailRefused("550")
            case "mail-lost-unheard":
                raise MailUnknown("connection-lost")

    def _take(self, message: EmailMessage) -> None:
        observer, name = self.world.observer, str(message["Message-ID"])
        observer.mark("mail-sent")
        rows = self.world.books.rows("SELECT key, state, repeats FROM outbox WHERE message_id = ?", name)
        if len(rows) != 1 or rows[0][1] != "sending":
            observer.fail("I7-mail-not-begun", f"{name} went out; the books say {rows}")
        elif self.taken[name] and not observer.power_lost:
            observer.mark("mail-repeated")
            if self.taken[name] > 1 or rows[0][2] != 1:
                observer.fail("I7-mail-twice", f"{name} was taken {self.taken[name]} times before; {rows}")
        self.taken[name] += 1
        text = "\n".join([*(f"{key}: {value}" for key, value in message.items()), _text_of(message)])
        to_client = CLIENT.email in str(message["To"])
        for canary in found_in(text, names=not to_client):
            observer.fail("I8-mail", f"{canary!r} stands in the mail {rows[0][0] if rows else name}")


def _text_of(message: EmailMessage) -> str:
    parts = [part for part in message.walk() if not part.is_multipart()]
    return "\n".join(str(part.get_content()) for part in parts)


class Office:
    """The process that owes, sends and forgets what comes with time. It is started again after each crash."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ids = FakeIds(world.plan.seed + 1_000_000_007)
        faults = {one["nth"]: one["kind"] for one in world.plan.faults if one["port"] == "mail"}
        self.server = MailServer(world, faults)
        with world.web.transaction() as conn:
            clients.put(conn, CLIENT)

    def timers(self) -> None:
        """One round of everything that comes with time."""
        world, settings = self.world, self.world.settings

        def run(database: ProcessDatabase) -> None:
            now = world.clock.now()
            expire_requests(database, Rulebook.of_settings(settings), now)
            extend_all(database, now, now + settings.sync.booked_ahead)
            retention.forget(database, settings.sync.window_past, now)
            adopt_drags(world.desk_of(database), now)
            if fleet.watch(database, settings.fleet, now) is not None:
                world.observer.mark("fleet-stopped")
            drain_touched(database, world.clock, self.ids, settings)
            reminding = Reminding(database, settings)
            reminding.remind_clients(now)
            reminding.owe_day_sheets(now)
            reminding.escalate(now)

        self._as_process(run)

    def post(self) -> None:
        """Send what may go."""

        def run(database: ProcessDatabase) -> None:
            world = self.world
            book = BookForMails(world.settings, self.ids, lambda: RING)
            station = Station(database, world.clock, self.ids, world.settings, TEXTS, book)
            PostOffice(station, self.server).drain()

        self._as_process(run)

    def finish(self) -> None:
        """Faults have stopped: whatever was on its way comes to an end."""
        self.server.faults.clear()
        self.timers()
        for _ in range(_LAST_ROUNDS):
            self.world.clock.advance(LOST_AFTER + timedelta(minutes=2))
            self.post()
        stuck = self.world.books.rows("SELECT key FROM outbox WHERE state = 'sending'")
        if stuck:
            self.world.observer.fail("I7-mail-stuck", f"still on their way: {stuck[:3]}")

    def _as_process(self, run: Callable[[Any], None]) -> None:
        world = self.world
        process = Process("office", "office")
        run_as(world, process, lambda: run(world.database_of(process)))
