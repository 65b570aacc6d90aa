"""What a report looks like: charts without anything that could run or be fetched; lengths in steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from calsync.reports.as_csv import report_csv
from calsync.reports.as_html import report_body, report_html
from calsync.reports.build import Held, Report, Scope, add_held
from calsync.reports.charts import bars, columns, stylesheet
from calsync.reports.lengths import Lengths

HOSTILE = '"><script>alert(1)</script>&<img src=x onerror=alert(1)>'


class TestCharts:
    @pytest.mark.parametrize("draw", [bars, columns])
    def test_they_are_shapes_and_words_only(self, draw: object) -> None:
        assert callable(draw)
        text = draw(HOSTILE, {HOSTILE: 3, "moved": 5, "=cmd()": 0})
        root = ET.fromstring(text)
        tags = {one.tag for one in root.iter()}
        assert tags <= {"svg", "g", "rect", "text", "path", "line"}
        names = {name for one in root.iter() for name in one.attrib}
        assert not {name for name in names if name.startswith("on") or name in ("style", "href", "id")}
        assert "<script" not in text
        assert "://" not in text
        assert root.get("role") == "img"
        assert "moved 5" in (root.get("aria-label") or "")

    def test_they_are_the_same_whenever_they_are_drawn(self) -> None:
        counts = {"moved": 5, "deleted": 1}
        assert bars("What", counts) == bars("What", counts)
        assert "20" not in columns("When", counts).partition("viewBox")[0]

    def test_nothing_is_not_drawn(self) -> None:
        assert bars("What", {}) == columns("What", {"moved": 0}) == ""

    def test_their_looks_fetch_nothing(self) -> None:
        assert "url(" not in stylesheet()
        assert "@import" not in stylesheet()


class TestLengths:
    def test_they_are_spread_over_steps(self) -> None:
        lengths = Lengths()
        for seconds in (1, 59, 60, 299, 7200, 10**7, -5):
            lengths.add(timedelta(seconds=seconds))
        spread = lengths.distribution()
        assert dict(spread.buckets)["under 1 min"] == 3
        assert dict(spread.buckets)["1-5 min"] == 2
        assert dict(spread.buckets)["2-8 h"] == 1
        assert dict(spread.buckets)["over 7 days"] == 1
        assert (spread.count, spread.median, spread.longest) == (
            7,
            timedelta(seconds=60),
            timedelta(seconds=10**7),
        )


class TestForms:
    def _report(self) -> Report:
        begin = datetime(2026, 11, 1, tzinfo=UTC)
        report = Report(Scope(begin, begin + timedelta(days=30), HOSTILE, begin))
        report.by_kind["moved"] = report.drifts = 2
        report.causes[HOSTILE, "moved"] = 2
        for number in range(10):
            add_held(report, [Held(f"=P-{number}", ("drift-open",), "provider")] * (20 if number < 3 else 1))
        report.calendars = {"active": 3}
        return report

    @pytest.mark.parametrize("form", [report_html, report_body])
    def test_whatever_it_tells_is_only_text(self, form: object) -> None:
        assert callable(form)
        text = form(self._report())
        assert "<script" not in text
        assert "<img" not in text
        assert "&lt;script&gt;" in text
        assert "3 providers cause 90% of the held claims" in text

    def test_a_file_forbids_itself_to_run_or_fetch_anything(self) -> None:
        text = report_html(self._report())
        assert "default-src 'none'; style-src 'unsafe-inline'" in text
        assert " style=" not in text

    def test_a_table_of_it_is_no_formula(self) -> None:
        for line in report_csv(self._report()).splitlines():
            assert not line.startswith(("=", "+", "-", "@"))
            assert ",=" not in line
