from __future__ import annotations

import json
import tempfile
import uuid
from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from reporter.errors import SourceUnreadable, UsageError
from reporter.model import Window
from reporter.sources.export import ExportSource, scan, store
from reporter.sources.export.files import find_files
from reporter.sources.queries.for_duckdb import DUCKDB_MACROS, ai_events
from tests.contract import cases
from tests.contract.exports import write_jsonl, write_parquet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reporter.report import Caveat

EVENT = cases.EVENTS[0]


def opened(path: Path, **options: Any) -> ExportSource:
    return ExportSource([str(path)], warn=lambda _: None, **options)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExportSource]:
    with opened(write_parquet(tmp_path_factory.mktemp("export"), cases.EVENTS)) as source:
        yield source


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE ai",
        "INSERT INTO ai SELECT * FROM ai",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE ai",
        "COPY events TO 'stolen.csv'",
        "ATTACH 'other.db'",
        "SET enable_external_access = true",
        "PRAGMA database_size",
        "CALL pragma_version()",
        "INSTALL httpfs",
        "EXPLAIN SELECT 1",
        "SELECT * FROM (DROP TABLE ai)",
        "SELECT",
        "",
        "-- nothing",
        "SELECT 1) AS x; DROP TABLE ai; --",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM '/etc/hostname'",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM read_csv('https://example.invalid/x.csv')",
        "SELECT nothing_like_this FROM events",
        "SELECT $missing",
        "SELECT error('boom') FROM events",
    ],
)
def test_a_query_that_is_no_harmless_select_is_refused(export: ExportSource, sql: str) -> None:
    with pytest.raises(UsageError) as caught:
        export.query(sql, {}, 10)
    assert caught.value.hint
    assert export.query("SELECT count(*) > 0 FROM events", {}, 1).rows == ((True,),)


def test_a_query_cannot_unlock_the_engine(export: ExportSource) -> None:
    settings = dict(
        export.query(
            "SELECT name, value FROM duckdb_settings() WHERE name IN ('enable_external_access', 'lock_configuration', "
            "'autoinstall_known_extensions', 'autoload_known_extensions', 'allow_community_extensions')",
            {},
            10,
        ).rows
    )
    assert settings == {
        "enable_external_access": "false", "lock_configuration": "true", "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false", "allow_community_extensions": "false",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT 1 AS a, 2 AS a;", ((1, 2),)),
        ("SELECT 1 -- a remark", ((1,),)),
        ("WITH x AS (SELECT 3 AS n) SELECT n FROM x", ((3,),)),
        ("FROM (VALUES (4))", ((4,),)),
        ("SELECT $a::INTEGER + $ab::INTEGER", ((3,),)),
        ("SELECT TIMESTAMPTZ '2026-01-02 03:04:05+01:00' AS t", (("2026-01-02 02:04:05+00",),)),
        ("SELECT properties.$ai_model FROM events WHERE uuid LIKE '%000001'", (("m-1",),)),
        (
            "SELECT e.properties.$ai_model = 'm-1' FROM events e WHERE e.properties.version = '2'",
            ((True,),),
        ),
        ("SELECT properties->>'/$ai_model' FROM events WHERE uuid LIKE '%000001'", (("m-1",),)),
        (
            "SELECT 'properties.$a' AS \"properties.b\" /* properties.$c */ -- properties.$d",
            (("properties.$a",),),
        ),
        ("SELECT person_properties->>'plan' FROM events WHERE distinct_id = 'bob'", (("free",),)),
        (
            "SELECT count(*), count(DISTINCT uuid) FROM events",
            ((len({e["uuid"] for e in cases.EVENTS}),) * 2,),
        ),
        (
            "SELECT CAST(timestamp AS VARCHAR) FROM events WHERE uuid LIKE '%0001'",
            (("2026-03-02 00:30:00",),),
        ),
    ],
)
def test_a_select_is_answered(export: ExportSource, sql: str, rows: tuple[tuple[Any, ...], ...]) -> None:
    assert export.query(sql, {"a": 1, "ab": 2, "unused": 3}, 10).rows == rows


def test_a_query_gives_no_more_rows_than_asked_for(export: ExportSource) -> None:
    for limit, truncated in ((0, True), (1, True), (2, False), (3, False)):
        table = export.query("SELECT unnest([1, 2]) AS n", {}, limit)
        assert (table.columns, len(table.rows), table.truncated) == (("n",), min(limit, 2), truncated)


def test_copies_that_differ_are_settled_alike_in_any_order(tmp_path: Path) -> None:
    copies = [
        EVENT | {"properties": {"$ai_trace_id": "t", "$ai_total_cost_usd": cost, "part": part}}
        for cost, part in ((1, "a"), (2, "b"), (2, "c"))
    ]
    seen = set()
    for number, order in enumerate(permutations(copies)):
        for write, ending in ((write_jsonl, "jsonl"), (write_parquet, "parquet")):
            with opened(write(tmp_path, list(order), f"{number}.{ending}")) as source:
                calls = list(source.calls(cases.WINDOW))
                listed = [source.traces(cases.WINDOW, {"part": part}, 5) != () for part in "abc"]
                rows = source.query("SELECT properties->>'part' FROM events", {}, 5).rows
                seen.add((tuple(call.cost_usd for call in calls), tuple(listed), rows))
    ((costs, listed, rows),) = seen
    # One row, not figures of one and properties of another.
    assert (costs, listed, rows) in {
        ((cost,), tuple(part == found for part in "abc"), ((found,),))
        for cost, found in ((1.0, "a"), (2.0, "b"), (2.0, "c"))
    }


def test_a_row_never_stored_gives_way_to_one_that_was(tmp_path: Path) -> None:
    said = {"$ai_trace_id": "t", "$ai_total_cost_usd": 5}
    stored = EVENT | {"properties": said}
    unknown = {name: value for name, value in EVENT.items() if name not in ("_inserted_at", "created_at")}
    with opened(write_jsonl(tmp_path, [unknown, stored, unknown])) as source:
        assert [call.cost_usd for call in source.calls(cases.WINDOW)] == [5.0]


def test_provenance_names_no_path_and_counts_each_event_once(tmp_path: Path) -> None:
    last = EVENT | {"uuid": cases.uid(990), "timestamp": "2026-06-08T23:59:59+00:00"}
    page = EVENT | {"uuid": cases.uid(991), "timestamp": "2027-01-01T00:00:00Z", "event": "$pageview"}
    said = set()
    for write, name in ((write_jsonl, "secret.jsonl"), (write_parquet, "secret.parquet")):
        with opened(write(tmp_path, [EVENT, last, EVENT, page], name)) as source:
            said.add(source.describe())
    (only,) = said
    assert only.kind == "export"
    assert only.location.replace("\xa0", " ") == "2 AI events, 2 Mar \u2013 8 Jun 2026 (UTC)"


def test_the_project_is_the_team_of_the_newest_run(export: ExportSource, tmp_path: Path) -> None:
    assert export.describe().project_id == cases.TEAM
    with opened(write_jsonl(tmp_path, [EVENT])) as source:
        assert source.describe().project_id is None
    with opened(tmp_path / "events.jsonl", project_id="42") as source:
        assert source.describe().project_id == "42"


def test_times_in_any_zone_mean_the_same(export: ExportSource) -> None:
    west = timezone(timedelta(hours=-7))
    there = Window(cases.START.astimezone(west), cases.END.astimezone(west))
    assert list(export.calls(there)) == list(export.calls(cases.WINDOW))
    assert export.runs(cases.END.astimezone(west), datetime(2027, 1, 1, tzinfo=west))
    assert all(call.at.tzinfo is UTC for call in export.calls(cases.WINDOW))


def test_calls_are_read_page_by_page(export: ExportSource, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(export.calls(cases.WINDOW))
    for page in (1, 7, len(whole)):
        monkeypatch.setattr("reporter.sources.export.source._PAGE", page)
        assert list(export.calls(cases.WINDOW)) == whole


def test_calls_under_a_filter_that_cannot_be_applied_come_with_a_caveat(tmp_path: Path) -> None:
    caveats: list[Caveat] = []
    path = write_jsonl(tmp_path, cases.EVENTS)
    with ExportSource([str(path)], warn=caveats.append) as source:
        job = cases.job("trace", {"key": "id", "type": "cohort", "value": 1})
        assert len(list(source.calls(cases.WINDOW, job=job))) == len(list(source.calls(cases.WINDOW)))
    assert [caveat.code for caveat in caveats] == ["filters_not_applied"]


def test_a_filter_may_look_at_the_person(export: ExportSource) -> None:
    job = cases.job("trace", {"key": "plan", "type": "person", "value": ["free"], "operator": "exact"})
    totals = export.totals(cases.WINDOW, job)
    assert totals is not None
    assert (totals.items, totals.calls, totals.cost_usd) == (1, 1, 0.125)


def told_by(source: ExportSource) -> tuple[tuple[Any, ...], int]:
    window = cases.WINDOW
    traces = sorted({call.trace_id or "" for call in source.calls(window)})
    settings = "SELECT value FROM duckdb_settings() WHERE name = 'threads'"
    return (
        source.runs(window.start, window.end),
        list(source.calls(window)),
        [source.trace(trace_id, window) for trace_id in traces],
        source.query("SELECT count(*) FROM events", {}, 1).rows,
    ), int(source.query(settings, {}, 1).rows[0][0])


@pytest.mark.parametrize("from_the_start", [True, False])
def test_what_does_not_fit_at_first_is_read_by_one_thread_with_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, from_the_start: bool
) -> None:
    path = write_jsonl(tmp_path, cases.EVENTS)
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    with opened(path) as source:
        roomy, threads = told_by(source)
    assert threads == 2
    assert len(roomy[1]) > 5
    # A reader of JSON lines takes room for two of the longest, 64 MB, before it reads the first byte.
    monkeypatch.setattr(store, "_MEMORY", "48MB")
    monkeypatch.setattr(store, "_MORE_MEMORY", "512MB")
    if not from_the_start:
        monkeypatch.setattr(store, "_MEMORY", "384MB")
    with opened(path) as source:
        if not from_the_start:
            source._store._connection.execute("SET memory_limit = '48MB'")
        assert told_by(source) == (roomy, 1)
    monkeypatch.setattr(store, "_MEMORY", "48MB")
    monkeypatch.setattr(store, "_MORE_MEMORY", "48MB")
    with pytest.raises(SourceUnreadable, match="needs more memory"):
        opened(path)


def test_a_closed_source_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    source = opened(write_jsonl(tmp_path, cases.EVENTS, "a[1].jsonl"))
    (folder,) = scratch.iterdir()
    assert folder.stat().st_mode & 0o077 == 0
    source.close()
    source.close()
    assert list(scratch.iterdir()) == []
    with pytest.raises(SourceUnreadable):
        opened(tmp_path / "nowhere")
    (tmp_path / "broken.jsonl").write_text('{"uuid')
    with pytest.raises(SourceUnreadable):
        opened(tmp_path / "broken.jsonl")
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("text", [None, "", "{", "[" * 100_000, '{"results": 5}', '[{"id": 1}]', "\x00"])
def test_a_jobs_file_that_cannot_be_read_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "jobs.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SourceUnreadable) as caught:
        opened(write_jsonl(tmp_path, [EVENT]), jobs_file=str(path))
    assert "jobs.json" in caught.value.subject


def test_a_jobs_file_may_be_a_bare_list_with_a_mark_at_its_start(tmp_path: Path) -> None:
    path = tmp_path / "jobs.json"
    path.write_text("\ufeff" + json.dumps(cases.JOBS["results"]), encoding="utf-8")
    with opened(write_jsonl(tmp_path, [EVENT]), jobs_file=str(path)) as source:
        assert [job.id for job in source.jobs() or ()] == [
            cases.TRACE_JOB, cases.GENERATION_JOB, cases.EVALUATION_JOB]  # fmt: skip


def test_only_ai_events_and_few_columns_leave_the_files(tmp_path):
    """DuckDB's own plan: the filter is applied while Parquet is read, and of its columns few are."""
    strangers = [
        {**cases.EVENTS[0], "uuid": str(uuid.uuid4()), "event": "$pageview", "distinct_id": str(number)}
        for number in range(40)
    ]
    path = write_parquet(tmp_path, [*cases.EVENTS, *strangers], "events.parquet")
    connection = duckdb.connect()
    for macro in DUCKDB_MACROS:
        connection.execute(macro)
    (part,) = scan.parts_of(lambda sql: connection.execute(sql).fetchall(), find_files([str(path)]), {})
    asked = ai_events(part.in_short_vectors)
    told = connection.execute(f"EXPLAIN (ANALYZE, FORMAT json) {asked}").fetchall()[0][1]

    def nodes(found):
        for node in found:
            yield node
            yield from nodes(node.get("children", ()))

    plan = list(nodes(json.loads(told)["operator"]))
    filters = [node["extra_info"]["Expression"] for node in plan if "FILTER" in node["type"]]
    assert filters == ["(place = 0)"]
    (read,) = (node for node in plan if node["type"] == "TABLE_SCAN")
    assert read["intermediate_rows"] == sum(event["event"].startswith("$ai_") for event in cases.EVENTS)
    columns = set(read["extra_info"]["Projections"])
    assert {"uuid", "event", "properties"} <= columns
    assert columns <= {
        "uuid",
        "event",
        "distinct_id",
        "timestamp",
        "created_at",
        "_inserted_at",
        "properties",
    }
    connection.close()
