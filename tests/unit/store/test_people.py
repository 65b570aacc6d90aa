"""Providers and clients: added, changed, found by a part of their name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy import Connection

from calsync.store import clients, providers
from calsync.store.clients import ClientRow
from calsync.store.providers import ProviderRow

ADA = ProviderRow("p1", "Dr. Ada Öztürk", "ada@example.org", "Europe/Berlin")
BEN = ProviderRow(
    "p2",
    "Ben Example",
    "ben@example.org",
    "UTC",
    practice="north",
    source="config",
    paused=True,
    calendars="none",
    calendars_reason="paper",
    calendars_since=date(2026, 1, 2),
    calendars_declared_by="support:ada",
)


def test_providers_come_back_as_they_went_in(conn: Connection) -> None:
    assert providers.put_many(conn, [BEN, ADA]) == 2
    assert providers.rows(conn) == [ADA, BEN]
    assert providers.get(conn, "p2") == BEN
    assert providers.get(conn, "p3") is None
    assert providers.by_ids(conn, ["p1", "p3"]) == {"p1": ADA}


def test_only_changes_count(conn: Connection) -> None:
    assert providers.put(conn, ADA)
    assert not providers.put(conn, ADA)
    assert providers.put(conn, replace(ADA, zone="UTC"))
    assert providers.get(conn, "p1") == replace(ADA, zone="UTC")
    assert clients.put(conn, ClientRow("c1", "Mia"))
    assert not clients.put(conn, ClientRow("c1", "Mia"))
    assert clients.put_many(conn, [ClientRow("c1", "Mia"), ClientRow("c2")]) == 1


def test_found_by_id_or_part_of_the_name_whatever_the_case(conn: Connection) -> None:
    providers.put_many(conn, [ADA, BEN])
    assert providers.search(conn, "öz") == providers.search(conn, "ÖZ") == providers.search(conn, "p1") == [ADA]
    assert providers.search(conn, "p") == [BEN]  # an id counts whole, "Example" has a p
    clients.put_many(conn, [ClientRow("c1", "Mia Straße"), ClientRow("c2", "100%_", "", "UTC")])
    assert [one.id for one in clients.search(conn, "STRASSE")] == ["c1"]
    assert [one.id for one in clients.search(conn, "%")] == ["c2"]


def test_ids_that_an_import_mentions_leave_known_clients_alone(conn: Connection) -> None:
    clients.put(conn, ClientRow("c1", "Mia"))
    clients.add_unknown(conn, ["c1", "c2"])
    assert clients.rows(conn) == [ClientRow("c1", "Mia"), ClientRow("c2")]
    assert clients.by_ids(conn, ["c2"]) == {"c2": ClientRow("c2")}
    assert clients.get(conn, "c3") is None
