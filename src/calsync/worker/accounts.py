"""Who logs in to a calendar: its keys and its secret, from the config, or from the books where a provider connected it.

A secret on the books is sealed (`store.credentials`) and goes before a file of the config: whoever agreed last counts,
and `calsync connect`, which writes the file, takes the sealed one away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from calsync.connector.registry import Registry
from calsync.errors import UserError
from calsync.settings.model import CalendarConfig, Provider, Settings
from calsync.settings.secrets import read_secret_file
from calsync.store import connections, providers
from calsync.store.calendars import CalendarRow
from calsync.store.credentials import Credentials
from calsync.store.database import Database
from calsync.worker.declared import is_another

# The keys of calendars that name the file with the secret, whatever the connector.
SECRET_KEYS = ("password_file", "refresh_token_file")
TYPED_BY_PROVIDER = "typed_by_provider"


@dataclass(frozen=True, slots=True)
class Account:
    """What a connector needs to log in. `keep` None: the config says where the secret is."""

    keys: BaseModel
    placement: str
    zone: str
    secret: Callable[[], str]
    keep: Callable[[str], None] | None = None
    typed_by_provider: bool = False


@dataclass(frozen=True, slots=True)
class Accounts:
    """Finds the account of a calendar."""

    settings: Settings
    registry: Registry
    database: Database
    credentials: Credentials

    def of(self, row: CalendarRow) -> Account:
        """The calendar's account; UserError where the config or the books do not name one."""
        if row.source == "database":
            return self._on_the_books(row)
        provider, config = self._configured(row)
        if config.settings is None:
            raise UserError.of(
                "has no keys for its connector", f"calendar {row.id}", "Complete its table in the config"
            )
        placement = config.placement or ("existing" if row.mode == "busy" else "dedicated")
        if not self._is_sealed(row.connection):
            return Account(config.settings, placement, provider.zone, secret_reader(config.settings))
        secret, keep = self._sealed(row.connection)
        return Account(config.settings, placement, provider.zone, secret, keep)

    def _on_the_books(self, row: CalendarRow) -> Account:
        with self.database.reading() as conn:
            connection = connections.get(conn, row.connection)
            provider = providers.get(conn, row.provider)
        if connection is None or provider is None:
            remedy = "Send the provider a new link: `calsync connect link`"
            raise UserError.of("has no account on the books", f"calendar {row.id}", remedy)
        held = connection.settings
        secret, keep = self._sealed(row.connection)
        return Account(
            keys=keys_of(self.registry, row.connector, held.get("keys", {}), f"calendar {row.id}"),
            placement=row.placement,
            zone=provider.zone,
            secret=secret,
            keep=keep,
            typed_by_provider=bool(held.get(TYPED_BY_PROVIDER, True)),
        )

    def _configured(self, row: CalendarRow) -> tuple[Provider, CalendarConfig]:
        for provider, calendar in self.settings.calendars():
            if calendar.id == row.id:
                if is_another(row, provider.id, calendar):
                    what = "the configuration means another account, calendar or provider by this id"
                    remedy = "Give that one an id of its own, or change it back"
                    raise UserError.of(what, f"calendar {row.id}", remedy)
                return provider, calendar
        raise UserError.of(
            "is not in the configuration any more", f"calendar {row.id}", f"Run `calsync calendars remove {row.id}`"
        )

    def _is_sealed(self, connection: str) -> bool:
        with self.database.reading() as conn:
            return connections.sealed(conn, connection) is not None

    def _sealed(self, connection: str) -> tuple[Callable[[], str], Callable[[str], None]]:
        def secret() -> str:
            with self.database.reading() as conn:
                found = self.credentials.open_one(conn, connection)
            if found is None:
                raise UserError.of("has no login on the books", f"connection {connection}", "Connect it again")
            return found.decode("utf-8")

        def keep(fresh: str) -> None:
            with self.database.transaction() as conn:
                self.credentials.seal(conn, connection, fresh.encode("utf-8"))

        return secret, keep


def keys_of(registry: Registry, connector: str, values: object, where: str) -> BaseModel:
    """The connector's own keys of a calendar, validated; UserError without the values, for they may be private."""
    try:
        return registry.get(connector).calendar_settings.model_validate(values)
    except ValidationError as problem:
        names = ", ".join(sorted({".".join(map(str, one["loc"])) or "all" for one in problem.errors()}))
        raise UserError.of(f"its keys cannot be used ({names})", where, "Connect it again") from None


def secret_reader(keys: BaseModel) -> Callable[[], str]:
    """Return a function that reads the calendar's secret from the file that its keys name, when it is needed."""
    names = [name for name in SECRET_KEYS if name in type(keys).model_fields]
    path = next((getattr(keys, name) for name in names if getattr(keys, name) is not None), None)

    def read() -> str:
        if not isinstance(path, Path):
            name = names[0] if names else "password_file"
            raise UserError.of(f"no {name} is given", "calendar", f"Add {name} to its table")
        return read_secret_file(path)

    return read
