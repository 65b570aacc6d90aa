"""Words and names that must not stand in the project."""

import re
from pathlib import PurePath

from tests.tidy.tree import judge, product_files, text_files

# Written apart, so that this list is not what it looks for.
WORDS = {
    r"\b(TODO|FIXME|XXX|HACK)\b": "an unfinished thought: finish it, or make an issue of it",
    r"\bfiles\.pythonhosted\b|\bpypi\.org\b": "a registry's host name",
    r"(?<![\w.])/(root|home/\w+|work)/": "a path of one machine",
    r"<<<<<<<|>>>>>>>": "a merge that was not finished",
}
NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}


def test_no_banned_words() -> None:
    found: dict[str, str] = {}
    for path, text in text_files():
        for pattern, what in WORDS.items():
            if match := re.search(pattern, text):
                line = text[: match.start()].count("\n") + 1
                found[path] = f"line {line}: {match[0]!r} is {what}"
    found.setdefault("tests/tidy/test_words.py", "names them")
    judge("words", found, "Take it out")


def test_modules_are_named_for_what_they_hold() -> None:
    vague = {path: "says nothing" for path in product_files() if NAMES & {*PurePath(path).with_suffix("").parts}}
    judge("names", vague, "Name a module after the noun it holds or the verb it does")


def test_no_test_is_switched_off() -> None:
    switch = re.compile(r"@pytest\.mark\.(skip|xfail)|pytest\.(skip|xfail|importorskip)\(")
    found = {
        path: "a test is switched off"
        for path, text in text_files()
        if path.startswith("tests/") and switch.search(text)
    }
    judge("skipped-tests", found, "A test runs or goes")
