"""House rules that no linter knows: sizes, docstrings, documents that agree with the program, locks."""

from __future__ import annotations

import ast
import json
import os
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from reporter import __version__, errors
from reporter.cli.command import Command
from reporter.cli.root import COMMANDS, root
from reporter.report import schema

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "reporter").rglob("*.py"))
LOCKS = ("requirements.lock", "requirements-build.lock", "requirements-dev.lock")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MOST_LINES = 400
MADE = {"dist", "build", "demo-report", "sample_reports", "__pycache__"}
"""Folders that commands make; what begins with a dot is left out too, but for these."""
OURS_THOUGH_HIDDEN = {".ci", ".github", ".gitignore", ".pre-commit-config.yaml"}
BYTES = {".parquet", ".png", ".pdf", ".gz", ".zst", ".pyc", ".ttf", ".otf", ".woff2"}
# In pieces, so that this file does not break its own rule.
ELSEWHERE = re.compile(
    r"(?<![\w.-])/(?:wo" r"rk|roo" r"t|op" r"t)/\w|py" r"pi\.org|python" r"hosted",
    re.IGNORECASE,
)


def name_of(path: Path) -> str:
    """Name a file as a reader of the repository does."""
    return path.relative_to(ROOT).as_posix()


@cache
def texts() -> list[Path]:
    """Give every text file that belongs to the project."""
    found = []
    for base, folders, files in os.walk(ROOT):
        folders[:] = filter(is_ours, folders)
        found += [Path(base) / name for name in filter(is_ours, files)]
    return sorted(path for path in found if path.is_file() and path.suffix not in BYTES)


def is_ours(name: str) -> bool:
    """Tell by a file's or folder's own name whether it belongs to the project."""
    return name not in MADE and (not name.startswith(".") or name in OURS_THOUGH_HIDDEN)


def documents() -> list[Path]:
    """Give every Markdown file of the project."""
    return [path for path in texts() if path.suffix == ".md" and not name_of(path).startswith("tests/")]


def commands() -> Iterator[tuple[str, click.Command]]:
    """Give every command with its full name."""
    for name in COMMANDS:
        found = root.get_command(click.Context(root), name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from ((f"reporter {name} {word}", inner) for word, inner in found.commands.items())
        else:
            yield f"reporter {name}", found


def pins(lock: str) -> dict[str, tuple[str, list[str]]]:
    """Read a lock file: version and hashes of each package."""
    read: dict[str, tuple[str, list[str]]] = {}
    for entry in (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        if entry.strip() and not entry.startswith("#"):
            name, version = entry.split()[0].split("==")
            read[name.partition("[")[0]] = (version, re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
    return read


def silent(node: ast.Module | ast.ClassDef) -> Iterator[str]:
    """Name public classes and functions without a docstring; an overriding method has its parent's."""
    for part in node.body:
        if isinstance(part, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            overrides = any(isinstance(by, ast.Name) and by.id == "override" for by in part.decorator_list)
            if not part.name.startswith("_") and not overrides and not ast.get_docstring(part):
                yield part.name
        if isinstance(part, ast.ClassDef) and not part.name.startswith("_"):
            yield from silent(part)


def plain(requirement: str) -> str:
    """Give the normalised name a requirement begins with."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found.group()).lower()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_is_short_and_says_what_its_public_parts_are_for(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= MOST_LINES, "split it by noun"
    tree = ast.parse(source)
    assert ast.get_docstring(tree), "a module opens with what it is for"
    assert list(silent(tree)) == []


def test_nobody_reaches_the_network_behind_the_sources() -> None:
    """import-linter cannot tell urllib.parse, which is harmless, from urllib.request."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            assert not [name for name in names if name.startswith(("urllib.request", "urllib.error"))], path


def test_every_public_name_a_package_promises_exists() -> None:
    for path in MODULES:
        if path.name == "__init__.py":
            module = import_module(".".join(path.relative_to(ROOT).parent.parts))
            names = getattr(module, "__all__", [])
            assert len(names) == len(set(names))
            assert [name for name in names if not hasattr(module, name)] == []


def test_no_file_names_a_package_index_or_a_folder_of_some_machine() -> None:
    found = []
    for path in texts():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if ELSEWHERE.search(line):
                found.append(f"{name_of(path)}:{number}: {line.strip()[:90]}")
    assert found == []


@pytest.mark.parametrize(("name", "command"), [pytest.param(*pair, id=pair[0]) for pair in commands()])
def test_every_command_explains_itself_with_help_examples_and_a_place_in_the_reference(
    name: str, command: click.Command
) -> None:
    assert isinstance(command, Command)
    assert (command.help or "").strip()
    assert any(name in example for example in command.examples)
    for example in command.examples:
        assert example.startswith("reporter "), "an example can be copied as it stands"
    for option in command.params:
        assert isinstance(option, click.Argument) or getattr(option, "help", None), option.name
    assert f"\n### {name}\n" in (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def test_short_help_in_the_table_begins_the_help_of_the_command() -> None:
    for name, (_, _, short) in COMMANDS.items():
        found = root.get_command(click.Context(root), name)
        assert found is not None
        assert (found.help or "").splitlines()[0] == short


def test_schema_in_the_repository_is_what_the_program_prints() -> None:
    kept = (ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8")
    assert json.loads(kept) == json.loads(json.dumps(schema())), "run make docs"


@pytest.mark.parametrize("path", sorted((ROOT / "sample_reports").rglob("report.json")), ids=name_of)
def test_sample_report_follows_the_schema(path: Path) -> None:
    from jsonschema import Draft202012Validator

    made = schema()
    Draft202012Validator.check_schema(made)
    Draft202012Validator(made).validate(json.loads(path.read_text(encoding="utf-8")))


def test_readme_names_the_two_commands_and_every_exit_code() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(r"^make demo\b", readme, re.MULTILINE)
    assert re.search(r"^make test\b", readme, re.MULTILINE)
    kinds = [each for each in vars(errors).values() if isinstance(each, type)]
    codes = {each.exit_code for each in kinds if issubclass(each, errors.ReporterError)} | {0, 1}
    assert codes <= {int(code) for code in re.findall(r"^\| (\d+) \|", readme, re.MULTILINE)}


@pytest.mark.parametrize("path", documents(), ids=name_of)
def test_every_link_inside_the_repository_leads_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target and not target.startswith("mailto:"):
            assert (path.parent / target).exists(), target


def test_make_targets_named_in_documents_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for path in documents():
        named = set(re.findall(r"(?:^|`)make ([a-z-]+)", path.read_text(encoding="utf-8"), re.MULTILINE))
        assert named <= targets, name_of(path)


def test_changelog_speaks_of_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[([^\]]+)\]", changelog, re.MULTILINE)
    assert __version__ in versions
    assert versions == sorted(versions, key=lambda v: (v == "Unreleased", v), reverse=True)


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_every_package_by_hash_and_names_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|^--|^-[a-z]|@ ", text, re.MULTILINE)
    read = pins(lock)
    assert read
    assert [name for name, (_, hashes) in read.items() if not hashes] == []


def test_locks_hold_what_is_declared_and_agree_with_each_other() -> None:
    runtime, build, dev = (pins(lock) for lock in LOCKS)
    assert {plain(each) for each in PROJECT["project"]["dependencies"]} <= set(runtime)
    assert {plain(each) for each in PROJECT["dependency-groups"]["dev"]} <= set(dev)
    assert {plain(each) for each in PROJECT["build-system"]["requires"]} <= set(build)
    assert runtime.items() <= dev.items()
    assert build.items() <= dev.items()


def test_every_dependency_has_a_reason_in_writing() -> None:
    written = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    for group in (PROJECT["project"]["dependencies"], PROJECT["dependency-groups"]["dev"]):
        for requirement in group:
            assert re.search(rf"^\| {re.escape(plain(requirement))} \|", written, re.MULTILINE), requirement


def test_every_licence_is_stated() -> None:
    listed = (ROOT / "docs" / "licences.md").read_text("utf-8")
    assert "not stated" not in listed
    assert set(pins("requirements.lock")) <= set(re.findall(r"^\| ([a-z0-9-]+) \|", listed, re.MULTILINE))


def test_every_test_that_the_threats_name_exists() -> None:
    named = re.findall(r"`(tests/[\w/.]+)`", (ROOT / "SECURITY.md").read_text("utf-8"))
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).exists()] == []
