"""The same world in ClickHouse: the report is that of an export, from the command line on."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import reporter
from tests.e2e.test_main_job import NOW_TEXT, two_weeks
from tests.events import JOB, NOW, Project, job_list

_FILL = """
import json, sys
from pathlib import Path
from tests.servers.store import Store
folder, events = sys.argv[1:]
rows = [json.loads(line) for line in Path(events).read_text("utf-8").splitlines()]
Store(Path(folder)).create("77", [*rows, *rows[::5]], ai_events=False, strip=False)
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clickhouse")
    project: Project = two_weeks(4)
    project.run(
        NOW - timedelta(hours=9), [30, 20], level="generation", job=JOB[:-1] + "9", name="Generations"
    )
    events = project.write(folder / "events.jsonl")
    (folder / "jobs.json").write_text(json.dumps(job_list({"event_filters": [
        {"key": "$ai_model", "value": ["gpt-5-mini"], "operator": "exact", "type": "event"}]})))  # fmt: skip
    root = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", _FILL, str(folder / "ch"), str(events)], check=True, cwd=root, timeout=120
    )
    return folder


def made(folder: Path, source: str, out: str) -> dict[str, Any]:
    done = reporter("report", "--source", source, "--jobs", "jobs.json", "--project-id", "77", "--now", NOW_TEXT,
                    "--format", "json", "--out", out, "--no-cache", cwd=folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads((folder / out / "report.json").read_text("utf-8"))
    return read


def test_the_report_is_that_of_an_export_of_the_same_events(world: Path) -> None:
    ours = made(world, f"chdb://{world}/ch/tables?database=p77", "ours")
    theirs = made(world, "events.jsonl", "theirs")
    assert ours["source"] == {"kind": "clickhouse", "location": "p77/events", "project_id": "77"}
    for one in (ours, theirs):
        for name in ("source", "files", "content_sha256"):
            del one[name]
    assert ours == theirs
    assert [section["status"] for section in ours["jobs"]] == ["ok", "no_prior"]
    assert ours["jobs"][0]["coverage"]["population_items"]


def test_a_closer_look_and_the_doctor_read_it(world: Path) -> None:
    source = ("--source", f"chdb://{world}/ch/tables?database=p77", "--project-id", "77")
    found = reporter(
        "traces", *source, "--now", NOW_TEXT, "--where", "$ai_model=gpt-5-mini", "--json", cwd=world
    )
    exported = reporter("traces", "--source", "events.jsonl", "--project-id", "77", "--now", NOW_TEXT, "--where",
                        "$ai_model=gpt-5-mini", "--json", cwd=world)  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["traces"] == json.loads(exported.stdout)["traces"]
    trace = json.loads(found.stdout)["traces"][0]["trace_id"]
    shown = reporter("trace", trace, *source, "--now", NOW_TEXT, cwd=world)
    assert shown.returncode == 0, shown.stderr
    assert "generation" in shown.stdout
    asked = reporter("query", "select count() as n from events where event = {e}", *source, "--value", "e=$ai_trace",
                     "--unbounded", "--json", cwd=world)  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    assert reporter("doctor", *source, cwd=world).returncode == 0
    lost = reporter("compare", "77_trace_20200101_000000", "77_trace_20200108_000000", *source, cwd=world)
    assert lost.returncode == 3
    assert "ClickHouse holds no run with this id" in lost.stderr
    assert "PostHog" not in lost.stderr


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("clickhouse://127.0.0.1:9/posthog?secure=no", 3, "cannot be asked"),
        ("clickhouse://me:hunter2@127.0.0.1/posthog", 2, "a password stands in the address"),
        ("clickhouse://127.0.0.1/posthog?tabel=x", 2, "no option"),
        ("bigquery://project/table", 2, "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, source: str, code: int, words: str) -> None:
    done = reporter("jobs", "--source", source, "--now", NOW_TEXT, cwd=tmp_path)
    assert done.returncode == code
    assert words in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
