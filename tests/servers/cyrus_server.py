"""A real Cyrus with its CalDAV module, the engine behind Fastmail.

Debian packages: cyrus-caldav, cyrus-imapd, sasl2-bin, libsasl2-modules, libsasl2-modules-db.
"""

from __future__ import annotations

import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import Server, free_port
from tests.servers.service_account import ServiceAccount, account_for, program

_BIN = "/usr/lib/cyrus/bin"
_IMAPD_CONF = """\
configdirectory: {folder}/state
proc_path: {folder}/state/proc
mboxname_lockpath: {folder}/state/lock
idlesocket: {folder}/state/socket/idle
notifysocket: {folder}/state/socket/notify
lmtpsocket: {folder}/state/socket/lmtp
defaultpartition: default
partition-default: {folder}/spool
sievedir: {folder}/sieve
servername: localhost
admins: cyrus
unixhierarchysep: yes
virtdomains: off
httpmodules: caldav
httpallowcompress: no
caldav_allowscheduling: on
caldav_create_default: no
calendar_user_address_set: example.org
autocreate_users: anyone
autocreate_quota: -1
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {folder}/state/sasldb2
sasl_mech_list: PLAIN
tls_session_timeout: 0
syslog_prefix: cyrus
"""
_CYRUS_CONF = """\
START {{
  recover cmd="{bin}/ctl_cyrusdb -C {folder}/imapd.conf -r"
}}
SERVICES {{
  http cmd="{bin}/httpd -C {folder}/imapd.conf" listen="127.0.0.1:{port}" prefork=1 maxchild=20
  imap cmd="{bin}/imapd -C {folder}/imapd.conf" listen="{folder}/state/socket/imap" prefork=0
}}
EVENTS {{
}}
"""


@dataclass(slots=True)
class CyrusServer(Server):
    """A Cyrus whose users have a mailbox, without which it gives them no calendar home."""

    def start(self) -> None:
        """See `Server`."""
        Server.start(self)
        _make_mailboxes(self.folder / "state" / "socket" / "imap", self.users)


def cyrus(folder: Path, users: int = 4) -> Server:
    """Return a Cyrus, not yet started, with users user1 to userN. The folder must be open to other accounts."""
    port, account = free_port(), account_for("cyrus")
    state = folder / "state"
    places = [state, *(state / name for name in ("socket", "proc", "lock")), folder / "spool", folder / "sieve"]
    account.owns(*places)
    (folder / "imapd.conf").write_text(_IMAPD_CONF.format(folder=folder))
    (folder / "cyrus.conf").write_text(_CYRUS_CONF.format(folder=folder, port=port, bin=_BIN))
    for name in ("cyrus", *(f"user{number}" for number in range(1, users + 1))):
        _set_password(state / "sasldb2", name, account)
    master = program("master", _BIN, package="cyrus-imapd")
    config = ["-C", str(folder / "imapd.conf"), "-M", str(folder / "cyrus.conf"), "-p", str(state / "master.pid")]
    return CyrusServer(
        *("cyrus", [master, *config, "-D"], port, folder, "/dav/calendars/user/{user}/", users),
        root="/dav/",
        runs_as=account,
        environment={"CYRUS_USER": account.name},
    )


def _set_password(database: Path, name: str, account: ServiceAccount) -> None:
    tool = program("saslpasswd2", package="sasl2-bin")
    command = [tool, "-f", str(database), "-u", "localhost", "-c", "-p", name]
    subprocess.run(command, input=name.encode(), check=True, capture_output=True, cwd="/")
    account.owns(database)


def _make_mailboxes(path: Path, users: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(path))
            except OSError:
                assert time.monotonic() < deadline, "the IMAP service of Cyrus does not answer"
                time.sleep(0.05)
                continue
            commands = ["LOGIN cyrus cyrus", *(f"CREATE user/user{number}" for number in range(1, users + 1)), "LOGOUT"]
            stream = connection.makefile("rwb")
            for number, command in enumerate(commands):
                stream.write(f"t{number} {command}\r\n".encode())
                stream.flush()
                while not stream.readline().startswith(f"t{number} ".encode()):
                    assert time.monotonic() < deadline, "the IMAP service of Cyrus does not answer"
        return
