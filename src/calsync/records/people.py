"""Single providers, put on the books by command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from calsync.errors import Problem, Refused
from calsync.store import audit, claims, providers
from calsync.store.providers import ProviderRow


@dataclass(frozen=True, slots=True)
class Deed:
    """Who does it, when and why."""

    actor: str
    now: datetime
    note: str | None = None


def add_provider(conn: Connection, deed: Deed, provider: ProviderRow) -> None:
    """Put a new provider on the books. `Refused` (code `id-taken`) for a known id, from the configuration or not."""
    if providers.get(conn, provider.id) is not None:
        raise Refused(
            [Problem(f"there is a provider {provider.id!r} already", "", "Choose another id")], code="id-taken"
        )
    providers.put(conn, provider)
    declared = {"calendars": "none", "because": provider.calendars_reason or ""} if provider.calendars else {}
    _note(conn, deed, "provider-added", provider.id, declared)


def _note(conn: Connection, deed: Deed, what: str, provider: str, detail: dict[str, str]) -> None:
    claims.touch_provider(conn, provider)
    told = detail | ({"note": deed.note} if deed.note else {})
    audit.append(conn, at=deed.now, actor=deed.actor, what=what, subject=f"provider:{provider}", detail=told)
