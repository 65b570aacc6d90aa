"""Templates of the practice's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from calsync.notices.texts import Texts


def test_the_practices_own_text_replaces_the_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "mails-held.txt.j2").write_text("Ours: {{ limit }}\n\nA body.\n")
    words = Texts(tmp_path).words("mails-held", {"limit": 7})
    assert (words.subject, words.body) == ("Ours: 7", "A body.")


@pytest.mark.parametrize(
    "text",
    [
        "{{ limit.nothing.there }}\n\nbody",
        "{% if %}",
        "only a subject",
        "",
        "{{ ''.__class__.__mro__ }}\n\nbody",
        "{{ 1 / 0 }}\n\nbody",
    ],
)
def test_a_broken_one_never_stops_a_mail(tmp_path: Path, text: str) -> None:
    (tmp_path / "mails-held.txt.j2").write_text(text)
    assert "7" in Texts(tmp_path).words("mails-held", {"limit": 7}).body


def test_a_folder_that_is_not_there_is_no_folder(tmp_path: Path) -> None:
    assert Texts(tmp_path / "templates").words("mails-held", {"limit": 7}).subject
