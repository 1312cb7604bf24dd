"""A table of rules and outcomes on figures anybody can check by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from reporter import report as r
from reporter.analysis import gates
from reporter.analysis.gate_rules import parse
from reporter.config.settings import Gating
from tests.reports import report, section

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PASS, FAIL, FEW, APART = "passed", "failed", "not_enough_data", "not_comparable"


def level(
    value: float | None, low: float | None = None, high: float | None = None, n: int = 100
) -> r.Estimate:
    return r.Estimate(value=value, low=low, high=high, n=n, method="wilson")


def change(
    prior: float, latest: float, ratio: tuple[float, float] | None, call: r.Call = "changed"
) -> r.MetricChange:
    made = None if ratio is None or not prior else r.Ratio(value=latest / prior, low=ratio[0], high=ratio[1])
    wide = None if ratio is None else (prior * (ratio[0] - 1), prior * (ratio[1] - 1))
    return r.MetricChange(
        prior=prior, latest=latest, difference=latest - prior, low=wide and wide[0], high=wide and wide[1],
        ratio=made, p_value=None, q_value=None, call=call,
    )  # fmt: skip


REPLACE = msgspec.structs.replace
BASE = section(clusters=4)


def told(
    c: r.Cluster,
    title: str,
    share: float,
    errors: r.Estimate,
    cost: r.Estimate,
    kind: str,
    **metrics: r.MetricChange,
) -> r.Cluster:
    rate = errors.value or 0.0
    figures = REPLACE(
        c.metrics, error_rate=errors.value, error_count=round(rate * errors.n), item_count=errors.n, avg_cost=cost.value,
        total_cost=(cost.value or 0) * errors.n,
    )  # fmt: skip
    assert c.change is not None
    return REPLACE(
        c,
        title=title,
        lineage_id=title.lower(),
        share=share,
        estimates=REPLACE(
            c.estimates, error_rate=errors, mean_cost_usd=cost, share=level(share, share / 2, share * 2)
        ),
        metrics=figures,
        prior_metrics=REPLACE(figures, avg_cost=0.02, error_rate=0.02, total_cost=1.0)
        if kind == "continued"
        else None,
        change=REPLACE(c.change, transition=kind, metrics=metrics),  # type: ignore[arg-type]
    )


REFUNDS = told(
    BASE.clusters[0], "Refunds", 0.5, level(0.10, 0.06, 0.16), level(0.03, 0.025, 0.036), "continued",
    mean_cost_usd=change(0.02, 0.03, (1.3, 1.7)), error_rate=change(0.02, 0.10, (2.0, 9.0)),
)  # fmt: skip
LOGIN = told(
    BASE.clusters[1], "Login", 0.3, level(0.04, 0.01, 0.09), level(0.02, 0.015, 0.025), "continued",
    mean_cost_usd=change(0.02, 0.02, (0.8, 1.25), "no_clear_change"),
    error_rate=change(0.0, 0.04, None, "not_enough_data"),
)  # fmt: skip
FRESH = told(BASE.clusters[2], "Fresh", 0.1, level(0.0, 0.0, 0.06, 50), level(0.09, 0.05, 0.12, 50), "new")
TINY = told(BASE.clusters[3], "Tiny", 0.04, level(0.5, 0.1, 0.9, 4), level(0.5, 0.1, 0.9, 4), "continued")
assert BASE.overall is not None
WHOLE = REPLACE(
    BASE.overall,
    estimates=REPLACE(
        BASE.overall.estimates,
        error_rate=level(0.07, 0.05, 0.09, 400),
        mean_cost_usd=level(0.026, 0.022, 0.030, 400),
    ),
    metrics=REPLACE(BASE.overall.metrics, error_rate=0.07, avg_cost=0.026, total_cost=10.4, item_count=400),
    prior_metrics=REPLACE(
        BASE.overall.metrics, error_rate=0.05, avg_cost=0.02, total_cost=8.0, item_count=400
    ),
    change=REPLACE(
        BASE.overall.change,
        metrics={
            "mean_cost_usd": change(0.02, 0.026, (1.1, 1.5)),
            "error_rate": change(0.05, 0.07, (0.9, 1.9), "no_clear_change"),
        },
    ),
)
assert BASE.noise is not None
NOISE = REPLACE(BASE.noise, share=0.06)
GONE = [REPLACE(BASE.gone[0], share=0.03)]
JOB = REPLACE(BASE, clusters=[REFUNDS, LOGIN, FRESH, TINY], overall=WHOLE, noise=NOISE, gone=GONE)

TABLE = [
    # Levels: a cluster each, too few items are not judged.
    ("error_rate <= 5%", {"Refunds": FAIL, "Login": PASS, "Fresh": PASS, "Tiny": FEW}),
    ("error_rate <= 10%", {"Refunds": PASS, "Login": PASS, "Fresh": PASS, "Tiny": FEW}),
    ("error_rate < 10%", {"Refunds": FAIL, "Login": PASS, "Fresh": PASS, "Tiny": FEW}),
    ("error_rate >= 4%", {"Refunds": PASS, "Login": PASS, "Fresh": FAIL, "Tiny": FEW}),
    ("error_rate > 4%", {"Refunds": PASS, "Login": FAIL, "Fresh": FAIL, "Tiny": FEW}),
    # Surely: only where the whole interval is beyond.
    ("error_rate <= 5% surely", {"Refunds": FAIL, "Login": PASS, "Fresh": PASS, "Tiny": FEW}),
    ("error_rate <= 7% surely", {"Refunds": PASS, "Login": PASS, "Fresh": PASS, "Tiny": FEW}),
    ("error_rate >= 8% surely", {"Refunds": PASS, "Login": PASS, "Fresh": FAIL, "Tiny": FEW}),
    # Scopes.
    ("total error_rate <= 5%", {None: FAIL}),
    ("total error_rate <= 5% surely", {None: PASS}),
    ("new mean_cost_usd <= $0.05", {"Fresh": FAIL}),
    ("new mean_cost_usd <= $0.05 surely", {"Fresh": PASS}),
    ("noise share <= 5%", {"noise": FAIL}),
    ("noise share <= 6%", {"noise": PASS}),
    ("lineage:login error_rate <= 3%", {"Login": FAIL}),
    ("title:/^ref/i error_rate <= 5%", {"Refunds": FAIL}),
    ("title:/^ref/ error_rate <= 5%", {None: FEW}),
    ("lineage:nobody error_rate <= 5%", {None: FEW}),
    ("share <= 40%", {"Refunds": FAIL, "Login": PASS, "Fresh": PASS, "Tiny": PASS}),
    # PostHog's own figures, with the interval of the estimate of the same thing.
    ("title:/Refunds/ avg_cost <= $0.025 surely", {"Refunds": PASS}),
    ("title:/Refunds/ avg_cost <= $0.024 surely", {"Refunds": FAIL}),
    ("total total_cost <= $10", {None: FAIL}),
    ("total total_cost <= $10 surely", {None: FEW}),
    ("title:/Tiny/ error_count <= 1", {"Tiny": FAIL}),
    # Changes: new clusters have none, the whole run has.
    ("mean_cost_usd +40%", {"Refunds": FAIL, "Login": PASS, "Tiny": None, "Fresh": None}),
    ("mean_cost_usd +20% surely", {"Refunds": FAIL, "Login": PASS}),
    ("mean_cost_usd +40% surely", {"Refunds": PASS, "Login": PASS}),
    ("total avg_cost +20%", {None: FAIL}),
    ("total avg_cost +20% surely", {None: PASS}),
    ("total avg_cost +5% surely", {None: FAIL}),
    ("total total_cost +20%", {None: FAIL}),
    ("total total_cost +$3", {None: PASS}),
    ("total total_cost +20% surely", {None: FEW}),
    ("total error_rate +1pp", {None: FAIL}),
    ("total error_rate +1pp surely", {None: PASS}),
    ("total error_rate -1pp", {None: PASS}),
    ("title:/Refunds/ mean_cost_usd +$0.009", {"Refunds": FAIL}),
    ("title:/Refunds/ mean_cost_usd +$0.009 surely", {"Refunds": PASS}),
    ("title:/Login/ error_rate +10%", {"Login": FEW}),
    # What came and went.
    ("new_share <= 10%", {None: PASS}),
    ("new_share <= 9%", {None: FAIL}),
    ("gone_share <= 2%", {None: FAIL}),
    ("gone_share <= 3%", {None: PASS}),
]


def judged(
    rule: str, job: r.JobSection = JOB, policy: dict[str, str] | None = None, **over: Any
) -> list[r.Gate]:
    found, _ = gates.judge([Gating(parse(rule), **over)], [job], policy or {}, NOW)
    return found


def names(found: list[r.Gate]) -> dict[str | None, str]:
    titles = {c.cluster_id: c.title for c in JOB.clusters} | {-1: "noise"}
    return {titles.get(g.cluster_id) if g.cluster_id is not None else None: g.outcome for g in found}


@pytest.mark.parametrize(("rule", "outcomes"), TABLE, ids=[rule for rule, _ in TABLE])
def test_every_rule_has_its_outcome(rule: str, outcomes: dict[str | None, str | None]) -> None:
    found = judged(rule)
    assert names(found) == {name: outcome for name, outcome in outcomes.items() if outcome is not None}
    assert all(gate.fails == (gate.outcome == "failed") for gate in found)
    assert all(gate.sentence.endswith(".") for gate in found)


def test_an_outcome_holds_value_interval_and_limit() -> None:
    (gate,) = judged("title:/Refunds/ mean_cost_usd +40%")
    assert (gate.limit, gate.relative, gate.change, gate.n, gate.metric) == (
        0.4,
        True,
        True,
        100,
        "mean_cost_usd",
    )
    assert (gate.value, gate.low, gate.high) == pytest.approx((0.5, 0.3, 0.7))
    assert gate.sentence == (
        "“Refunds”: mean_cost_usd +50% (95% +30% to +70%), 100 traces; the limit is +40%."
    )
    (fall,) = judged("title:/Refunds/ mean_cost_usd -10%")
    assert (fall.limit, fall.outcome) == (-0.1, "passed")


def test_a_fall_that_is_too_deep() -> None:
    deep = REPLACE(
        REFUNDS, change=REPLACE(REFUNDS.change, metrics={"mean_cost_usd": change(0.06, 0.03, (0.4, 0.6))})
    )
    job = REPLACE(JOB, clusters=[deep])
    for rule, outcome in (
        ("-40%", FAIL),
        ("-39% surely", FAIL),
        ("-45% surely", PASS),
        ("-60%", PASS),
        ("+1%", PASS),
    ):
        assert [g.outcome for g in judged(f"mean_cost_usd {rule}", job)] == [outcome], rule


def test_a_rise_from_nothing_fails_only_where_it_is_one() -> None:
    for call, outcome in (("changed", FAIL), ("no_clear_change", FEW)):
        tested = change(0.0, 0.1, None, call)  # type: ignore[arg-type]
        job = REPLACE(
            JOB, clusters=[REPLACE(REFUNDS, change=REPLACE(REFUNDS.change, metrics={"error_rate": tested}))]
        )
        assert [g.outcome for g in judged("error_rate +20%", job)] == [outcome]
        assert [g.outcome for g in judged("error_rate +20%", job, min_n=1)] == [outcome]


def test_min_n_is_what_the_rule_says() -> None:
    assert names(judged("error_rate <= 5%", min_n=1))["Tiny"] == FAIL
    assert set(names(judged("error_rate <= 5%", min_n=101)).values()) == {FEW}
    p95 = judged("p95_latency_s <= 1000s")
    assert all((g.outcome == FEW) == (g.n is None or g.n < 60) for g in p95)


def test_runs_that_cannot_be_compared_and_jobs_that_were_not_read() -> None:
    assert JOB.comparability is not None
    apart = REPLACE(JOB, comparability=REPLACE(JOB.comparability, comparable=False))
    assert set(names(judged("mean_cost_usd +20%", apart)).values()) == {APART}
    first = REPLACE(JOB, comparability=None, prior=None)
    for rule in ("new_share <= 10%", "new error_rate <= 5%"):
        assert names(judged(rule, apart)) == {None: APART}
        assert names(judged(rule, first)) == {None: APART}
    lost = section(status="failed")
    for rule in ("error_rate <= 5%", "total mean_cost_usd +20%"):
        (gate,) = judged(rule, lost)
        assert (gate.outcome, gate.fails) == (FEW, False)


def test_a_run_without_new_clusters_holds_rules_about_them() -> None:
    (gate,) = judged("new mean_cost_usd <= $0.01", REPLACE(JOB, clusters=[REFUNDS, LOGIN]))
    assert (gate.outcome, gate.value, gate.cluster_id) == (PASS, None, None)


def test_policy_makes_what_cannot_be_judged_fail() -> None:
    strict = {FEW: "fail", APART: "fail"}
    found = judged("error_rate <= 50%", policy=strict)
    assert {g.outcome for g in found if g.fails} == {FEW}
    assert judged("title:/nobody/ error_rate <= 5%", policy=strict)[0].fails
    assert not any(g.fails for g in judged("error_rate <= 50%", policy=strict, severity="warn"))
    assert not any(g.fails for g in judged("error_rate <= 50%", policy={FEW: "pass"}))


def test_warnings_and_waivers_fail_no_build_until_they_end() -> None:
    assert {g.outcome for g in judged("error_rate <= 5%", severity="warn")} == {"warned", PASS, FEW}
    week = timedelta(days=7)
    waived = judged("error_rate <= 5%", until=NOW + week, reason="a fix is on its way")
    assert {(g.outcome, g.reason) for g in waived if g.outcome == "waived"} == {
        ("waived", "a fix is on its way")
    }
    assert not any(g.fails for g in waived)
    found, (caveat,) = gates.judge(
        [Gating(parse("error_rate <= 5%"), until=NOW, reason="a fix is on its way")], [JOB], {}, NOW
    )
    assert [g.fails for g in found].count(True) == 1
    assert caveat.code == "waiver_ended"
    assert "“error_rate <= 5%” ended on 23" in caveat.message.replace("\u00a0", " ")
    _, silent = gates.judge([Gating(parse("error_rate <= 50%"), until=NOW, reason="x")], [JOB], {}, NOW)
    assert silent == []


def test_rules_are_judged_in_every_job_in_order() -> None:
    jobs = [JOB, REPLACE(JOB, clusters=[LOGIN])]
    found, _ = gates.judge(
        [Gating(parse("error_rate <= 3%")), Gating(parse("total error_rate <= 1%"))], jobs, {}, NOW
    )
    assert [(g.rule, g.job_index) for g in found] == [("error_rate <= 3%", 0)] * 4 + [("error_rate <= 3%", 1)] + [
        ("total error_rate <= 1%", 0), ("total error_rate <= 1%", 1),
    ]  # fmt: skip


def test_words_of_a_gate_fall_with_the_level() -> None:
    from reporter.analysis import redact

    found = judged("title:/Refunds/ error_rate <= 5%")
    lowered = redact.redact(report([JOB], gates=found), "numbers")
    assert "Refunds" not in lowered.gates[0].sentence
    assert "error_rate 10%" in lowered.gates[0].sentence
