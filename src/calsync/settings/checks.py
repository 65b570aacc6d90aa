"""What is wrong with a config although each key is right for itself: ids used twice, calendars shared, open files.

Works on the values as they were read, so that these problems are told together with all others.
"""

import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from calsync.errors import Problem
from calsync.settings.paths import check_secret_file, find_secret_files
from calsync.settings.practice import DEFAULT_PRACTICE
from calsync.settings.toml_scan import KeyPath

Table = dict[str, Any]
Where = Callable[[KeyPath], str]

# The signing key and tokens that people agree to are written by commands; every other file is the admin's to provide.
_MADE_BY_COMMANDS: Final = frozenset({"key_file", "refresh_token_file"})
_ADDRESS_KEYS: Final = ("username", "subject", "user", "calendar_id")
_THIS_MACHINE: Final = "127.0.0.1"
_ITS_OTHER_NAMES: Final = ("localhost", "::1")
_PORTS: Final = {"http": 80, "https": 443}


def find_contradictions(values: Table, practices: Collection[str], path: Path, where: Where) -> list[Problem]:
    """All problems that show only when keys are seen together, or beside the files that they name."""
    return [
        *_doubled_ids(values, where),
        *_shared_calendars(values, where),
        *_unknown_practices(values, practices, where),
        *_unfit_engine(values, where),
        *_unfit_secret_files(values, where),
        *_secrets_in_urls(values, path, where),
    ]


def list_tables(value: object) -> list[tuple[int, Table]]:
    """The tables of a list of tables with their places; whatever else stands there is left to the model."""
    rows = enumerate(value) if isinstance(value, list) else ()
    return [(number, row) for number, row in rows if isinstance(row, dict)]


def _doubled_ids(values: Table, where: Where) -> Iterator[Problem]:
    providers = (
        (provider.get("id"), ("providers", number, "id")) for number, provider in list_tables(values.get("providers"))
    )
    yield from _repeated("provider", providers, where)
    hooks = ((hook.get("id"), ("webhooks", number, "id")) for number, hook in list_tables(values.get("webhooks")))
    yield from _repeated("webhook", hooks, where)
    calendars = ((calendar.get("id"), (*at, "id")) for at, calendar in _calendars(values))
    yield from _repeated("calendar", calendars, where)


def _repeated(kind: str, keys: Iterable[tuple[Any, KeyPath]], where: Where) -> Iterator[Problem]:
    seen: dict[str, KeyPath] = {}
    for name, at in keys:
        if not isinstance(name, str):
            continue
        if name in seen:
            remedy = f"The first is {where(seen[name])}"
            yield Problem(f'the {kind} "{name[:60]}" stands here a second time', where(at), remedy)
        seen.setdefault(name, at)


def _calendars(values: Table) -> Iterator[tuple[KeyPath, Table]]:
    for number, provider in list_tables(values.get("providers")):
        for place, calendar in list_tables(provider.get("calendars")):
            yield ("providers", number, "calendars", place), calendar


def _shared_calendars(values: Table, where: Where) -> Iterator[Problem]:
    seen: dict[tuple[str, ...], str] = {}
    for at, calendar in _calendars(values):
        address = _address_of(calendar)
        if calendar.get("placement") == "dedicated" or not any(address[1:]):
            continue  # one account may hold a calendar of calsync's own for each of several providers
        name = str(calendar.get("id"))[:60]
        if address in seen:
            yield Problem(
                f'the calendars "{seen[address]}" and "{name}" are the same one',
                where(at),
                'A calendar belongs to one provider. For one account with a calendar each, add placement = "dedicated"',
            )
        seen.setdefault(address, name)


def _address_of(calendar: Table) -> tuple[str, ...]:
    others = (str(calendar.get(key) or "") for key in _ADDRESS_KEYS)
    return (str(calendar.get("connector")), plain_place(calendar.get("url")), *others)


def plain_url(url: object) -> str:
    """A web address as it is compared, without the case of its host and a slash at its end; "" if it is none."""
    try:
        parts = urlsplit(str(url or ""))
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}" if parts.netloc else ""


def plain_place(url: object) -> str:
    """A web address by what it leads to, whatever way it is written; "" if it is none.

    Further than `plain_url`: without escapes, doubled slashes, the scheme's own port, and this machine's other names.
    """
    try:
        parts = urlsplit(plain_url(url))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if not host:
        return ""
    host = _THIS_MACHINE if host in _ITS_OTHER_NAMES else host
    path = re.sub("/+", "/", unquote(parts.path)).rstrip("/")
    return f"{parts.scheme}://{host}:{port or _PORTS.get(parts.scheme)}{path}"


def _unknown_practices(values: Table, practices: Collection[str], where: Where) -> Iterator[Problem]:
    for number, provider in list_tables(values.get("providers")):
        name = provider.get("practice", DEFAULT_PRACTICE)
        if isinstance(name, str) and name not in practices:
            yield Problem(
                f'there is no practice "{name[:60]}"',
                where(("providers", number, "practice")),
                f"Make a file of that name in practices/, or name one of: {', '.join(sorted(practices))}",
            )


def _unfit_engine(values: Table, where: Where) -> Iterator[Problem]:
    engine, url = _get(values, "engine", "kind"), _get(values, "database", "url")
    if engine == "procrastinate" and not str(url).startswith("postgresql"):
        remedy = 'Set database.url to one that starts with postgresql, or use "embedded"'
        yield Problem('"procrastinate" works on PostgreSQL only', where(("engine", "kind")), remedy)


def _get(values: Table, table: str, key: str) -> object:
    found = values.get(table)
    return found.get(key) if isinstance(found, dict) else None


def _unfit_secret_files(values: Table, where: Where) -> Iterator[Problem]:
    for at, table in _all_tables(values):
        for key in find_secret_files(table):
            if isinstance(table[key], str) and "\0" not in table[key]:
                must_exist = key not in _MADE_BY_COMMANDS
                problem = check_secret_file(Path(table[key]), where((*at, key)), must_exist=must_exist)
                yield from [problem] if problem else []


def _all_tables(values: Table) -> Iterator[tuple[KeyPath, Table]]:
    for name, value in values.items():
        if isinstance(value, dict) and name != "connectors":
            yield (name,), value
    connectors = values.get("connectors")
    for name, value in connectors.items() if isinstance(connectors, dict) else ():
        if isinstance(value, dict):
            yield ("connectors", name), value
    yield from ((("webhooks", number), hook) for number, hook in list_tables(values.get("webhooks")))
    yield from _calendars(values)


def _secrets_in_urls(values: Table, path: Path, where: Where) -> Iterator[Problem]:
    for at, table in _all_tables(values):
        for key, value in table.items():
            if not (key.endswith("url") and isinstance(value, str) and _has_password(value)):
                continue
            if at == ("database",) and not path.stat().st_mode & stat.S_IROTH and not _has_password_in_query(value):
                continue  # drivers are used to it, and here the whole config is as closed as a secret file
            remedy = "Take it out of the URL and put it into a file: password_file"
            yield Problem("a password may not stand in a URL", where((*at, key)), remedy)


def _has_password(url: str) -> bool:
    try:
        return urlsplit(url).password is not None or _has_password_in_query(url)
    except ValueError:
        return False


def _has_password_in_query(url: str) -> bool:
    # It would follow the address into other programs' arguments, which every user of the machine may read.
    return any(name.lower() in ("password", "sslpassword") for name in parse_qs(urlsplit(url).query))
