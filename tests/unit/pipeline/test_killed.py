"""A run killed at any write: each file is the old or the new one, a mixed set is told, and the next run heals it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reporter.pipeline import run_verify

_RUN = """
import os, signal, sys
from pathlib import Path
import msgspec
from reporter.config import Settings
from reporter.pipeline.publishing import publish
from reporter.press import Press
from reporter.report import sealed
from tests.reports import report, section

class Silent:
    def step(self, text): pass

folder, last, day = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
made = sealed(msgspec.structs.replace(report([section(clusters=3)]), generated_at=f"2026-11-{day}T08:00:00Z"))
settings = Settings(out=folder, formats=("json", "md", "csv"))
told = 0

def watch(event, args):
    global told
    writes = event == "os.rename" or (event == "os.mkdir") or (event == "open" and str(args[0]).startswith(str(folder)))
    if writes:
        told += 1
        if told == last:
            os.kill(os.getpid(), signal.SIGKILL)

with Press([]) as press:
    sys.addaudithook(watch)
    publish(made, settings, (), press, Silent())
print(told)
"""


def run(folder: Path, day: str, last: int = 0) -> subprocess.CompletedProcess[str]:
    """Publish into a folder, killed just before its write number `last`."""
    return subprocess.run(
        [sys.executable, "-c", _RUN, str(folder), str(last), day],
        check=False, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[3],
    )  # fmt: skip


def told_of_files(folder: Path) -> list[str]:
    """Verify; the sums of the report are made up."""
    return [told for told in run_verify(folder / "report.json") if told.startswith(("summary", "clusters"))]


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def test_a_run_killed_at_any_write_leaves_whole_files_and_is_found_out(tmp_path: Path) -> None:
    old = tmp_path / "old"
    writes = int(run(old, "16").stdout)
    assert writes >= 7
    run(tmp_path / "new", "23")
    before, after = held(old), held(tmp_path / "new")
    assert before.keys() == after.keys() == {"report.json", "summary.md", "clusters.csv"}
    changed = {name for name in before if before[name] != after[name]}
    mixed = 0
    for last in range(1, writes):
        folder = tmp_path / f"killed{last}"
        run(folder, "16")
        assert run(folder, "23", last).returncode == -signal.SIGKILL, last
        found = held(folder)
        assert found.keys() == before.keys()
        new = {name for name in changed if found[name] == after[name]}
        assert all(found[name] in (before[name], after[name]) for name in found)
        told = told_of_files(folder)
        assert bool(told) == (new not in (set(), changed)), (last, told)
        mixed += bool(told)
        assert run(folder, "23").returncode == 0
        assert held(folder) == after
        assert told_of_files(folder) == []
    assert mixed


@pytest.mark.parametrize(("age_s", "stays"), [(7_200, False), (60, True)])
def test_what_a_killed_run_had_staged_is_removed_once_it_is_old(
    tmp_path: Path, age_s: int, stays: bool
) -> None:
    left = tmp_path / ".report.json.0123456789ab.tmp"
    left.write_bytes(b"half")
    users = tmp_path / ".report.json.tmp"
    users.write_bytes(b"mine")
    for path in (left, users):
        os.utime(path, (time.time() - age_s,) * 2)
    assert run(tmp_path, "23").returncode == 0
    assert left.exists() == stays
    assert users.exists()
