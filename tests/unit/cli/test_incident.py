"""incident, over the bundled events and their planted outage."""

import json
from importlib.resources import files

import pytest

from reporter.cli import app

EVENTS = str(files("reporter.sources.demo") / "events.parquet")
JOBS = str(files("reporter.sources.demo") / "jobs.json")
OUTAGE = ("--from", "2026-03-13T12:00Z", "--to", "2026-03-13T16:30Z")


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))

    def run(*arguments, now="2026-03-16T08:00:00Z"):
        code = app.main(
            ["incident", *arguments, "--source", EVENTS, "--jobs", JOBS, "--now", now, "--out", "out"]
        )
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def made(call, tmp_path):
    def run(*arguments):
        code, _, err = call(*arguments, "--format", "json")
        assert code == 0, err
        return json.loads((tmp_path / "out" / "report.json").read_text())

    return run


def test_the_planted_outage_is_found_and_nothing_else_is_blamed(made):
    report = made(*OUTAGE)
    told = report["incident"]
    assert (report["kind"], report["verdict"], told["status"]) == ("incident", "changed", "ok")
    affected = [c for c in told["clusters"] if c["verdict"] == "affected"]
    assert [c["title"] for c in affected] == ["Bank statements read into transactions"]
    assert "2026-03-13T12:30:00Z" <= affected[0]["onset_at"] <= "2026-03-13T13:30:00Z"
    assert told["causes"][0]["cause"].startswith("429: Rate limit reached")
    assert told["causes"][0]["count"] == told["overall"]["during"]["failed"]
    by_model = {p["value"]: p["inside"]["failed_share"] for p in told["by"] if p["dimension"] == "model"}
    assert max(by_model, key=by_model.get) == "mistral-medium-3"
    assert report["jobs"] == report["findings"] == []


def test_the_same_hours_and_a_run_may_be_the_baseline(made):
    weeks = made(*OUTAGE, "--baseline", "same-hours-last-weeks")["incident"]
    assert len(weeks["baselines"]) == 4
    run = "4182_trace_20260312_003805_019c1a52-6e01-7d3b-9c42-5b1f0a7e4101"
    by_run = made(*OUTAGE, "--baseline", run)["incident"]
    assert run in by_run["baseline"]
    title = "Bank statements read into transactions"
    assert [c["title"] for c in by_run["clusters"] if c["verdict"] == "affected"] == [title]
    assert weeks["overall"]["onset_at"] is not None
    assert {c["title"] for c in weeks["clusters"] if c["verdict"] == "affected"} <= {title}


def test_any_property_may_be_compared_by(made):
    parts = made(*OUTAGE, "--by", "plan", "--by", "model", "--by", "nobody set this")["incident"]["by"]
    plans = {part["value"]: part["inside"]["calls"] for part in parts if part["dimension"] == "plan"}
    assert set(plans) >= {"free", "starter"}
    assert {part["dimension"] for part in parts} == {"model", "provider", "status", "plan"}


def test_a_calm_window_says_so(made):
    report = made("--from", "2026-03-05T08:00Z", "--to", "2026-03-05T14:00Z")
    assert report["verdict"] == "no_clear_change"
    assert [c for c in report["incident"]["clusters"] if c["verdict"] == "affected"] == []


def test_a_window_no_run_covers_has_calls_but_no_clusters(made):
    told = made("--from", "2026-03-16T05:00Z", "--to", "2026-03-16T07:00Z")["incident"]
    assert told["status"] == "no_run"
    assert told["clusters"] == []
    assert told["unassigned"]["calls"] == told["overall"]["during"]["calls"] > 0


def test_numbers_hide_words_and_users_are_only_counted(made):
    text = json.dumps(made(*OUTAGE, "--redact", "numbers"))
    assert "Bank statements" not in text
    assert "Rate limit" not in text
    assert "distinct_id" not in text


def test_every_format_is_made_and_says_the_same(call, tmp_path):
    code, out, err = call(
        *OUTAGE, "--format", "html,pdf,json,md,csv", "--tz", "Europe/Berlin", "--title", "Down"
    )
    assert (code, err) == (0, "")
    headline = json.loads((tmp_path / "out" / "report.json").read_text())["headline"]
    assert " ".join(headline.split()) in " ".join(out.split())
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Bank statements read into transactions" in page
    assert "CET" in page
    assert "27 of 41" in page
    assert "27 of 41" in (tmp_path / "out" / "summary.md").read_text()
    assert (tmp_path / "out" / "report.pdf").read_bytes().startswith(b"%PDF")
    assert app.main(["verify", str(tmp_path / "out" / "report.json")]) == 0
    assert (
        app.main(["render", str(tmp_path / "out" / "report.json"), "--redact", "numbers", "--out", "low"])
        == 0
    )
    assert "Bank statements" not in (tmp_path / "low" / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--from", "2026-03-13T16:00Z", "--to", "2026-03-13T12:00Z"), 2, "ends before it begins"),
        (("--from", "2027-01-01"), 2, "lies in the future"),
        (("--from", "2020-01-01", "--to", "2020-01-02"), 4, "no AI call was made in this window"),
        ((*OUTAGE, "--baseline", "nonsense"), 3, "no run with this id"),
        (
            ("--from", "2026-03-02", "--to", "2026-03-03", "--baseline",
             "4182_trace_20260316_012828_019c1a52-6e01-7d3b-9c42-5b1f0a7e4101"), 2, "no time before the incident"),
        (("--from", "soon"), 2, "--from"),
        ((), 2, "--from"),
    ],
)  # fmt: skip
def test_what_cannot_be_reported_is_told(call, arguments, code, words, tmp_path):
    found, out, err = call(*arguments)
    assert (found, out) == (code, "")
    assert words in err
    assert not (tmp_path / "out").exists()


def test_an_end_in_the_future_is_cut_and_told(call, tmp_path):
    code, _, err = call("--from", "2h", "--to", "2026-03-17", "--format", "json", now="2026-03-13T14:00:00Z")
    assert code == 0, err
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [w["code"] for w in report["warnings"]] == ["incident_open"]
    assert report["incident"]["to"] == "2026-03-13T14:00:00Z"
    assert report["incident"]["after"] is None


def test_small_clusters_are_not_named(made):
    text = json.dumps(made(*OUTAGE, "--min-text-items", "1000"))
    assert "Bank statements" not in text
    assert "Cluster 6" in text or "Cluster " in text


def test_a_broken_run_gives_way_to_the_next(made, monkeypatch):
    from reporter.errors import RunUnreadable
    from reporter.sources.export import ExportSource

    whole, asked = ExportSource.run, []

    def broken(self, run_id):
        asked.append(run_id)
        if len(asked) == 1:
            raise RunUnreadable(run_id, ["broken on purpose"])
        return whole(self, run_id)

    monkeypatch.setattr(ExportSource, "run", broken)
    report = made(*OUTAGE)
    assert [w["code"] for w in report["warnings"]] == ["run_unreadable"]
    assert asked[0] not in {run["run_id"] for run in report["incident"]["runs"]}
    assert [c["title"] for c in report["incident"]["clusters"] if c["verdict"] == "affected"]


def test_further_runs_that_cannot_be_read_cost_no_more_than_their_items(made, monkeypatch):
    from reporter.errors import SourceError
    from reporter.sources.export import ExportSource

    whole = made(*OUTAGE)["incident"]

    def lost(_source, _run_ids):
        raise SourceError("no membership can be read")

    monkeypatch.setattr(ExportSource, "memberships", lost)
    report = made(*OUTAGE)
    assert {w["code"] for w in report["warnings"]} == {"run_unreadable"}
    assert report["incident"]["unassigned"]["calls"] >= whole["unassigned"]["calls"]
    assert all(c["cluster_id"] >= 0 for c in report["incident"]["clusters"])
