"""What is over: sure to be off the level that was told, and nearer the old one; told once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.analysis import memory, news, wording
from reporter.report import Estimate, Finding, JobSection
from tests.reports import estimate, report, section

JOB = section()
(COST,) = (f for f in report([JOB]).findings if f.kind == "cost")
CLUSTER = next(c for c in JOB.clusters if c.cluster_id == COST.cluster_id)
NAME = f"cost|{CLUSTER.lineage_id}|mean_cost_usd|up"
BEFORE, THEN = 0.02, 0.08


def told(run: str = "earlier", end: str = "2026-11-15T00:00:00Z", **over: Any) -> news.Told:
    fields: dict[str, Any] = {"keys": [NAME], "levels": {NAME: (BEFORE, THEN)}, "resolved": []}
    return news.Told(run, "2026-11-08T00:00:00Z", end, **(fields | over))


def at(value: float | None, low: float | None, high: float | None) -> JobSection:
    level = Estimate(value=value, low=low, high=high, n=50, method="log-t")
    estimates = msgspec.structs.replace(CLUSTER.estimates, mean_cost_usd=level)
    clusters = [msgspec.structs.replace(c, estimates=estimates) if c is CLUSTER else c for c in JOB.clusters]
    return msgspec.structs.replace(JOB, clusters=clusters)


def over(
    made: JobSection, *said: news.Told, findings: tuple[Finding, ...] = ()
) -> list[tuple[float, float, float]]:
    return [(one.before, one.then, one.now) for one in news.resolved(said, made, 0, findings)]


def test_back_at_the_old_level_is_over() -> None:
    made = at(0.022, 0.018, 0.027)
    assert over(made, told()) == [(BEFORE, THEN, 0.022)]
    (one,) = news.resolved([told()], made, 0, ())
    assert (one.kind, one.metric, one.direction, one.cluster_id) == (
        "cost",
        "mean_cost_usd",
        "up",
        CLUSTER.cluster_id,
    )
    assert wording.over(one, made, "UTC") == (
        "“Data import mapping” is back at $0.022 (cost): the rise from $0.020 to $0.080, told for the run to "
        "15\u00a0Nov\u00a02026, is over."
    )


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        (0.079, 0.07, 0.09),
        (0.05, 0.03, 0.081),
        (0.06, 0.055, 0.07),
        (None, None, None),
        (0.02, None, None),
        (0.9, 0.8, 1.0),
    ],
)
def test_still_there_or_nobody_knows_is_not_over(
    value: float | None, low: float | None, high: float | None
) -> None:
    assert over(at(value, low, high), told()) == []


def test_what_is_told_anew_or_was_told_to_be_over_is_not_over() -> None:
    made = at(0.022, 0.018, 0.027)
    assert over(made, told(), findings=(COST,)) == []
    done = told("later", "2026-11-16T00:00:00Z", keys=[], levels={}, resolved=[NAME])
    assert over(made, told(), done) == []
    assert over(made, told(), done, told("again", "2026-11-17T00:00:00Z", levels={NAME: (0.03, 0.08)})) == [
        (0.03, 0.08, 0.022)
    ]


def test_only_older_runs_within_a_month_count() -> None:
    made = at(0.022, 0.018, 0.027)
    assert made.latest is not None
    assert over(made, told(made.latest.run_id)) == []
    assert over(made, told(end=made.latest.window_end)) == []
    assert over(made, told(end="2026-09-15T00:00:00Z")) == []


def test_the_first_report_gives_the_old_level_and_the_last_the_new_one() -> None:
    later = told("later", "2026-11-16T00:00:00Z", levels={NAME: (0.08, 0.10)})
    assert over(at(0.022, 0.018, 0.027), told(), later) == [(BEFORE, 0.10, 0.022)]


def test_a_fall_can_be_over_and_a_cluster_that_is_gone_cannot() -> None:
    fall = NAME.replace("up", "down")
    assert over(at(0.08, 0.07, 0.09), told(levels={fall: (0.08, 0.02)})) == [(0.08, 0.02, 0.08)]
    assert over(at(0.022, 0.018, 0.027), told(levels={"cost|gone|mean_cost_usd|up": (BEFORE, THEN)})) == []


def test_the_whole_run_can_be_back() -> None:
    assert JOB.overall is not None
    estimates = msgspec.structs.replace(JOB.overall.estimates, error_rate=estimate(0.02, 0.3, 900))
    made = msgspec.structs.replace(JOB, overall=msgspec.structs.replace(JOB.overall, estimates=estimates))
    (one,) = news.resolved([told(levels={"errors||error_rate|up": (0.02, 0.2)})], made, 0, ())
    assert one.cluster_id is None
    assert "The average trace is back at 2.0% (error rate)" in wording.over(one, made, "UTC")


def test_a_report_remembers_levels_and_what_is_over_by_state_and_by_its_own_json() -> None:
    made = at(0.022, 0.018, 0.027)
    resolved = news.resolved([told()], made, 0, ())
    whole = msgspec.structs.replace(report([made]), resolved=resolved)
    mine = list(whole.findings)
    (from_json,) = memory.of_report(whole, 0).told
    assert from_json.resolved == [NAME]
    assert from_json.levels == {NAME: (COST.prior, COST.latest)}
    assert news.levels(made, mine) == from_json.levels
    assert news.over(made, resolved) == [NAME]


@given(st.floats(1e-6, 10), st.floats(1e-6, 10), st.floats(1e-6, 10), st.floats(0, 0.5))
def test_over_means_off_the_told_level_and_nearer_the_old_one(
    before: float, then: float, now: float, wide: float
) -> None:
    way = "up" if then > before else "down"
    low, high = now * (1 - wide), now * (1 + wide)
    found = news.resolved(
        [told(levels={f"cost|{CLUSTER.lineage_id}|mean_cost_usd|{way}": (before, then)})],
        at(now, low, high),
        0,
        (),
    )
    off = high < then if way == "up" else low > then
    assert bool(found) == (off and abs(now - before) < abs(now - then))
