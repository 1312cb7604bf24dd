"""The package as users get it: what wheel and sdist hold, and that it finds its files wherever it lies."""

from __future__ import annotations

import email
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from reporter import __version__

ROOT = Path(__file__).resolve().parent.parent
STEM = f"cluster_reporter-{__version__}"
FIND = """
from reporter.render.templates import built_in_folder, environment
import reporter, reporter.sources.demo as demo
environment().get_template("page.html")
assert demo.EVENTS.is_file() and demo.JOBS.is_file()
print(reporter.__file__, built_in_folder(), sep="\\n")
"""

pytestmark = pytest.mark.skipif(
    not (ROOT / "Makefile").is_file(),
    reason="the wheel is built from a checkout, and these tests are not in one",
)


def run(*arguments: str | Path, cwd: Path, **variables: str) -> str:
    """Run this interpreter, without pip's configuration, and give what it printed."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHONPATH", "COV_"))}
    environment |= {"PIP_CONFIG_FILE": os.devnull, "SOURCE_DATE_EPOCH": "1790000000"} | variables
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def files_below(folder: Path) -> set[str]:
    """Give the files a checkout keeps below a folder, as they are called from its top."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build sdist and wheel, the wheel from the sdist as an index's users would, without a network."""
    folder = tmp_path_factory.mktemp("dist")
    run("-m", "build", "--no-isolation", "--outdir", folder, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(built / f"{STEM}-py3-none-any.whl")


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel alone into a folder."""
    folder = tmp_path_factory.mktemp("site")
    whl = built / f"{STEM}-py3-none-any.whl"
    run("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", folder, whl, cwd=folder)
    return folder


def test_wheel_holds_the_package_with_its_templates_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == files_below(Path("reporter")) | {
        f"reporter/{name}" for name in files_below(Path("templates"))
    }
    assert {
        "reporter/py.typed",
        "reporter/templates/page.html",
        "reporter/sources/demo/events.parquet",
        "reporter/sources/demo/jobs.json",
    } <= names


def test_sdist_holds_what_is_needed_to_test_and_build_it(built: Path) -> None:
    with tarfile.open(built / f"{STEM}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = files_below(Path("reporter")) | files_below(Path("templates")) | files_below(Path("tests"))
    assert needed <= names
    assert {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "Makefile",
        "requirements.lock",
    } <= names
    assert [name for name in names if name.startswith((".venv", "dist/", "demo-report"))] == []


def test_metadata_says_what_pyproject_declares(wheel: zipfile.ZipFile) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    told = email.message_from_bytes(wheel.read(f"{STEM}.dist-info/METADATA"))
    assert told["Name"] == "cluster-reporter"
    assert told["Version"] == __version__
    assert told["Requires-Python"] == project["requires-python"]
    assert told["License-Expression"] == "MIT"
    extras = [
        f"{requirement}; extra == '{name}'"
        for name, requirements in project["optional-dependencies"].items()
        for requirement in requirements
    ]
    assert sorted(told.get_all("Requires-Dist", [])) == sorted([*project["dependencies"], *extras])
    assert f"{STEM}.dist-info/licenses/LICENSE" in wheel.namelist()
    assert "reporter = reporter.__main__:run" in wheel.read(f"{STEM}.dist-info/entry_points.txt").decode()


def test_same_sources_and_clock_give_the_same_wheel(built: Path, tmp_path: Path) -> None:
    run("-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path, cwd=ROOT)
    name = f"{STEM}-py3-none-any.whl"
    assert (built / name).read_bytes() == (tmp_path / name).read_bytes()


def test_installed_package_finds_its_own_templates_and_demo(installed: Path, tmp_path: Path) -> None:
    module, templates = run("-P", "-c", FIND, cwd=tmp_path, PYTHONPATH=str(installed)).splitlines()
    assert Path(module) == installed / "reporter" / "__init__.py"
    assert Path(templates) == installed / "reporter" / "templates"


def test_checkout_finds_the_templates_at_its_top(tmp_path: Path) -> None:
    module, templates = run("-P", "-c", FIND, cwd=tmp_path, PYTHONPATH=str(ROOT)).splitlines()
    assert Path(module) == ROOT / "reporter" / "__init__.py"
    assert Path(templates) == ROOT / "templates"


def test_installed_package_reports_on_the_demo(installed: Path, tmp_path: Path) -> None:
    command = ("-P", "-m", "reporter", "demo", "--now", "2026-11-23T08:00:00Z", "--format", "html,json")
    run(*command, cwd=tmp_path, PYTHONPATH=str(installed))
    assert (tmp_path / "demo-report" / "report.html").is_file()
    run("-P", "-m", "reporter", "verify", "demo-report", cwd=tmp_path, PYTHONPATH=str(installed))
