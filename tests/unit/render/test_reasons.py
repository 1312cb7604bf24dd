"""What a change consists of is said only where it was measured and makes up half of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reporter import report as r
from reporter.render import reasons
from tests.reports import report, section

replace = msgspec.structs.replace


def why(job: r.JobSection, metric: str = "mean_cost_usd", cluster_id: int | None = 3) -> str:
    finding = next(f for f in report([section()]).findings if f.metric == metric)
    finding = replace(finding, cluster_id=cluster_id)
    cluster = next((c for c in job.clusters if c.cluster_id == cluster_id), None)
    change = cluster.change.metrics.get(metric) if cluster and cluster.change else None
    return reasons.why(finding, cluster, change, job)


def with_parts(**parts: float) -> r.JobSection:
    job = section()
    assert job.bridge is not None
    every = {
        "calls_per_item": 0.0,
        "model_mix": 0.0,
        "tokens_per_call": 0.0,
        "price_per_token": 0.0,
        "other": 0.0,
    } | parts
    total = sum(every.values())
    lines = [
        replace(line, unit_cost=total, unit_cost_parts=r.UnitCostParts(**every))
        if line.latest == [3]
        else line
        for line in job.bridge.lines
    ]
    return replace(job, bridge=replace(job.bridge, lines=lines))


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"tokens_per_call": 3.0, "price_per_token": 1.0}, "mostly more tokens per call"),
        ({"tokens_per_call": -3.0, "price_per_token": -1.0}, "mostly fewer tokens per call"),
        ({"model_mix": 2.0}, "mostly calls went to dearer models"),
        ({"calls_per_item": 2.0}, "mostly more calls per trace"),
        ({"price_per_token": -2.0}, "mostly a lower price per token"),
        ({"other": 2.0}, "mostly cost outside of calls rose"),
        # One outweighs another.
        ({"tokens_per_call": 3.0, "price_per_token": -4.0}, "mostly a lower price per token"),
        # None makes up half of it.
        ({"tokens_per_call": 1.0, "price_per_token": 1.0, "model_mix": 1.0}, ""),
        ({}, ""),
    ],
)
def test_a_cost_consists_of_its_largest_part(parts: dict[str, float], told: str) -> None:
    assert why(with_parts(**parts)) == told


def test_errors_are_told_with_their_counts() -> None:
    job = section()
    cluster = next(c for c in job.clusters if c.cluster_id == 3)
    count = cluster.errors[0].count
    assert why(job, "error_rate") == f"{count} of {count} failed calls: 429 rate limit of <provider>"


def test_no_cause_is_told_where_none_makes_up_half() -> None:
    job = section()
    clusters = [
        replace(c, errors=[replace(c.errors[0], cause=f"cause {i}", count=2) for i in range(5)])
        if c.errors
        else c
        for c in job.clusters
    ]
    assert why(replace(job, clusters=clusters), "error_rate") == ""


def test_the_whole_run_is_told_by_mix_or_cost_within_clusters() -> None:
    job = section()
    assert job.bridge is not None
    mix = replace(job.bridge, mix=30.0, unit_cost=10.0)
    assert why(replace(job, bridge=mix), cluster_id=None) == "mix of clusters (75% of it)"
    against = replace(job.bridge, mix=30.0, unit_cost=-20.0)
    assert why(replace(job, bridge=against), cluster_id=None) == "mix of clusters (more than all of it)"
    assert why(replace(job, bridge=None), cluster_id=None) == ""


def test_a_mean_that_rests_on_few_items_says_so() -> None:
    job = section()
    clusters = [
        replace(
            c,
            change=replace(
                c.change,
                metrics={
                    **c.change.metrics,
                    "mean_cost_usd": replace(c.change.metrics["mean_cost_usd"], driven_by=["t-1", "t-2"]),
                },
            ),
        )
        if c.cluster_id == 3 and c.change
        else c
        for c in job.clusters
    ]
    assert why(replace(job, clusters=clusters)).endswith("; rests on 2 traces")


def filters(*found: dict[str, Any]) -> str:
    job = section()
    return reasons.filters(replace(job, job=replace(job.job, event_filters=list(found))))


@pytest.mark.parametrize(
    ("one", "told"),
    [
        ({"key": "environment", "type": "event", "value": ["production"], "operator": "exact"},
         "environment is “production”"),
        ({"key": "plan", "type": "person", "value": ["pro", "team"], "operator": "is_not"},
         "plan of the person is not “pro” or “team”"),
        ({"key": "flag", "value": True}, "flag is “true”"),
        ({"key": "email", "operator": "is_set", "type": "person"}, "email of the person is set"),
        ({"key": "email", "operator": "icontains", "value": None}, "email contains a value not shown"),
        ({"key": "n", "operator": "gte", "value": 3}, "n is at least “3”"),
        ({"key": "n", "operator": "odd_one", "value": 3}, "n odd one “3”"),
        ({"key": "a", "value": list("abcdef")}, "a is “a” or “b” or “c” or “d” or 2 more"),
        ({}, "a property is a value not shown"),
    ],
)  # fmt: skip
def test_a_filter_is_read_out(one: dict[str, Any], told: str) -> None:
    assert filters(one) == f"The job looks only at traces where {told}."


def test_several_filters_are_joined_and_cut() -> None:
    assert filters() == ""
    assert filters({"key": "a", "value": 1}, {"key": "b", "value": 2}) == (
        "The job looks only at traces where a is “1” and b is “2”."
    )
    assert filters(*({"key": f"k{i}", "value": i} for i in range(9))).endswith(" and 3 more filters.")
