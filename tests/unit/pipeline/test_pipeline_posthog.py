"""The pipeline over PostHog's API, and the doctor, in this process."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reporter import pipeline
from reporter.config import Secret, Settings
from reporter.errors import NothingToReport, SourceError, UsageError
from reporter.pipeline import drilldown
from reporter.state import StateFolder
from tests.e2e.test_posthog_api import jobs, world
from tests.events import NOW, Project, job_list
from tests.servers.fixtures import posthog  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from reporter.pipeline.doctor import Check
    from tests.servers.handle import PostHog
    from tests.servers.handle import Project as Served


class Steps:
    """Keeps what the pipeline says it is doing."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def step(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture(scope="module")
def made(posthog: PostHog, tmp_path_factory: pytest.TempPathFactory) -> Project:  # noqa: F811 (the fixture)
    """Ask everything once: what the stand-in takes to parse a statement is no part of the time a run is given."""
    made = world()
    known = settings_of(started(posthog, made), tmp_path_factory.mktemp("known"), timeout_s=600.0)
    pipeline.run_report(known, progress=Steps())
    return made


def started(posthog: PostHog, made: Project) -> Served:  # noqa: F811 (the fixture)
    return posthog.project(made.events, jobs(), timezone="Europe/Berlin")


@pytest.fixture
def served(posthog: PostHog, made: Project) -> Served:  # noqa: F811 (the fixture)
    return started(posthog, made)


def settings_of(served: Served, folder: Path, **more: Any) -> Settings:
    given: dict[str, Any] = {
        "host": served.url, "project_id": served.id, "api_key": Secret(served.key), "now": NOW,
        "out": folder / "out", "formats": ("json",), "state": folder / "state", "timeout_s": 60.0,
    }  # fmt: skip
    return Settings(**(given | more))


@pytest.fixture
def settings(served: Served, tmp_path: Path) -> Settings:
    return settings_of(served, tmp_path)


def examined(settings: Settings, tmp_path: Path) -> dict[str, Check]:
    state = StateFolder(settings.state or tmp_path / "state", warn=pytest.fail)
    return {check.name: check for check in pipeline.examine(settings, state, progress=Steps())}


def test_a_report_is_made_and_what_it_cost_is_told(settings: Settings, served: Served) -> None:
    steps = Steps()
    outcome = pipeline.run_report(settings, progress=steps)
    assert [section.status for section in outcome.report.jobs] == ["ok", "ok", "ok"]
    assert outcome.problems == ()
    assert any(said.startswith("PostHog answered ") for said in steps.said)
    served.clear()
    again = pipeline.run_report(settings, progress=Steps())
    assert again.report == outcome.report
    assert len(served.log()) == 2


@pytest.mark.parametrize(
    ("skew_s", "told", "does"),
    [
        (-7200, "2 h ahead of", "may be called stale too early"),
        (172_800, "48 h behind", "what was stored in between is not in it"),
    ],
)
def test_a_clock_that_does_not_agree_with_the_servers_is_told_where_the_report_goes_by_it(
    settings: Settings, served: Served, skew_s: float, told: str, does: str
) -> None:
    served.fault(skew_s=skew_s, times=-1)
    by_the_clock = replace(settings, now=None, since=NOW - timedelta(days=98))
    found = pipeline.run_report(by_the_clock, progress=Steps()).report
    (caveat,) = [caveat for caveat in found.warnings if caveat.code == "clock_off"]
    message = caveat.message.replace("\xa0", " ")
    assert message.startswith(f"This machine's clock is {told} PostHog's, and this report goes by it: ")
    assert does in message
    by_a_given_time = pipeline.run_report(settings, progress=Steps()).report
    assert "clock_off" not in {caveat.code for caveat in by_a_given_time.warnings}


def test_lists_and_comparisons_ask_for_no_more_than_they_need(settings: Settings, served: Served) -> None:
    rows = pipeline.list_jobs(settings, progress=Steps(), warn=pytest.fail)
    assert [(row.level, row.status) for row in rows] == [
        ("trace", "ok"),
        ("generation", "ok"),
        ("evaluation", "ok"),
    ]
    runs = pipeline.list_runs(replace(settings, level="trace"), progress=Steps(), warn=pytest.fail)
    assert len(runs) == 9
    assert all(request.name in ("", "reporter:runs") for request in served.log())
    outcome = pipeline.run_compare(settings, runs[-1].run_id, runs[0].run_id, progress=Steps())
    assert outcome.report.jobs[0].prior is not None
    itself = pipeline.run_compare(settings, runs[0].run_id, runs[0].run_id, progress=Steps())
    assert itself.report.findings == []


def test_looking_closer_works_over_the_api(settings: Settings) -> None:
    shown = drilldown.show_cluster(
        settings, "Default - traces", "0", sort="cost", limit=5, by=("desk",), progress=Steps()
    )
    assert shown.prior_run_id is not None
    assert len(shown.items) == 5
    assert [i.cost_usd for i in shown.items] == sorted((i.cost_usd for i in shown.items), reverse=True)
    assert {d.dimension for d in shown.cluster.drivers} <= {"desk"}
    listed = drilldown.list_traces(
        settings, run_name="Default - traces", cluster_name="0", since=None, until=None, filters={}, limit=500,
        progress=Steps(),
    )  # fmt: skip
    assert {i.trace_id for i in shown.items} <= {t.trace_id for t in listed.traces}
    traced = drilldown.show_trace(settings, shown.items[0].trace_id or "", progress=Steps())
    assert traced.trace.cost_usd == pytest.approx(shown.items[0].cost_usd)
    answer = drilldown.put_query(
        settings,
        "SELECT count() AS n FROM events WHERE event = {kind} AND timestamp >= toDateTime({since}, 'UTC')",
        {"kind": "$ai_trace_clusters"}, since=NOW - timedelta(days=3), until=None, unbounded=False, limit=10,
        progress=Steps(),
    )  # fmt: skip
    assert (answer.columns, answer.rows) == (["n"], [[3]])
    with pytest.raises(UsageError, match="refused"):
        drilldown.put_query(
            settings, "SELEC 1", {}, since=None, until=None, unbounded=True, limit=10, progress=Steps()
        )


def test_a_baseline_is_found_by_its_id_alone(settings: Settings) -> None:
    runs = pipeline.list_runs(settings, progress=Steps(), warn=pytest.fail)
    oldest = [run for run in runs if run.level == "generation"][-1].run_id
    named = replace(settings, baseline=oldest, level="generation", since=timedelta(days=3))
    outcome = pipeline.run_report(named, progress=Steps())
    assert outcome.report.jobs[0].prior is not None
    assert outcome.report.jobs[0].prior.run_id == oldest


def test_jobs_that_cannot_be_measured_fail_and_a_source_that_fails_at_all_of_them_raises(
    settings: Settings, served: Served, made: Project
) -> None:
    its = "|".join(e["uuid"] for e in made.events if e["event"] == "$ai_generation_clusters")
    refusal = {"type": "validation_error", "code": "query_error", "detail": "no"}
    served.fault(status=400, times=-1, match={"name": "items", "holds": its}, body=refusal)
    outcome = pipeline.run_report(replace(settings, no_cache=True), progress=Steps())
    assert [section.status for section in outcome.report.jobs] == ["ok", "failed", "ok"]
    assert [problem.exit_code for problem in outcome.problems] == [3]
    served.heal()
    served.fault(status=400, times=-1, match={"name": "items"}, body=refusal)
    with pytest.raises(SourceError):
        pipeline.run_report(replace(settings, no_cache=True), progress=Steps())


def test_nothing_to_report_on_names_the_jobs(posthog: PostHog, tmp_path: Path) -> None:  # noqa: F811
    served = posthog.project([], jobs())
    with pytest.raises(NothingToReport, match="Default - traces"):
        pipeline.run_report(settings_of(served, tmp_path), progress=Steps())


def test_quotes_come_from_what_posthog_keeps_of_the_words(
    posthog: PostHog,  # noqa: F811 (the fixture)
    tmp_path: Path,
) -> None:
    weeks = Project(seed=5)
    for day in (7, 0):
        weeks.run(NOW - timedelta(days=day, hours=7), [60, 50], titles=("Refund disputes", "Password help"))
    for event in weeks.events:
        if event["event"] == "$ai_generation" and event["timestamp"] > "2026-11-16T01":
            event["properties"]["$ai_input"] = [{"role": "user", "content": "Where is my parcel?"}]
            event["properties"]["$ai_total_cost_usd"] *= 40
    served = posthog.project(weeks.events, job_list({}))
    outcome = pipeline.run_report(settings_of(served, tmp_path, redact="quotes"), progress=Steps())
    named = {trace for finding in outcome.report.findings for trace in finding.trace_ids}
    assert named
    exemplars = [e for s in outcome.report.jobs for c in s.clusters for e in c.exemplars]
    assert {e.quote for e in exemplars if e.trace_id in named} == {"Where is my parcel?"}
    asked = [request.name for request in served.log()]
    assert asked.count("reporter:what traces said") == 1


def test_doctor_finds_nothing_wrong_where_nothing_is(settings: Settings, tmp_path: Path) -> None:
    checks = examined(settings, tmp_path)
    for name in ("host", "key", "queries (scope query:read)", "project", "jobs (scope llm_analytics:read)", "clock",
                 "query budget", "libraries", "state folder"):  # fmt: skip
        assert checks[name].outcome == "pass", checks[name]
    assert "Acme" in checks["project"].found
    assert "Europe/Berlin" in checks["queries (scope query:read)"].found


def test_doctor_warns_of_a_small_budget(settings: Settings, served: Served, tmp_path: Path) -> None:
    served.budget(500_000_000)
    check = examined(settings, tmp_path)["query budget"]
    assert check.outcome == "warn"
    assert check.hint


@pytest.mark.parametrize(
    ("change", "name", "word"),
    [
        ({"api_key": None}, "key", "POSTHOG_PERSONAL_API_KEY"),
        ({"project_id": None}, "project", "POSTHOG_PROJECT_ID"),
        ({"api_key": Secret("phx_somebody_elses")}, "queries (scope query:read)", "region"),
        ({"project_id": "999999"}, "queries (scope query:read)", "project-id"),
    ],
)
def test_doctor_says_what_to_do(
    settings: Settings, tmp_path: Path, change: dict[str, Any], name: str, word: str
) -> None:
    check = examined(replace(settings, **change), tmp_path)[name]
    assert check.outcome == "fail"
    assert word in check.hint


def test_doctor_tells_an_empty_project_from_a_broken_one(posthog: PostHog, tmp_path: Path) -> None:  # noqa: F811
    served = posthog.project([], [], scopes=("query:read",))
    checks = examined(settings_of(served, tmp_path), tmp_path)
    assert checks["clustering runs"].outcome == "fail"
    assert "1,000" in checks["clustering runs"].hint
    assert checks["AI events"].outcome == "warn"
    assert checks["jobs (scope llm_analytics:read)"].outcome == "warn"
    assert checks["project"].outcome == "warn"


def test_doctor_looks_at_an_export(made: Project, tmp_path: Path) -> None:
    whole = made.write(tmp_path / "events.jsonl")
    good = examined(Settings(source=str(whole), no_cache=True), tmp_path)
    assert good["source"].outcome == "pass"
    assert "not used" in good["state folder"].found
    bad = examined(Settings(source=str(tmp_path / "nowhere")), tmp_path)
    assert bad["source"].outcome == "fail"


def test_doctor_warns_of_a_state_folder_that_cannot_be_used(made: Project, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    source = str(made.write(tmp_path / "events.jsonl"))
    assert (
        examined(Settings(source=source, state=tmp_path / "file"), tmp_path)["state folder"].outcome == "warn"
    )


def test_the_command_prints_a_line_a_check(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from reporter.cli import main

    assert settings.api_key is not None
    monkeypatch.setenv("POSTHOG_PERSONAL_API_KEY", settings.api_key.reveal())
    words = [
        "--host",
        settings.host,
        "--project-id",
        str(settings.project_id),
        "--state",
        str(tmp_path / "state"),
    ]
    code = main(["doctor", *words])
    printed = capsys.readouterr().out
    assert "pass key: set" in printed
    assert code in (0, 3)  # the world's events lie in the future or past of the machine's clock
    main(["doctor", *words, "--json"])
    assert {"name", "outcome", "found", "hint"} == set(json.loads(capsys.readouterr().out)["checks"][0])
