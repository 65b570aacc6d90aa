"""Every key of `calsync.toml`, with its unit, its default and the reason for it. Values only; `load` reads them.

The shipped `config/calsync.toml` and the JSON schema are printed from here (`render`), so a description is written for
the admin who will read it there.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Protocol

from pydantic import BaseModel, Field, SerializeAsAny, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from calsync.errors import NotFoundError
from calsync.settings.claims import Claims
from calsync.settings.fields import (
    Count,
    Duration,
    DurationOrZero,
    Email,
    Flag,
    Id,
    Listen,
    SecretFile,
    Section,
    Share,
    Text,
    Zone,
    split_listen,
)
from calsync.settings.practice import DEFAULT_PRACTICE, Mode, Practice
from calsync.settings.records import Records
from calsync.settings.webhooks import Webhook

_PASSWORD: Final = re.compile(r"(://[^/@:]*:)[^/]*@")


class ConnectorModels(Protocol):
    """What the loader needs of a connector: the models of its keys. Every `calsync.connector.Connector` has them."""

    @property
    def connector_settings(self) -> type[BaseModel]:
        """Keys of `[connectors.NAME]`."""

    @property
    def calendar_settings(self) -> type[BaseModel]:
        """The connector's own keys of `[[providers.calendars]]`."""


class Database(Section):
    """Where calsync keeps its books."""

    url: Text = Field(
        "sqlite:///calsync.db",
        description="SQLAlchemy URL. SQLite is enough for a practice group on one machine; several machines need "
        "postgresql+psycopg://user@host/name. A relative SQLite path starts at this file's folder.",
    )
    password_file: SecretFile | None = Field(
        None,
        examples=["secrets/database.password"],
        description="File with the database password, which may not stand in the URL of a file others can read.",
    )


class Engine(Section):
    """What carries due work to the workers."""

    kind: Literal["embedded", "procrastinate"] = Field(
        "embedded",
        description='"embedded" runs passes in this process; "procrastinate" spreads them over several machines and '
        "needs PostgreSQL. Correctness rests on neither.",
    )


class Web(Section):
    """Pages, hooks and the HTTP interface."""

    listen: Listen = Field(
        "127.0.0.1:8080",
        description="Host and port. Loopback by default: a reverse proxy with TLS stands in front of it.",
    )
    public_url: Text | None = Field(
        None,
        examples=["https://calsync.example.org"],
        description="How people and calendar services reach this server, https://…; links in mails are built from it "
        "alone. Without it there is no push, and polling does the work.",
    )

    session_idle: Duration = Field(
        timedelta(minutes=15),
        le=timedelta(hours=1),
        description="How long a person may leave the support pages alone before they have to log in again; an hour at "
        "the most.",
    )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return split_listen(self.listen)


class Sync(Section):
    """How often calendars are read, and how much of them is mirrored."""

    mode: Mode = Field(
        "act",
        description='"act" puts edits back, sends mails and holds claims; "observe" mirrors and records, and says what '
        "it would have done. A practice may choose for itself.",
    )
    poll_interval: Duration = Field(
        timedelta(minutes=5),
        description="Pause between two readings of one calendar. A reading that finds nothing costs one small request.",
    )
    poll_interval_with_push: Duration = Field(
        timedelta(minutes=30), description="The same while the calendar's push channel is proven to be alive."
    )
    window_past: Duration = Field(
        timedelta(days=60),
        description="How far back sessions are mirrored and watched; late edits matter until the claim is settled.",
    )
    window_future: Duration = Field(
        timedelta(days=400), description="How far ahead; a year and a month, so that yearly series always show one."
    )
    workers: Annotated[Count, Field(le=256)] = Field(
        8, description="Calendars handled at the same time in one process; they mostly wait for the network."
    )

    @property
    def booked_ahead(self) -> timedelta:
        """How far ahead the sessions of series are made (R-2).

        A day beyond what is mirrored, so that no edit meets a session that is not on the books yet.
        """
        return self.window_future + timedelta(days=1)


class Drift(Section):
    """When edits are put back, and what makes calsync stop doing so."""

    settle: DurationOrZero = Field(
        timedelta(seconds=90),
        description="Quiet time after an edit before it is put back, so that a slip can be undone. It is recorded, and "
        "claims are held, at once.",
    )
    revert_limit: Count = Field(
        3, description="How often one session is put back within revert_limit_period; after that a person is asked."
    )
    revert_limit_period: Duration = Field(
        timedelta(hours=24), description="Elapsed time over which revert_limit counts."
    )
    stampede_share: Share = Field(
        0.2,
        description="Part of a calendar's upcoming events that may vanish or change wholly within stampede_period. "
        "From there on nothing is written to that calendar until a person looks.",
    )
    stampede_min: Count = Field(
        5,
        description="Events that must be touched before stampede_share counts; small calendars are not stopped.",
    )
    stampede_period: Duration = Field(timedelta(hours=1), description="Elapsed time over which both count.")


class Fleet(Section):
    """The same brake over all calendars: no fault of ours or of a service may become thousands of writes or mails."""

    max_share_drifting: Share = Field(0.05, description="Part of all calendars with new edits within the period.")
    max_share_reconnect: Share = Field(
        0.05, description="Part of all calendars that need a new login within the period."
    )
    max_share_changed: Share = Field(0.2, description="Part of all records changed by one import or mapping.")
    min_calendars: Count = Field(
        10,
        description="Up to so many calendars with edits or lost logins never stop the fleet, so that a small site is "
        "not stopped by one busy morning.",
    )
    period: Duration = Field(timedelta(hours=1), description="Elapsed time over which the shares count.")
    max_mails_per_hour: Count = Field(
        200, description="Mails to providers and clients per hour, over the installation."
    )


class Secrets(Section):
    """Keys that sign markers and links, and encrypt tokens."""

    key_file: SecretFile = Field(
        Path("calsync.key"),
        description="List of keys with ids: the first signs and encrypts, all of them verify and decrypt. Made by "
        "`calsync init`; keep a copy apart from the database, for without it calsync cannot tell its own events.",
    )


class Mail(Section):
    """How mails leave."""

    smtp_url: Text = Field(
        "smtp://127.0.0.1:25",
        description="smtp://host:port, where the server must offer STARTTLS unless it is on this machine, or smtps:// "
        "for TLS from the start.",
    )
    username: Text | None = Field(
        None, examples=["calsync"], description="Login at the mail server; none where it trusts this machine."
    )
    password_file: SecretFile | None = Field(
        None, examples=["secrets/smtp.password"], description="File with the password of that login."
    )
    sender: Email | None = Field(
        None,
        examples=["calendars@example.org"],
        description="Address that mails come from. Without it no mail is sent.",
    )
    support: Email | None = Field(
        None,
        examples=["support@example.org"],
        description="Where people may ask, and where calsync writes to when support must act. Without it those mails "
        "wait.",
    )
    billing: Email | None = Field(
        None,
        examples=["billing@example.org"],
        description="Where recalls of claims and questions left to billing go. Without it they go to support.",
    )


class Reports(Section):
    """The reconciliation report that comes by itself."""

    mail: Literal["never", "daily", "weekly", "monthly"] = Field(
        "weekly",
        description="How often support is mailed the report of the last full day, week (from Monday) or month, in UTC. "
        "Its first line says whether anything needs a person.",
    )


class Testing(Section):
    """For test installations only."""

    clock: Flag = Field(
        False,
        description="Allow the environment variable CALSYNC_NOW to fix the clock of a command. Never in production: a "
        "forgotten variable would date claims.",
    )


class CalendarConfig(Section):
    """One calendar of a provider. `settings` holds the connector's own keys, validated by the connector's model."""

    id: Id = Field(
        examples=["ada-caldav"], description="Name of this calendar in lists, reports and logs; must not change later."
    )
    connector: Id = Field(
        examples=["caldav"], description='Which service it is: "caldav", or another installed connector.'
    )
    mode: Literal["mirror", "busy"] = Field(
        "mirror", description='"mirror" shows sessions in it; "busy" only reads when the provider is taken.'
    )
    placement: Literal["dedicated", "existing"] | None = Field(
        None,
        examples=["dedicated"],
        description='"dedicated": calsync makes its own calendar in the account; "existing": it writes into the one '
        "named. Left out, the connector chooses by the address given, dedicated where it can.",
    )
    settings: SkipJsonSchema[SerializeAsAny[BaseModel] | None] = Field(None, exclude=True)


class Provider(Section):
    """A provider whose sessions are mirrored. Providers may also be added by command; each id in one place only."""

    id: Id = Field(examples=["ada"], description="As in the appointment records.")
    name: Text = Field(examples=["Ada Example"], description="For mails and reports.")
    email: Email = Field(examples=["ada@example.org"], description="Where questions about edits go.")
    zone: Zone = Field(examples=["Europe/Berlin"], description='IANA time zone, such as "Europe/Berlin".')
    practice: Id = Field(DEFAULT_PRACTICE, description="Name of a file in practices/, without .toml.")
    calendars: tuple[CalendarConfig, ...] = Field(
        (), description='[[providers.calendars]] tables, or "none" for a provider who decidedly has no calendar.'
    )
    calendars_reason: Text | None = Field(
        None, examples=["keeps a paper diary"], description='With calendars = "none": why, for the audit log.'
    )
    calendars_since: date | None = Field(
        None, examples=["2026-11-01"], description='With calendars = "none": from which day on, YYYY-MM-DD.'
    )

    @property
    def declared_without_calendars(self) -> bool:
        """True if the config says `calendars = "none"`: decided by name, not merely not connected yet."""
        return self.calendars_reason is not None


class ConfigFile(Section):
    """What `calsync.toml` and `conf.d/*.toml` may hold together."""

    database: Database = Field(Database(), description="Where calsync keeps its books.")
    engine: Engine = Field(Engine(), description="What carries due work to the workers.")
    web: Web = Field(Web(), description="Pages, hooks and the HTTP interface.")
    sync: Sync = Field(Sync(), description="How often calendars are read, and how much of them is mirrored.")
    drift: Drift = Field(Drift(), description="When edits are put back, and what makes calsync stop doing so.")
    fleet: Fleet = Field(Fleet(), description="The same brake over all calendars.")
    claims: Claims = Field(Claims(), description="When a claim may leave.")
    secrets: Secrets = Field(Secrets(), description="Keys that sign and encrypt.")
    mail: Mail = Field(Mail(), description="How mails leave.")
    records: Records = Field(Records(), description="Records that belong to another platform.")
    report: Reports = Field(Reports(), description="The report that comes by mail.")
    testing: Testing = Field(Testing(), description="For test installations only.")
    connectors: Annotated[Mapping[str, SerializeAsAny[BaseModel]], WithJsonSchema({"type": "object"})] = Field(
        {}, description="What holds for a whole connector."
    )
    webhooks: tuple[Webhook, ...] = Field((), description="Other programs that are told what happened.")
    providers: tuple[Provider, ...] = Field((), description="Providers and their calendars.")


class Settings(ConfigFile):
    """The whole configuration as it is in force. Paths are absolute; nothing in it changes while a process runs."""

    path: Path = Field(exclude=True)
    practices: Mapping[str, Practice] = Field({DEFAULT_PRACTICE: Practice()}, exclude=True)

    @property
    def folder(self) -> Path:
        """The config file's folder, where relative paths start."""
        return self.path.parent

    def practice(self, practice_id: str) -> Practice:
        """A practice's rules; NotFoundError if there is no such file."""
        try:
            return self.practices[practice_id]
        except KeyError:
            raise NotFoundError("practice", practice_id) from None

    def mode_for(self, practice_id: str) -> Mode:
        """Whether calsync acts or only observes for a practice (R-15)."""
        return self.practice(practice_id).sync.mode or self.sync.mode

    def claims_for(self, practice_id: str) -> Claims:
        """The gate's rules for a practice: calsync.toml's, with what the practice set for itself."""
        return self.claims.with_practice(self.practice(practice_id).claims)

    def calendars(self) -> list[tuple[Provider, CalendarConfig]]:
        """Every configured calendar with its provider, in the order of the file."""
        return [(provider, calendar) for provider in self.providers for calendar in provider.calendars]

    def as_toml_values(self) -> dict[str, Any]:
        """Plain values for printing, without providers' connector keys and without anything secret."""
        values = self.model_dump(mode="json", exclude_none=True)
        for table in (values["database"], values["records"]):
            if "url" in table:
                table["url"] = _PASSWORD.sub(r"\1***@", table["url"])
        return values
