"""The main job against PostHog's API: the same report as from an export, in few trips, and no key anywhere."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.commands import reporter
from tests.events import NOW, Project, job_list
from tests.servers.fixtures import posthog  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from tests.servers.handle import PostHog, Request
    from tests.servers.handle import Project as Served

NOW_TEXT = "2026-11-23T08:00:00Z"
JOBS = {
    "trace": "019db7a4-1f60-7c1e-9a55-0d3c7be21001",
    "generation": "019db7a4-1f60-7c1e-9a55-0d3c7be21002",
    "evaluation": "019db7a4-1f60-7c1e-9a55-0d3c7be21003",
}
DESK = {"key": "desk", "value": ["support"], "operator": "exact", "type": "event"}
MOST_TRIPS, MOST_QUERIES = 6, 40
MOST_TRIPS_AGAIN, MOST_REQUESTS_AGAIN = 2, 6


def world() -> Project:
    """Make nine daily runs of three jobs, one a level."""
    made = Project(seed=11)
    for level, job in JOBS.items():
        for day in range(9):
            end = NOW - timedelta(days=day, hours=7 if level != "evaluation" else 1)
            made.run(end, [18, 12, 9], level=level, job=job, name=f"Default - {level}s", noise=5,
                     days=3 if level == "evaluation" else 7,
                     titles=("Refund disputes", "Password help", "Parcel tracking"))  # fmt: skip
    for number, event in enumerate(made.events):
        if event["event"] != "$ai_trace_clusters" and number % 2:
            event["properties"]["desk"] = "support"
    return made


def jobs() -> dict[str, Any]:
    return job_list(
        *(
            {"id": job, "name": f"Default - {level}s", "analysis_level": level,
             "event_filters": [DESK] if level == "generation" else []}
            for level, job in JOBS.items()
        )
    )  # fmt: skip


@pytest.fixture(scope="module")
def made() -> Project:
    return world()


@pytest.fixture
def served(posthog: PostHog, made: Project) -> Served:  # noqa: F811 (the fixture)
    """Serve the world as a project of its own, with the delay of a distant server."""
    return posthog.project(made.events, jobs(), latency_s=0.08, timezone="Asia/Kathmandu")


def env(served: Served, **more: str) -> dict[str, str]:
    return {
        "POSTHOG_HOST": served.url,
        "POSTHOG_PROJECT_ID": served.id,
        "POSTHOG_PERSONAL_API_KEY": served.key,
        **more,
    }


def asked(tmp: Path, served: Served, *arguments: str, code: int = 0, **more: str) -> Any:
    """Report over the API; gives the finished process."""
    words = ("report", "--now", NOW_TEXT, "--format", "json", "--out", "out", *arguments)
    done = reporter(*words, cwd=tmp, env=env(served, **more))
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def document(tmp: Path, folder: str = "out") -> dict[str, Any]:
    read: dict[str, Any] = json.loads((tmp / folder / "report.json").read_text("utf-8"))
    return read


def trips(log: list[Request]) -> int:
    """Count the longest chain of requests each begun after another's end."""
    chain, free_at = 0, float("-inf")
    for request in sorted(log, key=lambda one: one.ended):
        if request.started >= free_at:
            chain, free_at = chain + 1, request.ended
    return chain


def queries(log: list[Request]) -> list[Request]:
    return [request for request in log if request.method == "POST"]


def without_source(made: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in made.items() if name not in ("source", "files", "content_sha256")}


TYPED = {
    "$ai_total_cost_usd": "Numeric", "$ai_latency": "Numeric", "$ai_input_tokens": "Numeric",
    "$ai_output_tokens": "Numeric", "$ai_http_status": "Numeric", "$ai_is_error": "Boolean",
    "$ai_evaluation_result": "Boolean", "$ai_evaluation_applicable": "Boolean", "$ai_window_end": "DateTime",
    "$ai_total_items_analyzed": "Numeric", "$ai_trace_id": "DateTime",
}  # fmt: skip


@pytest.mark.parametrize("types", [{}, TYPED], ids=["untyped", "typed"])
def test_the_report_is_that_of_an_export_of_the_same_events(
    tmp_path: Path,
    posthog: PostHog,  # noqa: F811 (the fixture)
    made: Project,
    types: dict[str, str],
) -> None:
    twice = [*made.events, *made.events[::7]]  # at-least-once delivery leaves copies
    served = posthog.project(twice, jobs(), timezone="America/St_Johns", property_types=types)
    asked(tmp_path, served)
    (tmp_path / "jobs.json").write_text(json.dumps(jobs()))
    done = reporter(
        "report", "--source", str(made.write(tmp_path / "events.jsonl")), "--jobs", "jobs.json",
        "--host", served.url, "--project-id", served.id,
        "--now", NOW_TEXT, "--format", "json", "--out", "exported", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ours, theirs = document(tmp_path), document(tmp_path, "exported")
    assert without_source(ours) == without_source(theirs)
    assert ours["source"] == {"kind": "posthog", "location": served.url.removeprefix("http://"),
                              "project_id": served.id}  # fmt: skip
    assert [section["status"] for section in ours["jobs"]] == ["ok", "ok", "ok"]


def test_a_run_that_clickhouse_cannot_read_as_json_is_reported_all_the_same(
    tmp_path: Path,
    posthog: PostHog,  # noqa: F811 (the fixture)
    made: Project,
) -> None:
    def spoilt(event: dict[str, Any]) -> dict[str, Any]:
        if event["event"] not in ("$ai_trace_clusters", "$ai_generation_clusters"):
            return event
        return {**event, "properties": {**event["properties"], "$ai_silhouette_score": float("nan")}}

    asked(tmp_path, posthog.project(made.events, jobs()))
    sound = document(tmp_path)
    asked(tmp_path, posthog.project([spoilt(event) for event in made.events], jobs()), "--no-cache")
    found = document(tmp_path)
    assert [s["overall"]["metrics"] for s in found["jobs"]] == [
        s["overall"]["metrics"] for s in sound["jobs"]
    ]
    assert [s["transitions"] for s in found["jobs"]] == [s["transitions"] for s in sound["jobs"]]


def test_trips_are_few_and_fewer_when_nothing_is_new(tmp_path: Path, served: Served) -> None:
    asked(tmp_path, served)
    cold, first = served.log(), (tmp_path / "out" / "report.json").read_bytes()
    assert trips(cold) <= MOST_TRIPS
    assert len(queries(cold)) <= MOST_QUERIES
    served.clear()
    asked(tmp_path, served)
    again = served.log()
    assert trips(again) <= MOST_TRIPS_AGAIN
    assert len(again) <= MOST_REQUESTS_AGAIN
    assert (tmp_path / "out" / "report.json").read_bytes() == first


def test_without_a_state_folder_nothing_is_kept(tmp_path: Path, served: Served) -> None:
    asked(tmp_path, served, "--no-cache")
    first = len(served.log())
    asked(tmp_path, served, "--no-cache")
    assert len(served.log()) == 2 * first
    assert not list((tmp_path / "state").rglob("*.gz"))


def test_requests_keep_the_manners(tmp_path: Path, served: Served) -> None:
    asked(tmp_path, served, "--redact", "quotes")
    log = served.log()
    assert {request.method for request in log} == {"GET", "POST"}
    assert all(request.keyed for request in log)
    put = queries(log)
    assert all(request.path.endswith("/query/") for request in put)
    assert all(request.concurrent <= 2 for request in put)
    assert all(request.name.startswith("reporter:") for request in put)
    assert all(request.refresh == "force_blocking" for request in put)
    assert len({request.client_query_id for request in put}) == len(put)
    assert all(request.bounded for request in put if request.kind == "HogQLQuery"), [
        request.name for request in put if not request.bounded
    ]
    assert not any("x-posthog-client" in request.headers for request in log)


def test_the_key_is_nowhere(tmp_path: Path, served: Served) -> None:
    done = asked(tmp_path, served, "--verbose", "--format", "html,json,md,csv")
    served.fault(action="echo_key", status=400, times=-1, match={"name": "items"})
    failed = reporter(
        "report", "--now", NOW_TEXT, "--no-cache", "-v", "--out", "failed", cwd=tmp_path, env=env(served)
    )
    assert failed.returncode == 3, failed.stderr
    written = [done.stdout.encode(), done.stderr.encode(), failed.stdout.encode(), failed.stderr.encode()]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            written.append(gzip.decompress(data) if path.suffix == ".gz" else data)
    assert len(written) > 10
    assert not [data[:80] for data in written if served.key.encode() in data]


def test_state_is_private(tmp_path: Path, served: Served) -> None:
    asked(tmp_path, served)
    kept = list((tmp_path / "state").rglob("*.gz"))
    assert kept
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    assert {path.parent.stat().st_mode & 0o777 for path in kept} == {0o700}


def test_damaged_state_is_set_aside_and_read_anew(tmp_path: Path, served: Served) -> None:
    asked(tmp_path, served)
    first = (tmp_path / "out" / "report.json").read_bytes()
    for path in (tmp_path / "state").rglob("*.gz"):
        path.write_bytes(path.read_bytes()[:-9])
    asked(tmp_path, served)
    assert (tmp_path / "out" / "report.json").read_bytes() == first


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "wrong key": ({"status": 401, "body": {"type": "authentication_error", "detail": "invalid"}}, "API key"),
    "no scope": ({"status": 403, "body": {"detail": "API key missing required scope 'query:read'"}}, "query:read"),
    "quota": ({"status": 402, "body": {"code": "quota_limit_exceeded", "detail": "over"}}, "quota"),
    "budget": ({"status": 429, "headers": {"Retry-After": "3600"},
                "body": {"code": "api_queries_budget_exceeded", "detail": "spent"}}, "budget"),
    "redirect": ({"status": 301, "headers": {"Location": "https://elsewhere.example/api/"}}, "redirect"),
    "sign-in page": ({"status": 200, "body": "<html>Sign in</html>"}, "not what PostHog answers"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_told_and_ends_with_3(tmp_path: Path, served: Served, name: str) -> None:
    rule, word = REFUSED[name]
    served.fault(times=-1, match={"method": "POST"}, **rule)
    done = asked(tmp_path, served, code=3)
    assert word in done.stderr
    assert "hint:" in done.stderr
    assert not (tmp_path / "out").exists()


def test_without_the_scope_for_jobs_the_report_goes_on(
    tmp_path: Path,
    posthog: PostHog,  # noqa: F811 (the fixture)
    made: Project,
) -> None:
    served = posthog.project(made.events, jobs(), scopes=("query:read",))
    asked(tmp_path, served)
    found = document(tmp_path)
    assert [warning["code"] for warning in found["warnings"]] == ["jobs_unknown"]
    assert [section["job"]["enabled"] for section in found["jobs"]] == [None, None, None]


def test_an_older_server_and_a_sub_path_work(tmp_path: Path, posthog: PostHog, made: Project) -> None:  # noqa: F811
    served = posthog.project(made.events, jobs(), prefix="environments", sub_path="/posthog", bare_jobs=True)
    asked(tmp_path, served)
    assert [section["status"] for section in document(tmp_path)["jobs"]] == ["ok", "ok", "ok"]


def test_a_question_that_is_too_large_is_divided(tmp_path: Path, served: Served) -> None:
    asked(tmp_path, served, "--no-cache")
    whole = document(tmp_path)
    for name in ("items", "failures", "memberships", "whole runs", "totals"):
        # One population cannot be divided any further, and two jobs ask at the same time.
        served.fault(status=504, times=1 if name == "totals" else 2, match={"name": name},
                     body={"type": "server_error", "code": "timeout", "detail": "Estimated time is too long"})  # fmt: skip
    asked(tmp_path, served, "--no-cache")
    assert without_source(document(tmp_path)) == without_source(whole)


@pytest.mark.parametrize("name", ["whole runs", "items", "failures", "memberships"])
def test_one_job_that_cannot_be_read_costs_no_other_its_report(
    tmp_path: Path, served: Served, made: Project, name: str
) -> None:
    its = [
        event["uuid"] for event in made.events
        if event["properties"].get("$ai_clustering_job_id") == JOBS["generation"]
    ]  # fmt: skip
    served.fault(status=400, times=-1, match={"name": name, "holds": "|".join(its)},
                 body={"type": "validation_error", "code": "query_error", "detail": "cannot be read"})  # fmt: skip
    done = asked(tmp_path, served, code=0 if name == "memberships" else 3)
    found = document(tmp_path)
    status = {section["job"]["level"]: section["status"] for section in found["jobs"]}
    if name == "memberships":  # the runs between carry identity; without them the report is poorer
        assert {warning["code"] for warning in found["warnings"]} == {"run_unreadable"}
        assert set(status.values()) == {"ok"}
    else:
        assert status == {"trace": "ok", "generation": "failed", "evaluation": "ok"}
        assert "cannot be read" in next(s for s in found["jobs"] if s["status"] == "failed")["status_reason"]
        assert "cannot be read" in done.stderr


def test_a_population_that_cannot_be_measured_is_unknown_and_named(tmp_path: Path, served: Served) -> None:
    served.estimated_512(times=-1, match={"name": "totals"})
    asked(tmp_path, served)
    found = document(tmp_path)
    assert {warning["code"] for warning in found["warnings"]} == {"population_unknown"}
    assert all(section["coverage"]["population_items"] is None for section in found["jobs"])


@pytest.mark.parametrize(
    ("missing", "word"),
    [("POSTHOG_PROJECT_ID", "project"), ("POSTHOG_PERSONAL_API_KEY", "key")],
)
def test_a_missing_setting_is_a_matter_of_usage(
    tmp_path: Path, served: Served, missing: str, word: str
) -> None:
    settings = env(served)
    del settings[missing]
    done = reporter("report", cwd=tmp_path, env=settings)
    assert done.returncode == 2, done.stderr
    assert word in done.stderr
    assert served.log() == []


def test_doctor_passes_where_all_is_well(tmp_path: Path, served: Served) -> None:
    done = reporter("doctor", "--json", cwd=tmp_path, env=env(served))
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    for name in (
        "host",
        "key",
        "queries (scope query:read)",
        "project",
        "jobs (scope llm_analytics:read)",
        "clock",
    ):
        assert checks[name]["outcome"] == "pass", checks[name]
    assert "Asia/Kathmandu" in checks["queries (scope query:read)"]["found"]


def test_doctor_says_what_to_do_about_a_key_without_scope(tmp_path: Path, posthog: PostHog) -> None:  # noqa: F811
    served = posthog.project([], [], scopes=())
    done = reporter("doctor", cwd=tmp_path, env=env(served))
    assert done.returncode == 3
    assert "fail queries" in done.stdout
    assert "query:read" in done.stdout


def test_compare_finds_runs_by_their_ids_alone(tmp_path: Path, served: Served) -> None:
    listed = reporter("runs", "--level", "trace", "--json", "--now", NOW_TEXT, cwd=tmp_path, env=env(served))
    ids = [run["run_id"] for run in json.loads(listed.stdout)["runs"]]
    done = reporter(
        "compare",
        ids[-1],
        ids[0],
        "--now",
        NOW_TEXT,
        "--format",
        "json",
        "--out",
        "out",
        cwd=tmp_path,
        env=env(served),
    )
    assert done.returncode == 0, done.stderr
    found = document(tmp_path)
    assert (found["jobs"][0]["prior"]["run_id"], found["jobs"][0]["latest"]["run_id"]) == (ids[-1], ids[0])


def test_incident_and_closer_look_are_those_of_an_export(
    tmp_path: Path, served: Served, made: Project
) -> None:
    export = made.write(tmp_path / "events.jsonl")
    (tmp_path / "jobs.json").write_text(json.dumps(jobs()))
    window = ("--from", "2026-11-17T00:00Z", "--to", "2026-11-20T00:00Z", "--by", "desk")
    common = ("--now", NOW_TEXT, "--format", "json", "--baseline", "previous-hours")
    local = (
        "--source", str(export), "--jobs", "jobs.json", "--host", served.url, "--project-id", served.id, "--no-cache",
    )  # fmt: skip
    done = [
        reporter("incident", *window, *common, "--out", "near", *local, cwd=tmp_path),
        reporter("incident", *window, *common, "--out", "far", cwd=tmp_path, env=env(served)),
    ]
    assert [one.returncode for one in done] == [0, 0], done
    near, far = (document(tmp_path, folder)["incident"] for folder in ("near", "far"))
    assert near["overall"]["during"]["calls"] > 20
    assert near["clusters"]
    assert {part["dimension"] for part in near["by"]} >= {"model", "desk"}
    assert far == near
    for words in (
        ("cluster", "Default - traces", "0", "--limit", "5", "--by", "desk"),
        ("traces", "--run", "Default - traces", "--cluster", "0", "--limit", "200"),
    ):
        asked_for = [*words, "--now", NOW_TEXT, "--json"]
        here = reporter(*asked_for, *local, cwd=tmp_path)
        there = reporter(*asked_for, "--no-cache", cwd=tmp_path, env=env(served))
        assert here.stdout, here.stderr
        assert json.loads(there.stdout) == json.loads(here.stdout)
