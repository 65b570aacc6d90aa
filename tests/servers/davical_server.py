"""A real DAViCal on PHP's own web server, with a PostgreSQL of its own.

Debian packages: davical, postgresql, php-cli, php-pgsql, php-xml, php-curl, php-mbstring, libdbd-pg-perl, libyaml-perl.
DAViCal reads its configuration from /etc/davical, by the name of the host that is asked: one file is written there and
removed at the end, which only root may do.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.servers.php import php, web_account
from tests.servers.postgres import Postgres, running_postgres
from tests.servers.process import Server, free_port

_CONFIG = """\
<?php
$c->pg_connect[] = "host=127.0.0.1 port={database_port} dbname=davical user=davical_app";
$_SERVER['SERVER_NAME'] = '127.0.0.1'; // the real name again: absolute Destination URLs are compared with it
$c->domain_name = '127.0.0.1';
$c->sysabbr = 'davical';
$c->admin_email = 'admin@example.org';
$c->readonly_webdav_collections = false;
"""
_ROUTER = """\
ini_set('include_path', '/usr/share/davical/inc:/usr/share/awl/inc');
if (strpos($_SERVER['REQUEST_URI'], '/.well-known/caldav') === 0) {{
    header('Location: /caldav.php/', true, 301);
    return true;
}}
if (strpos($_SERVER['REQUEST_URI'], '/caldav.php') !== 0) {{ http_response_code(404); return true; }}
$_SERVER['SERVER_NAME'] = '{name}'; // chooses the configuration file
$_SERVER['SCRIPT_NAME'] = '/caldav.php';
$_SERVER['PATH_INFO'] = rawurldecode(substr(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH), strlen('/caldav.php')));
chdir('/usr/share/davical/htdocs');
require '/usr/share/davical/htdocs/caldav.php';
"""
_USER = """
INSERT INTO usr (username, fullname, email, active, email_ok, password)
VALUES (%(name)s, %(name)s, %(name)s || '@example.org', true, current_timestamp, '**' || %(name)s);
"""
_PRINCIPAL = """
INSERT INTO principal (type_id, user_no, displayname, default_privileges)
SELECT 1, user_no, username, 0::bit(24) FROM usr WHERE username = %(name)s
"""


@dataclass(slots=True)
class DavicalServer(Server):
    """A DAViCal with its database and its file in /etc, which stand as long as it runs."""

    config: Path = Path()
    database_port: int = 0
    around: ExitStack = field(default_factory=ExitStack, repr=False)

    def start(self) -> None:
        """See `Server`."""
        postgres = self.around.enter_context(running_postgres(self.database_port))
        _fill(postgres, self.users)
        self.config.write_text(_CONFIG.format(database_port=postgres.port))
        self.around.callback(self.config.unlink, missing_ok=True)
        Server.start(self)

    def stop(self) -> None:
        """See `Server`."""
        Server.stop(self)
        self.around.close()


def davical(folder: Path, users: int = 4) -> Server:
    """Return a DAViCal, not yet started, with users user1 to userN. The folder must be open to other accounts."""
    port = free_port()
    name = f"calsync-{port}"
    command, environment = php(folder, port, _ROUTER.format(name=name))
    return DavicalServer(
        *("davical", command, port, folder, "/caldav.php/{user}/", users),
        root="/caldav.php/",
        runs_as=web_account(),
        environment=environment,
        config=Path(f"/etc/davical/{name}-conf.php"),
        database_port=free_port(),
    )


def _fill(postgres: Postgres, users: int) -> None:
    address = {"PGHOST": str(postgres.folder), "PGPORT": str(postgres.port), "PGUSER": "calsync"}
    script = ["sh", "/usr/share/davical/dba/create-database.sh", "davical", "admin"]
    done = subprocess.run(script, env=os.environ | address, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with psycopg.connect(postgres.address("davical"), autocommit=True) as connection:
        for number in range(1, users + 1):
            connection.execute(_USER, {"name": f"user{number}"})
            connection.execute(_PRINCIPAL, {"name": f"user{number}"})
