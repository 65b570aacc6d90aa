"""`[records]`: records that belong to another platform, read from its database or from files it drops."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from calsync.settings.fields import ClockTime, Duration, SecretFile, Section, Text

NEEDED: Final = ("id", "provider", "client", "start", "end", "zone")
MAY_BE: Final = ("kind", "status", "code", "session", "client_zone", "format", "payer")
CONSTANT: Final = "="


def _check_columns(columns: dict[str, str]) -> dict[str, str]:
    unknown = sorted(columns.keys() - {*NEEDED, *MAY_BE})
    missing = [name for name in NEEDED if columns and name not in columns]
    if unknown:
        raise ValueError(f"no such field: {', '.join(unknown)}; there are {', '.join((*NEEDED, *MAY_BE))}")
    if missing:
        raise ValueError(f"the mapping lacks {', '.join(missing)}")
    empty = [name for name, column in columns.items() if not column.removeprefix(CONSTANT).strip()]
    if empty:
        raise ValueError(f"no column is named for {', '.join(empty)}")
    return columns


def _check_page(text: str) -> str:
    if "{id}" not in text or not text.startswith(("https://", "http://")):
        raise ValueError(
            "write the address of a session's page with {id} in it: https://platform.example/sessions/{id}"
        )
    return text


class Records(Section):
    """Where records come from, if not from calsync's own commands. With `url`, calsync reads and never writes them."""

    url: Text | None = Field(
        None,
        examples=["postgresql+psycopg://calsync_reader@db.example.org/platform"],
        description="SQLAlchemy URL of the platform's database. Give calsync a login that may only read. With it, "
        "calsync's own commands for booking are off: sessions change on the platform.",
    )
    password_file: SecretFile | None = Field(
        None, examples=["secrets/platform.password"], description="File with the password of that login."
    )
    table: Text | None = Field(
        None,
        examples=["public.calsync_sessions"],
        description="Table or view with one row a session, those of a series as well.",
    )
    columns: Annotated[dict[str, Text], AfterValidator(_check_columns)] = Field(
        {},
        examples=[{"id": "id", "provider": "clinician_id", "start": "starts_at", "zone": "=America/Chicago"}],
        description="Which column holds which field: id, provider, client, start, end and zone at least; kind, status, "
        "code, session, client_zone, format, payer as well. A value after = stands for every row.",
    )
    statuses: dict[Text, Literal["scheduled", "completed", "cancelled", "late-cancelled", "no-show"]] = Field(
        {},
        examples=[{"booked": "scheduled", "done": "completed"}],
        description="The platform's own words for a session's status, where they are not calsync's.",
    )
    times: Literal["wall", "utc"] = Field(
        "wall",
        description='What a time without an offset is: a "wall" clock\'s in the session\'s zone, or "utc".',
    )
    updated_at: Text | None = Field(
        None,
        examples=["updated_at"],
        description="Column that grows with every change of a row; only what changed is read then. Without it every "
        "reading is a full one.",
    )
    poll_interval: Duration = Field(timedelta(minutes=1), description="Pause between two readings of what changed.")
    overlap: Duration = Field(
        timedelta(minutes=5),
        description="How far before the last change seen reading begins again, for changes that are committed late.",
    )
    compare_at: ClockTime = Field(
        time(3, 0),
        description="When everything in the window is compared, each night, in UTC: rows that have gone are found so. "
        "They are asked about, never cancelled.",
    )
    page: Annotated[Text, AfterValidator(_check_page)] | None = Field(
        None,
        examples=["https://platform.example.org/sessions/{id}"],
        description="A session's page on the platform: where people are sent to change it.",
    )
    drop_folder: Text | None = Field(
        None,
        examples=["inbox"],
        description="Folder whose appointment files (CSV, JSON lines) are imported as they come. They are moved to "
        "done/ or failed/ in it, the latter with a report.",
    )
    drop_quiet: Duration = Field(
        timedelta(seconds=10), description="How long a file must not have changed before it is taken for complete."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Records:
        if self.url is not None and (self.table is None or not self.columns):
            raise ValueError("with url, table and columns are needed as well")
        return self

    @property
    def is_elsewhere(self) -> bool:
        """Whether records belong to another platform."""
        return self.url is not None

    def page_of(self, appointment: str) -> str | None:
        """The session's page on the platform."""
        return None if self.page is None else self.page.replace("{id}", appointment)
