"""The mails' templates: the built-in ones, or the practice's own of the same name in `templates/` beside the config.

A template's first line is its subject. What is wrong with a practice's own one is logged, and the built-in one used.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog
from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.sandbox import SandboxedEnvironment

_log = structlog.get_logger(__name__)

Rendered = TypeVar("Rendered")

_BLANK_LINES: Final = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Words:
    """What one template came to."""

    subject: str
    body: str


class Texts:
    """All templates of an installation: its own beside the built-in ones, and each practice's own before both.

    A practice's stand in a folder of its name. `strict`: a mistake in one of them raises `TextFault`.
    """

    def __init__(self, own: Path | None = None, practice: str | None = None, *, strict: bool = False) -> None:
        folders = [own / practice, own] if own is not None and practice is not None else [own]
        there = [folder for folder in folders if folder is not None and folder.is_dir()]
        built_in = PackageLoader("calsync.notices")
        self._built_in = _environment(built_in)
        self._own = _environment(ChoiceLoader([FileSystemLoader(there), built_in])) if there else None
        self._folder, self._strict = own, strict
        self._practices: dict[str, Texts] = {}

    def of(self, practice: str) -> Texts:
        """The texts of one practice."""
        if self._folder is None or not (self._folder / practice).is_dir():
            return self
        if practice not in self._practices:
            self._practices[practice] = Texts(self._folder, practice, strict=self._strict)
        return self._practices[practice]

    def words(self, name: str, facts: dict[str, Any]) -> Words:
        """One text, by its name without suffix, as subject and body."""
        return self._with(f"{name}.txt.j2", lambda environment, file: _words(environment, file, facts))

    def page(self, name: str, facts: dict[str, Any]) -> str:
        """One HTML document, by its name without suffix; every value in it is escaped."""
        return self._with(f"{name}.html.j2", lambda environment, file: environment.get_template(file).render(facts))

    def _with(self, file: str, render: Callable[[Environment, str], Rendered]) -> Rendered:
        if self._own is not None:
            try:
                return render(self._own, file)
            except (TemplateError, TypeError, ValueError, KeyError, ArithmeticError) as fault:
                if self._strict:
                    raise TextFault(file, fault) from fault
                _log.error("template_failed", template=file, fault=type(fault).__name__)
        return render(self._built_in, file)


class TextFault(Exception):
    """A template of an installation's own cannot be used. `line` is where, as far as that is known."""

    def __init__(self, file: str, fault: Exception) -> None:
        super().__init__(str(fault))
        self.file = fault.name or file if isinstance(fault, TemplateSyntaxError) else file
        self.line = fault.lineno if isinstance(fault, TemplateSyntaxError) else None
        self.what = str(fault.message or "") if isinstance(fault, TemplateError) else str(fault)


def _environment(loader: BaseLoader) -> Environment:
    environment = SandboxedEnvironment(
        loader=loader,
        autoescape=lambda name: bool(name and name.endswith(".html.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["paragraphs"] = paragraphs
    return environment


def _words(environment: Environment, file: str, facts: dict[str, Any]) -> Words:
    text = environment.get_template(file).render(facts).strip()
    subject, _, body = text.partition("\n")
    if not subject.strip() or not body.strip():
        raise ValueError("a text needs a subject in its first line, and a body below it")
    return Words(subject.strip(), _BLANK_LINES.sub("\n\n", body.strip()))


def paragraphs(text: str) -> list[list[str]]:
    """A text's paragraphs, each as its lines, so that HTML can show what the plain text says."""
    return [part.strip().splitlines() for part in re.split(r"\n\s*\n", text) if part.strip()]
