"""HogQL respelled for ClickHouse: what is code is respelled, what is data never is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.sources.queries.for_clickhouse import literal, respelled
from reporter.sources.queries.hogql.spelling import text_literal
from tests.hostile import TEXTS
from tests.servers.fixtures import tables  # noqa: F401 (a fixture)
from tests.servers.store import Store

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    [text.replace("\ud800", "") for text in TEXTS]
)


@pytest.mark.parametrize(
    ("hogql", "sql"),
    [
        ("toFloat(x)", "toFloat64OrNull(x)"),
        ("toInt(below)", "accurateCastOrNull(below, 'Int64')"),
        ("toDateTime({v0}, 'UTC')", "toDateTime64('it''s', 6, 'UTC')".replace("''s", "\\'s")),
        ("person.properties", "person_properties"),
        ("FROM posthog.ai_events", "FROM said_in_traces"),
        ("x = {v0} AND {filters}", "x = 'it\\'s' AND (true)"),
        ("toString(properties.$ai_model)",
         "replaceRegexpAll(nullIf(nullIf(JSONExtractRaw(properties, '$ai_model'), ''), 'null'), '^\"|\"$', '')"),
        ("properties.plan = 'properties.plan {v0} toFloat('",
         ("replaceRegexpAll(nullIf(nullIf(JSONExtractRaw(properties, 'plan'), ''), 'null'), '^\"|\"$', '')"
          " = 'properties.plan {v0} toFloat('")),
    ],
)  # fmt: skip
def test_each_word_of_hogql_has_its_spelling(hogql: str, sql: str) -> None:
    assert respelled(hogql, {"v0": "it's"}, "(true)") == sql


@given(TEXT, TEXT)
def test_data_in_a_statement_stays_what_it_is(written: str, bound: str) -> None:
    sql = respelled(f"SELECT {text_literal(written)}, {{v0}}", {"v0": bound}, "true")
    assert sql == f"SELECT {text_literal(written)}, {literal(bound)}"


@pytest.mark.parametrize("text", [text.replace("\ud800", "") for text in TEXTS])
def test_any_text_comes_back_from_the_engine(tables: Store, text: str) -> None:  # noqa: F811 (the fixture)
    sql = respelled(f"SELECT {text_literal(text)} AS written, {{v0}} AS bound", {"v0": text}, "true")
    answer = json.loads(tables.session.query(sql, "JSONCompact").bytes())
    assert answer["data"] == [[text, text]]


def test_a_value_that_is_not_bound_is_an_error() -> None:
    with pytest.raises(KeyError):
        respelled("SELECT {nobody}", {}, "true")
