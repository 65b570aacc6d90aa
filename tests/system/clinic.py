"""An installation whose provider has no calendar yet, its pages, and the services that a provider may choose from."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
from fastapi.testclient import TestClient

from calsync.cli.context import App
from calsync.sandbox.google.server import Sandbox as Google
from calsync.sandbox.graph.server import CLIENT_ID
from calsync.sandbox.graph.server import Sandbox as Graph
from calsync.settings.key_file import KeyFile
from calsync.store.database import Database, open_database
from calsync.system_ports import SystemIds
from calsync.testing.fake_ports import FakeClock
from calsync.web.app import make_app
from calsync.web.site import Site as WebSite
from calsync.worker.farewell import say_farewell
from tests.servers.google_subject import EMAIL, secret_file
from tests.system.site import NOW, ZONE, Site

PUBLIC = "https://calsync.example.org"
FIELD = re.compile(r'name="field" value="([^"]+)"')


def google_keys(google: Google) -> str:
    """`[connectors.google]` for the stand-in."""
    return (
        f'[connectors.google]\napi_endpoint = "{google.api_endpoint}"\ntoken_uri = "{google.token_uri}"\n'
        f'auth_uri = "{google.root}/o/oauth2/v2/auth"\nclient_id = "client-1"\nclient_secret_file = "client_secret"\n'
    )


def graph_keys(graph: Graph) -> str:
    """`[connectors.outlook]` for the stand-in."""
    return (
        f'[connectors.outlook]\ngraph_url = "{graph.graph_url}"\nauthority = "{graph.root}"\n'
        f'tenant = "organizations"\nclient_id = "{CLIENT_ID}"\nca_file = "{graph.ca_file}"\n'
    )


@dataclass
class Clinic:
    """The installation: its command line (`site`), its pages (`get`, `post`), its books."""

    site: Site
    keys: str
    public_url: str = PUBLIC
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))

    def __post_init__(self) -> None:
        self.site.now = NOW
        secret_file(self.site.folder)
        self.site.calendars.append(
            f'[[providers]]\nid = "P-1"\nname = "Dr. Ash"\nemail = "{EMAIL}"\nzone = "{ZONE}"\n'
            f'[[providers]]\nid = "P-2"\nname = "Dr. Birch"\nemail = "birch@practice.example"\nzone = "{ZONE}"\n'
        )
        web = f'[web]\npublic_url = "{self.public_url}"\n[mail]\nsupport = "support@example.org"\n'
        self.site.set_up(more=f"{web}{self.keys}")
        self.database: Database = open_database(f"sqlite:///{self.site.folder / 'calsync.db'}")
        app = App(config_path=self.site.folder / "calsync.toml")
        settings = app.settings
        keys = KeyFile(settings.secrets.key_file)
        self.web = WebSite(self.database, settings, self.clock, SystemIds(), keys)
        self.app = make_app(self.web)
        self.client = TestClient(
            self.app, base_url=self.public_url, follow_redirects=False, raise_server_exceptions=False
        )

    def close(self) -> None:
        """Let go of the books."""
        self.client.close()
        self.database.dispose()

    def link(self, provider: str = "P-1", *more: str) -> str:
        """The path of a fresh link, as support makes it."""
        answer = self.site.calsync("connect", "link", "--provider", provider, *more)
        assert answer.code == 0, answer
        return urlsplit(answer.out.strip()).path

    def get(self, path: str) -> httpx.Response:
        """Look at a page."""
        answer: httpx.Response = self.client.get(path)
        return answer

    def post(self, path: str, **given: str) -> httpx.Response:
        """Send the form of the page at `path`, with its own field."""
        if "field" not in given:
            pages = (path, *(f"{path}?with={one}" for one in ("google", "outlook", "caldav")))
            found = next((match for page in pages if (match := FIELD.search(self.get(page).text))), None)
            assert found is not None, self.get(path).text
            given["field"] = found[1]
        answer: httpx.Response = self.client.post(path, data=given)
        return answer

    def agree(self, path: str, service: str = "google", ca_file: str | None = None, **more: str) -> httpx.Response:
        """Go to the service's page, agree there, and come back; returns our answer to the return."""
        asked = self.post(path, do="ask", service=service, **more)
        assert asked.status_code == 303, asked.text
        context = ssl.create_default_context(cafile=ca_file) if ca_file else True
        told = httpx.get(asked.headers["Location"], verify=context, trust_env=False)
        return self.get(told.headers["Location"].removeprefix(self.public_url))

    def dump(self) -> list[str]:
        """Every row of every table."""
        from calsync.store.schema import metadata  # noqa: PLC0415

        with self.database.reading() as conn:
            return [f"{table.name} {row}" for table in metadata.sorted_tables for row in conn.execute(table.select())]

    def later(self, **by: float) -> None:
        """Let time pass, for pages and commands alike."""
        self.site.later(**by)
        assert self.site.now is not None
        self.clock.set(self.site.now)

    def part(self) -> int:
        """What the worker's timer does for calendars at rest."""
        app = App(config_path=self.site.folder / "calsync.toml")
        wired = app.wired
        try:
            return say_farewell(wired.worker)
        finally:
            wired.opener.close()
            app.database.dispose()
