"""A real SabreDAV 1.8, the old ancestor of Baikal's and Nextcloud's engine: Digest, CTags, no sync-collection.

Debian packages: php-sabre-dav, php-sqlite3, php-cli and theirs.
"""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

from tests.servers.php import php, web_account
from tests.servers.process import Server, free_port

_ROUTER = """\
if (strpos($_SERVER['REQUEST_URI'], '/.well-known/caldav') === 0) {{
    header('Location: /', true, 301);
    return true;
}}
require_once 'Sabre/autoload.php';
$pdo = new \\PDO('sqlite:{database}');
$pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$pdo->exec('PRAGMA busy_timeout = 10000');
$principals = new \\Sabre\\DAVACL\\PrincipalBackend\\PDO($pdo);
$server = new \\Sabre\\DAV\\Server(array(
    new \\Sabre\\CalDAV\\Principal\\Collection($principals),
    new \\Sabre\\CalDAV\\CalendarRootNode($principals, new \\Sabre\\CalDAV\\Backend\\PDO($pdo)),
));
$server->setBaseUri('/');
$server->addPlugin(new \\Sabre\\DAV\\Auth\\Plugin(new \\Sabre\\DAV\\Auth\\Backend\\PDO($pdo), 'SabreDAV'));
$server->addPlugin(new \\Sabre\\CalDAV\\Plugin());
$server->addPlugin(new \\Sabre\\DAVACL\\Plugin());
$server->exec();
return true;
"""
# The columns that the library's own database backend asks for.
_TABLES = """
CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT UNIQUE, digesta1 TEXT);
CREATE TABLE principals (id INTEGER PRIMARY KEY, uri TEXT UNIQUE, email TEXT, displayname TEXT, vcardurl TEXT);
CREATE TABLE groupmembers (id INTEGER PRIMARY KEY, principal_id INTEGER, member_id INTEGER);
CREATE TABLE calendarobjects (id INTEGER PRIMARY KEY, calendardata BLOB, uri TEXT, calendarid INTEGER,
    lastmodified INTEGER, etag TEXT, size INTEGER, componenttype TEXT, firstoccurence INTEGER, lastoccurence INTEGER);
CREATE TABLE calendars (id INTEGER PRIMARY KEY, principaluri TEXT, displayname TEXT, uri TEXT, ctag INTEGER,
    description TEXT, calendarorder INTEGER, calendarcolor TEXT, timezone TEXT, components TEXT, transparent BOOL);
"""


def sabre(folder: Path, users: int = 4) -> Server:
    """Return a SabreDAV, not yet started, with users user1 to userN. The folder must be open to other accounts."""
    port, account = free_port(), web_account()
    data = folder / "data"
    account.owns(data)
    database = data / "sabre.sqlite"
    with sqlite3.connect(database) as connection:
        connection.executescript(_TABLES)
        for number in range(1, users + 1):
            name = f"user{number}"
            digest = hashlib.md5(f"{name}:SabreDAV:{name}".encode()).hexdigest()
            connection.execute("INSERT INTO users(username, digesta1) VALUES (?, ?)", (name, digest))
            row = (f"principals/{name}", f"{name}@example.org", name)
            connection.execute("INSERT INTO principals(uri, email, displayname) VALUES (?, ?, ?)", row)
    connection.close()
    account.owns(database)
    command, environment = php(folder, port, _ROUTER.format(database=database))
    return Server(
        *("sabre", command, port, folder, "/calendars/{user}/", users),
        scheme="digest",
        runs_as=account,
        environment=environment,
    )
