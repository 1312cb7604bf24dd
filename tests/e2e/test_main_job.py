"""The main job through the command line: files, figures, states, exit codes."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import oracle
from tests.e2e.commands import reporter
from tests.events import JOB, NOW, Project, job_list

NOW_TEXT = "2026-11-23T08:00:00Z"


def report(tmp: Path, events: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Report on events as JSON and give the document."""
    done = reporter(
        "report",
        "--source",
        str(events),
        "--now",
        NOW_TEXT,
        "--format",
        "json",
        "--out",
        "out",
        *arguments,
        cwd=tmp,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    read: dict[str, Any] = json.loads((tmp / "out" / "report.json").read_text("utf-8"))
    return read


def assert_figures(made: dict[str, Any], events: Path) -> int:
    """Hold every metric and point estimate of a report against the oracle; gives how many were held."""
    truth = oracle.Oracle(events)
    held = 0

    def same(expected: Any, actual: Any, where: str) -> None:
        nonlocal held
        held += 1
        if isinstance(expected, float) or isinstance(actual, float):
            assert actual == pytest.approx(expected, rel=1e-9, abs=1e-15), where
        else:
            assert actual == expected, where

    for section in made["jobs"]:
        if section["latest"] is None:
            continue
        level = section["job"]["level"]
        keys, rows = truth.measure(section["latest"]["run_id"], level)
        run_size = sum(map(len, keys.values()))
        parts = {
            c["cluster_id"]: c
            for c in [*section["clusters"], *([section["noise"]] if section["noise"] else [])]
        }
        assert set(parts) == set(keys)
        for cluster_id, members in keys.items():
            part = parts[cluster_id]
            same(len(members), part["size"], "size")
            same(len(members) / run_size, part["share"], "share")
            for name, value in oracle.metrics(level, members, rows).items():
                same(value, part["metrics"][name], f"{level} cluster {cluster_id} metrics.{name}")
            for name, value in oracle.estimates(members, run_size, rows).items():
                same(
                    value, part["estimates"][name]["value"], f"{level} cluster {cluster_id} estimates.{name}"
                )
        everyone = [key for members in keys.values() for key in members]
        for name, value in oracle.metrics(level, everyone, rows).items():
            same(value, section["overall"]["metrics"][name], f"{level} overall metrics.{name}")
        for name, value in oracle.estimates(everyone, run_size, rows).items():
            same(value, section["overall"]["estimates"][name]["value"], f"{level} overall estimates.{name}")
        if section["prior"] and section["comparability"]["comparable"]:
            before, old = truth.measure(section["prior"]["run_id"], level)
            size = sum(map(len, before.values()))
            for part in section["clusters"]:
                for name, change in (part["change"]["metrics"] if part["change"] else {}).items():
                    (origin,) = part["change"]["prior_cluster_ids"]
                    same(oracle.estimates(before[origin], size, old)[name], change["prior"], f"prior {name}")
            for gone in section["gone"]:
                for name, value in oracle.metrics(level, before[gone["prior_cluster_id"]], old).items():
                    same(value, gone["metrics"][name], f"gone {name}")
    return held


def two_weeks(seed: int = 1, **over: Any) -> Project:
    """A project with two weekly trace runs."""
    project = Project(seed)
    project.run(NOW - timedelta(days=7, hours=7), [40, 30, 25], noise=8, **over)
    project.run(NOW - timedelta(hours=7), [42, 28, 26], noise=9, **over)
    return project


@pytest.mark.parametrize("level", ["trace", "generation", "evaluation"])
def test_every_figure_agrees_with_an_independent_computation(tmp_path: Path, level: str) -> None:
    events = two_weeks(level=level, days=3 if level == "evaluation" else 7).write(tmp_path / "events.jsonl")
    made = report(tmp_path, events)
    assert made["jobs"][0]["status"] == "ok"
    assert assert_figures(made, events) > 130


@pytest.mark.parametrize("era", [1, 2, 3, 4, 5, 7])
def test_runs_of_every_era_are_reported(tmp_path: Path, era: int) -> None:
    events = two_weeks(era=era).write(tmp_path / "events.jsonl")
    made = report(tmp_path, events)
    assert [s["job"]["id"] for s in made["jobs"]] == [JOB if era >= 4 else None]
    assert assert_figures(made, events) > 130


def test_report_does_not_depend_on_row_order_format_or_environment(tmp_path: Path) -> None:
    events = two_weeks().write(tmp_path / "a.jsonl")
    rows = events.read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.jsonl").write_text("".join(sorted(rows)) + rows[0], "utf-8")
    outputs = []
    for index, (path, env) in enumerate(
        [
            (events, {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}),
            (tmp_path / "other" / "a.jsonl", {"PYTHONHASHSEED": "2", "LC_ALL": "C", "TZ": "America/Lima"}),
        ]
    ):
        done = reporter(
            "report", "--source", str(path), "--now", NOW_TEXT, "--out", f"out{index}",
            "--format", "html,pdf,json,md,junit,email,csv", "--no-cache", cwd=tmp_path, env=env,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        outputs.append({p.name: p.read_bytes() for p in (tmp_path / f"out{index}").iterdir()})
    assert set(outputs[0]) == {
        "report.html", "report.pdf", "report.json", "summary.md", "junit.xml", "report.eml", "clusters.csv",
    }  # fmt: skip
    for name in outputs[0]:
        assert outputs[0][name] == outputs[1][name], name


def test_job_states_each_have_their_own_section(tmp_path: Path) -> None:
    jobs = [f"019db7a4-1f60-7c1e-9a55-0d3c7be2100{i}" for i in range(6)]
    project = Project(3)
    project.run(NOW - timedelta(days=8), [30, 20], job=jobs[0], name="Old name")
    project.run(NOW - timedelta(days=1), [31, 22], job=jobs[0], name="Old name")
    project.run(NOW - timedelta(days=9), [20, 20], job=jobs[1], name="Switched off")
    project.run(NOW - timedelta(days=1), [25, 10], job=jobs[2], name="Deleted one")
    project.run(NOW - timedelta(days=2), [12, 10], job=None)
    project.run(NOW - timedelta(days=8), [12, 10], job=jobs[4], name="Changed", params={"max_samples": 900})
    project.run(NOW - timedelta(days=1), [12, 10], job=jobs[4], name="Changed")
    events = project.write(tmp_path / "e.jsonl")
    listed = tmp_path / "jobs.json"
    listed.write_text(
        json.dumps(
            job_list(
                {"id": jobs[0], "name": "New name"},
                {"id": jobs[1], "name": "Switched off", "enabled": False},
                {"id": jobs[3], "name": "Never ran"},
                {"id": jobs[4], "name": "Changed"},
            )
        )
    )
    made = report(tmp_path, events, "--jobs", str(listed))
    by_name = {s["job"]["name"]: s for s in made["jobs"]}
    assert {name: (s["status"], s["stale"]) for name, s in by_name.items()} == {
        "New name": ("ok", False),
        "Switched off": ("no_prior", True),
        "Deleted one": ("no_prior", False),
        "Never ran": ("no_run", False),
        "": ("no_prior", False),
        "Changed": ("not_comparable", False),
    }
    assert by_name["Deleted one"]["job"]["deleted"] is True
    assert by_name["Switched off"]["job"]["enabled"] is False
    assert by_name[""]["job"]["id"] is None
    assert all(c["change"] is None for c in by_name["Changed"]["clusters"])
    assert any("max_samples" in reason for reason in by_name["Changed"]["comparability"]["reasons"])
    assert_figures(made, events)


def test_labelled_runs_are_neither_latest_nor_prior(tmp_path: Path) -> None:
    project = two_weeks()
    project.run(NOW - timedelta(hours=3), [10, 10], label="experiment_one")
    project.run(NOW - timedelta(days=7, hours=2), [10, 10], label="experiment_two")
    made = report(tmp_path, project.write(tmp_path / "e.jsonl"))
    (section,) = made["jobs"]
    assert section["latest"]["label"] is None
    assert section["prior"]["label"] is None


def test_noise_only_and_empty_runs_are_reported(tmp_path: Path) -> None:
    project = Project(5)
    project.run(NOW - timedelta(days=8), [], noise=40)
    project.run(NOW - timedelta(days=1), [], noise=44)
    project.run(NOW - timedelta(days=1), [], level="generation", job=None)
    other = "019db7a4-1f60-7c1e-9a55-0d3c7be21008"
    project.run(NOW - timedelta(days=8), [0, 30, 1], job=other, name="With an empty cluster")
    project.run(NOW - timedelta(days=1), [30, 0, 1], job=other, name="With an empty cluster")
    events = project.write(tmp_path / "e.jsonl")
    made = report(tmp_path, events, "--format", "html,pdf,json")
    noisy, partly, empty = made["jobs"]
    assert [c["size"] for c in partly["clusters"]] == [30, 1, 0]
    assert (noisy["clusters"], noisy["noise"]["size"]) == ([], 44)
    assert (empty["clusters"], empty["noise"], empty["overall"]["metrics"]["total_cost"]) == ([], None, None)
    assert_figures(made, events)


def test_hostile_titles_and_ids_reach_the_page_as_text_only(tmp_path: Path) -> None:
    ids = [
        [f"a'b\"c/{i}" for i in range(20)],
        [f"x::y z?#{i} \\" for i in range(20)],
        [f"<svg onload=alert({i})>" for i in range(20)],
    ]
    titles = ["<script>alert(1)</script>", "{{ 7*7 }}{% raw %}", "\u202etfel\u0000\x1b[31m"]
    project = Project(6)
    project.run(NOW - timedelta(days=8), [20, 20, 20], titles=titles)
    project.run(NOW - timedelta(days=1), [20, 20, 20], titles=titles, keys=ids)
    events = project.write(tmp_path / "e.jsonl")
    made = report(tmp_path, events, "--format", "html,pdf,json")
    assert_figures(made, events)
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "49" not in [c["title"] for c in made["jobs"][0]["clusters"]]
    urls = [e["url"] for c in made["jobs"][0]["clusters"] for e in c["exemplars"] if e["url"]]
    assert any("a%27b%22c%2F" in url for url in urls)
    assert all(not set(url) & set("'\"<> \\") for url in urls)


def test_ten_thousand_items_and_ten_jobs(tmp_path: Path) -> None:
    project = Project(7)
    for index in range(9):
        project.run(
            NOW - timedelta(days=1, minutes=index),
            [12, 11],
            job=f"019db7a4-1f60-7c1e-9a55-0d3c7be2200{index}",
            name=f"Job {index}",
        )
    project.run(
        NOW - timedelta(days=1),
        [400] * 20 + [100] * 19,
        noise=100,
        level="generation",
        params={"max_samples": 10000},
    )
    project.run(
        NOW - timedelta(days=8),
        [400] * 20 + [100] * 19,
        noise=100,
        level="generation",
        params={"max_samples": 10000},
    )
    events = project.write(tmp_path / "e.jsonl")
    made = report(tmp_path, events, "--format", "html,json")
    assert len(made["jobs"]) == 10
    assert assert_figures(made, events) > 1000


def test_a_broken_latest_run_is_named_and_the_one_before_is_used(tmp_path: Path) -> None:
    project = two_weeks()
    broken = project.run(
        NOW - timedelta(hours=2),
        [3],
        over={"$ai_clusters": [{"cluster_id": "x", "size": "many", "traces": 5}]},
    )
    made = report(tmp_path, project.write(tmp_path / "e.jsonl"))
    assert made["jobs"][0]["latest"]["run_id"] != broken
    (warning,) = [w for w in made["warnings"] if w["code"] == "run_unreadable"]
    assert broken in warning["message"]
    assert all(path in warning["message"] for path in ("cluster_id", "size", "traces"))


def test_lists_name_a_run_whose_header_is_broken(tmp_path: Path) -> None:
    project = two_weeks()
    broken = project.run(NOW - timedelta(hours=2), [3], over={"$ai_window_start": "yesterday"})
    project.write(tmp_path / "e.jsonl")
    for command in ("jobs", "runs"):
        done = reporter(command, "--source", "e.jsonl", "--now", NOW_TEXT, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert broken in done.stderr
        assert broken not in done.stdout
        assert JOB in done.stdout


def test_a_job_with_broken_runs_only_is_failed_and_the_rest_is_written(tmp_path: Path) -> None:
    project = two_weeks()
    other = "019db7a4-1f60-7c1e-9a55-0d3c7be21009"
    project.run(NOW - timedelta(hours=2), [3], job=other, name="Broken", over={"$ai_clusters": "[{"})
    made = report(tmp_path, project.write(tmp_path / "e.jsonl"), code=3)
    assert {s["job"]["name"]: s["status"] for s in made["jobs"]} == {
        "Default - traces": "ok",
        "Broken": "failed",
    }


@pytest.mark.parametrize("configured", [False, True])
def test_a_job_whose_only_run_has_a_broken_header_is_failed_with_all_faults(
    tmp_path: Path, configured: bool
) -> None:
    project = two_weeks()
    other = "019db7a4-1f60-7c1e-9a55-0d3c7be21009"
    clusters = [{"cluster_id": "zero", "size": 1, "title": "x", "description": "", "traces": {"t": {}}}]
    over = {"$ai_window_end": "soon", "$ai_clusters": clusters}
    broken = project.run(NOW - timedelta(hours=2), [3], job=other, name="Broken", over=over)
    listed = tmp_path / "jobs.json"
    listed.write_text(json.dumps(job_list({}, {"id": other, "name": "Broken"})))
    arguments = ("--jobs", str(listed)) if configured else ()
    made = report(tmp_path, project.write(tmp_path / "e.jsonl"), *arguments, code=3)
    assert {s["job"]["name"]: s["status"] for s in made["jobs"]} == {
        "Default - traces": "ok",
        "Broken": "failed",
    }
    (warning,) = made["warnings"]
    assert warning["job_id"] == other
    assert all(word in warning["message"] for word in (broken, "$.window_end", "$.clusters[0].cluster_id"))
    done = reporter("jobs", "--source", "e.jsonl", "--now", NOW_TEXT, cwd=tmp_path)
    assert "failed" in done.stdout


def test_a_filter_on_persons_an_export_does_not_hold_gives_no_population(tmp_path: Path) -> None:
    project = two_weeks()
    for event in project.events:
        del event["person_properties"]
    events = project.write(tmp_path / "e.jsonl")
    listed = tmp_path / "jobs.json"
    for operator in ("exact", "is_not"):
        person = {"key": "email", "type": "person", "value": ["SECRET@example.org"], "operator": operator}
        listed.write_text(json.dumps(job_list({"event_filters": [person]})))
        made = report(tmp_path, events, "--jobs", str(listed), "--redact", "numbers")
        assert made["jobs"][0]["coverage"]["population_items"] is None
        assert [w["code"] for w in made["warnings"]] == ["filters_not_applied"]
        assert "SECRET" not in json.dumps(made)
        assert made["jobs"][0]["job"]["event_filters"] == [person | {"value": None}]


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ([1], "Too little data to tell a change: 1 cluster."),
        ([60], "within its normal range."),
        ([60, 60, 3], "too small to judge."),
    ],
)
def test_what_was_not_tested_is_not_called_unchanged(tmp_path: Path, sizes: list[int], said: str) -> None:
    project = Project(12)
    for days in (8, 1):
        project.run(NOW - timedelta(days=days), sizes)
    made = report(tmp_path, project.write(tmp_path / "e.jsonl"), "--format", "md,json")
    summary = (tmp_path / "out" / "summary.md").read_text("utf-8")
    assert said in made["headline"]
    assert ("No cluster changed" in summary) == (sizes != [1])
    assert "1 traces" not in summary


def test_a_run_compared_with_itself_has_not_changed(tmp_path: Path) -> None:
    project = two_weeks()
    project.write(tmp_path / "e.jsonl")
    run = next(
        e["properties"]["$ai_clustering_run_id"] for e in project.events if e["event"] == "$ai_trace_clusters"
    )
    done = reporter("compare", run, run, "--source", "e.jsonl", "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    assert told["findings"] == []
    assert told["verdict"] == "no_clear_change"
    assert told["headline"].startswith("No clear change: "), "two runs by hand are no week"
    (job,) = told["jobs"]
    assert {t["kind"] for t in job["transitions"]} == {"continued"}
    assert min(t["confidence"] for t in job["transitions"]) > 0.99
    subjects = [job["overall"], job["noise"], *job["clusters"]]
    changes = [m for s in subjects if s for m in s["change"]["metrics"].values()]
    assert {m["difference"] for m in changes} <= {0.0, None}
    assert {m["call"] for m in changes} <= {"no_clear_change", "not_enough_data"}


def test_two_runs_the_other_way_round_turn_every_sign(tmp_path: Path) -> None:
    project = two_weeks()
    project.write(tmp_path / "e.jsonl")
    runs = sorted(
        {
            e["properties"]["$ai_clustering_run_id"]
            for e in project.events
            if e["event"] == "$ai_trace_clusters"
        }
    )
    told = []
    for out, pair in (("there", runs[:2]), ("back", runs[1::-1])):
        done = reporter(
            "compare", *pair, "--source", "e.jsonl", "--format", "json", "--out", out, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        told.append(json.loads((tmp_path / out / "report.json").read_text("utf-8"))["jobs"][0])
    there, back = told
    partner = {c["cluster_id"]: c["change"]["prior_cluster_ids"] for c in there["clusters"]}
    mirrored = {c["cluster_id"]: c["change"]["metrics"] for c in back["clusters"]}
    compared = 0
    for cluster in there["clusters"]:
        for name, change in cluster["change"]["metrics"].items():
            other = mirrored[partner[cluster["cluster_id"]][0]][name]
            assert change["call"] == other["call"]
            if change["low"] is not None:
                compared += 1
                assert change["difference"] == pytest.approx(-other["difference"], abs=1e-9)
                assert (change["low"], change["high"]) == pytest.approx(
                    (-other["high"], -other["low"]), abs=1e-9
                )
                assert change["q_value"] == pytest.approx(other["q_value"])
    assert compared > 10


def test_what_was_reported_is_known_to_the_next_report(tmp_path: Path) -> None:
    project = two_weeks()
    project.write(tmp_path / "e.jsonl")

    def told(out: str, *flags: str) -> dict[str, Any]:
        command = (
            "report",
            "--source",
            "e.jsonl",
            "--now",
            NOW.isoformat(),
            "--format",
            "json",
            "--out",
            out,
        )
        done = reporter(*command, *flags, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return json.loads((tmp_path / out / "report.json").read_text("utf-8"))

    def names(made: dict[str, Any]) -> list[tuple[str, int, bool]]:
        clusters = made["jobs"][0]["clusters"]
        return [(c["lineage_id"], c["lineage"]["runs"], c["lineage"]["provisional"]) for c in clusters]

    alone = told("alone", "--no-cache")
    first, second = told("first", "--state", "kept"), told("second", "--state", "kept")
    assert first == second, "the same report again says the same"
    assert [n[:2] for n in names(alone)] == [n[:2] for n in names(first)]
    assert ({n[2] for n in names(alone)}, {n[2] for n in names(first)}) == ({True}, {False})
    carried = told("carried", "--no-cache", "--previous", "first")
    assert names(carried) == names(first)
    (kept,) = (tmp_path / "kept").glob("lineage-*.json")
    assert kept.stat().st_mode & 0o077 == 0
    kept.write_text("{", encoding="utf-8")
    assert told("healed", "--state", "kept") == first
    bad = reporter("report", "--source", "e.jsonl", "--previous", "e.jsonl", cwd=tmp_path)
    assert bad.returncode == 2
    assert "report.json" in bad.stderr


def test_nothing_to_report_names_the_jobs_and_the_window(tmp_path: Path) -> None:
    project = Project(1)
    project.call(NOW - timedelta(days=1), "t")
    events = project.write(tmp_path / "e.jsonl")
    listed = tmp_path / "jobs.json"
    listed.write_text(json.dumps(job_list({"name": "Never ran"})))
    done = reporter(
        "report",
        "--source",
        str(events),
        "--jobs",
        str(listed),
        "--now",
        NOW_TEXT,
        "--out",
        "out",
        cwd=tmp_path,
    )
    assert done.returncode == 4
    assert "Never ran" in done.stderr
    assert "2026" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["report", "--source", "missing.parquet"], 3, "missing.parquet"),
        (["report", "--source", "e.jsonl", "--job", "Nobody"], 2, "Nobody"),
        (["report", "--source", "e.jsonl", "--format", "docx"], 2, "docx"),
        (
            ["compare", "77_trace_20200101_000000", "77_trace_20200102_000000", "--source", "e.jsonl"],
            3,
            "77_trace_20200101_000000",
        ),
        (["render", "nothing.json"], 2, "nothing.json"),
        (["verify", "e.jsonl"], 2, "e.jsonl"),
        (["report", "--source", "posthog"], 2, "project-id"),
    ],
)
def test_expected_failures_speak_to_a_person(
    tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    two_weeks().write(tmp_path / "e.jsonl")
    done = reporter(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_rules_are_judged_and_a_mistake_in_one_is_pointed_at(tmp_path: Path) -> None:
    events = two_weeks().write(tmp_path / "e.jsonl")
    made = report(tmp_path, events, "--fail-on", "total error_rate <= 0%", code=1)
    (gate,) = made["gates"]
    assert (gate["outcome"], gate["fails"], gate["value"]) == (
        "failed", True, made["jobs"][0]["overall"]["metrics"]["error_rate"],
    )  # fmt: skip
    report(tmp_path, events, "--fail-on", "total error_rate <= 100%")
    done = reporter("report", "--source", str(events), "--fail-on", "total eror_rate <= 5%", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean error_rate?" in done.stderr
    assert re.search(r"\n( *)total eror_rate <= 5%\n\1      \^\n", done.stderr)


def test_a_baseline_may_be_any_stored_run_but_must_exist(tmp_path: Path) -> None:
    project = two_weeks()
    old = project.run(NOW - timedelta(days=200), [20, 20])
    made = report(tmp_path, project.write(tmp_path / "e.jsonl"), "--baseline", old)
    assert made["jobs"][0]["prior"]["run_id"] == old
    done = reporter(
        "report",
        "--source",
        "e.jsonl",
        "--now",
        NOW_TEXT,
        "--baseline",
        old + "x",
        "--out",
        "no",
        cwd=tmp_path,
    )
    assert done.returncode == 3
    assert old + "x" in done.stderr
    assert not (tmp_path / "no").exists()


def test_compare_takes_runs_in_either_direction(tmp_path: Path) -> None:
    project = two_weeks()
    events = project.write(tmp_path / "e.jsonl")
    first, second = sorted(
        e["properties"]["$ai_clustering_run_id"] for e in project.events if e["event"] == "$ai_trace_clusters"
    )
    for prior, latest in ((first, second), (second, first)):
        done = reporter(
            "compare",
            prior,
            latest,
            "--source",
            str(events),
            "--now",
            NOW_TEXT,
            "--format",
            "json",
            "--out",
            "out",
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        made = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
        assert made["kind"] == "compare"
        assert (made["jobs"][0]["prior"]["run_id"], made["jobs"][0]["latest"]["run_id"]) == (prior, latest)
        assert_figures(made, events)


def test_render_gives_the_same_page_again_and_verify_finds_changes(tmp_path: Path) -> None:
    report(tmp_path, two_weeks().write(tmp_path / "e.jsonl"), "--format", "html,pdf,json")
    done = reporter("render", "out/report.json", "--out", "again", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("report.html", "report.pdf", "report.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes(), name
    assert reporter("verify", "out/report.json", cwd=tmp_path).returncode == 0
    page = tmp_path / "out" / "report.html"
    page.write_bytes(page.read_bytes() + b" ")
    done = reporter("verify", "out/report.json", cwd=tmp_path)
    assert done.returncode != 0
    assert "report.html" in done.stdout + done.stderr
    path = tmp_path / "again" / "report.json"
    changed = json.loads(path.read_text("utf-8"))
    changed["jobs"][0]["clusters"][0]["size"] += 1
    path.write_text(json.dumps(changed))
    done = reporter("verify", "again/report.json", cwd=tmp_path)
    assert done.returncode != 0
    assert "content_sha256" in done.stdout + done.stderr


def test_redaction_to_numbers_leaves_no_title_anywhere(tmp_path: Path) -> None:
    events = two_weeks(titles=["Zanzibar", "Quokka", "Xylophone"]).write(tmp_path / "e.jsonl")
    report(tmp_path, events, "--format", "html,json", "--redact", "numbers")
    written = "".join(path.read_text("utf-8") for path in (tmp_path / "out").iterdir())
    assert not any(word in written for word in ("Zanzibar", "Quokka", "Xylophone", "People ask about"))


def test_quotes_appear_only_where_they_may(tmp_path: Path) -> None:
    project = Project(9)
    texts = {"$ai_input": [{"role": "user", "content": "Mango Papaya question"}]}
    for days in (7, 0):
        project.run(NOW - timedelta(days=days, hours=7), [60, 40], noise=9)
    for event in project.events:
        if event["event"] == "$ai_generation":
            event["properties"] |= texts
            if event["timestamp"] > (NOW - timedelta(days=7)).isoformat():
                event["properties"]["$ai_total_cost_usd"] *= 6
    events = project.write(tmp_path / "e.jsonl")
    made = report(tmp_path, events, "--format", "html,json", "--redact", "quotes")
    named = {trace for finding in made["findings"] for trace in finding["trace_ids"]}
    exemplars = [e for c in made["jobs"][0]["clusters"] for e in c["exemplars"]]
    assert named
    assert {e["trace_id"] for e in exemplars if e["quote"]} == named & {e["trace_id"] for e in exemplars}
    assert "Mango Papaya question" in (tmp_path / "out" / "report.html").read_text("utf-8")
    report(tmp_path, events, "--format", "html,json")
    assert not any("Mango" in path.read_text("utf-8") for path in (tmp_path / "out").iterdir())


def test_demo_needs_nothing_and_verifies(tmp_path: Path) -> None:
    done = reporter("demo", "--now", NOW_TEXT, "--out", "demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {p.name for p in (tmp_path / "demo").iterdir()} == {"report.html", "report.pdf", "report.json"}
    assert reporter("verify", "demo/report.json", cwd=tmp_path).returncode == 0
