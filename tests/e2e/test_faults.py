"""Faults of the way to PostHog, met in the middle of a report: right exit codes, no half file, no key, no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import reporter, weighed
from tests.e2e.test_main_job import NOW_TEXT, two_weeks
from tests.e2e.test_posthog_api import env, jobs, made, posthog  # noqa: F401 (fixtures)
from tests.events import Project
from tests.servers.handle import PostHog
from tests.servers.handle import Project as Served

LATE = {"match": {"method": "POST", "after": 1}}
FAULTS: dict[str, dict[str, Any]] = {
    "the key expires midway": {
        "status": 401,
        "body": {"detail": "Invalid personal API key."},
        "times": -1,
        **LATE,
    },
    "gzip bombs": {"gzip_bomb_mb": 500, "times": -1, **LATE},
    "the key is repeated": {"echo_key": True, "times": -1, **LATE},
    "numbers that are none": {"nan": True, "times": -1, **LATE},
    "half a JSON once": {"truncate_json": True, "times": 1, **LATE},
}
MOST_MB = 400


@pytest.fixture(scope="module")
def known(
    tmp_path_factory: pytest.TempPathFactory,
    posthog: PostHog,  # noqa: F811 (the fixture)
    made: Project,  # noqa: F811 (the fixture)
) -> Project:
    """Ask everything once: what the stand-in takes to parse a statement is no part of the time a run is given."""
    folder = tmp_path_factory.mktemp("known")
    served: Served = posthog.project(made.events, jobs())
    words = ("report", "--now", NOW_TEXT, "--format", "json", "--out", "out")
    assert reporter(*words, cwd=folder, env=env(served)).returncode == 0
    return made


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_midway_leaves_whole_files_or_none(
    tmp_path: Path,
    posthog: PostHog,  # noqa: F811 (the fixture)
    known: Project,
    name: str,
) -> None:
    served: Served = posthog.project(known.events, jobs())
    served.fault(**FAULTS[name])
    words = ("report", "--now", NOW_TEXT, "--format", "html,json", "--out", "out", "--timeout", "60", "-v")
    done, peak_mb = weighed(*words, cwd=tmp_path, env=env(served))
    text = done.stdout + done.stderr
    assert done.returncode in ((0,) if "once" in name else (0, 3)), text
    assert "Traceback" not in text
    assert served.key not in text
    assert peak_mb < MOST_MB
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or served.key.encode() not in path.read_bytes(), path
    if (tmp_path / "out").exists():
        found = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
        failed = [section for section in found["jobs"] if section["status"] == "failed"]
        assert bool(failed) == (done.returncode == 3)
        assert reporter("verify", "out/report.json", cwd=tmp_path).returncode == 0
        page = (tmp_path / "out" / "report.html").read_text("utf-8")
        assert all(section["status_reason"] for section in failed)
        assert page.rstrip().endswith("</html>")
    else:
        assert done.returncode == 3
        assert "error:" in text


def test_a_disk_that_is_full_or_read_only_is_told_and_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.json").write_text("{}")
    done = reporter("demo", "--now", NOW_TEXT, "--format", "json", "--out", "/proc/nowhere", cwd=tmp_path)
    assert done.returncode == 6
    assert "cannot be written" in done.stderr
    two_weeks().write(tmp_path / "events.jsonl")
    # No file may grow beyond 16 kB: the disk is as good as full.
    words = f"report --source events.jsonl --now {NOW_TEXT} --format json,md --out out --no-cache"
    limited = f"ulimit -f 16; trap '' XFSZ; exec {sys.executable} -m reporter {words}"
    full = subprocess.run(["bash", "-c", limited], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
                          env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")})  # fmt: skip
    assert full.returncode == 6, full.stderr
    assert "Traceback" not in full.stderr
    assert [path.name for path in out.iterdir()] == ["report.json"]
    assert (out / "report.json").read_text() == "{}"
