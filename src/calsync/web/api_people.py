"""`/api/v1/clients` and `/api/v1/providers`."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import Connection

from calsync.booking.booking_links import Sealer, booking_token
from calsync.booking.commands import add_package, pause, resume
from calsync.booking.rules import check_own
from calsync.records.json_rows import instant_text
from calsync.records.values import read_email
from calsync.store import audit, clients, packages, providers
from calsync.store.clients import ClientRow
from calsync.store.known import known_client, known_provider
from calsync.store.packages import Package
from calsync.store.providers import ProviderRow
from calsync.store.tokens import Role
from calsync.web import paging, shapes
from calsync.web.access import Caller, ReadingCaller, require
from calsync.web.bodies import Bought, Id, LinkWanted, Paused, Person, invalid
from calsync.web.book_bodies import zone_of
from calsync.web.calls import BookCall, PlatformCall, SiteHere
from calsync.web.strict import StrictRoute

router = APIRouter(route_class=StrictRoute, responses=shapes.ERRORS)

NamesCaller = Annotated[Caller, Depends(require(Role.PLATFORM, Role.SUPPORT))]
"""Names and addresses are for those who write to people, not for billing."""


@router.get("/clients", tags=["clients"], response_model=shapes.Page[shapes.ClientShape])
def list_clients(site: SiteHere, _caller: NamesCaller, asked: Annotated[paging.SomeClients, Query()]) -> dict[str, Any]:
    """Clients by id."""
    with site.database.reading() as conn:
        known = clients.rows(conn) if asked.q is None else clients.search(conn, asked.q)
    found, after = paging.page_of(known, lambda one: paging.by_id(one.id), asked.cursor, asked.limit)
    return paging.answer([asdict(one) for one in found], after)


@router.get("/clients/{client}", tags=["clients"], response_model=shapes.ClientShape)
def show_client(site: SiteHere, _caller: NamesCaller, client: Id) -> dict[str, Any]:
    """One client."""
    with site.database.reading() as conn:
        return asdict(known_client(conn, client))


@router.put("/clients/{client}", tags=["clients"], response_model=shapes.ClientShape)
def say_client(call: PlatformCall, client: Id, body: Person) -> Response:
    """Say what your records have of a client. A field that is left out stays."""
    said = body.model_dump(exclude_unset=True)
    email = said.get("email")
    if email:
        try:
            read_email(email)
        except ValueError as problem:
            raise invalid("email", str(problem)) from problem
    changes: dict[str, Any] = {name: said[name] or "" for name in ("name", "email") if name in said}
    if "zone" in said:
        changes["zone"] = zone_of("zone", said["zone"])

    def act(conn: Connection) -> dict[str, Any]:
        after = replace(clients.get(conn, client) or ClientRow(client), **changes)
        if clients.put(conn, after):
            audit.append(
                conn,
                at=call.now,
                actor=call.caller.actor,
                what="client-said",
                subject=f"client:{client}",
                detail={"fields": sorted(changes)},
            )
        return asdict(after)

    return call.once(act)


@router.post("/clients/{client}/booking-link", tags=["clients"], response_model=shapes.LinkShape)
def show_link(call: BookCall, client: Id, body: LinkWanted) -> Response:
    """The client's booking link for a provider, made when it is first asked for. Whoever has it books for the client.

    No `Idempotency-Key` is needed, and the answer is kept under none: it is a secret, and always the same.
    """
    sealer = Sealer(call.site.keys(), call.site.ids)

    def act(conn: Connection) -> dict[str, Any]:
        command = call.command(body.by, note=body.note)
        check_own(command.actor, body.provider, client, client)
        token = booking_token(conn, command, sealer, client, body.provider)
        public = (call.site.settings.web.public_url or "").rstrip("/")
        return {"client": client, "provider": body.provider, "url": f"{public}/a/{token}"}

    return replace(call, key=None).once(act)


@router.get("/packages", tags=["clients"], response_model=shapes.Page[shapes.PackageShape])
def list_packages(site: SiteHere, _caller: ReadingCaller, asked: Annotated[paging.OfClient, Query()]) -> dict[str, Any]:
    """Packages by when they were bought, and what is left of them."""
    with site.database.reading() as conn:
        known = packages.rows(conn, asked.client)
        found, after = paging.page_of(known, lambda one: (one.at, one.id), asked.cursor, asked.limit)
        return paging.answer([_package_row(conn, one) for one in found], after)


@router.post("/packages", tags=["clients"], response_model=shapes.PackageShape, status_code=201)
def make_package(call: BookCall, body: Bought) -> Response:
    """Put a package on the books. A booking names it to use a credit; a cancellation gives it back, once."""

    def act(conn: Connection) -> dict[str, Any]:
        key = body.id or call.site.ids.new_id("p")
        made = add_package(conn, call.staff(body.by, body.note), key, body.client, body.sessions)
        return _package_row(conn, made)

    return call.once(act, 201)


@router.get("/providers", tags=["providers"], response_model=shapes.Page[shapes.ProviderShape])
def list_providers(
    site: SiteHere, _caller: ReadingCaller, asked: Annotated[paging.PageWanted, Query()]
) -> dict[str, Any]:
    """Providers by id."""
    with site.database.reading() as conn:
        known = providers.rows(conn)
    found, after = paging.page_of(known, lambda one: paging.by_id(one.id), asked.cursor, asked.limit)
    return paging.answer([_provider_row(one) for one in found], after)


@router.get("/providers/{provider}", tags=["providers"], response_model=shapes.ProviderShape)
def show_provider(site: SiteHere, _caller: ReadingCaller, provider: Id) -> dict[str, Any]:
    """One provider."""
    with site.database.reading() as conn:
        return _provider_row(known_provider(conn, provider))


@router.post("/providers/{provider}/pause", tags=["providers"], response_model=shapes.ProviderShape)
def pause_provider(call: BookCall, provider: Id, body: Paused) -> Response:
    """Take no new bookings for a provider. Sessions that are booked stay."""

    def act(conn: Connection) -> dict[str, Any]:
        pause(conn, call.command(body.by, body.reason, body.note), known_provider(conn, provider).id)
        return _provider_row(known_provider(conn, provider))

    return call.once(act)


@router.post("/providers/{provider}/resume", tags=["providers"], response_model=shapes.ProviderShape)
def resume_provider(call: BookCall, provider: Id, body: Paused) -> Response:
    """Take bookings again; most practices leave that to support."""

    def act(conn: Connection) -> dict[str, Any]:
        resume(conn, call.command(body.by, body.reason, body.note), known_provider(conn, provider).id)
        return _provider_row(known_provider(conn, provider))

    return call.once(act)


def _provider_row(one: ProviderRow) -> dict[str, Any]:
    return {"id": one.id, "zone": one.zone, "practice": one.practice, "paused": one.paused}


def _package_row(conn: Connection, one: Package) -> dict[str, Any]:
    return asdict(one) | {"at": instant_text(one.at), "left": packages.credits_left(conn, one)}
