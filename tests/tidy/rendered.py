"""Files that are printed from the code. `python -m tests.tidy.rendered` (or `./dev render`) writes them anew."""

from calsync.connector.registry import Registry
from calsync.settings.render import render_config, render_practice
from tests.mutants import table
from tests.tidy.tree import ROOT


def rendered_files() -> dict[str, str]:
    """Path from the root, and the text that must stand there."""
    return {
        "config/calsync.toml": render_config(Registry().usable()),
        "config/practices/default.toml": render_practice(),
        "docs/mutants.md": table.render(),
    }


def write_all() -> None:
    """Bring all of them up to date."""
    for name, text in rendered_files().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_all()
