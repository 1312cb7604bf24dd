from __future__ import annotations

import re
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporter.sources.filters import Condition, Property, condition_of, equality
from reporter.sources.queries.for_duckdb import DUCKDB_MACROS

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.lists(st.one_of(st.text(), st.integers())),
)
OPERATORS = [
    "exact",
    "is_not",
    "icontains",
    "not_icontains",
    "gt",
    "gte",
    "lt",
    "lte",
    "is_set",
    "is_not_set",
    None,
]


@pytest.fixture(scope="module")
def engine() -> Any:
    with duckdb.connect() as connection:
        for macro in DUCKDB_MACROS:
            connection.execute(macro)
        yield connection


def passes(engine: duckdb.DuckDBPyConnection, condition: Condition, texts: list[str | None]) -> bool:
    """Evaluate a condition with these texts for its properties."""
    columns = {f"p{n}": f"$p{n}::VARCHAR" for n in range(len(texts))}
    bound = {f"p{n}": text for n, text in enumerate(texts) if f"{{p{n}}}" in condition.sql}
    row = engine.execute(
        f"SELECT {condition.sql.format(**columns)}", {**bound, **condition.values}
    ).fetchone()
    assert row is not None
    assert isinstance(row[0], bool)
    return row[0]


def one(key: str = "k", **said: Any) -> Condition | None:
    return condition_of([{"key": key, "type": "event", **said}])


@pytest.mark.parametrize(
    ("operator", "value", "passing", "failing"),
    [
        ("exact", "desk", ["desk"], ["Desk", "desk ", None]),
        ("exact", ["a", "b"], ["a", "b"], ["c", None]),
        ("exact", 2, ["2", "2.0", " 2e0"], ["2.5", "two", None]),
        ("exact", "2", ["2", "2.0"], ["22"]),
        ("exact", 0.1, ["0.1", "1e-1"], ["0.10000001"]),
        ("exact", True, ["true"], ["false", "1", None]),
        ("exact", [], ["anything", None], []),
        (None, "desk", ["desk"], ["x"]),
        ("is_not", ["a", "b"], ["c", None], ["a", "b"]),
        ("is_not", 1, ["2", None], ["1", "1.0"]),
        ("icontains", "ESK", ["desk", "DESKS"], ["des", None]),
        ("icontains", "%", ["5%"], ["5"]),
        ("icontains", ["x", "y"], ["ax", "by"], ["c"]),
        ("not_icontains", "esk", [None, "x"], ["dEsk"]),
        ("regex", "^d.sk$", ["desk", "d\nsk"], ["desks", None]),
        ("regex", "e", ["desk"], ["DESK"]),
        ("not_regex", "^d", ["x", None], ["desk"]),
        ("gt", "5", ["5.1", "6"], ["5", "x", None]),
        ("gte", 5, ["5"], ["4.9"]),
        ("lt", -1.5, ["-2"], ["-1.5", "0"]),
        ("lte", 5, ["5", "-1e9"], ["5.01", "abc"]),
        ("is_set", None, ["x", "0"], [None]),
        ("is_not_set", "ignored", [None], ["x"]),
    ],
)
def test_operators_mean_what_posthog_means(
    engine: duckdb.DuckDBPyConnection,
    operator: str | None,
    value: Any,
    passing: list[str | None],
    failing: list[str | None],
) -> None:
    condition = one(operator=operator, value=value)
    assert condition is not None
    assert [text for text in passing if not passes(engine, condition, [text])] == []
    assert [text for text in failing if passes(engine, condition, [text])] == []


@pytest.mark.parametrize(
    "raw",
    [
        {"key": "k", "type": "cohort", "value": 1},
        {"key": "k", "type": "group", "value": "x"},
        {"key": "k", "type": "hogql", "value": "1"},
        {"key": "k", "type": ["event"], "value": "x"},
        {"key": "", "type": "event", "value": "x"},
        {"key": 5, "type": "event", "value": "x"},
        {"key": "\ud800", "type": "event", "value": "x"},
        {"type": "event", "value": "x"},
        {"key": "k", "value": "x", "operator": "between"},
        {"key": "k", "value": "x", "operator": ["exact"]},
        {"key": "k", "value": "\ud800"},
        {"key": "k", "value": {"a": 1}},
        {"key": "k", "value": None},
        {"key": "k", "value": [None]},
        {"key": "k", "value": "tall", "operator": "gt"},
        {"key": "k", "value": float("nan"), "operator": "lt"},
        {"key": "k", "value": True, "operator": "lt"},
        {"key": "k", "value": "x", "negation": True},
        {"type": "AND", "values": []},
        "k = 1",
        None,
    ],
)
def test_what_cannot_be_spelled_faithfully_is_not_spelled(raw: Any) -> None:
    good = {"key": "k", "type": "event", "value": "x"}
    assert condition_of([good, raw]) is None


def test_no_filter_lets_everything_pass() -> None:
    assert condition_of([]) == Condition(sql="true", properties=(), values={})


def test_all_filters_must_hold(engine: duckdb.DuckDBPyConnection) -> None:
    condition = condition_of(
        [
            {"key": "a", "value": "x"},
            {"key": "b", "type": "person", "value": "y"},
            {"key": "a", "operator": "is_set"},
        ]
    )
    assert condition is not None
    assert condition.properties == (Property("event", "a"), Property("person", "b"))
    assert passes(engine, condition, ["x", "y"])
    assert not passes(engine, condition, ["x", "z"])
    assert not passes(engine, condition, ["z", "y"])


def test_equality_asks_for_every_property(engine: duckdb.DuckDBPyConnection) -> None:
    condition = equality({"b": "2", "a": "x"})
    assert condition.properties == (Property("event", "a"), Property("event", "b"))
    assert passes(engine, condition, ["x", "2.0"])
    assert not passes(engine, condition, ["x", None])


@given(
    st.lists(
        st.fixed_dictionaries(
            {"key": st.text(min_size=1), "value": VALUES, "operator": st.sampled_from(OPERATORS)}
        ),
        max_size=4,
    )
)
def test_data_never_becomes_sql(filters: list[dict[str, Any]]) -> None:
    condition = condition_of(filters)
    if condition is not None:
        spelled = re.sub(r"\{p\d+\}|\$f\d+", "", condition.sql)
        words = set(re.findall(r"[a-z]+|[A-Z]+|[^a-zA-Z\s(),]", spelled))
        assert words <= {"coalesce", "contains", "lower", "number", "true", "false", "AND", "OR", "NOT", "IS", "NULL",
                         "=", "<", ">"}  # fmt: skip
        assert set(re.findall(r"\$(f\d+)", condition.sql)) == set(condition.values)
        assert len(condition.properties) == len(set(condition.properties))


@settings(deadline=None)  # the engine's first answer takes its time
@given(wanted=st.text(), other=st.text())
def test_exact_is_equality_of_texts(engine: duckdb.DuckDBPyConnection, wanted: str, other: str) -> None:
    condition = one(value=wanted)
    assert condition is not None
    assert passes(engine, condition, [wanted])
    try:
        same_number = float(other) == float(wanted)
    except ValueError:
        same_number = False
    assert same_number or passes(engine, condition, [other]) == (other == wanted)
