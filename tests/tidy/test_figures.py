"""The pages show what was measured: every table of figures stands there as the results have it."""

from __future__ import annotations

import re

from benchmarks.figures import PAGES, RESULTS, results, with_figures


def test_every_table_of_figures_is_that_of_the_results() -> None:
    by_hand = [page.name for page in sorted(PAGES.glob("*.md")) if with_figures(text := page.read_text()) != text]
    assert by_hand == [], "Write them with: python -c 'from benchmarks.figures import write_pages; write_pages()'"


def test_every_place_has_a_result_and_every_result_a_place() -> None:
    pages = "\n".join(page.read_text() for page in PAGES.glob("*.md"))
    places = {(name, key) for name, key in re.findall(r"<!-- figures: ([\w-]+)/([\w-]+) -->", pages)}
    assert places == {(file.stem, key) for file in RESULTS.glob("*.json") for key in results(file.stem)}
