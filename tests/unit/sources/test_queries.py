from __future__ import annotations

import re

import duckdb
import pytest

from reporter.model import LEVELS
from reporter.sources.base import CALL_EVENTS
from reporter.sources.queries import for_duckdb as queries


@pytest.fixture(scope="module")
def engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for macro in queries.DUCKDB_MACROS:
        connection.execute(macro)
    return connection


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1.0), ("1.50", 1.5), ("-2e-3", -0.002), (" 7 ", 7.0), ("2.4e-07", 2.4e-07), ("0", 0.0),
        ("", None), ("true", None), ("nan", None), ("inf", None), ("-Infinity", None), ("1e999", None),
        ("1_000", None), ("0x1f", None), ("1,5", None), ("12 USD", None), ("[1]", None), (None, None),
    ],
)  # fmt: skip
def test_number_reads_finite_numbers_alone(
    engine: duckdb.DuckDBPyConnection, text: str | None, number: float | None
) -> None:
    assert engine.execute("SELECT number($1::VARCHAR)", [text]).fetchone() == (number,)


def test_said_reads_empty_and_null_as_not_set(engine: duckdb.DuckDBPyConnection) -> None:
    row = engine.execute("SELECT said(''), said('null'), said(NULL), said(' '), said('x')").fetchone()
    assert row == (None, None, None, " ", "x")


def test_total_does_not_depend_on_the_order_of_rows(engine: duckdb.DuckDBPyConnection) -> None:
    figures = [0.1, 1e16, -1e16, 0.2, 3.3, 1e-9] * 50
    sums = {
        engine.execute("SELECT total(x) FROM (SELECT unnest($1::DOUBLE[]) AS x)", [order]).fetchone()
        for order in (figures, figures[::-1], sorted(figures), sorted(figures, key=abs))
    }
    assert len(sums) == 1


def test_total_of_nothing_is_unknown(engine: duckdb.DuckDBPyConnection) -> None:
    assert engine.execute("SELECT total(x) FROM (VALUES (NULL::DOUBLE)) t(x)").fetchone() == (None,)


@pytest.mark.parametrize("questions", [queries.ITEMS, queries.FAILURES, queries.TOTALS, queries.CALLS])
def test_every_level_has_its_question(questions: dict[str, str]) -> None:
    assert set(questions) == set(LEVELS)


def test_the_event_of_a_trace_is_never_measured() -> None:
    assert "$ai_trace" not in CALL_EVENTS
    for question in (*queries.ITEMS.values(), *queries.FAILURES.values(), *queries.TOTALS.values()):
        assert "'$ai_trace'" not in question


def test_windows_include_their_start_and_exclude_their_end() -> None:
    for question in (*queries.ITEMS.values(), *queries.FAILURES.values(), *queries.TOTALS.values()):
        compared = re.findall(r"(?:\w\.)?ts\s*([<>]=?)\s*(?:w\.|\$)(\w+)", question)
        assert compared
        assert set(compared) == {(">=", "starts"), ("<", "ends")}
