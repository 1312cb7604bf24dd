"""What is printed at the end of a run, and with which code it ends."""

import json
from dataclasses import replace

import pytest

from reporter.artifact import Receipt
from reporter.cli import outcome as told
from reporter.cli.console import Console
from reporter.config import Settings
from reporter.errors import DeliveryError, NothingToReport, RenderError, RunUnreadable, UsageError
from reporter.pipeline.publishing import Outcome
from reporter.report import Caveat, Gate
from tests.reports import report

RECEIPTS = (
    Receipt(name="report.html", path="out/report.html", sha256="ab", size_bytes=312_400),
    Receipt(name="report.json", path="out/report.json", sha256="cd", size_bytes=812),
)
FAULT = RunUnreadable("run-1", ["$.clusters: missing"])


def ended(problems=(), notes=(), **over):
    return Outcome(report=report(**over), receipts=RECEIPTS, problems=tuple(problems), notes=tuple(notes))


def gate(outcome):
    return Gate(
        rule="error_rate <= 5%",
        job_id=None,
        cluster_id=None,
        limit=0.05,
        value=0.1,
        low=None,
        high=None,
        outcome=outcome,
        fails=outcome == "failed",
    )


def test_files_and_verdict_stand_on_standard_output(capsys):
    assert told.tell(ended(headline="All is calm."), Settings(), Console()) == 0
    captured = capsys.readouterr()
    assert captured.out == "out/report.html  312 kB\nout/report.json  812 B\nAll is calm.\n"
    assert captured.err == ""


def test_one_json_object_where_asked(capsys):
    code = told.tell(ended([FAULT], ["No PDF."]), Settings(as_json=True), Console())
    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert captured.out.count("\n") == 1
    assert answer["exit_code"] == code == 3
    assert [f["path"] for f in answer["files"]] == ["out/report.html", "out/report.json"]
    assert answer["files"][0] == {
        "name": "report.html",
        "path": "out/report.html",
        "size_bytes": 312_400,
        "sha256": "ab",
    }
    assert answer["problems"][0]["subject"] == "run-1"
    assert answer["notes"] == ["No PDF."]


@pytest.mark.parametrize(
    ("problems", "expected"),
    [
        ([], 0),
        ([FAULT], 3),
        ([FAULT, RenderError("x")], 5),
        ([RenderError("x"), FAULT], 5),
        ([NothingToReport("x"), FAULT], 3),
        ([RenderError("x"), DeliveryError("x")], 6),
        ([UsageError("x"), DeliveryError("x")], 2),
    ],
)
def test_the_code_that_tells_most_is_given(problems, expected):
    assert told.exit_code(ended(problems), Settings()) == expected


@pytest.mark.parametrize(
    ("outcome", "expected"), [("failed", 1), ("passed", 0), ("warned", 0), ("not_enough_data", 0)]
)
def test_failed_gates_end_with_1(outcome, expected):
    assert told.exit_code(ended(gates=[gate(outcome)]), Settings()) == expected


def test_trouble_outranks_a_failed_gate():
    assert told.exit_code(ended([FAULT], gates=[gate("failed")]), Settings()) == 3


def test_strict_turns_warnings_into_an_incomplete_source(capsys):
    warned = ended(warnings=[Caveat(code="jobs_refused", message="Jobs could not be listed.", job_id=None)])
    assert told.tell(warned, Settings(), Console()) == 0
    assert capsys.readouterr().err == "warning: Jobs could not be listed.\n"
    assert told.tell(warned, Settings(strict=True), Console()) == 3
    assert "error: --strict: the report carries 1 warning" in capsys.readouterr().err
    assert told.tell(ended(), Settings(strict=True), Console()) == 0


def test_many_warnings_are_counted(capsys):
    many = ended(warnings=[Caveat(code="x", message=f"Number {i}.", job_id=None) for i in range(8)])
    told.tell(many, Settings(), Console())
    err = capsys.readouterr().err
    assert "Number 4." in err
    assert "Number 5." not in err
    assert "3 more warnings: see the report." in err


def test_quiet_keeps_errors_and_drops_warnings(capsys):
    told.tell(ended([FAULT], ["No PDF."]), Settings(quiet=True), Console(quiet=True))
    err = capsys.readouterr().err
    assert err.startswith("error: run-1: ")
    assert "No PDF" not in err


def test_hostile_headline_and_path_reach_no_terminal(capsys):
    hostile = replace(
        ended(headline="a\x1b[2Jb\nerror: fake"), receipts=(replace(RECEIPTS[0], path="o\x1b]0;x\x07"),)
    )
    told.tell(hostile, Settings(), Console(color=False))
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.count("\n") == 2


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (12_340_000, "12.3 MB"),
    ],
)
def test_sizes(size, text):
    assert told.size(size) == text
