"""PHP's own web server, which the CalDAV servers written in PHP run on here."""

from __future__ import annotations

from pathlib import Path

from tests.servers.service_account import ServiceAccount, account_for, program

QUIET = """\
error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING); // the language is newer than the programs
ini_set('display_errors', '0');
date_default_timezone_set('UTC');
"""


def php(folder: Path, port: int, router: str) -> tuple[list[str], dict[str, str]]:
    """Return command and environment of a server that hands every request to the router (PHP without its tag)."""
    (folder / "router.php").write_text(f"<?php\n{QUIET}{router}")
    options = ["-d", "variables_order=EGPCS", "-S", f"127.0.0.1:{port}", "-t", str(folder)]
    command = [program("php", package="php-cli"), *options, str(folder / "router.php")]
    return command, {"PHP_CLI_SERVER_WORKERS": "4"}


def web_account() -> ServiceAccount:
    """The account of web servers."""
    return account_for("www-data")
