"""A real SOGo, the server with the worst manners of all. Debian packages: sogo, memcached, postgresql.

No mail server stands behind it: only its DAV side is of use. All configuration is in its command line, since the path
of its file is fixed.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.servers.postgres import Postgres, running_postgres
from tests.servers.process import Server, free_port
from tests.servers.service_account import account_for, program

_USERS = """
CREATE TABLE sogo_users (c_uid varchar(64) PRIMARY KEY, c_name varchar(64), c_password varchar(64), c_cn varchar(128),
                         mail varchar(128))
"""


@dataclass(slots=True)
class SogoServer(Server):
    """A SOGo with its database and its cache, which run as long as it does."""

    database_port: int = 0
    cache_port: int = 0
    around: ExitStack = field(default_factory=ExitStack, repr=False)

    def start(self) -> None:
        """See `Server`."""
        postgres = self.around.enter_context(running_postgres(self.database_port))
        _fill(postgres, self.users)
        cache = Server("memcached", _memcached(self.cache_port), self.cache_port, self.folder, "", 0)
        cache.spawn()
        self.around.callback(cache.stop)
        Server.start(self)

    def stop(self) -> None:
        """See `Server`."""
        Server.stop(self)
        self.around.close()


def sogo(folder: Path, users: int = 4) -> Server:
    """Return a SOGo, not yet started, with users user1 to userN. The folder must be open to other accounts."""
    port, database_port, cache_port, account = free_port(), free_port(), free_port(), account_for("sogo")
    home = folder / "home"
    account.owns(home, home / "GNUstep", home / "GNUstep" / "Defaults", folder / "spool")
    settings = {
        **_database_settings(f"postgresql://calsync@127.0.0.1:{database_port}/sogo"),
        "SOGoTimeZone": "UTC",
        "SOGoMailDomain": "example.org",
        "SOGoIMAPServer": '"imap://127.0.0.1:1"',
        "SOGoAppointmentSendEMailNotifications": "NO",
        "SOGoMemcachedHost": f'"127.0.0.1:{cache_port}"',
        "SOGoMailSpoolPath": f'"{folder}/spool"',
        "WONoDetach": "YES",
        "WOPort": f"127.0.0.1:{port}",
        "WOWorkersCount": "3",
        "WOPidFile": f"{home}/sogod.pid",
        "WOLogFile": "-",
    }
    command = [
        program("sogod", package="sogo"),
        *(part for key, value in settings.items() for part in (f"-{key}", value)),
    ]
    return SogoServer(
        *("sogo", command, port, folder, "/SOGo/dav/{user}/Calendar/", users),
        root="/SOGo/dav/",
        runs_as=account,
        patience=0.2,  # its workers take ten seconds, and nothing of it has to last
        environment={"HOME": str(home), "GNUSTEP_USER_ROOT": str(home / "GNUstep")},
        database_port=database_port,
        cache_port=cache_port,
    )


def _database_settings(url: str) -> dict[str, str]:
    source = (
        f'({{ type = sql; id = directory; viewURL = "{url}/sogo_users"; canAuthenticate = YES; '
        "isAddressBook = NO; userPasswordAlgorithm = plain; })"
    )
    return {
        "SOGoProfileURL": f'"{url}/sogo_user_profile"',
        "OCSFolderInfoURL": f'"{url}/sogo_folder_info"',
        "OCSSessionsFolderURL": f'"{url}/sogo_sessions_folder"',
        "OCSEMailAlarmsFolderURL": f'"{url}/sogo_alarms_folder"',
        "SOGoUserSources": source,
    }


def _memcached(port: int) -> list[str]:
    command = [program("memcached", package="memcached"), "-l", "127.0.0.1", "-p", str(port), "-m", "32"]
    return [*command, "-u", account_for("nobody").name]


def _fill(postgres: Postgres, users: int) -> None:
    postgres.run("CREATE DATABASE sogo ENCODING 'UTF8' TEMPLATE template0")
    with psycopg.connect(postgres.address("sogo"), autocommit=True) as connection:
        connection.execute(_USERS)
        for number in range(1, users + 1):
            name = f"user{number}"
            row = (name, name, name, name, f"{name}@example.org")
            connection.execute("INSERT INTO sogo_users VALUES (%s, %s, %s, %s, %s)", row)
