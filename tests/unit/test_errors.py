"""Errors carry their problems, and say them in sentences."""

import pytest

from calsync.errors import CalsyncError, ConfigError, NotFoundError, Problem, Refused, UserError


def test_a_problem_is_a_sentence_of_where_what_and_remedy() -> None:
    assert str(Problem("is wrong", "a.toml:3", "Mend it")) == "a.toml:3: is wrong. Mend it"
    assert str(Problem("is wrong")) == "is wrong"


def test_all_problems_are_told() -> None:
    error = ConfigError([Problem("one"), Problem("two", "here")])
    assert str(error) == "one\nhere: two"
    assert isinstance(error, UserError)


def test_an_error_without_a_problem_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="at least one"):
        UserError([])


def test_a_refusal_names_its_rule() -> None:
    error = Refused([Problem("too late")], code="inside-window")
    assert error.code == "inside-window"
    assert isinstance(Refused.of("no"), Refused)


def test_not_found_names_kind_and_key() -> None:
    error = NotFoundError("appointment", "A-1")
    assert str(error) == "There is no appointment 'A-1'."
    assert isinstance(error, CalsyncError)
