# ruff: noqa: S608 -- statements of constants
"""HogQL as PostHog answers it to a personal key."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import cases
from tests.servers.handle import PostHog, Project


def test_one_select_without_a_limit_gives_a_hundred_rows_and_says_so(ask: Any, project: Project) -> None:
    answer = ask(project, "SELECT number FROM numbers(101)").json()
    assert (len(answer["results"]), answer["hasMore"], answer["limit"], answer["offset"]) == (
        100,
        True,
        100,
        0,
    )
    answer = ask(project, "SELECT number FROM numbers(100)").json()
    assert (len(answer["results"]), answer["hasMore"]) == (100, False)


def test_a_select_with_a_limit_is_cut_without_a_word(ask: Any, project: Project) -> None:
    answer = ask(project, "SELECT number FROM numbers(60000) LIMIT 55000").json()
    assert (len(answer["results"]), answer["hasMore"], answer["limit"]) == (50_000, None, None)
    assert len(ask(project, "SELECT number FROM numbers(60000) LIMIT 20000 + 10").json()["results"]) == 20_010


def test_each_arm_of_a_union_has_its_own_limit(rows: Any, project: Project) -> None:
    arm = "SELECT number FROM numbers(500)"
    assert len(rows(project, f"{arm} UNION ALL {arm}")) == 200
    assert len(rows(project, f"{arm} UNION ALL {arm} LIMIT 150")) == 250
    assert len(rows(project, f"SELECT * FROM ({arm} UNION ALL {arm}) LIMIT 900")) == 900
    assert rows(project, f"SELECT count() FROM ({arm})") == [[500]]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT event FROM events LIMIT 1 OFFSET 0",
        "SELECT event FROM events LIMIT 2, 3",
        "SELECT event FROM events LIMIT 1 OFFSET 1 BY event",
        "SELECT a FROM (SELECT event AS a FROM events LIMIT 5 OFFSET 5)",
        "SELECT 1 WHERE 1 IN (SELECT 1 LIMIT 1 OFFSET 1)",
    ],
)
def test_offset_is_refused_wherever_it_stands(ask: Any, project: Project, sql: str) -> None:
    response = ask(project, sql)
    assert response.status_code == 400
    assert response.json()["detail"].startswith(
        "OFFSET is not supported on queries made with a personal API key"
    )


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT (", "syntax_error"),
        ("SELECT 1 SETTINGS max_threads = 1", "query_error"),
        ("SELECT 1 FORMAT JSON", "syntax_error"),
        ("SELECT * EXCEPT(event) FROM events", "syntax_error"),
        ("SELECT event FROM events FINAL", "query_error"),
        ("SELECT sumKahan(1)", "unknown_function"),
        ("SELECT arrayReduce('sum', [1])", "unknown_function"),
        ("SELECT quantileTDigest(0.5)(1)", "unknown_function"),
        ("SELECT uniqCombined(1)", "unknown_function"),
        ("SELECT toDateTime64('2026-01-01', 6)", "unknown_function"),
        ("SELECT toFloat64OrNull('1')", "unknown_function"),
        ("SELECT TOSTRING(1)", "unknown_function"),
        ("SELECT quantile(1)", "query_error"),
        ("SELECT substring('abc', 2)", "query_error"),
        ("SELECT sum(max(1))", "query_error"),
        ("SELECT 1 FROM nowhere", "unknown_table"),
        ("SELECT 1 FROM ai_events", "unknown_table"),
        ("SELECT nothing FROM events", "query_error"),
        ("SELECT b AS a, 1 AS b", "query_error"),
        ("SELECT 1 AS a, 2 AS a", "query_error"),
        ("SELECT event FROM events AS a JOIN events AS b ON a.uuid = b.uuid", "query_error"),
        ("SELECT e.event FROM events AS e WHERE uuid IN (SELECT e.uuid FROM events)", "query_error"),
        ("SELECT {nowhere}", "query_error"),
        ("SELECT lower(1)", "illegal_type_of_argument"),
        ("SELECT match('a', '(')", "cannot_compile_regexp"),
        ("SELECT count() FROM events WHERE properties.version = 2", "no_common_type"),
        ("SELECT properties.version = 2 FROM events", "no_common_type"),
    ],
)
def test_what_hogql_has_not_is_refused(ask: Any, project: Project, sql: str, code: str) -> None:
    response = ask(project, sql)
    assert response.status_code == 400, response.text
    body = response.json()
    assert set(body) == {"type", "code", "detail", "attr"}
    assert (body["type"], body["code"]) == ("validation_error", code)


def test_what_a_refused_statement_began_to_write_does_not_reach_the_next_answer(
    ask: Any, project: Project
) -> None:
    for _ in range(3):
        assert ask(project, "SELECT throwIf(1)").status_code == 400
        assert ask(project, "SELECT count() FROM events WHERE properties.version < 3").status_code == 400
        assert ask(project, "SELECT 1 AS a").json()["results"] == [[1]]


def test_a_number_that_json_cannot_hold_is_an_error_of_the_server(ask: Any, project: Project) -> None:
    for sql in ("SELECT 0 / 0", "SELECT 1 / 0", "SELECT [nan]", "SELECT avg(1) FROM events WHERE 0"):
        assert ask(project, sql).status_code == 500, sql
    assert ask(project, "SELECT if(isFinite(0 / 0), 0 / 0, NULL) AS a, 'nan' AS b").json()["results"] == [
        [None, "nan"]
    ]


@pytest.mark.parametrize(
    "text", ['it\'s \\ "so"', cases.STRANGE, "'; DROP TABLE events", "\n\t\0%(a)s", "東🙂"]
)
def test_a_bound_value_comes_back_as_it_went(rows: Any, project: Project, text: str) -> None:
    assert rows(project, "SELECT {a} AS a, {b} AS b", values={"a": text, "b": [text, "x"]}) == [
        [text, [text, "x"]]
    ]
    assert rows(project, "SELECT {a} IN {b} AS a", values={"a": text, "b": [text]}) == [[1]]


def test_values_of_all_json_kinds_are_bound(rows: Any, project: Project) -> None:
    values = {"a": 1, "b": 1.5, "c": True, "d": None, "e": 2**53}
    sql = "SELECT {a} AS a, {b} AS b, {c} AS c, {d} AS d, {e} AS e"
    assert rows(project, sql, values=values) == [[1, 1.5, True, None, 2**53]]


def test_a_property_is_text_without_quotes_and_with_json_escapes(rows: Any, project: Project) -> None:
    sql = """SELECT properties.$ai_trace_id, JSONExtractString(properties, '$ai_trace_id'), properties.$ai_error,
      properties.$ai_total_cost_usd, properties.nothing, properties['feature'], properties.$ai_error.code
    FROM events WHERE uuid = {uuid}"""
    escaped = cases.STRANGE.replace("\\", "\\\\").replace('"', '\\"')
    error = '{"message":"upstream is down","code":7}'
    assert rows(project, sql, values={"uuid": cases.FAILED}) == [
        [escaped, cases.STRANGE, error, "0.125", None, None, "7"]
    ]  # fmt: skip


def test_some_properties_are_empty_and_never_null_where_missing(rows: Any, project: Project) -> None:
    sql = """SELECT countIf(properties.$ai_trace_id = ''), countIf(properties.$ai_trace_id IS NULL),
      countIf(isNull(properties.$ai_trace_id)), countIf(properties.$ai_span_id IS NULL) > 0 FROM events"""
    found = rows(project, sql)[0]
    assert found[0] > 0
    assert found[1:] == [0, 0, 1]


def test_ids_are_stored_as_text(rows: Any, project: Project) -> None:
    sql = """SELECT DISTINCT JSONType(properties, '$ai_trace_id') AS kind, properties.$ai_trace_id AS id FROM events
      WHERE uuid IN {ids} ORDER BY id"""
    ids = [cases.uid(number) for number in (15, 16, 17)]
    assert rows(project, sql, values={"ids": ids}) == [["Null", ""], ["String", "123"], ["String", "true"]]


def test_a_comparison_with_null_is_false_and_its_opposite_true(rows: Any, project: Project) -> None:
    sql = """SELECT count() = countIf(properties.nothing != 'a'), countIf(properties.nothing = 'a'),
      count() = countIf(not(properties.nothing = 'a')), countIf(properties.nothing > 'a'),
      countIf(properties.nothing LIKE '%'), count() = countIf(properties.nothing NOT LIKE '%'),
      countIf(properties.nothing IN ('a')), count() = countIf(properties.nothing NOT IN ('a')),
      count() = countIf(properties.nothing IN (NULL, 'a')) FROM events"""
    assert rows(project, sql) == [[1, 0, 1, 0, 0, 1, 0, 1, 1]]


def test_properties_have_the_types_the_project_found(ask: Any, typed: Project) -> None:
    sql = """SELECT properties.$ai_latency AS latency, properties.$ai_is_error AS bad, properties.$ai_window_end AS edge,
      properties.$ai_trace_id AS trace FROM events WHERE properties.$ai_latency > 1 AND event = '$ai_generation'
      AND properties.$ai_is_error = false"""
    answer = ask(typed, sql).json()
    assert answer["results"] == [[1.5, False, None, "plain"]]
    assert [kind for _, kind in answer["types"]] == [
        "Nullable(Float64)", "Nullable(Bool)", "Nullable(DateTime64(6, 'America/St_Johns'))", "String",
    ]  # fmt: skip


def test_typed_properties_reach_functions_that_read_text_as_text(rows: Any, typed: Project) -> None:
    sql = """SELECT toFloatOrZero(properties.$ai_latency) AS a, toString(properties.$ai_latency) AS b,
      toFloat(properties.$ai_latency) AS c, toString(properties.$ai_is_error) AS d FROM events WHERE uuid = {uuid}"""
    assert rows(typed, sql, values={"uuid": cases.ANSWER}) == [[1.5, "1.5", 1.5, "false"]]


def test_properties_of_persons_and_of_aliased_tables(rows: Any, project: Project) -> None:
    sql = """SELECT e.person.properties.plan AS plan, person.properties.plan AS same, e.properties.$ai_model AS model,
      count() AS n FROM events AS e WHERE e.event = '$ai_generation' AND e.properties.$ai_model = 'm-1'
      GROUP BY plan, same, model ORDER BY plan"""
    assert rows(project, sql) == [["free", "free", "m-1", 1], ["team", "team", "m-1", 3]]


def test_a_column_of_a_sub_query_is_not_the_events_own(ask: Any, rows: Any, typed: Project) -> None:
    sql = "SELECT properties.$ai_latency AS a FROM (SELECT 'x' AS properties)"
    assert ask(typed, sql).status_code == 400
    sql = "SELECT p.$ai_latency AS a, timestamp FROM (SELECT properties AS p, 'x' AS timestamp FROM events WHERE uuid = {u})"
    assert rows(typed, sql, values={"u": cases.ANSWER}) == [["1.5", "x"]]  # no type, no zone


def test_heavy_properties_lie_in_a_table_of_their_own(rows: Any, project: Project, posthog: PostHog) -> None:
    sql = "SELECT properties.$ai_input, JSONHas(properties, '$ai_output_choices') FROM events WHERE uuid = {uuid}"
    values = {"uuid": cases.FAILED}
    assert rows(project, sql, values=values) == [[None, 0]]
    sql = "SELECT trace_id, input, output_choices, is_error, total_cost_usd FROM posthog.ai_events WHERE uuid = {uuid}"
    said = '[{"role":"user","content":"hello"}]'
    assert rows(project, sql, values=values) == [[cases.STRANGE, said, '"sorry"', 0, 0.125]]
    old = posthog.project(cases.EVENTS, ai_events=False, ai_columns_stripped=False)
    assert rows(old, "SELECT properties.$ai_input FROM events WHERE uuid = {uuid}", values=values) == [[said]]
    assert rows(old, "SELECT count() FROM posthog.ai_events") == [[0]]


def test_of_versions_of_an_event_the_newest_stays_with_its_copies(rows: Any, project: Project) -> None:
    sql = "SELECT properties.$ai_total_cost_usd FROM events WHERE uuid = {uuid}"
    assert rows(project, sql, values={"uuid": cases.TWICE}) == [["3"], ["3"]] or rows(
        project, sql, values={"uuid": cases.TWICE}
    ) == [["3"]]


def test_ctes_joins_windows_and_lambdas_run(rows: Any, project: Project) -> None:
    assert rows(
        project, "WITH t AS (SELECT 1 AS a), u AS (SELECT a + 1 AS b FROM t), 5 AS k SELECT b, k FROM u"
    ) == [[2, 5]]
    joined = "SELECT x.a, y.b FROM (SELECT 1 AS a) AS x LEFT JOIN (SELECT 2 AS b) AS y ON x.a = y.b"
    assert rows(project, joined) == [[1, 0]]
    window = "SELECT number, sum(number) OVER (ORDER BY number) AS s FROM numbers(3) ORDER BY number"
    assert rows(project, window) == [[0, 0], [1, 1], [2, 3]]
    assert rows(
        project, "SELECT arrayMap((x, y) -> x + y, [1], [2]) AS a, arraySort(x -> -x, [1, 2]) AS b"
    ) == [[[3], [2, 1]]]
    assert rows(project, "SELECT x FROM numbers(1) ARRAY JOIN [1, 2] AS x") == [[1], [2]]
    assert rows(
        project, "SELECT CASE WHEN 0 THEN 'a' ELSE 'b' END AS c, 5 BETWEEN 1 AND 9 AS d, '5'::int AS e"
    ) == [["b", 1, 5]]
    assert rows(
        project, "SELECT max(n) FROM (SELECT event, count() AS n FROM events GROUP BY event HAVING n > 30)"
    ) == [[31]]
    limited = "SELECT event, uuid FROM events ORDER BY event, uuid LIMIT 1 BY event"
    assert len(rows(project, limited)) == 11


def test_columns_are_named_by_alias_or_expression(ask: Any, project: Project) -> None:
    answer = ask(
        project, "SELECT event, count(), toString(uuid) AS id, properties.$ai_model FROM events GROUP BY ALL"
    ).json()
    assert answer["columns"] == ["event", "count()", "id", "$ai_model"]
    assert [name for name, _ in answer["types"]] == answer["columns"]
    star = ask(project, "SELECT * FROM events LIMIT 1").json()
    assert star["columns"][:5] == ["uuid", "event", "properties", "timestamp", "distinct_id"]
    assert isinstance(star["results"][0][2], str)


def test_a_constant_list_is_searched_by_text_of_any_kind(rows: Any, project: Project) -> None:
    ids = [f"{number:032x}" for number in range(1500)]
    listed = ", ".join(f"'{one}'" for one in ids)
    assert (
        rows(project, f"SELECT count() FROM events WHERE properties.$ai_trace_id IN ({listed}, 'plain')")[0][
            0
        ]
        > 3
    )


def test_paths_into_properties_are_spelled_in_two_ways(rows: Any, project: Project) -> None:
    sql = """SELECT e.properties.$ai_error.message AS a, properties['$ai_error']['message'] AS b, [[1], [2]][2][1] AS c
      FROM events AS e WHERE uuid = {uuid}"""
    assert rows(project, sql, values={"uuid": cases.FAILED}) == [["upstream is down", "upstream is down", 2]]


def test_the_table_of_what_was_said_never_says_it_twice(rows: Any, posthog: PostHog) -> None:
    whole = posthog.project(cases.EVENTS, ai_columns_stripped=False)
    sql = "SELECT JSONHas(properties, '$ai_input') AS a, isNotNull(input) AS b FROM posthog.ai_events WHERE uuid = {uuid}"
    assert rows(whole, sql, values={"uuid": cases.FAILED}) == [[0, 1]]


def test_a_statement_may_be_too_long(ask: Any, posthog: PostHog) -> None:
    short = posthog.project([], most_sql_bytes=1000)
    assert ask(short, f"SELECT '{'x' * 900}' AS a").status_code == 200
    response = ask(short, f"SELECT '{'x' * 1000}' AS a")
    assert (response.status_code, response.json()["detail"]) == (500, "Query size exceeded.")
