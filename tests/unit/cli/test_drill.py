"""cluster, traces, trace and query, over the bundled events."""

import csv
import io
import json
from importlib.resources import files

import pytest

from reporter.cli import app

EVENTS = str(files("reporter.sources.demo") / "events.parquet")
JOBS = str(files("reporter.sources.demo") / "jobs.json")
NOW = "2026-03-16T08:00:00Z"


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))

    def run(*arguments):
        code = app.main([*arguments, "--source", EVENTS, "--jobs", JOBS, "--now", NOW])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def view(call):
    def run(*arguments):
        code, out, err = call(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    return run


def test_cluster_is_found_by_job_and_words_and_equals_the_report(call, view, tmp_path):
    assert call("report", "--format", "json", "--out", str(tmp_path / "out"))[0] == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    job = next(job for job in report["jobs"] if job["job"]["name"] == "Default - traces")
    expected = next(c for c in job["clusters"] if c["title"] == "Which VAT rate applies")
    shown = view("cluster", "Default - traces", "VAT RATE", "--limit", "3")
    assert shown["run_id"] == job["latest"]["run_id"]
    assert shown["prior_run_id"] == job["prior"]["run_id"]
    for key in ("title", "size", "metrics", "estimates", "change", "errors", "exemplars"):
        assert shown["cluster"][key] == expected[key]
    assert [item["rank"] for item in shown["items"]] == [0, 1, 2]
    assert shown["items_total"] == expected["size"]
    assert all(item["title"] is None for item in shown["items"])


def test_cluster_sorts_its_items_and_takes_its_change_apart(view):
    shown = view(
        "cluster", "Default - traces", "VAT rate", "--sort", "cost", "--limit", "500", "--by", "plan"
    )
    costs = [item["cost_usd"] for item in shown["items"]]
    assert costs == sorted(costs, reverse=True)
    assert sum(costs) == pytest.approx(shown["cluster"]["metrics"]["total_cost"])
    by_plan = [d for d in shown["cluster"]["drivers"] if d["metric"] == "mean_cost_usd"]
    assert {d["dimension"] for d in by_plan} == {"plan"}
    change = shown["cluster"]["change"]["metrics"]["mean_cost_usd"]
    assert sum(d["difference"] for d in by_plan) == pytest.approx(change["difference"])
    assert sum(d["contribution"] for d in by_plan) == pytest.approx(1.0)


def test_summaries_are_shown_only_where_they_may_be(view):
    asked = ("cluster", "Default - traces", "VAT rate", "--limit", "5")
    assert all(item["title"] for item in view(*asked, "--redact", "quotes")["items"])
    hidden = json.dumps(view(*asked, "--redact", "numbers"))
    assert "VAT" not in hidden


def test_cluster_as_text_and_csv(call):
    code, out, err = call("cluster", "Default - traces", "VAT rate", "--limit", "2")
    assert (code, err) == (0, "")
    assert out.startswith("Which VAT rate applies\n")
    assert "2 of 62 traces, nearest to the centre first" in out
    assert "WHAT DRIVES THE CHANGE" in out
    code, out, _ = call("cluster", "Default - traces", "VAT rate", "--limit", "2", "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["rank"] for row in rows] == ["0", "1"]


def test_outliers_have_a_number_too(call):
    code, out, err = call("cluster", "Default - traces", "Outliers", "--limit", "1")
    assert code == 0, err
    assert "1 of 75 traces" in out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("cluster", "Default - traces", "no such words"), 2, "the run has no such cluster"),
        (("cluster", "Default - traces", "a"), 2, "several clusters are called so"),
        (("cluster", "nobody", "1"), 3, "no run with this id"),
        (("cluster", "Default - traces", "1", "--sort", "size"), 2, "--sort"),
        (("cluster", "Default - traces", "1", "--csv", "--json"), 2, "exclude each other"),
        (("trace", "nowhere"), 3, "no event of this trace is stored"),
        (("traces", "--cluster", "1"), 2, "--cluster needs --run"),
        (("traces", "--where", "plan"), 2, "is no NAME=VALUE"),
        (("traces", "--since", "2026-03-02", "--until", "2026-03-01"), 2, "the window is empty"),
        (("traces", "--since", "soon"), 2, "--since"),
        (("query", "SELECT 1"), 2, "not bounded in time"),
        (("query", "SELECT $since", "--until", "1d"), 2, "does not use the window's --until"),
        (("query", "SELECT 1", "--unbounded", "--since", "1d"), 2, "does not use the window's --since"),
        (("query",), 2, "give a query, or --file"),
        (("query", "SELECT 1", "--file", "x.sql"), 2, "give a query, or --file"),
        (("query", "--file", "x.sql"), 2, "cannot be read"),
        (("query", "DROP TABLE events", "--unbounded"), 2, ""),
    ],
)
def test_what_is_asked_wrongly_is_told(call, arguments, code, words):
    found, out, err = call(*arguments)
    assert (found, out) == (code, "")
    assert words in err


def test_traces_of_a_cluster_are_its_items(view):
    items = view("cluster", "Default - traces", "VAT rate", "--limit", "500")["items"]
    traces = view("traces", "--run", "Default - traces", "--cluster", "VAT rate", "--limit", "500")["traces"]
    assert {t["trace_id"] for t in traces} == {i["trace_id"] for i in items}
    assert [t["started_at"] for t in traces] == sorted((t["started_at"] for t in traces), reverse=True)


def test_traces_of_a_window_match_their_filters_and_say_when_there_are_more(call, view):
    asked = ("traces", "--since", "2026-03-14", "--until", "2026-03-15", "--where", "plan=free")
    found = view(*asked, "--limit", "1000")
    assert not found["truncated"]
    assert len(found["traces"]) > 10
    assert all("2026-03-14" <= t["started_at"] < "2026-03-15" for t in found["traces"])
    code, out, err = call(*asked, "--limit", "2")
    assert (code, len(out.splitlines())) == (0, 3)
    assert "more than 2 traces" in err
    code, out, _ = call("traces", "--where", "plan=nobody")
    assert code == 0
    assert out.startswith("No trace began between 2026-03-09 08:00")
    assert call(*asked, "--csv")[1].startswith("started_at,trace_id,")


def test_trace_is_a_tree_and_its_words_are_cut_to_the_level(call, view):
    trace_id = view("cluster", "Default - traces", "VAT rate", "--limit", "1")["items"][0]["trace_id"]
    shown = view("trace", trace_id, "--redact", "full")
    assert shown["events"][0]["kind"] == "trace"
    assert {event["depth"] for event in shown["events"]} == {0, 1}
    assert any(event["input"] for event in shown["events"])
    code, out, err = call("trace", trace_id)
    assert (code, err) == (0, "")
    assert "━" in out
    assert ", in:" not in out
    assert ", in:" in call("trace", trace_id, "--redact", "quotes")[1]
    assert call("trace", trace_id, "--csv")[1].startswith("depth,kind,")


def test_query_binds_its_window_and_values(call, view, tmp_path):
    sql = "SELECT event, count(*) AS n FROM events WHERE timestamp >= $since AND timestamp < $until AND event = $e GROUP BY 1"
    window = ("--since", "2026-03-14", "--until", "2026-03-15", "--value", "e=$ai_generation")
    found = view("query", sql, *window)
    assert found["columns"] == ["event", "n"]
    assert found["rows"][0][0] == "$ai_generation"
    (tmp_path / "ask.sql").write_text(sql)
    assert view("query", "--file", "ask.sql", *window) == found
    code, out, err = call("query", "SELECT * FROM range(5)", "--unbounded", "--limit", "3")
    assert (code, out.split()) == (0, ["range", "0", "1", "2"])
    assert "cut at 3 rows" in err
    assert call("query", "SELECT 1 WHERE 1 = 2", "--unbounded")[1] == "No row.\n"


def test_csv_is_safe_in_a_spreadsheet(call):
    _, out, _ = call(
        "query", "SELECT '=1+1' AS a, -5 AS b, NULL AS c, DATE '2026-03-01' AS d", "--unbounded", "--csv"
    )
    assert out == "a,b,c,d\n'=1+1,-5,,2026-03-01\n"


def test_numbers_are_numbers_and_the_rest_is_text(view):
    asked = ("query", "SELECT typeof($a), typeof($b), typeof($c), typeof($d), $d", "--unbounded")
    values = [word for pair in ("a=5", "b=1.5", "c=007", "d=nan") for word in ("--value", pair)]
    (row,) = view(*asked, *values)["rows"]
    assert row[0] != "VARCHAR"
    assert row[1] != "VARCHAR"
    assert row[2:] == ["VARCHAR", "VARCHAR", "nan"]


def test_hints_and_items_say_no_more_than_the_level(call, view):
    _, _, err = call("cluster", "Default - traces", "no such words", "--redact", "numbers")
    assert "VAT" not in err
    assert "3 Cluster 3" in err
    small = view("cluster", "Default - traces", "3", "--redact", "quotes", "--min-text-items", "1000")
    assert small["cluster"]["title"] == "Cluster 3"
    assert all(item["title"] is None for item in small["items"])
    assert "VAT" not in json.dumps(small)


def test_one_is_one(call):
    _, _, err = call("traces", "--since", "2026-03-14", "--until", "2026-03-15", "--limit", "1")
    assert "more than 1 trace;" in err
    _, _, err = call("query", "SELECT * FROM range(5)", "--unbounded", "--limit", "1")
    assert "cut at 1 row;" in err


def test_query_may_come_from_standard_input(view, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("SELECT 'é' AS é".encode())))
    assert view("query", "--file", "-", "--unbounded")["rows"] == [["é"]]


def test_standard_input_that_is_no_text_is_told(call, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\x00")))
    code, out, err = call("query", "--file", "-", "--unbounded")
    assert (code, out) == (2, "")
    assert "cannot be read" in err


def test_the_answer_to_a_query_is_redacted_like_a_report(call):
    uuid = "019db7a4-1f60-7c1e-9a55-0d3c7be21001"
    asked = (
        f"SELECT '{uuid}' AS id, 'ann@example.org asked' AS said, 'u-1' AS distinct_id, 7 AS n, "
        "{'mail': 'bob@example.org'} AS held, TIMESTAMP '2026-03-01 08:00:00' AS at, NULL AS nothing"
    )
    code, out, err = call("query", asked, "--unbounded", "--csv")
    assert (code, err.strip()) == (
        0,
        "warning: 3 cells have masked text; --redact full shows the answer as it came.",
    )
    assert (
        out.splitlines()[1]
        == f"""{uuid},<email> asked,<user>,7,"{{""mail"": ""<email>""}}",2026-03-01 08:00:00,"""
    )
    _, out, err = call("query", asked, "--unbounded", "--csv", "--redact", "numbers")
    assert out.splitlines()[1] == f"{uuid},<text>,<user>,7,<text>,2026-03-01 08:00:00,"
    _, out, err = call("query", asked, "--unbounded", "--csv", "--redact", "full")
    assert "ann@example.org asked,u-1,7," in out
    assert err == ""
