"""Reports for tests of charts and pages: made from a seed, in every state a page must know.

The figures are invented but consistent: shares add up, intervals hold their point.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from reporter import __version__
from reporter import report as r

NOW = "2026-11-23T08:00:00Z"
TITLES = (
    "Refund disputes after a failed card charge",
    "Password and login help",
    "Shipping status for parcels abroad",
    "Data import mapping",
    "API error triage",
    "Invoice copies and VAT numbers",
    "Bulk export of reports",
    "Plan changes and proration",
    "Webhook set-up",
    "Onboarding checklist",
    "Feature requests and feedback",
)


def estimate(
    value: float | None, width: float, n: int, method: str = "wilson", top: float = 1e9
) -> r.Estimate:
    """Make an estimate with a symmetric-ish interval of relative half-width `width`."""
    if value is None:
        return r.Estimate(value=None, low=None, high=None, n=n, method="none")
    return r.Estimate(
        value=value,
        low=max(0.0, value * (1 - width)),
        high=min(top, value * (1 + width) + 1e-4),
        n=n,
        method=method,
    )


def _distribution(rng: random.Random, median: float, n: int) -> r.Distribution:
    values = sorted(median * math.exp(rng.gauss(0, 0.6)) for _ in range(max(2, n)))
    at = {q: values[min(len(values) - 1, int(q * len(values)))] for q in (0.05, 0.25, 0.5, 0.75, 0.9, 0.95)}
    return r.Distribution(
        n=n, p5=at[0.05], p25=at[0.25], p50=at[0.5], p75=at[0.75], p90=at[0.9], p95=at[0.95]
    )


def _metrics(
    n: int, cost: float | None, latency: float | None, errors: int, level: str = "trace"
) -> r.Metrics:
    evaluation = level == "evaluation"
    return r.Metrics(
        item_count=n,
        avg_cost=cost,
        total_cost=None if cost is None else cost * n,
        avg_latency=latency,
        avg_tokens=1500.0,
        error_rate=errors / n if n else None,
        error_count=errors,
        p50_cost=cost and cost * 0.8,
        p90_cost=cost and cost * 2,
        p95_cost=cost and cost * 3,
        p50_latency=latency and latency * 0.8,
        p90_latency=latency and latency * 2,
        p95_latency=latency and latency * 3,
        pass_rate=0.82 if evaluation else None,
        na_rate=0.05 if evaluation else None,
        dominant_evaluation_name="Groundedness" if evaluation else None,
        dominant_runtime="llm_judge" if evaluation else None,
        avg_judge_cost=0.0004 if evaluation else None,
    )


def _estimates(share: float, n: int, cost: float | None, latency: float | None, errors: int) -> r.Estimates:
    return r.Estimates(
        share=estimate(share, 0.15, n, top=1.0),
        mean_cost_usd=estimate(cost, 0.2, n, "log-t"),
        median_cost_usd=estimate(cost and cost * 0.8, 0.15, n, "order-statistic"),
        mean_latency_s=estimate(latency, 0.2, n, "log-t"),
        median_latency_s=estimate(latency and latency * 0.8, 0.15, n, "order-statistic"),
        p95_latency_s=estimate(latency and latency * 3, 0.3, n, "order-statistic")
        if n >= 60
        else estimate(None, 0, n),
        mean_tokens=estimate(1500.0, 0.1, n, "log-t"),
        error_rate=estimate(errors / n if n else None, 0.6, n, top=1.0),
    )


def _metric_change(
    prior: float | None, latest: float | None, call: str, *, judged: bool = True
) -> r.MetricChange:
    if prior is None or latest is None:
        return r.MetricChange(
            prior=prior,
            latest=latest,
            difference=None,
            low=None,
            high=None,
            ratio=None,
            p_value=None,
            q_value=None,
            call="not_enough_data",
        )
    difference = latest - prior
    ratio = (
        r.Ratio(value=latest / prior, low=latest / prior * 0.85, high=latest / prior * 1.18)
        if prior
        else None
    )
    return r.MetricChange(
        prior=prior,
        latest=latest,
        difference=difference,
        low=difference - abs(prior) * 0.15,
        high=difference + abs(prior) * 0.15,
        ratio=ratio,
        p_value=0.2,
        q_value=0.4,
        call=call,
        good=difference < 0 if judged and difference else None,
        method="log-ratio",
    )


def cluster(
    rng: random.Random,
    index: int,
    size: int,
    total: int,
    *,
    title: str,
    comparable: bool,
    level: str,
    noise: bool = False,
    transition: str = "continued",
    loud: bool = False,
) -> r.Cluster:
    """Make one cluster; `loud` gives it a changed unit cost and a probably changed error rate."""
    share, prior_share = size / total, size / total * rng.uniform(0.85, 1.15)
    cost, latency = 0.02 * math.exp(rng.gauss(0, 1)), 2.0 * math.exp(rng.gauss(0, 0.5))
    errors = round(size * (0.14 if loud else rng.uniform(0, 0.05)))
    prior_cost = cost / (1.6 if loud else rng.uniform(0.92, 1.08))
    change = None
    if comparable:
        matched = transition in ("continued", "renamed")
        change = r.Change(
            transition=transition,
            prior_cluster_ids=[index] if matched else [],
            links=[
                r.Link(
                    prior_cluster_id=index,
                    confidence=0.93 if index % 3 else 0.7,
                    evidence="both",
                    shared_items=41,
                    text_similarity=0.71,
                )
            ]
            if matched
            else [],
            prior_title=title if matched else None,
            metrics={
                "share": _metric_change(prior_share, share, "no_clear_change", judged=False),
                "mean_cost_usd": _metric_change(prior_cost, cost, "changed" if loud else "no_clear_change"),
                "median_cost_usd": _metric_change(prior_cost * 0.8, cost * 0.8, "no_clear_change"),
                "mean_latency_s": _metric_change(latency * 1.05, latency, "no_clear_change"),
                "median_latency_s": _metric_change(latency * 0.8, latency * 0.8, "no_clear_change"),
                "p95_latency_s": _metric_change(None, None, "not_enough_data"),
                "mean_tokens": _metric_change(1480.0, 1500.0, "no_clear_change"),
                "error_rate": _metric_change(
                    0.03, errors / size if size else None, "probably_changed" if loud else "no_clear_change"
                ),
            }
            if matched
            else {},
        )
    cx, cy = (index % 4) / 4 + 0.125, (index // 4) / 3 + 0.16
    matched = change is not None and bool(change.links)
    return r.Cluster(
        cluster_id=-1 if noise else index,
        lineage_id=f"{index:012x}",
        lineage=r.Lineage(
            first_seen="2026-11-16T00:01:12Z", runs=2 if matched else 1, names=[title], provisional=True
        ),
        title=title,
        description="- Users ask about one thing\n- Mostly single-turn",
        size=size,
        share=share,
        url="https://us.posthog.com/project/5120/ai-observability/clusters/5120_trace_20261123_000112/"
        + str(index),
        metrics=_metrics(size, cost, latency, errors, level),
        estimates=_estimates(share, size, cost, latency, errors),
        change=change,
        history=[
            r.HistoryPoint(
                run_id=f"5120_trace_202611{d:02d}_000112",
                window_end=f"2026-11-{d:02d}T00:01:12Z",
                share=share * rng.uniform(0.8, 1.2),
                mean_cost_usd=cost,
                error_rate=errors / size if size else None,
                p95_latency_s=None,
                items=size,
                median_latency_s=latency * 0.8,
            )
            for d in (16, 23)
        ],
        errors=[
            r.ErrorCause(
                cause="429 rate limit of <provider>",
                count=errors,
                items=errors,
                cost_usd=0.02,
                first_seen="2026-11-17T10:00:00Z",
                last_seen="2026-11-21T11:00:00Z",
                new=True,
                example_trace_id="t-1",
                timeline=[errors - errors // 2, 0, 0, errors // 2, 0, 0, 0],
            )
        ]
        if errors
        else [],
        drivers=[],
        exemplars=[
            r.Exemplar(
                item_key=f"trace-{index}/a",
                trace_id=f"trace-{index}/a",
                reason=reason,
                url=f"https://us.posthog.com/project/5120/ai-observability/traces/trace-{index}%2Fa",
                quote=None,
            )
            for reason in ("nearest", "most_expensive", "slowest")
        ],
        distributions=r.Distributions(
            cost_usd=_distribution(rng, cost, size), latency_s=_distribution(rng, latency, size)
        )
        if size
        else r.Distributions(cost_usd=None, latency_s=None),
        prior_distributions=r.Distributions(
            cost_usd=_distribution(rng, prior_cost, size), latency_s=_distribution(rng, latency, size)
        )
        if matched and size
        else None,
        prior_metrics=_metrics(size, prior_cost, latency, 1, level) if matched else None,
        points=[
            (
                min(1, max(0, rng.gauss(cx, 0.35 if noise else 0.045))),
                min(1, max(0, rng.gauss(cy, 0.35 if noise else 0.05))),
            )
            for _ in range(min(size, 400))
        ],
        posthog_metrics=None,
        models=models(cost * size),
    )


def models(cost: float) -> list[r.ModelCost]:
    """Give what was used of two models that cost so much together, and of one that names none."""
    return [
        r.ModelCost(
            model="large-model-5", calls=30, tokens=9e5, cost_usd=cost * 0.8, prior_cost_usd=cost * 0.6
        ),
        r.ModelCost(model="small-model", calls=80, tokens=2e5, cost_usd=cost * 0.2, prior_cost_usd=None),
        r.ModelCost(model=None, calls=3, tokens=None, cost_usd=None, prior_cost_usd=None),
    ]


def bridge(made: list[r.Cluster]) -> r.Bridge:
    """Give a bridge over these clusters, which adds up."""
    lines = []
    for c in made:
        loud = c.change is not None and any(m.call == "changed" for m in c.change.metrics.values())
        cost = 60.0 if loud else 1.5 * (-1) ** c.cluster_id
        parts = r.UnitCostParts(
            calls_per_item=0.0,
            model_mix=0.0,
            tokens_per_call=cost * 0.75,
            price_per_token=cost * 0.25,
            other=0.0,
        )
        lines.append(
            r.BridgeLine(
                title=c.title,
                status=c.change.transition if c.change else "continued",
                mix=0.5,
                unit_cost=cost,
                mix_interval=(-1.0, 2.0),
                unit_cost_interval=(cost * 0.8, cost * 1.2) if cost > 0 else (cost * 1.2, cost * 0.8),
                unit_cost_parts=parts,
                latest=[c.cluster_id],
                prior=[c.cluster_id],
            )
        )
    mix, unit = math.fsum(line.mix for line in lines), math.fsum(line.unit_cost for line in lines)
    return r.Bridge(
        prior=230.0,
        latest=230.0 + 12.0 + 0.25 + mix + unit,
        volume=12.0,
        coverage=0.25,
        mix=mix,
        unit_cost=unit,
        intervals={"volume": (11.0, 13.0), "unit_cost": (unit - 4, unit + 4)},
        lines=lines,
        unit_cost_parts=None,
    )


def section(
    *,
    seed: int = 1,
    clusters: int = 11,
    status: str = "ok",
    level: str = "trace",
    name: str = "Default - traces",
    titles: tuple[str, ...] = TITLES,
    noise: bool = True,
    loud: int | None = 3,
    job_id: str | None = "019db7a4-1f60-7c1e-9a55-0d3c7be21001",
    enabled: bool | None = True,
    deleted: bool = False,
) -> r.JobSection:
    """Make one job's section in a given state; ``loud`` is the index of the cluster that changed, if any."""
    rng = random.Random(seed)
    filters = [{"key": "environment", "type": "event", "value": ["production"], "operator": "exact"}]
    job = r.JobInfo(
        id=job_id, name=name, level=level, enabled=enabled, deleted=deleted, event_filters=filters
    )
    if status in ("no_run", "failed"):
        return r.JobSection(
            job=job,
            status=status,
            status_reason="No run of this job was stored between 17 Aug and 23 Nov 2026. A project needs at least 1,000 items a week for a run.",
            stale=False,
            latest=None,
            prior=None,
            comparability=None,
            coverage=None,
            overall=None,
            clusters=[],
            noise=None,
            gone=[],
            prior_clusters=[],
            transitions=[],
            bridge=None,
        )
    sizes = sorted((rng.randint(20, 520) for _ in range(clusters)), reverse=True)
    noise_size = rng.randint(60, 200) if noise else 0
    total = sum(sizes) + noise_size
    has_prior, comparable = status != "no_prior", status in ("ok", "stale")
    made = [
        cluster(
            rng,
            i,
            size,
            total,
            title=titles[i % len(titles)] if i < len(titles) else f"{titles[i % len(titles)]} {i}",
            comparable=comparable,
            level=level,
            loud=i == loud,
            transition="new" if i == clusters - 1 and clusters > 3 else "renamed" if i == 1 else "continued",
        )
        for i, size in enumerate(sizes)
    ]
    noise_cluster = (
        cluster(rng, 0, noise_size, total, title="Outliers", comparable=comparable, level=level, noise=True)
        if noise
        else None
    )

    def run(day: int) -> r.RunInfo:
        return r.RunInfo(
            run_id=f"5120_{level}_202611{day:02d}_000112_{job_id}",
            label=None,
            window_start=f"2026-11-{day - 7:02d}T00:01:12Z",
            window_end=f"2026-11-{day:02d}T00:01:12Z",
            emitted_at=f"2026-11-{day:02d}T00:19:31Z",
            items=total,
            clusters=clusters,
            noise_items=noise_size,
            params={"clustering_method": "hdbscan", "max_samples": 1500},
            url=f"https://us.posthog.com/project/5120/ai-observability/clusters/5120_{level}_202611{day:02d}_000112_{job_id}",
        )

    errors = sum(c.metrics.error_count for c in made)
    gone = (
        [
            r.GoneCluster(
                prior_cluster_id=90,
                title="Holiday opening hours",
                size=60,
                share=0.03,
                metrics=_metrics(60, 0.01, 1.0, 1),
            )
        ]
        if comparable and clusters > 3
        else []
    )
    overall_change = (
        r.Change(
            transition="continued",
            prior_cluster_ids=[],
            links=[],
            prior_title=None,
            metrics={
                "mean_cost_usd": _metric_change(0.031, 0.034, "no_clear_change"),
                "error_rate": _metric_change(0.03, errors / total if total else None, "no_clear_change"),
                "median_latency_s": _metric_change(2.1, 2.0, "no_clear_change"),
                "mean_tokens": _metric_change(1480, 1500, "no_clear_change"),
            },
        )
        if comparable
        else None
    )
    return r.JobSection(
        job=job,
        status=status,
        stale=status == "stale",
        status_reason={
            "stale": "The newest run ended on 16 Nov 2026, 7 days before this report.",
            "no_prior": "First run: nothing to compare with yet.",
            "not_comparable": "max_samples differs: 1500 now, 1000 before.",
        }.get(status, ""),
        latest=run(23),
        prior=run(16) if has_prior else None,
        comparability=r.Comparability(
            comparable=comparable,
            reasons=[] if comparable else ["max_samples differs: 1500 now, 1000 before"],
            shared_items=0,
            window_overlap=0.0,
            prior_choice="Prior: the run whose window ended 7 days earlier; windows do not overlap.",
        )
        if has_prior
        else None,
        coverage=r.Coverage(
            sampled_items=total,
            population_items=total * 6,
            sampled_cost=41.2,
            population_cost=262.0,
            noise_share=noise_size / total if total else None,
        ),
        overall=r.Overall(
            metrics=_metrics(total, 0.034, 2.4, errors, level),
            estimates=_estimates(1.0, total, 0.034, 2.4, errors),
            change=overall_change,
            distributions=r.Distributions(
                cost_usd=_distribution(rng, 0.03, total), latency_s=_distribution(rng, 2.0, total)
            ),
            prior_metrics=_metrics(total, 0.031, 2.5, errors, level) if has_prior else None,
            history=[
                r.HistoryPoint(
                    run_id=f"5120_trace_2026{month:02d}{d:02d}_000112",
                    window_end=f"2026-{month:02d}-{d:02d}T00:01:12Z",
                    share=1.0,
                    mean_cost_usd=0.03 + 0.0004 * i,
                    error_rate=0.03,
                    p95_latency_s=7.0,
                    items=total - i,
                    median_latency_s=2.1 - 0.01 * i,
                )
                for i, (month, d) in enumerate(((10, 19), (10, 26), (11, 2), (11, 9), (11, 16), (11, 23)))
            ]
            if has_prior
            else [],
            models=models(0.034 * total),
        ),
        clusters=made,
        noise=noise_cluster,
        gone=gone,
        prior_clusters=[
            r.PriorCluster(
                prior_cluster_id=c.cluster_id,
                title=c.title,
                size=c.size,
                share=c.share,
                transition=c.change.transition,
            )
            for c in made
            if c.change and c.change.links
        ]
        + [
            r.PriorCluster(
                prior_cluster_id=g.prior_cluster_id,
                title=g.title,
                size=g.size,
                share=g.share,
                transition="gone",
            )
            for g in gone
        ]
        if comparable
        else [],
        transitions=[
            r.TransitionEntry(
                kind=c.change.transition,
                latest=[c.cluster_id],
                prior=c.change.prior_cluster_ids,
                confidence=0.93,
                evidence="both" if c.change.links else None,
                shared_items=41 if c.change.links else 0,
            )
            for c in made
            if c.change
        ]
        + [
            r.TransitionEntry(
                kind="gone",
                latest=[],
                prior=[g.prior_cluster_id],
                confidence=0.8,
                evidence=None,
                shared_items=0,
            )
            for g in gone
        ],
        bridge=bridge(made) if comparable and made else None,
    )


def _findings(jobs: list[r.JobSection]) -> list[r.Finding]:
    found: list[r.Finding] = []
    for index, job in enumerate(jobs):
        for c in job.clusters:
            for metric, kind, words in (
                ("mean_cost_usd", "cost", "costs more"),
                ("error_rate", "errors", "fails more often"),
            ):
                m = c.change.metrics.get(metric) if c.change else None
                if m and m.call in ("changed", "probably_changed"):
                    found.append(
                        r.Finding(
                            rank=len(found) + 1,
                            kind=kind,
                            job_id=job.job.id,
                            cluster_id=c.cluster_id,
                            metric=metric,
                            direction="up",
                            good=False,
                            prior=m.prior,
                            latest=m.latest,
                            low=m.low,
                            high=m.high,
                            p_value=0.001,
                            q_value=0.01,
                            call=m.call,
                            impact_usd=12.4 if kind == "cost" else None,
                            sentence=f"“{c.title}” {words}: from {m.prior:.3g} to {m.latest:.3g}.",
                            seen="new",
                            trace_ids=[f"trace-{c.cluster_id}/a"],
                            job_index=index,
                        )
                    )
    return found


def report(jobs: list[r.JobSection] | None = None, **over: Any) -> r.Report:
    """Make a sealed report of the given sections."""
    jobs = [section()] if jobs is None else jobs
    findings = _findings(jobs)
    fields: dict[str, Any] = {
        "schema_version": r.SCHEMA_VERSION,
        "kind": "weekly",
        "title": "What people use our AI for",
        "generated_at": NOW,
        "reporter_version": __version__,
        "redaction": "titles",
        "content_sha256": "",
        "timezone": "UTC",
        "verdict": "changed" if any(f.call == "changed" for f in findings) else "no_clear_change",
        "headline": findings[0].sentence if findings else "Nothing needs you this week.",
        "source": r.SourceInfo(
            kind="export", location="24,600 AI events, 20 Apr – 8 Jun 2026", project_id="5120"
        ),
        "warnings": [],
        "files": [],
        "findings": findings,
        "gates": [],
        "jobs": jobs,
        "annotations": [
            r.Annotation(at="2026-11-11T09:00:00Z", text="Release 41"),
            r.Annotation(at="2026-11-18T14:30:00Z", text="Release 42: longer prompt"),
        ],
    }
    return r.sealed(r.Report(**(fields | over)))


HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "{{ 7*7 }}{% raw %} ${jndi:ldap://x} </style></svg>",
    "Übermäßig " + "lange Überschrift ohne Ende " * 20,
    "x" * 300,
    "请求退款与账单争议的客户支持对话",
    "طلبات استرداد الأموال والفواتير",
    "\u202eevil\u202c \u0000 \x1b[31mred\x1b[0m emoji 🧾🚀",
    "$100 or $200? a_b^c \\frac & < > \" '",
    "",
)


def calm(job: r.JobSection) -> r.JobSection:
    """Take what came and what went out of a section: a week in which nothing is news."""
    clusters = [
        msgspec.structs.replace(
            c,
            change=msgspec.structs.replace(
                c.change, transition="continued", prior_cluster_ids=[c.cluster_id]
            ),
        )
        if c.change and c.change.transition == "new"
        else c
        for c in job.clusters
    ]
    entries = [
        msgspec.structs.replace(e, kind="continued", prior=e.latest) if e.kind == "new" else e
        for e in job.transitions
        if e.kind != "gone"
    ]
    prior = [p for p in job.prior_clusters if p.transition != "gone"]
    return msgspec.structs.replace(job, clusters=clusters, transitions=entries, gone=[], prior_clusters=prior)


@cache
def _states() -> Mapping[str, r.Report]:
    return {
        "changed": report(),
        "quiet": report([calm(section(loud=None, seed=2))]),
        "no_prior": report([section(status="no_prior", loud=None)]),
        "not_comparable": report(
            [section(status="not_comparable", loud=None)],
            verdict="not_comparable",
            headline="The latest run cannot be compared: max_samples differs.",
        ),
        "stale": report([section(status="stale", loud=None)]),
        "incomplete": report(
            [
                section(),
                section(status="failed", name="Travel desk", job_id="019e1480-0c3e-7f86-a6d2-3f7719bd1005"),
            ],
            warnings=[
                r.Caveat(
                    code="run_unreadable",
                    message="Run 5120_trace_20261123_000112 cannot be read: $.clusters[3].size: expected a number.",
                    job_id="019e1480-0c3e-7f86-a6d2-3f7719bd1005",
                )
            ],
        ),
        "no_run": report(
            [section(status="no_run")], headline="No job has a run to report on.", verdict="not_enough_data"
        ),
        "one_cluster": report([section(clusters=1, noise=False, loud=None)]),
        "fifty_clusters": report([section(clusters=50)]),
        "noise_only": report([section(clusters=0, loud=None)]),
        "ten_jobs": report(
            [
                section(
                    seed=i,
                    name=f"Job {i}",
                    job_id=f"019db7a4-1f60-7c1e-9a55-0d3c7be2100{i}",
                    loud=3 if i == 4 else None,
                    clusters=4 + i,
                )
                for i in range(10)
            ]
        ),
        "evaluation": report([section(level="evaluation", name="Default - evaluations")]),
        "generation": report([section(level="generation", name="Default - generations", job_id=None)]),
        "hostile": report([section(titles=HOSTILE, clusters=9)]),
    }


def states() -> dict[str, r.Report]:
    """Give a report for every state a page must know, by name; the same reports to all who ask."""
    return dict(_states())
