"""What the records call for: by subject, the occurrences that should stand, and until when that was so."""

from __future__ import annotations

from collections import Counter

from tests.simulation.held import STILL
from tests.simulation.observer import Observer
from tests.simulation.plan import Plan
from tests.simulation.ports import Books
from tests.simulation.sights import Shown

RECORDS = frozenset({"appointments", "series", "blocks"})


class Expected:
    """What the books' records say, read anew after each commit that changed them. Tells the observer since when."""

    def __init__(self, books: Books, plan: Plan, observer: Observer) -> None:
        self.books = books
        self.plan = plan
        self.observer = observer
        self._subjects: dict[str, tuple[str, str]] = {}
        self._said: dict[tuple[str, str, Shown], int] = {}
        self._by_provider: dict[str, dict[str, Counter[Shown]]] = {}

    def forget(self) -> None:
        """The records may be others now."""
        self._by_provider.clear()

    def note(self) -> None:
        """Remember until when the record called for what it called for."""
        self.books.changed -= RECORDS
        self._by_provider.clear()
        for place in self.plan.calendars:
            for name, spans in self.of(place["id"]).items():
                kind, _, number = name.partition(":")
                for span in spans:
                    self._said[kind, number, span] = self.observer.pos
        now = {(kind, number, span) for (kind, number, span) in self._said if self._says(kind, number, span)}
        for key in self._said:
            if key in now and self.observer.called_for.get(key) != STILL:
                self.observer.called_from[key] = self.observer.pos
            self.observer.called_for[key] = STILL if key in now else self.observer.called_for.get(key, -1)
            if key not in now and self.observer.called_for[key] == STILL:
                self.observer.called_for[key] = self.observer.pos

    def _says(self, kind: str, number: str, span: Shown) -> bool:
        return any(expected.get(f"{kind}:{number}", Counter())[span] > 0 for expected in self._by_provider.values())

    def subject_of(self, link: str) -> tuple[str, str] | None:
        """What a link shows, as kind and id."""
        known = self._subjects.get(link)
        if known is None:
            rows = self.books.rows("SELECT subject_kind, subject FROM links WHERE id = ?", link)
            if not rows:
                return None
            known = self._subjects[link] = (rows[0][0], rows[0][1])
        return known

    def of(self, calendar: str) -> dict[str, Counter[Shown]]:
        """What the records call for in a calendar: by subject, the occurrences that should stand."""
        provider = next(one["provider"] for one in self.plan.calendars if one["id"] == calendar)
        if provider not in self._by_provider:
            self._by_provider[provider] = self._read(provider)
        return self._by_provider[provider]

    def _read(self, provider: str) -> dict[str, Counter[Shown]]:
        found: dict[str, Counter[Shown]] = {}
        rows = self.books.rows(
            "SELECT a.id, a.series, a.start_at, a.end_at FROM appointments a LEFT JOIN series s ON s.id = a.series"
            " WHERE a.provider = ? AND a.status IN ('scheduled', 'completed', 'no-show')"
            " AND coalesce(s.cancelled, 0) = 0",
            provider,
        )
        for number, series, start, end in rows:
            name = f"series:{series}" if series else f"appointment:{number}"
            found.setdefault(name, Counter())[(start // 1_000_000, end // 1_000_000, False)] += 1
        rows = self.books.rows("SELECT id, start_at, end_at FROM blocks WHERE provider = ? AND cancelled = 0", provider)
        for number, start, end in rows:
            found[f"block:{number}"] = Counter({(start // 1_000_000, end // 1_000_000, False): 1})
        return found

    def forget_subjects(self) -> None:
        """A link may show something else now: the books are others."""
        self._subjects.clear()
