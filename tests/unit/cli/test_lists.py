"""jobs and runs, over the bundled events."""

import json
from importlib.resources import files

import pytest

from reporter.cli import app

EVENTS = str(files("reporter.sources.demo") / "events.parquet")
JOBS = str(files("reporter.sources.demo") / "jobs.json")


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))

    def run(*arguments):
        code = app.main(
            [
                *arguments,
                "--source",
                EVENTS,
                "--jobs",
                JOBS,
                "--now",
                "2027-01-01",
                *([] if "--since" in arguments else ["--since", "520w"]),
            ]
        )
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_jobs_and_their_details_agree(call):
    code, out, err = call("jobs", "--json")
    rows = json.loads(out)["jobs"]
    assert (code, err) == (0, "")
    assert rows
    code, out, _ = call("jobs")
    header, *lines = out.splitlines()
    assert header.split() == ["JOB", "LEVEL", "STATUS", "WINDOW", "END", "(UTC)", "ITEMS", "ID"]
    assert [line.split()[-1] for line in lines] == [row["id"] or "none" for row in rows]
    chosen = next(row for row in rows if row["latest_run_id"])
    code, out, _ = call("jobs", chosen["id"])
    assert code == 0
    assert f"latest run  {chosen['latest_run_id']}" in out
    assert f"job         {chosen['name']}" in out


def test_job_nobody_knows_is_a_usage_error(call):
    code, out, err = call("jobs", "No such job")
    assert (code, out) == (2, "")
    assert "error: --job No such job: no such job" in err


def test_runs_are_listed_newest_first_with_whole_ids(call):
    code, out, _ = call("runs", "--json")
    rows = json.loads(out)["runs"]
    assert code == 0
    assert [row["emitted_at"] for row in rows] == sorted((row["emitted_at"] for row in rows), reverse=True)
    lines = call("runs")[1].splitlines()[1:]
    assert [line.split()[-1] for line in lines] == [row["run_id"] for row in rows]


def test_no_run_is_said_on_standard_error(call):
    code, out, err = call("runs", "--since", "1h")
    assert (code, out, err) == (0, "", "warning: No run was found; --since looks further back.\n")
