from __future__ import annotations

import msgspec

from reporter import report as r
from reporter.render import rows
from tests.reports import section, states

STATES = states()
JOB = STATES["changed"].jobs[0]


def lines(job: r.JobSection) -> tuple[rows.ClusterRow, ...]:
    return rows.ledger(job, 0, lambda _: "L01")


def test_outliers_stand_last_without_colour_or_history() -> None:
    last = lines(JOB)[-1]
    assert (last.noise, last.title, last.swatch, last.spark) == (True, "Outliers", None, None)
    assert sum(row.noise for row in lines(JOB)) == 1


def test_errors_are_counts_and_unknown_where_there_is_no_data() -> None:
    assert lines(JOB)[3].errors == "57 of 409"
    empty = msgspec.structs.replace(
        JOB.clusters[0], metrics=msgspec.structs.replace(JOB.clusters[0].metrics, item_count=0)
    )
    assert lines(msgspec.structs.replace(JOB, clusters=[empty]))[0].errors == "–"


def test_change_is_told_in_words_surest_first() -> None:
    row = lines(JOB)[3]
    assert [(said.text, said.tone) for said in row.said] == [
        ("▲\u00a060% mean cost", "worse"),
        ("▲\u00a011\u00a0points error rate, probably", "worse"),
    ]
    assert row.weight == 3


def test_first_run_says_nothing_about_change() -> None:
    assert all(row.said == () and row.weight == 0 for row in lines(STATES["no_prior"].jobs[0]))


def test_history_of_one_run_draws_no_line() -> None:
    short = msgspec.structs.replace(JOB.clusters[0], history=JOB.clusters[0].history[-1:])
    row = lines(msgspec.structs.replace(JOB, clusters=[short]))[0]
    assert row.spark is None
    assert row.spark_words == ""


def test_one_cause_in_many_clusters_is_one_row() -> None:
    found = rows.errors(JOB, 0)
    clusters = [c for c in (*JOB.clusters, JOB.noise) if c is not None and c.errors]
    assert len(found) == 1
    assert found[0].count == sum(cause.count for c in clusters for cause in c.errors)
    assert found[0].clusters[0][0].title == "Data import mapping"
    assert len(found[0].clusters) == len(clusters)


def cause(new: bool | None, cost: float | None) -> r.ErrorCause:
    return r.ErrorCause(
        cause="x",
        count=2,
        items=1,
        cost_usd=cost,
        first_seen="2026-11-17T10:00:00Z",
        last_seen="2026-11-18T10:00:00Z",
        new=new,
        example_trace_id=None,
    )


def test_cause_is_new_only_if_it_is_new_everywhere() -> None:
    name = rows.Named("a", "b")
    assert rows.error("x", [(name, cause(True, 1.0)), (name, cause(True, None))]).news == "New"
    assert rows.error("x", [(name, cause(True, 1.0)), (name, cause(None, 1.0))]).news == "–"
    assert rows.error("x", [(name, cause(None, 1.0)), (name, cause(False, 1.0))]).news == "Seen before"


def test_unknown_cost_of_errors_stays_unknown() -> None:
    name = rows.Named("a", "b")
    assert rows.error("x", [(name, cause(True, None))]).cost_usd is None
    assert rows.error("x", [(name, cause(True, None)), (name, cause(True, 1.5))]).cost_usd == 1.5


def test_what_happened_stands_before_plain_continuations() -> None:
    found = rows.transitions(JOB, 0)
    quiet = [row.quiet for row in found]
    assert quiet == sorted(quiet)
    assert len(found) == len(JOB.transitions)


def test_cross_check_writes_only_numbers() -> None:
    baked = {"avg_cost": 0.5, "error_rate": "<b>", "avg_latency": True, "item_count": float("nan"), "odd": {}}
    job = msgspec.structs.replace(
        JOB, clusters=[msgspec.structs.replace(JOB.clusters[0], posthog_metrics=baked)]
    )
    (row,) = rows.cross_check(job, 0)
    theirs = dict(zip([key for key, _, _ in rows.CHECKED], [cell[1] for cell in row.cells], strict=True))
    assert theirs["avg_cost"] == "$0.50"
    assert {theirs["error_rate"], theirs["avg_latency"], theirs["item_count"], theirs["total_cost"]} == {"–"}
    assert rows.cross_check(JOB, 0) == ()


def test_evaluator_is_named_with_its_runtime() -> None:
    assert lines(STATES["evaluation"].jobs[0])[0].evaluator == "Groundedness, LLM judge"
    assert lines(section(clusters=1))[0].evaluator == ""
