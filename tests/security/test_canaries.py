"""Made-up names and secrets put in by every door, and looked for wherever they must not come out (I8).

One installation with its real processes: a calendar server that works, three services that answer every request with an
error that repeats it, a mail server, a receiver of webhooks, people at the pages, programs at the interface. Each
canary is a word that stands nowhere else. `STORED` says by table and column what the books keep on purpose; the page
about security says the same, and a canary anywhere else fails the test.
"""

from __future__ import annotations

import io
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.security.echo import EchoServer
from tests.servers.certificates import make_authority
from tests.servers.process import Server, free_port
from tests.servers.radicale_server import radicale
from tests.system.hands import Hands
from tests.system.site import Answer, Site, row
from tests.waiting import until

ROOT = Path(__file__).parents[2]
PUBLIC = "https://calsync.example.org"

PEOPLE = (
    "client-name", "client-name-said", "client-name-refused", "client-mail", "client-mail-said", "provider-name",
    "provider-mail", "patient-name", "patient-member", "patient-name-fhir", "patient-name-csv", "refused-row",
    "foreign-title", "foreign-notes", "foreign-guest", "foreign-place", "own-retitled", "own-notes-added",
    "booking-reason", "booking-note", "cancel-note", "cancel-reason", "pause-reason", "block-title", "support-note",
    "settle-note", "searched-name", "invalid-field", "unknown-id", "evidence-name",
)  # fmt: skip
SECRETS = (
    "caldav-password", "caldav-password-typed", "caldav-password-unknown-host", "google-client-secret",
    "google-refresh-token", "google-code", "outlook-client-secret", "outlook-refresh-token", "smtp-password",
    "webhook-secret", "support-password", "support-password-wrong", "token-wrong", "link-wrong", "hook-token",
    "hook-client-state", "form-field", "cookie-wrong", "state-wrong", "back-path", "service-shout", "database-password",
)  # fmt: skip

STORED: Final[dict[str, set[str]]] = {
    "clients.name": {"client-name", "client-name-said"},
    "clients.email": {"client-mail", "client-mail-said"},
    "providers.name": {"provider-name"},
    "providers.email": {"provider-mail"},
    "record_history.reason": {"booking-reason", "cancel-reason"},
    "record_history.note": {"booking-note", "cancel-note"},
    "blocks.title": {"block-title"},
    "support_notes.text": {"support-note"},
    "drifts.note": {"settle-note"},
    "audit.detail": {
        "booking-note",
        "booking-reason",
        "cancel-note",
        "cancel-reason",
        "pause-reason",
        "settle-note",
    },
    "plan_changes.reason": {"booking-reason", "cancel-reason"},
    "links.baseline": {"block-title"},
    "owed_writes.target": {"block-title"},
}
"""What the books keep on purpose, by table and column. Everything else is a leak."""


def canary(name: str) -> str:
    """The word: unlike any other, and fit for a name, an address, a password and a part of a path."""
    return f"Zq{name.replace('-', '')}Qz"


@dataclass
class Nets:
    """What came out, and where."""

    texts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def take(self, where: str, text: str | bytes) -> None:
        self.texts[where].append(text.decode("latin-1") if isinstance(text, bytes) else text)

    def caught(self, words: dict[str, str]) -> set[tuple[str, str]]:
        """Which canary was seen where. Case does not matter, nor does the packing of Basic."""
        found = set()
        for where, texts in self.texts.items():
            whole = "\n".join(texts).lower()
            found |= {(where, name) for name, word in words.items() if word.lower() in whole}
        return found


class House(Site):
    """The installation, and everything that its processes talked to."""

    port: int = 0

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        return httpx.request(method, f"http://127.0.0.1:{self.port}{path}", timeout=20, trust_env=False, **more)


class Post:
    """A mail server with a login, and what it took."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.taken.append(envelope)
        return "250 taken"


def write_secret(folder: Path, name: str, text: str) -> str:
    (folder / name).touch(mode=0o600)
    (folder / name).write_text(text + "\n")
    return name


@dataclass
class Stage:
    """Everything that runs, and the nets behind it."""

    house: House
    hands: Hands
    echo: EchoServer
    echo_tls: EchoServer
    post: Post
    nets: Nets = field(default_factory=Nets)
    words: dict[str, str] = field(default_factory=lambda: {name: canary(name) for name in (*PEOPLE, *SECRETS)})

    def __getitem__(self, name: str) -> str:
        return self.words[name]

    def run(self, *line: str, shown: str = "") -> Answer:
        """A command; what it prints must show nothing but, where `shown` says so, what was asked for."""
        answer = self.house.calsync(*line)
        self.nets.take("commands", answer.err)
        if not shown:
            self.nets.take("commands", answer.out)
        return answer

    def tell(self, path: str, **more: Any) -> httpx.Response:
        """A request, whose answer must show nothing but, to whoever asked, the words that are theirs."""
        own: tuple[str, ...] = more.pop("own", ())
        answer = self.house.ask(more.pop("method", "GET"), path, **more)
        text = answer.text
        for word in own:
            text = text.replace(word, "")
        self.nets.take("pages of errors", text)
        self.nets.take("addresses", str(answer.headers))
        return answer


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("CALSYNC_LOG", "debug")
    folder = tmp_path / "site"
    folder.mkdir()
    with ExitStack() as running:
        server: Server = radicale(_made(tmp_path / "radicale"))
        server.start()
        running.callback(server.stop)
        account = server.account(1)
        shout = canary("service-shout")
        echo = running.enter_context(EchoServer(shout))
        authority = make_authority(tmp_path)
        tls = running.enter_context(EchoServer(shout, authority.server_context("127.0.0.1")))
        post, port = Post(), free_port()
        controller = Controller(
            post,
            hostname="127.0.0.1",
            port=port,
            authenticator=lambda *told: AuthResult(success=True),
            auth_required=True,
            auth_require_tls=False,
        )
        controller.start()
        running.callback(controller.stop)
        house = House(folder)
        house.port = free_port()
        _configure(house, account, (echo, tls, port), authority.file)
        yield Stage(house, Hands(account.home, account.username), echo, tls, post)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _configure(house: House, account: Any, around: tuple[EchoServer, EchoServer, int], ca_file: Path) -> None:
    echo, tls, smtp = around
    folder = house.folder
    for name, secret in (
        ("smtp", "smtp-password"), ("hook", "webhook-secret"), ("google", "google-client-secret"),
        ("ms", "outlook-client-secret"), ("P-3.token", "google-refresh-token"), ("P-4.token", "outlook-refresh-token"),
    ):  # fmt: skip
        write_secret(folder, name, canary(secret))
    house.add_provider("P-1", account.home, account.username)
    house.add_provider("P-2", f"http://127.0.0.1:{echo.port}/dav/", "u2", canary("caldav-password"))
    house.calendars[0] = house.calendars[0].replace("Dr. P-1", f"Dr. {canary('provider-name')}")
    house.calendars[0] = house.calendars[0].replace("P-1@example.org", f"{canary('provider-mail')}@example.org")
    for number, connector, more in ((3, "google", ""), (4, "outlook", 'user = "u4"\n')):
        house.calendars.append(
            f'[[providers]]\nid = "P-{number}"\nname = "Dr. {number}"\nemail = "p{number}@example.org"\nzone = "UTC"\n'
            f'[[providers.calendars]]\nid = "P-{number}-cal"\nconnector = "{connector}"\n'
            f'refresh_token_file = "P-{number}.token"\n{more}'
        )
    house.calendars.append(
        f'[web]\nlisten = "127.0.0.1:{house.port}"\npublic_url = "{PUBLIC}"\n'
        '[sync]\npoll_interval = "2s"\n'
        f'[mail]\nsmtp_url = "smtp://127.0.0.1:{smtp}"\nusername = "calsync"\npassword_file = "smtp"\n'
        'sender = "cal@example.org"\nsupport = "support@example.org"\n'
        f'[[webhooks]]\nid = "w"\nurl = "http://127.0.0.1:{echo.port}/hook"\nsecret_file = "hook"\n'
        '[connectors.caldav]\nallow_networks = ["127.0.0.0/8"]\n'
        f'[connectors.google]\napi_endpoint = "http://127.0.0.1:{echo.port}/calendar/v3/"\n'
        f'token_uri = "http://127.0.0.1:{echo.port}/token"\nauth_uri = "http://127.0.0.1:{echo.port}/auth"\n'
        'client_id = "c"\nclient_secret_file = "google"\n'
        f'[connectors.outlook]\ngraph_url = "https://127.0.0.1:{tls.port}/v1.0"\n'
        f'authority = "https://127.0.0.1:{tls.port}"\ntenant = "t"\nclient_id = "c"\nclient_secret_file = "ms"\n'
        f'ca_file = "{ca_file}"\n'
    )


# --- the doors -------------------------------------------------------------------------------------------------------


def files(stage: Stage, start: datetime) -> None:
    """Clients, sessions and claims from files, good ones and refused ones."""
    folder = stage.house.folder
    (folder / "clients.csv").write_text(
        f"id,name,email,zone\nk-1,{stage['client-name']} Quist,{stage['client-mail']}@example.org,UTC\n"
    )
    assert stage.run("clients", "import", str(folder / "clients.csv")).code == 0
    bad = f"id,name,email,zone\nk-9,{stage['refused-row']},{stage['refused-row']},{stage['refused-row']}\n"
    (folder / "bad.csv").write_text(bad)
    assert stage.run("clients", "import", str(folder / "bad.csv")).code == 1
    later = start + timedelta(days=1)
    rows = [row("A-1", "P-1", start, client="k-1"), row("A-2", "P-1", later, client="k-1")]
    rows += [row(f"B-{number}", f"P-{number}", start) for number in (2, 3, 4)]
    stage.nets.take("commands", str(stage.house.import_rows(rows)))
    day = f"{start:%Y%m%d}"
    for name, text in {
        "claims.csv": f"appointment,provider,client,date,code,patient\nA-1,P-1,k-1,{start:%Y-%m-%d},90834,"
        f"{stage['patient-name-csv']}\n",
        "claims.x12": (ROOT / "tests/unit/claims/batch/samples/v01-one-claim-one-line.x12")
        .read_text()
        .replace("NM1*IL*1*", f"NM1*IL*1*{stage['patient-name']}")
        .replace("MI*", f"MI*{stage['patient-member']}"),
        "claims.json": (ROOT / "tests/unit/claims/batch/samples/f01-good.json")
        .read_text()
        .replace('"patient": {', '"patient": {"display": "' + stage["patient-name-fhir"] + '", ', 1),
        "broken.x12": f"ISA*00*{stage['patient-name']}*{day}",
    }.items():
        (folder / name).write_text(text)
        stage.run("claims", "check", "--file", str(folder / name), "--held", str(folder / f"{name}.held"))
        held = folder / f"{name}.held"
        stage.nets.take("work lists", held.read_text() if held.exists() else "")
    evidence = f"appointment,start,end,source,who\nA-1,{stage['evidence-name']},x,y,{stage['evidence-name']}\n"
    (folder / "evidence.csv").write_text(evidence)
    stage.run("evidence", "import", str(folder / "evidence.csv"))


def people_with_accounts(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Tokens of each role, and somebody at the pages; the tokens."""
    made = {}
    for role in ("platform", "billing", "support", "admin"):
        made[role] = stage.run("tokens", "add", "--role", role, "--json", shown="the token").json["token"]
        stage.words[f"token-{role}"] = made[role]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stage["support-password"].encode() + b"\n")))
    assert stage.run("users", "add", "ann", "--role", "admin").code == 0
    return made


def calendars(stage: Stage, start: datetime) -> None:
    """What other people write into the provider's calendar, and the provider's own changes."""
    until(stage.hands.calendars)
    hands = stage.hands.find()
    own = until(lambda: [name for name, text in hands.events().items() if "A-1" in text])[0]
    until(lambda: len(hands.names()) == 2)
    times = f"DTSTART:{start:%Y%m%dT%H%M%SZ}\nDTEND:{start + timedelta(hours=1):%Y%m%dT%H%M%SZ}\n"
    hands.put(
        "foreign.ics",
        f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\nBEGIN:VEVENT\nUID:foreign\nDTSTAMP:20260101T000000Z\n{times}"
        f"SUMMARY:{stage['foreign-title']}\nDESCRIPTION:{stage['foreign-notes']}\nLOCATION:{stage['foreign-place']}\n"
        f"ATTENDEE;CN={stage['foreign-guest']}:mailto:{stage['foreign-guest']}@example.org\n"
        "END:VEVENT\nEND:VCALENDAR\n",
    )
    moved = start + timedelta(hours=3)
    hands.rewrite(
        own,
        (r"^SUMMARY:.*$", f"SUMMARY:{stage['own-retitled']}\nCOMMENT:{stage['own-notes-added']}"),
        (r"^(DTSTART[^:]*):.*$", rf"\1:{moved:%Y%m%dT%H%M%S}"),
        (r"^(DTEND[^:]*):.*$", rf"\1:{moved + timedelta(minutes=50):%Y%m%dT%H%M%S}"),
    )


def programs(stage: Stage, tokens: dict[str, str]) -> None:
    """The interface: what is said, what is refused, what is nobody's."""
    platform = {"Authorization": f"Bearer {tokens['platform']}"}
    name, mail = stage["client-name-said"], stage["client-mail-said"]
    body = {"name": name, "email": f"{mail}@example.org"}
    assert stage.house.ask("PUT", "/api/v1/clients/k-2", json=body, headers=platform).status_code == 200
    for path, told in (
        ("/api/v1/clients/k-3", {"name": stage["client-name-refused"], "email": stage["invalid-field"]}),
        ("/api/v1/appointments/A-9", {"start": stage["invalid-field"], "client": stage["client-name-refused"]}),
        ("/api/v1/clients/k-4", {stage["invalid-field"]: "x"}),
    ):
        assert (
            stage.tell(path, method="PUT", json=told, headers=platform, own=(stage["invalid-field"],)).status_code
            == 422
        )
    span = ("--start", "2027-01-04T09:00", "--end", "2027-01-04T17:00")
    assert stage.run("blocks", "add", "--provider", "P-1", *span, "--title", stage["block-title"]).code == 0
    assert stage.run("providers", "pause", "P-4", "--reason", stage["pause-reason"]).code == 0
    why = ("--reason", stage["booking-reason"], "--note", stage["booking-note"])
    assert stage.run("appointments", "reschedule", "A-2", "--start", "2027-02-01T10:00", *why).code == 0
    note = {"by": "support:sam", "note": stage["cancel-note"], "reason": stage["cancel-reason"]}
    assert stage.house.ask("POST", "/api/v1/appointments/A-2/cancel", json=note, headers=platform).status_code == 200
    wrong = {"Authorization": f"Bearer {stage['token-wrong']}"}
    assert stage.tell("/api/v1/claims/A-1", headers=wrong).status_code == 401
    unknown = stage["unknown-id"]
    assert stage.tell(f"/api/v1/claims/{unknown}", headers=platform, own=(unknown,)).status_code == 404
    google = {"X-Goog-Channel-Id": "c", "X-Goog-Channel-Token": stage["hook-token"], "X-Goog-Resource-Id": "r"}
    assert stage.tell("/hooks/google", method="POST", headers=google).status_code == 404
    lost: dict[str, Any] = {"value": [{"subscriptionId": "s", "clientState": stage["hook-client-state"]}]}
    assert stage.tell("/hooks/graph", method="POST", json=lost).status_code == 202


def pages(stage: Stage) -> None:
    """Support's pages and the links of mails, with right and wrong words."""
    tell, house = stage.tell, stage.house
    assert tell(f"/support/login?back=/{stage['back-path']}").status_code == 200
    page = house.ask("GET", "/support/login")
    before = _cookie(page)
    form = {"mark": _mark(page.text), "name": "ann", "back": "/support", "password": stage["support-password-wrong"]}
    assert tell("/support/login", method="POST", data=form, headers={"Cookie": before}).status_code == 422
    form["password"] = stage["support-password"]
    entered = tell("/support/login", method="POST", data=form, headers={"Cookie": before})
    assert entered.status_code == 303
    cookie = _cookie(entered)
    stage.nets.texts["addresses"].pop()  # it sets the cookie, which is what it is for
    stage.words["session-cookie"] = cookie.partition("=")[2]
    here = {"Cookie": cookie}
    stage.words["form-mark"] = _mark(house.ask("GET", "/support", headers=here).text)
    marked = {"mark": stage.words["form-mark"]}
    looked = {"q": stage["searched-name"]}
    found = tell("/support/search", method="POST", data=looked, headers=here, own=(looked["q"], marked["mark"]))
    assert found.status_code == 200
    note = marked | {"how": "note", "text": stage["support-note"]}
    assert house.ask("POST", "/support/appointments/A-1/note", data=note, headers=here).status_code == 303
    assert tell("/support", headers={"Cookie": f"__Host-calsync={stage['cookie-wrong']}"}).status_code == 303
    wrong = {"mark": stage["form-field"]}
    assert tell("/support/logout", method="POST", data=wrong, headers=here).status_code == 403
    assert tell(f"/a/{stage['link-wrong']}").status_code == 404
    tell(f"/connect/return/google?state={stage['state-wrong']}&code={stage['google-code']}")
    edit = until(lambda: [one for one in house.drifts() if one["appointment"] == "A-1"])[0]
    stage.run("drifts", "resolve", edit["id"], "--as", "dismiss", "--note", stage["settle-note"])


def connecting(stage: Stage) -> None:
    """A provider at the pages for connecting: passwords to services that repeat them, and a consent that fails."""
    made = stage.run("connect", "link", "--provider", "P-1", shown="the link").out
    link = re.search(rf"{PUBLIC}(/connect/(\S+))", made)
    assert link is not None
    path, stage.words["connect-link"] = link[1], link[2]
    for url, password in (
        (f"http://127.0.0.1:{stage.echo.port}/dav/", "caldav-password-typed"),
        ("https://nowhere.invalid/", "caldav-password-unknown-host"),
    ):
        told = _fields(stage, path) | {"do": "log-in", "with": "caldav", "url": url, "username": "u"}
        stage.tell(path, method="POST", data=told | {"password": stage[password]})
        stage.nets.texts["pages of errors"].pop()  # the page is the link's own and leads to itself
    asked = stage.house.ask("POST", path, data=_fields(stage, path) | {"do": "ask", "service": "google"})
    state = re.search(r"state=([\w-]+)", asked.headers.get("location", ""))
    assert state is not None
    stage.words["consent-state"] = state[1]
    back = f"/connect/return/google?state={state[1]}&code={stage['google-code']}"
    stage.tell(back, headers={"Cookie": _cookie(asked)})


def _fields(stage: Stage, path: str) -> dict[str, str]:
    found = re.search(r'name="field" value="([^"]+)"', stage.house.ask("GET", f"{path}?with=caldav").text)
    assert found is not None
    return {"field": found[1]}


def _cookie(answer: httpx.Response) -> str:
    return answer.headers["set-cookie"].partition(";")[0]


def _mark(text: str) -> str:
    found = re.search(r'name="mark" value="([0-9a-f]{64})"', text)
    assert found is not None
    return found[1]


# --- the nets --------------------------------------------------------------------------------------------------------


def process_list(stage: Stage, pid: int) -> None:
    """Arguments and environment of the process and its children, as other programs of the machine see them."""
    below = [str(pid), *(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    for one in below:
        stage.nets.take("process list", Path(f"/proc/{one}/cmdline").read_bytes())
        stage.nets.take("process list", Path(f"/proc/{one}/environ").read_bytes())


def columns(path: Path, words: dict[str, str]) -> dict[str, set[str]]:
    """Which canaries stand in which column."""
    found: dict[str, set[str]] = defaultdict(set)
    with closing(sqlite3.connect(path)) as raw:
        raw.row_factory = sqlite3.Row
        for (table,) in list(raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")):
            for one in raw.execute(f'SELECT * FROM "{table}"'):
                for name, cell in zip(one.keys(), one, strict=True):
                    text = cell.decode("latin-1") if isinstance(cell, bytes) else str(cell)
                    for word, shape in words.items():
                        if shape.lower() in text.lower():
                            found[f"{table}.{name}"].add(word)
    return dict(found)


def test_no_canary_comes_out(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    house = stage.house
    house.set_up(settle="1s")
    start = datetime.now(UTC).replace(tzinfo=None, minute=0, second=0, microsecond=0) + timedelta(days=8)
    files(stage, start)
    tokens = people_with_accounts(stage, monkeypatch)
    monkeypatch.setenv("INVOCATION_ID", "made-up")  # as under systemd: the log is JSON
    process = house.start("run")
    monkeypatch.delenv("INVOCATION_ID")
    try:
        until(lambda: house.ask("GET", "/readyz").status_code == 200)
        calendars(stage, start)
        process_list(stage, process.pid)
        programs(stage, tokens)
        pages(stage)
        connecting(stage)
        until(lambda: len(stage.echo.asked) > 8 and stage.echo_tls.asked)
        until(lambda: any("/hook" in line for line in stage.echo.asked))
        for name in ("metrics", "readyz", "healthz"):
            stage.nets.take("metrics", house.ask("GET", f"/{name}").text)
        process_list(stage, process.pid)
    finally:
        process.terminate()
        process.wait(20)
    afterwards(stage)
    judge(stage)


def afterwards(stage: Stage) -> None:
    """Commands beside and after the process, and what everybody heard."""
    house = stage.house
    stage.run("sync")
    stage.run("doctor")
    stage.run("config", "show", shown="the config's own names")
    stage.run("report", "--format", "json")
    stage.run("links", "show", "--client", "k-1", "--provider", "P-1", shown="the link")
    database_elsewhere(stage)
    stage.run("backup", str(house.folder / "copy.db"))
    log = (house.folder / "process.log").read_text()
    assert '"event": ' in log
    stage.nets.take("log of the process", log)
    for line in (*stage.echo.asked, *stage.echo_tls.asked):
        stage.nets.take("addresses that were asked for", line)
    for line, body in zip(stage.echo.asked, stage.echo.bodies, strict=True):
        stage.nets.take("webhooks", body if "/hook" in line else "")


def judge(stage: Stage) -> None:
    """Nothing is in any net, and the books keep what is declared."""
    house = stage.house
    words = stage.words
    assert len(words) >= 40
    # Every secret really went where it belongs, or the test would find nothing for a poor reason.
    told = "".join(stage.echo.bodies + stage.echo_tls.bodies)
    assert {stage["google-refresh-token"], stage["google-code"]} <= set(re.findall(r"Zq\w+Qz", told))
    assert stage.nets.caught(words) == set()
    for name in ("calsync.db", "copy.db"):
        kept = columns(house.folder / name, words)
        assert kept == STORED, name
    unkept = {name: word for name, word in words.items() if name not in set().union(*STORED.values())}
    raw = Nets()
    for path in house.folder.glob("*.db*"):
        raw.take(path.name, path.read_bytes())
    assert raw.caught(unkept) == set()


def database_elsewhere(stage: Stage) -> None:
    """A database that needs a password and does not answer."""
    other = Site(stage.house.folder / "elsewhere")
    other.folder.mkdir()
    write_secret(other.folder, "calsync.key", "x")
    write_secret(other.folder, "pg", stage["database-password"])
    url = f"postgresql://calsync@127.0.0.1:{free_port()}/calsync"
    (other.folder / "calsync.toml").write_text(f'[database]\nurl = "{url}"\npassword_file = "pg"\n')
    for line in (["sync"], ["doctor"], ["backup", str(other.folder / "x.dump")], ["db", "upgrade"], ["config", "show"]):
        answer = other.calsync(*line)
        stage.nets.take("commands", answer.out + answer.err)


def test_the_page_about_security_names_these_columns_and_no_others() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    table = page.partition("| words | stand in |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+\.\w+)`", table)) == STORED.keys()


def test_the_nets_catch(tmp_path: Path) -> None:
    nets = Nets()
    nets.take("x", f"a {canary('client-name').upper()} in capitals".encode())
    assert nets.caught({"client-name": canary("client-name")}) == {("x", "client-name")}
    file = tmp_path / "x.db"
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("CREATE TABLE t (c BLOB)")
        raw.execute("INSERT INTO t VALUES (?)", (canary("token-wrong").encode(),))
        raw.commit()
    assert columns(file, {"token-wrong": canary("token-wrong")}) == {"t.c": {"token-wrong"}}
