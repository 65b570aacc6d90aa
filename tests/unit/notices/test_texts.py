"""Templates of the practice's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import calsync.notices
from calsync.notices.specimens import check_templates
from calsync.notices.texts import Texts

TEMPLATES = Path(calsync.notices.__file__).parent / "templates"


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


def test_a_practices_own_comes_before_the_installations(tmp_path: Path) -> None:
    (tmp_path / "north").mkdir()
    (tmp_path / "mails-held.txt.j2").write_text("All: {{ limit }}\n\nA body.\n")
    (tmp_path / "north" / "mails-held.txt.j2").write_text("North: {{ limit }}\n\nA body.\n")
    texts = Texts(tmp_path)
    assert texts.of("north").words("mails-held", {"limit": 7}).subject == "North: 7"
    assert texts.of("south").words("mails-held", {"limit": 7}).subject == "All: 7"


def test_an_own_part_is_used_by_built_in_texts(tmp_path: Path) -> None:
    (tmp_path / "session-list.txt.j2").write_text("OURS {{ sessions | length }}")
    assert check_templates(tmp_path, []) == []


class TestChecking:
    def test_the_built_in_ones_are_fine_as_own_ones(self, tmp_path: Path) -> None:
        shutil.copytree(TEMPLATES, tmp_path / "templates")
        assert check_templates(tmp_path / "templates", ["default"]) == []

    @pytest.mark.parametrize(
        ("name", "text", "what"),
        [
            ("client-booked.txt.j2", "{% if %}\n\nx", "Expected an expression"),
            ("client-booked.txt.j2", "Subject\n\n{{ client_name }}", "'client_name' is undefined"),
            ("edit-past.txt.j2", "only a subject", "a text needs a subject"),
            ("claim-recall.txt.j2", "S\n\n{{ number.__class__.__mro__ }}", "access to attribute '__class__'"),
            ("clientbooked.txt.j2", "S\n\nB", "there is no text of that name"),
            ("mail.html.j2", "{{ nothing }}", "'nothing' is undefined"),
        ],
    )
    def test_each_mistake_is_named_with_its_file(self, tmp_path: Path, name: str, text: str, what: str) -> None:
        (tmp_path / name).write_text(text)
        (tmp_path / "north").mkdir()
        (tmp_path / "north" / name).write_text(text)
        found = check_templates(tmp_path, ["north"])
        assert any(what in one.what and str(tmp_path / name) in one.where for one in found), found
        assert any(str(tmp_path / "north" / name) in one.where for one in found), found
