"""A build from the command line: gates, exit codes, a deploy judged by its own traffic, baselines by name."""

from __future__ import annotations

import json
import re
import shlex
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.e2e.commands import reporter
from tests.events import NOW, Project

DEPLOY = NOW - timedelta(days=3)
CLOCK = f"{NOW:%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two weekly runs; from the deploy on, one cluster of the latest run costs ten times as much."""
    project = Project(7)
    project.run(NOW - timedelta(days=7, hours=7), [160, 150, 120], noise=8)
    project.run(NOW - timedelta(hours=7), [160, 150, 120], noise=9)
    dear = {
        item["$ai_trace_id"] if isinstance(item, dict) else item
        for event in project.events
        if event["event"] == "$ai_trace_clusters"
        and event["timestamp"] > f"{NOW - timedelta(days=2):%Y-%m-%d}"
        for item in next(iter(c for c in event["properties"]["$ai_clusters"] if c["cluster_id"] == 1))[
            "traces"
        ]
    }
    for event in project.events:
        late = event["event"] == "$ai_generation" and event["timestamp"] >= DEPLOY.isoformat()
        if late and event["properties"]["$ai_trace_id"] in dear:
            event["properties"]["$ai_total_cost_usd"] *= 10
    return project.write(tmp_path_factory.mktemp("ci") / "events.jsonl.gz")


def ci(
    folder: Path, events: Path, *arguments: str, env: dict[str, str] | None = None
) -> tuple[int, str, str]:
    done = reporter(
        "ci", "--source", str(events), "--now", CLOCK, "--out", "out", *arguments, cwd=folder, env=env
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def made(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "out" / "report.json").read_bytes())
    return read


def test_a_build_without_rules_passes_and_has_its_files(tmp_path: Path, events: Path) -> None:
    code, out, err = ci(tmp_path, events)
    assert code == 0, err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "junit.xml", "report.html", "report.json", "summary.md",
    ]  # fmt: skip
    assert made(tmp_path)["kind"] == "ci"
    assert "Make it again: reporter ci --source " in out
    assert (
        "Make it again</dt><dd><code>reporter ci --source " in (tmp_path / "out" / "report.html").read_text()
    )


def test_the_command_it_prints_makes_the_same_report(tmp_path: Path, events: Path) -> None:
    rules = (
        "--fail-on",
        "total error_rate <= 90%",
        "--fail-on",
        "title:/it's a 100%/i share <= 1%",
        "--policy",
        "not_comparable=fail",
    )
    (tmp_path / "strict.toml").write_text(
        'baseline = "previous"\ntz = "Asia/Tokyo"\n[[gates]]\nrule = "share <= 100%"\nseverity = "warn"\n'
    )
    shape = ("--config", "strict.toml", "--baseline", "week", "--title", "It's ours", "--since", "30d",
             "--min-text-items", "5", "--good", "mean_tokens=up", "--level", "trace")  # fmt: skip
    code, out, err = ci(tmp_path, events, *rules, *shape, "--format", "json,md")
    assert code == 0, err
    (command,) = re.findall(r"Make it again: reporter (.*)", out)
    again = reporter(*shlex.split(command), "--out", "again", "--format", "json,md", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "again" / "summary.md").read_bytes() == (tmp_path / "out" / "summary.md").read_bytes()
    assert (tmp_path / "again" / "report.json").read_bytes() == (
        tmp_path / "out" / "report.json"
    ).read_bytes()


def test_broken_rules_end_with_1_and_are_in_every_file(tmp_path: Path, events: Path) -> None:
    code, out, err = ci(
        tmp_path,
        events,
        "--fail-on",
        "total error_rate <= 0%",
        "--fail-on",
        "total error_rate <= 100%",
        "--explain",
    )
    assert code == 1, err
    gates = made(tmp_path)["gates"]
    assert [(gate["outcome"], gate["fails"]) for gate in gates] == [("failed", True), ("passed", False)]
    assert re.search(r"total error_rate <= 0%\s+failed", out)
    root = ET.fromstring((tmp_path / "out" / "junit.xml").read_bytes())
    assert (root.attrib["tests"], root.attrib["failures"]) == ("2", "1")
    assert "1 of 2 rules is broken" in (tmp_path / "out" / "summary.md").read_text()
    assert "1 of 2 rules is broken" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--fail-on", "total error_rate <= 100%"), 0),
        (("--fail-on", "total error_rate <= 0%", "--format", "json"), 1),
        (("--fail-on", "total error_rate >> 0%"), 2),
        (("--fail-on", "title:/nobody/ error_rate <= 1%"), 0),
        (("--fail-on", "title:/nobody/ error_rate <= 1%", "--policy", "not_enough_data=fail"), 1),
        (("--policy", "sometimes=fail"), 2),
        (("--baseline", "no-such-run"), 3),
        (("--since", "1d", "--now", "2020-01-01"), 4),
        (("--deployed-at", "yesterday"), 2),
    ],
)
def test_exit_codes(tmp_path: Path, events: Path, arguments: tuple[str, ...], code: int) -> None:
    assert ci(tmp_path, events, *arguments, "--format", "json")[0] == code


def test_what_the_settings_file_says_of_rules(tmp_path: Path, events: Path) -> None:
    def write(**over: Any) -> None:
        parts = {"rule": "total error_rate <= 0%"} | over
        lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in parts.items())
        (tmp_path / "reporter.toml").write_text(f"[[gates]]\n{lines}")

    outcomes = []
    for over in (
        {},
        {"severity": "warn"},
        {"until": "2026-12-24", "reason": "a fix is on its way"},
        {"until": "2026-11-01", "reason": "a fix was on its way"},
        {"min_n": 100_000},
    ):
        write(**over)
        code, _, err = ci(tmp_path, events, "--format", "json")
        outcomes.append((code, made(tmp_path)["gates"][0]["outcome"], "ended on" in err))
    assert outcomes == [
        (1, "failed", False), (0, "warned", False), (0, "waived", False), (1, "failed", True), (0, "not_enough_data", False),
    ]  # fmt: skip
    write(until="2026-12-24")
    assert ci(tmp_path, events, "--format", "json")[0] == 2


def test_a_deploy_is_judged_by_its_own_traffic(tmp_path: Path, events: Path) -> None:
    rule = ("--fail-on", "any mean_cost_usd +100% surely")
    at = f"{DEPLOY:%Y-%m-%dT%H:%MZ}"
    code, _, err = ci(tmp_path, events, *rule, "--deployed-at", at, "--format", "json,md")
    assert code == 1, err
    value = made(tmp_path)
    (job,) = value["jobs"]
    broken = [gate["cluster_id"] for gate in value["gates"] if gate["fails"]]
    assert broken == [1]
    assert job["prior"]["run_id"] == job["latest"]["run_id"]
    assert job["prior"]["window_end"] == job["latest"]["window_start"] == f"{DEPLOY:%Y-%m-%dT%H:%M:%SZ}"
    assert job["latest"]["items"] + job["prior"]["items"] == 160 + 150 + 120 + 9
    (dear,) = (c for c in job["clusters"] if c["cluster_id"] == 1)
    assert dear["change"]["metrics"]["mean_cost_usd"]["call"] == "changed"
    assert all(
        c["change"]["metrics"]["mean_cost_usd"]["call"] != "changed"
        for c in job["clusters"]
        if c["cluster_id"] != 1
    )
    assert "are compared with those before it, in this run" in (tmp_path / "out" / "report.json").read_text()
    code, _, _ = ci(tmp_path, events, *rule, "--deployed-at", "2020-01-01", "--format", "json")
    assert code == 0
    assert {gate["outcome"] for gate in made(tmp_path)["gates"]} == {"not_comparable"}


@pytest.mark.parametrize("name", ["release-1.4", "baselines/main.json"])
def test_a_baseline_is_kept_by_name_or_as_a_file(tmp_path: Path, events: Path, name: str) -> None:
    earlier = f"{NOW - timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}"
    state = ("--state", "state", "--format", "json")
    code, _, err = ci(tmp_path, events, *state, "--now", earlier, "--save-baseline", name)
    assert code == 0, err
    kept = made(tmp_path)["jobs"][0]["latest"]["run_id"]
    code, _, err = ci(tmp_path, events, *state, "--baseline", name)
    assert code == 0, err
    assert made(tmp_path)["jobs"][0]["prior"]["run_id"] == kept
    (tmp_path / "broken.json").write_text("{}")
    code, _, err = ci(tmp_path, events, *state, "--baseline", "broken.json")
    assert code == 2
    assert "this is no baseline" in err


def test_github_gets_annotations_a_summary_and_outputs(tmp_path: Path, events: Path) -> None:
    env = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "s"),
        "GITHUB_OUTPUT": str(tmp_path / "o"),
    }
    code, out, _ = ci(tmp_path, events, "--fail-on", "total error_rate <= 0%", "--format", "json", env=env)
    assert code == 1
    assert [
        line.partition("::")[2].partition(" ")[0] for line in out.splitlines() if line.startswith("::")
    ] == ["error"]
    assert "is broken" in (tmp_path / "s").read_text()
    outputs = dict(line.split("=", 1) for line in (tmp_path / "o").read_text().splitlines())
    assert (outputs["outcome"], outputs["failed"]) == ("failed", "1")
    assert outputs["headline"] == made(tmp_path)["headline"]


def test_gitlab_gets_a_code_quality_file(tmp_path: Path, events: Path) -> None:
    ci(tmp_path, events, "--fail-on", "total error_rate <= 0%", env={"GITLAB_CI": "true"})
    (found,) = json.loads((tmp_path / "out" / "gl-code-quality-report.json").read_bytes())
    assert found["check_name"] == "total error_rate <= 0%"


def test_a_deploy_outside_the_run_is_told_and_is_no_first_run(tmp_path: Path, events: Path) -> None:
    ci(tmp_path, events, "--deployed-at", "2020-01-01", "--format", "json,md")
    (job,) = made(tmp_path)["jobs"]
    assert (job["status"], job["prior"]) == ("no_prior", None)
    assert job["status_reason"].startswith("Nothing to compare: the deploy lies outside the run")
    assert "(not compared)" in (tmp_path / "out" / "summary.md").read_text()
