"""From a calendar's row to a calendar to talk to: the connector by name, its keys, the wrappers around it."""

from __future__ import annotations

from dataclasses import dataclass, field

from calsync.connector.protocol import CalendarPlace, Connector, OpenRequest
from calsync.connector.registry import Registry
from calsync.connector.wrappers import Around, WrapPorts, wrap
from calsync.domain.marker import MarkerKeys, derived_remote_id
from calsync.errors import UserError
from calsync.reconcile.case import DecisionPolicy
from calsync.settings.checks import plain_place
from calsync.settings.model import Settings
from calsync.store import calendars, link_changes, providers
from calsync.store.calendars import CalendarRow
from calsync.store.credentials import Credentials
from calsync.store.database import Database
from calsync.worker.accounts import TYPED_BY_PROVIDER, Accounts
from calsync.worker.budgeting import SharedBudgets
from calsync.worker.context import Rules
from calsync.worker.declared import declared_elsewhere

_LOGINS = ("username", "subject", "user")


@dataclass(slots=True)
class ConfiguredOpener:
    """Opens the calendars that the config or the books name. Open ones are kept, so that connections are used again.

    One calendar is used by one pass at a time (its lease sees to that), so each is handed to one thread at a time.
    """

    settings: Settings
    registry: Registry
    database: Database
    keys: MarkerKeys
    ports: WrapPorts
    credentials: Credentials
    _open: dict[str, Around] = field(default_factory=dict)
    _rules: dict[str, Rules] = field(default_factory=dict)  # by practice: settings do not change while a process lives

    def open(self, row: CalendarRow) -> Around:
        """Return the calendar of a row; the first time it is found or made (R-25). See `CalendarOpener`."""
        kept = self._open.get(row.id)
        if kept is None:
            kept = self._open[row.id] = self._make(row)
        return kept

    def forget(self, calendar: str) -> None:
        """Close a calendar, so that the next pass opens it afresh (after an error, or new credentials)."""
        kept = self._open.pop(calendar, None)
        if kept is not None:
            kept.close()

    def close(self) -> None:
        """Close all calendars."""
        for calendar in list(self._open):
            self.forget(calendar)

    def rules(self, provider: str, practice: str | None = None) -> Rules:
        """The rules of a provider's practice. See `CalendarOpener`."""
        if practice is None:
            with self.database.reading() as conn:
                row = providers.get(conn, provider)
            practice = row.practice if row is not None else "default"
        known = self._rules.get(practice)
        if known is None:
            known = self._rules[practice] = rules_of(self.settings, practice)
        return known

    def _make(self, row: CalendarRow) -> Around:
        connector = self.registry.get(row.connector)
        request = self._request(row)
        place = CalendarPlace(row.remote) if row.remote is not None else self._locate(connector, request, row)
        budget = SharedBudgets(self.database, self.ports.clock).hook(row)
        return wrap(connector.open(request, place), row.id, ports=self.ports, budget=budget)

    def _locate(self, connector: Connector, request: OpenRequest, row: CalendarRow) -> CalendarPlace:
        """Find or make it. The intent is on the books first: a lost answer leaves a name to look for, not a riddle."""
        with self.database.transaction() as conn:
            calendars.set_making(conn, row.id, self.ports.clock.now())
        place = connector.locate(request)
        self._require_its_own(row, request.calendar_settings, place)
        with self.database.transaction() as conn:
            calendars.set_remote(conn, row.id, place.remote)
            # An address that is a calendar is used as it is, whatever the default says.
            made_ours = place.made or request.dedicated_id in place.remote
            calendars.set_placement(conn, row.id, "dedicated" if made_ours else "existing")
        return place

    def _require_its_own(self, row: CalendarRow, keys: object, place: CalendarPlace) -> None:
        """Two ids for one calendar would have each session in it twice, whatever the config calls them."""
        with self.database.reading() as conn:
            others = [
                one
                for one in calendars.rows(conn, removed=True)
                if one.id != row.id and one.connector == row.connector and one.remote is not None
            ]
        for other in others:
            if _leads_to(other.remote or "") != _leads_to(place.remote):
                continue
            if other.removed_at is not None:
                self._require_nothing_left(row, other)
            elif self._login_of(other) in (None, login_in(keys)):  # one address may lead each account to its own
                raise UserError.of(
                    f"is the same calendar as {other.id}",
                    f"calendar {row.id}",
                    f"A calendar keeps its id for good, and has one provider: change the id back to {other.id}, or "
                    "give this one an address of its own",
                )

    def _require_nothing_left(self, row: CalendarRow, before: CalendarRow) -> None:
        """Refuse the calendar where a removed one has left the events of the very sessions that are to be written."""
        if before.provider != row.provider or declared_elsewhere(row, before) or before.removed_at is None:
            return
        after = self.rules(row.provider).window(self.ports.clock.now()).start
        with self.database.reading() as conn:
            if not link_changes.would_come_back(conn, before.id, before.removed_at, after):
                return
        raise UserError.of(
            f"still has the events of {before.id}, which was removed",
            f"calendar {row.id}",
            f"Change the id back to {before.id}, and it goes on with them; for another id, change it back, run "
            f"`calsync purge --events --provider {row.provider}`, and remove {before.id} again",
        )

    def _login_of(self, row: CalendarRow) -> str | None:
        try:
            return login_in(Accounts(self.settings, self.registry, self.database, self.credentials).of(row).keys)
        except UserError:
            return None

    def _request(self, row: CalendarRow) -> OpenRequest:
        account = Accounts(self.settings, self.registry, self.database, self.credentials).of(row)
        return OpenRequest(
            calendar_id=row.id,
            connector_settings=self.settings.connectors[row.connector],
            calendar_settings=account.keys,
            placement=account.placement,
            zone=account.zone,
            secret=account.secret,
            keep_secret=account.keep,
            remote=row.remote,
            dedicated_id=derived_remote_id(self.keys, f"calendar:{row.id}", 1),
            extras={"clock": self.ports.clock, TYPED_BY_PROVIDER: account.typed_by_provider},
        )


def login_in(keys: object) -> str:
    """Who logs in by a calendar's keys, whatever the connector calls it."""
    return next((str(found).lower() for name in _LOGINS if (found := getattr(keys, name, None))), "")


def _leads_to(remote: str) -> str:
    return plain_place(remote) or remote


def rules_of(settings: Settings, practice: str) -> Rules:
    """Bring the settings of a practice into the form in which passes use them."""
    drift, sync = settings.drift, settings.sync
    own = settings.practice(practice)
    decisions = DecisionPolicy(
        dispositions=own.dispositions,
        observe_only=settings.mode_for(practice) == "observe",
        settle=drift.settle,
        revert_limit=drift.revert_limit,
        revert_limit_period=drift.revert_limit_period,
        stampede_share=drift.stampede_share,
        stampede_min=drift.stampede_min,
        stampede_period=drift.stampede_period,
    )
    return Rules(
        decisions=decisions,
        window_past=sync.window_past,
        window_future=sync.window_future,
        claims_settle=settings.claims_for(practice).settle,
        title_privacy=own.privacy.title,
        poll_interval=sync.poll_interval,
        poll_interval_with_push=sync.poll_interval_with_push,
    )
