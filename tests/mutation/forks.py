"""A pytest plugin that runs each change of a woven module against the tests that pass by it, each in a fork."""

from __future__ import annotations

import ast
import builtins
import contextlib
import gc
import hashlib
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import hypothesis
import pytest

from tests.mutation.weave import SWITCH, Change, woven

_EXAMPLES = 40
_QUICK, _REMEMBERED = 0.5, 12
_KILLED, _LIVES, _BROKEN = 1, 0, 3


class Weaving(MetaPathFinder):
    """Imports the named files woven; `changes` are all that were made, `hits` those that a test passed by."""

    def __init__(self, files: Sequence[Path], root: Path) -> None:
        self.changes: list[Change] = []
        self.hits: set[int] = set()
        self._files, self._root = set(files), root
        setattr(builtins, SWITCH, self._pass_by)

    def _pass_by(self, number: int) -> bool:
        self.hits.add(number)
        return False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See the base class."""
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None or Path(spec.origin) not in self._files:
            return None
        spec.loader = _Loader(fullname, spec.origin, self)
        return spec

    def weave(self, path: Path) -> ast.Module:
        """The tree of one file; its changes join the others."""
        tree, made = woven(path.read_text(), str(path.relative_to(self._root)), len(self.changes))
        self.changes += made
        return tree


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, weaving: Weaving) -> None:
        super().__init__(fullname, path)
        self._weaving = weaving

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._weaving.weave(Path(self.path)), self.path, "exec", dont_inherit=True)


class Forks:
    """Runs the tests once unchanged, then each change. `lives` are those that no test noticed, `unseen` those that none
    passed by."""

    def __init__(self, weaving: Weaving, until: float, keys: frozenset[str], at_most: float) -> None:
        self.lives: list[Change] = []
        self.unseen: list[Change] = []
        self.noticed: list[Change] = []
        self.left: list[Change] = []
        self.failed: list[str] = []
        self._weaving, self._until, self._keys, self._at_most = weaving, until, keys, at_most
        self._by: dict[int, list[pytest.Item]] = defaultdict(list)
        self._took: dict[str, float] = {}
        self._killers: list[str] = []

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what is slow by its nature; what looks at random cases looks at few, and at the same ones."""
        items[:] = [one for one in items if "[postgresql]" not in one.name]
        for one in items:
            test = getattr(one, "function", None)
            known = getattr(test, "_hypothesis_internal_use_settings", None)
            if known is not None:
                test._hypothesis_internal_use_settings = hypothesis.settings(  # type: ignore[union-attr]
                    known,
                    max_examples=min(_EXAMPLES, known.max_examples),
                    derandomize=True,
                    database=None,
                    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
                    suppress_health_check=list(hypothesis.HealthCheck),
                    print_blob=False,
                )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In the place of pytest's own loop."""
        for item, after in _with_next(session.items):
            self._weaving.hits.clear()
            _forget()
            began = time.perf_counter()
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            self._took[item.nodeid] = time.perf_counter() - began
            for number in self._weaving.hits:
                self._by[number].append(item)
            if session.testsfailed:
                self.failed.append(item.nodeid)
                return True
        gc.collect()
        gc.freeze()
        # In no order of the source, so that what a run had time for stands for the whole.
        for change in sorted(self._weaving.changes, key=lambda one: hashlib.sha256(one.key.encode()).digest()):
            self._judge(session, change)
        return True

    def _judge(self, session: pytest.Session, change: Change) -> None:
        if self._keys and not any(part in change.key for part in self._keys):
            return
        if time.monotonic() > self._until:
            self.left.append(change)
            return
        quick = (one for one in self._by[change.number] if self._took[one.nodeid] <= self._at_most)
        tests = sorted(quick, key=self._worth)
        if not tests:
            self.unseen.append(change)
        elif self._fork(session, change, tests) == _LIVES:
            self.lives.append(change)
        else:
            self.noticed.append(change)

    def _worth(self, test: pytest.Item) -> tuple[int, float]:
        """What noticed a change a moment ago goes first, then what is quick."""
        known = self._killers.index(test.nodeid) if test.nodeid in self._killers else len(self._killers)
        return (known, self._took[test.nodeid])

    def _fork(self, session: pytest.Session, change: Change, tests: list[pytest.Item]) -> int:
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            self._be_changed(session, change, tests, tell)
        os.close(tell)
        _, status = os.waitpid(child, 0)
        with os.fdopen(told, "rb") as reader:
            killer = reader.read().decode()
        if killer and self._took[killer] < _QUICK:
            self._killers = [killer, *(one for one in self._killers if one != killer)][:_REMEMBERED]
        return os.waitstatus_to_exitcode(status)

    def _be_changed(self, session: pytest.Session, change: Change, tests: list[pytest.Item], tell: int) -> None:
        code = _BROKEN
        with contextlib.suppress(BaseException):
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            # From here on nothing is noted, so the number's own comparison will do: it is much quicker.
            setattr(builtins, SWITCH, change.number.__eq__)
            _forget()
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            before = session.testsfailed
            code = _LIVES
            for item, after in _with_next(tests):
                signal.alarm(10 + int(5 * self._took[item.nodeid]))
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
                if session.testsfailed > before:
                    code = _KILLED
                    os.write(tell, item.nodeid.encode())
                    break
        os._exit(code)


def _forget() -> None:
    """Empty calsync's caches: what they hold was found by another test, or before the change."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "calsync":
            for value in vars(module).values():
                clear = getattr(value, "cache_clear", None)
                if callable(clear):
                    clear()


def _with_next(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    for place, item in enumerate(items):
        yield item, items[place + 1] if place + 1 < len(items) else None


def run(
    files: Sequence[Path], root: Path, tests: Sequence[str], until: float, *, keys: frozenset[str], at_most: float
) -> Forks:
    """Weave the files and judge their changes by these tests, until the clock (monotonic seconds) says so.

    Tests that take longer than `at_most` seconds judge nothing.
    """
    weaving = Weaving(files, root)
    sys.meta_path.insert(0, weaving)
    forks = Forks(weaving, until, keys, at_most)
    plain = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "--assert=plain", "--tb=native"]
    pytest.main([*plain, *tests], plugins=[forks])
    return forks
