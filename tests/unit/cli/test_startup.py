"""Help is quick: it loads click and our own light modules, nothing heavy."""

import subprocess
import sys

import pytest

HEAVY = {
    "msgspec", "matplotlib", "weasyprint", "duckdb", "numpy", "scipy", "jinja2", "httpx", "platformdirs",
    "zoneinfo", "tomllib", "asyncio", "importlib.metadata", "reporter.pipeline", "reporter.report",
    "reporter.sources",
}  # fmt: skip
CODE = """
import sys
from reporter.cli import main
code = main(sys.argv[1:])
print(code, *sorted(sys.modules), file=sys.stderr)
"""


def loaded(*arguments):
    done = subprocess.run(
        [sys.executable, "-c", CODE, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    code, *modules = done.stderr.split()
    assert code == "0"
    assert "click" in modules
    return set(modules)


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)])
def test_help_and_version_load_nothing_heavy_and_no_settings(arguments):
    modules = loaded(*arguments)
    assert not modules & HEAVY
    assert "reporter.config" not in modules


@pytest.mark.parametrize("name", ["report", "jobs", "render", "config", "init"])
def test_help_of_a_command_loads_nothing_heavy(name):
    assert not loaded(name, "--help") & (HEAVY - {"tomllib", "zoneinfo"})
