"""Every error becomes sentences and the right exit code; shared options may stand anywhere."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from calsync.__main__ import main as entry
from calsync.cli import main
from calsync.cli.context import App, find_config, pass_app
from calsync.cli.exit_codes import ExitCode, exit_code_of
from calsync.cli.options import actor_options, add_config_option, config_option, json_option
from calsync.errors import CalsyncError, ConfigError, NotFoundError, Problem, Refused, StartRefusedError, UserError


class Unforeseen(Exception):
    """What nobody thought of."""


def _app(outcome: Any = None) -> click.Group:
    """A small command tree whose `outer do` prints the shared options, then returns or raises `outcome`."""

    @click.group()
    @config_option
    @json_option
    @actor_options
    def app() -> None:
        """The root."""

    @app.group()
    def outer() -> None:
        """A group."""

    @outer.command()
    @json_option
    @actor_options
    @pass_app
    def do(given: App) -> Any:
        """Do it."""
        click.echo(f"{given.config_path} {given.as_json} {given.actor} {given.note}")
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    add_config_option(app)
    return app


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    def run_with(outcome: Any, *arguments: str) -> int:
        monkeypatch.setattr(main, "build_app", lambda: _app(outcome))
        return main.run(["outer", "do", *arguments] if not arguments or arguments[0] != "!" else arguments[1:])

    return run_with


@pytest.mark.parametrize("code", list(ExitCode))
def test_a_command_returns_its_code(run: Any, code: ExitCode) -> None:
    assert run(code) == code


def test_a_command_that_returns_nothing_is_fine(run: Any) -> None:
    assert run(None) == 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UserError.of("row 3: no such zone"), 1),
        (Refused.of("inside the window"), 1),
        (NotFoundError("appointment", "A-1"), 1),
        (CalsyncError("no"), 1),
        (ConfigError.of("unknown key", "calsync.toml:3"), 2),
        (StartRefusedError("the key is gone"), 2),
        (click.UsageError("which one?"), 2),
        (click.BadParameter("bad"), 2),
        (click.ClickException("no"), 1),
        (click.Abort(), 1),
        (KeyboardInterrupt(), 1),
    ],
)
def test_each_error_has_its_code_and_sentence(
    run: Any, capsys: pytest.CaptureFixture[str], error: BaseException, code: int
) -> None:
    assert run(error) == code
    said = capsys.readouterr().err
    assert said.strip()
    assert "Traceback" not in said
    if isinstance(error, Exception) and not isinstance(error, click.exceptions.Abort):
        assert exit_code_of(error) == code


def test_all_problems_are_told(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(ConfigError([Problem("one", "a:1", "Mend it"), Problem("two")]))
    assert capsys.readouterr().err == "a:1: one. Mend it\ntwo\n2 problems; nothing was changed.\n"


def test_the_unforeseen_is_one_sentence_with_a_log_id_and_no_value(
    run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(Unforeseen("Bob's secret")) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "Bob" not in said
    assert said.count("error-") == 2, "the id a person sees must be the one in the log"
    assert "test_main.py" in said, "the log says where it happened"


@pytest.mark.parametrize(
    "line", ["! --config c --json --by system --note n outer do", "--config c --json --by system --note n"]
)
def test_shared_options_may_stand_before_and_after(run: Any, capsys: pytest.CaptureFixture[str], line: str) -> None:
    assert run(None, *line.split()) == 0
    assert capsys.readouterr().out == "c True system n\n"


def test_the_later_option_wins(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(
        None,
        *["!", "--config", "a", "--by", "system", "outer", "--config", "b", "do", "--config", "c", "--by", "support:x"],
    )
    assert capsys.readouterr().out == "c False support:x None\n"


@pytest.mark.parametrize("actor", ["bob", "support:", "root:x", "provider:a:b", "system:x", "", "support:a\nb"])
def test_an_actor_is_one_of_four_kinds(run: Any, capsys: pytest.CaptureFixture[str], actor: str) -> None:
    assert run(None, "--by", actor) == 2
    assert "support:NAME" in capsys.readouterr().err


def test_the_actor_is_the_logged_in_user_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "grace")
    assert App().actor == "support:grace"


def test_the_config_is_looked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config/calsync.toml").touch()

    assert find_config(Path("mine"), {"CALSYNC_CONFIG": "theirs"}) == Path("mine")
    assert find_config(None, {"CALSYNC_CONFIG": "theirs"}) == Path("theirs")
    assert find_config(None, {}) == Path("config/calsync.toml")


def test_without_a_config_it_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("calsync.cli.context.CONFIG_PLACES", (Path("config/calsync.toml"),))
    with pytest.raises(ConfigError, match="calsync init"):
        find_config(None, {})


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["--version"]])
def test_help_needs_no_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = main.run(arguments)
    output = capsys.readouterr()
    assert code == (0 if arguments else 2)
    assert "calsync" in output.out + output.err


def _walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            for name in command.list_commands(context):
                child = command.get_command(context, name)
                assert child is not None
                yield from _walk(child, f"{path} {name}")


def test_every_command_takes_config() -> None:
    commands = dict(_walk(main.build_app(), "calsync"))
    missing = [path for path, command in commands.items() if all(option.name != "config" for option in command.params)]
    assert missing == []
    assert "calsync config check" in commands


def test_every_command_stands_in_the_table() -> None:
    app = main.build_app()
    with click.Context(app) as context:
        names = app.list_commands(context)
    assert set(app.commands) == set(names), "add the missing ones to calsync.cli.main.COMMANDS"


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["no-such-command"]) == 2
    assert "No such command" in capsys.readouterr().err


class Interrupting:
    """Somebody presses Ctrl-C while a module is being read."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        del path, target
        if name == "calsync.cli.main":
            raise KeyboardInterrupt


def test_interrupted_while_the_program_is_still_being_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "calsync.cli.main")
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    with pytest.raises(SystemExit, match="Interrupted"):
        entry()
