"""docs/cli.md is what the program says of itself."""

from pathlib import Path

from reporter.cli import reference
from reporter.cli.root import COMMANDS
from reporter.config import KEYS

FILE = Path(__file__).parents[3] / "docs" / "cli.md"


def test_reference_is_fresh():
    assert FILE.read_text(encoding="utf-8") == reference.markdown(), (
        "run python -m reporter.cli.reference > docs/cli.md"
    )


def test_reference_names_every_command_and_setting():
    text = reference.markdown()
    for name in COMMANDS:
        assert f"### reporter {name}" in text
    for key in KEYS:
        assert f"`{key.variable}`" in text
        assert key.flag in text
