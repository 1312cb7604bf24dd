"""Items in order, traces as trees, texts cut to what may be shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.analysis import drilldown
from reporter.model import Cluster, Item, ItemMetrics, Summary, Trace, TraceEvent, TraceSummary

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECRET = "mail ann@example.org"


def event(uuid: str, span: str | None, parent: str | None, at: float = 0.0, **more: Any) -> TraceEvent:
    given: dict[str, Any] = {
        "uuid": uuid, "event": "$ai_span", "at": START + timedelta(seconds=at), "span_id": span,
        "parent_id": parent, "name": None, "model": None, "provider": None, "latency_s": None, "cost_usd": None,
        "tokens_in": None, "tokens_out": None, "is_error": False, "error": None, "input": None, "output": None,
    }  # fmt: skip
    return TraceEvent(**{**given, **more})


def trace(*events: TraceEvent) -> Trace:
    summary = TraceSummary("t", SECRET, START, 1.0, 0.5, 1.0, 2.0, 0, len(events))
    return Trace(summary, events)


def shape(*events: TraceEvent) -> list[tuple[str, int]]:
    return [(node.uuid, node.depth) for node in drilldown.nodes(trace(*events), "titles")]


def test_children_follow_their_parents_by_time() -> None:
    assert shape(
        event("late", "s2", "s1", 9),
        event("root", "s1", "t", 10, latency_s=10.0),
        event("leaf", "s3", "s2", 8),
        event("early", "s4", "s1", 2),
    ) == [("root", 0), ("early", 1), ("late", 1), ("leaf", 2)]


def test_the_trace_event_is_the_root_of_what_names_the_trace() -> None:
    assert shape(event("top", None, None, event="$ai_trace"), event("step", "s", "t", 1)) == [
        ("top", 0),
        ("step", 1),
    ]


def test_lost_parents_and_circles_leave_events_at_the_top() -> None:
    assert shape(event("orphan", "s1", "gone"), event("self", "s2", "s2", 1)) == [("orphan", 0), ("self", 0)]
    circle = shape(event("a", "s1", "s2"), event("b", "s2", "s1", 1))
    assert sorted(name for name, _ in circle) == ["a", "b"]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.floats(0, 9)), max_size=12))
def test_every_event_stands_in_the_tree_once(links: list[tuple[int, int, float]]) -> None:
    events = [event(f"e{i}", f"s{span}", f"s{up}", at) for i, (span, up, at) in enumerate(links)]
    nodes = drilldown.nodes(trace(*events), "titles")
    assert sorted(n.uuid for n in nodes) == sorted(e.uuid for e in events)
    seen: set[str] = set()
    for node in nodes:
        assert node.parent is None or node.parent in seen
        assert node.offset_s >= 0
        seen.add(node.uuid)


def test_an_event_began_its_latency_before_it_was_sent() -> None:
    nodes = drilldown.nodes(
        trace(event("a", "s1", None, 5, latency_s=5.0), event("b", "s2", "s1", 5, latency_s=2.0)), "titles"
    )
    assert [(n.uuid, n.offset_s) for n in nodes] == [("a", 0.0), ("b", 3.0)]


@pytest.mark.parametrize(
    ("level", "name", "error", "said"),
    [
        ("numbers", None, None, None),
        ("titles", "mail <email>", "503 for <email>", None),
        ("quotes", "mail <email>", "503 for <email>", "mail <email>"),
        ("full", SECRET, f"503 for {SECRET.split()[1]}", SECRET),
    ],
)
def test_texts_are_cut_to_the_level(
    level: Any, name: str | None, error: str | None, said: str | None
) -> None:
    broke = event("a", "s", None, is_error=True, error="503 for ann@example.org", name=SECRET, input=SECRET)
    (node,) = drilldown.nodes(trace(broke), level)
    assert (node.name, node.input) == (name, said)
    assert node.error == (error if level == "full" else error and error.replace("503", "<n>"))
    assert drilldown.trace_row(trace().summary, "https://h", "1", level).name == name


def test_items_are_ordered_by_what_is_asked_unknown_last() -> None:
    def row(key: str, cost: float | None) -> ItemMetrics:
        return ItemMetrics(key, cost, None, None, None, None, 0, 1, START, START, has_data=True)

    items = tuple(
        Item(k, k, r, None, None, None, None) for k, r in (("a", 1), ("b", None), ("c", 0), ("d", 2))
    )
    cluster = Cluster(1, "x", "", items, None, None, None)
    rows = {"a": row("a", 1.0), "b": row("b", 3.0), "d": row("d", None)}
    assert [i.key for i in drilldown.ordered(cluster, rows, "rank")] == ["c", "a", "d", "b"]
    assert [i.key for i in drilldown.ordered(cluster, rows, "cost")] == ["b", "a", "c", "d"]
    assert {i.key for i in drilldown.ordered(cluster, rows, "newest")} == {"a", "b", "c", "d"}


@pytest.mark.parametrize(("level", "title"), [("titles", None), ("quotes", "mail <email>"), ("full", SECRET)])
def test_summaries_of_items_are_content(level: Any, title: str | None) -> None:
    item = Item("a", "a", 0, None, None, None, None)
    told = drilldown.item_row(
        item, None, "trace", "https://h", "1", level, Summary("a", SECRET, (SECRET, " "))
    )
    assert told.title == title
    assert told.bullets == ([title] if title else [])
