"""A claim file of any size, and books on which every claim of it clears."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from calsync.domain.appointment import Appointment, AppointmentStatus
from calsync.domain.event import Appearance
from calsync.domain.span import Span
from calsync.store import calendars, providers
from calsync.store.calendars import CalendarSpec
from calsync.store.database import Database, open_database
from calsync.store.providers import ProviderRow
from calsync.store.record_values import appointment_columns
from calsync.store.schema import links, observations
from calsync.store.schema_records import appointments
from calsync.store.upgrade import upgrade

LINKED = datetime(2026, 9, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ZONE = "America/Chicago"
CLIENTS_OF_A_PROVIDER = 45
PART = 5_000


def sessions(count: int) -> Iterator[Appointment]:
    """Weekly sessions; no provider is in two of them at once."""
    clients = max(1, count // 5)
    for number in range(count):
        week, client = divmod(number, clients)
        start = datetime(2026, 10, 5, 8) + timedelta(weeks=week, days=client % 5, hours=client % 9)
        span = Span(start, start + timedelta(minutes=50), ZONE)
        provider = f"P-{client // CLIENTS_OF_A_PROVIDER}"
        yield Appointment(
            f"A-{number}", provider, f"C-{client}", span, status=AppointmentStatus.COMPLETED, code="90834"
        )


def make_books(folder: Path, count: int) -> Database:
    """Books with that many sessions, each read after its end."""
    url = f"sqlite:///{folder / 'books.db'}"
    upgrade(url)
    database = open_database(url)
    last = (max(1, count // 5) - 1) // CLIENTS_OF_A_PROVIDER
    with database.transaction() as conn:
        for number in range(last + 1):
            provider = f"P-{number}"
            providers.put(conn, ProviderRow(provider, provider, "", ZONE))
            spec = CalendarSpec(f"K-{number}", provider, "", "caldav", "mirror", "dedicated", "database")
            calendars.register(conn, spec, LINKED)
        part: list[Appointment] = []
        for one in sessions(count):
            part.append(one)
            if len(part) == PART:
                _fill(conn, part)
                part = []
        _fill(conn, part)
    return database


def _fill(conn, part) -> None:  # type: ignore[no-untyped-def]
    if not part:
        return
    book = {"pending_until": None, "completed_by": "provider", "created_at": LINKED, "updated_at": LINKED}
    conn.execute(appointments.insert(), [appointment_columns(one) | book for one in part])
    conn.execute(
        links.insert(),
        [
            {
                "id": f"L-{one.id}", "calendar": one.provider.replace("P", "K"), "provider": one.provider,
                "subject_kind": "appointment", "subject": one.id, "remote_id": f"r-{one.id}", "uid": f"u-{one.id}",
                "confirmed_at": LINKED, "linked_at": LINKED,
            }
            for one in part
        ],
    )  # fmt: skip
    conn.execute(
        observations.insert(),
        [
            {
                "calendar": one.provider.replace("P", "K"), "link": f"L-{one.id}", "appointment": one.id,
                "read_at": one.span.end_at + timedelta(minutes=10), "seen": Appearance(one.span), "version": "2",
                "after_end": True, "linked_at": LINKED, "written_at": LINKED,
            }
            for one in part
        ],
    )  # fmt: skip


HEAD = (
    "ISA*00*          *00*          *ZZ*CALSYNCDEMO    *ZZ*DEMOPAYER      *261120*0930*^*00501*000000001*0*T*:~"
    "GS*HC*CALSYNCDEMO*DEMOPAYER*20261120*0930*1*X*005010X222A1~"
)
START = (
    "BHT*0019*00*BATCH{0}*20261120*0930*CH~NM1*41*2*DEMO COUNSELING GROUP*****46*CALSYNCDEMO~"
    "PER*IC*BILLING DESK*TE*5550100100~NM1*40*2*DEMO PAYER*****46*DEMOPAYER~HL*1**20*1~"
    "NM1*85*2*DEMO COUNSELING GROUP*****XX*1234567893~N3*1 SAMPLE STREET~N4*SPRINGFIELD*IL*627011234~"
    "REF*EI*123456789~"
)
CLAIM = (
    "HL*{hl}*1*22*0~SBR*P*18*******CI~NM1*IL*1*SAMPLE*ALEX****MI*MEM{n}~N3*2 EXAMPLE AVE~N4*SPRINGFIELD*IL*62701~"
    "DMG*D8*19900101*U~NM1*PR*2*DEMO PAYER*****PI*DEMO1~CLM*C-{n}*150***10:B:1*Y*A*Y*Y~HI*ABK:F411~"
    "NM1*82*1*RIVERA*CASEY****XX*1987654328~PRV*PE*PXC*101YM0800X~LX*1~SV1*HC:90834:95*150*UN*1***1~"
    "DTP*472*D8*{day}~REF*6R*A-{n}~"
)
PER_SET = 5_000


def write_file(path: Path, count: int) -> int:
    """A file of that many claims with one line each; how many segments it has."""
    segments = 0
    with path.open("w", encoding="latin-1", newline="") as target:
        target.write(HEAD)
        sets = 0
        inside = 0
        for number, one in enumerate(sessions(count)):
            if number % PER_SET == 0:
                if sets:
                    target.write(f"SE*{inside + 1}*{sets:04d}~")
                sets += 1
                head = f"ST*837*{sets:04d}*005010X222A1~" + START.format(sets)
                target.write(head)
                segments += inside
                inside = head.count("~")
            text = CLAIM.format(hl=number % PER_SET + 2, n=number, day=f"{one.span.start:%Y%m%d}")
            target.write(text)
            inside += text.count("~")
        target.write(f"SE*{inside + 1}*{sets:04d}~GE*{sets}*1~IEA*1*000000001~")
    return segments + inside + sets + 4
