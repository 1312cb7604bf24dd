"""One run as two: every item on the side of its first call, clusters themselves, chance taken into account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.analysis.deployed import split
from reporter.model import Cluster, Item, ItemMetrics, Run, RunHeader, Window
from tests.worlds import failure

START = datetime(2026, 11, 16, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(days=7))


def row(key: str, hours: float | None) -> ItemMetrics:
    at = None if hours is None else START + timedelta(hours=hours)
    return ItemMetrics(
        key=key, cost_usd=1.0, latency_s=1.0, tokens_in=1.0, tokens_out=1.0, tokens_cached=None, error_events=0, calls=1,
        first_at=at, last_at=at, has_data=at is not None,
    )  # fmt: skip


def run(clusters: dict[int, list[float | None]]) -> tuple[Run, list[ItemMetrics]]:
    rows, made = [], []
    for cluster_id, hours in clusters.items():
        mine = [row(f"{cluster_id}-{i}", at) for i, at in enumerate(hours)]
        rows += mine
        items = tuple(Item(one.key, one.key, None, None, None, None, None) for one in mine)
        made.append(Cluster(cluster_id, f"Cluster {cluster_id}", "", items, 0.0, 0.0, {"avg_cost": 1}))
    header = RunHeader(
        run_id="r", level="trace", job_id=None, job_name="", label=None, window=WINDOW, items=len(rows),
        emitted_at=WINDOW.end, params=None, event_uuid="e",
    )  # fmt: skip
    return Run(header, tuple(made)), rows


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def test_each_item_is_on_the_side_of_its_first_call() -> None:
    whole, rows = run({0: [1, 2, 50, 51], 1: [3, 49.999, 50], -1: [1, 90]})
    found = split(whole, rows, [failure("0-0", "x"), failure("0-2", "y")], at(50), "UTC")
    assert found is not None
    keys = [
        [[item.key for item in c.items] for c in side.run.clusters] for side in (found.before, found.after)
    ]
    assert keys == [[["0-0", "0-1"], ["1-0", "1-1"], ["-1-0"]], [["0-2", "0-3"], ["1-2"], ["-1-1"]]]
    assert [side.run.header.items for side in (found.before, found.after)] == [5, 4]
    assert [side.run.header.window for side in (found.before, found.after)] == [
        Window(START, at(50)),
        Window(at(50), WINDOW.end),
    ]
    assert [[f.key for f in side.failures] for side in (found.before, found.after)] == [["0-0"], ["0-2"]]
    assert found.before.run.header.run_id != found.after.run.header.run_id == "r"
    assert all(c.baked is None for side in (found.before, found.after) for c in side.run.clusters)
    assert [(g.kind, g.confidence) for g in found.matched.groups] == [("continued", 1.0)] * 2
    assert "4 of 9 items" in found.comparability.prior_choice


def test_items_without_a_call_are_on_neither_side_and_counted() -> None:
    whole, rows = run({0: [1, None, 90, None]})
    found = split(whole, rows, [], at(50), "UTC")
    assert found is not None
    assert [side.run.header.items for side in (found.before, found.after)] == [1, 1]
    assert found.comparability.prior_choice.endswith("2 items without a call are on neither side.")


@pytest.mark.parametrize("hours", [-1, 0, 168, 500, 0.5, 95])
def test_where_one_side_would_be_empty_there_is_nothing_to_compare(hours: float) -> None:
    whole, rows = run({0: [1, 2, 90]})
    assert split(whole, rows, [], at(hours), "UTC") is None


def test_a_cluster_on_one_side_came_or_went_as_surely_as_chance_allows() -> None:
    half: list[float | None] = [1.0] * 40 + [90.0] * 40
    whole, rows = run({0: half, 1: [1.0] * 20, 2: [90.0] * 20, 3: [1.0] * 2, 4: [90.0] * 2})
    found = split(whole, rows, [], at(50), "UTC")
    assert found is not None
    told = {
        (g.kind, *g.prior, *g.latest): g.confidence for g in found.matched.groups if g.kind != "continued"
    }
    assert told["gone", 1] == pytest.approx(1 - 5 * 0.5**20)
    assert told["new", 2] == pytest.approx(1 - 5 * 0.5**20)
    assert told["gone", 3] == told["new", 4] == 0.0


@given(
    st.lists(st.lists(st.one_of(st.none(), st.floats(0, 167.9)), max_size=12), min_size=1, max_size=5),
    st.floats(0.1, 167),
)
def test_no_item_is_lost_or_doubled(clusters: list[list[float | None]], hours: float) -> None:
    whole, rows = run(dict(enumerate(clusters)))
    found = split(whole, rows, [], at(hours), "UTC")
    timed = [one for one in rows if one.first_at is not None]
    before = {one.key for one in timed if one.first_at is not None and one.first_at < at(hours)}
    after = {one.key for one in timed} - before
    if found is None:
        assert not before or not after
        return
    for side, keys in ((found.before, before), (found.after, after)):
        assert (
            {item.key for c in side.run.clusters for item in c.items}
            == keys
            == {one.key for one in side.rows}
        )
        assert side.run.header.items == len(keys)
    assert all(0 <= group.confidence <= 1 for group in found.matched.groups)
