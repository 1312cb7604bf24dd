"""Invented runs with their items, for the tests of this room."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from reporter.analysis import section
from reporter.analysis.selection import JobRuns, PriorChoice, choose_prior
from reporter.model import Cluster, Failure, Item, ItemMetrics, Job, Run, RunHeader, Totals, Window

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
JOB = "019db7a4-1f60-7c1e-9a55-0d3c7be21001"
THEMES = {
    "Refund disputes": "Customers ask for their money back after a failed card charge and dispute the amount",
    "Password help": "Users cannot log in, reset passwords or lose their second factor",
    "Parcel tracking": "Shipping status of parcels abroad, customs delays and lost packages",
    "Spreadsheet import": "Mapping columns while importing spreadsheet data from other products",
    "Webhook errors": "Developers debug webhook signatures, retries and API timeouts",
    "Invoice copies": "Accounting needs invoice copies with a VAT number and billing address",
}


def header(days: float = 0, **over: Any) -> RunHeader:
    """Make a run header whose window ended so many days before `NOW`."""
    end = over.pop("end", NOW - timedelta(days=days, hours=7))
    fields: dict[str, Any] = {
        "run_id": f"77_trace_{end:%Y%m%d_%H%M%S}_{JOB}",
        "level": "trace",
        "job_id": JOB,
        "job_name": "Default",
        "label": None,
        "window": Window(end - timedelta(days=over.pop("length", 7)), end),
        "items": 1000,
        "emitted_at": end + timedelta(minutes=18),
        "params": {"clustering_method": "hdbscan", "max_samples": 1500},
        "event_uuid": "u",
    }
    return RunHeader(**(fields | over))


def item(key: str, rank: int = 0, **over: Any) -> Item:
    """Make one clustered item."""
    fields: dict[str, Any] = {
        "key": key,
        "trace_id": key,
        "rank": rank,
        "distance": 0.1,
        "x": 0.0,
        "y": 0.0,
        "timestamp": None,
    }
    return Item(**(fields | over))


def row(key: str, **over: Any) -> ItemMetrics:
    """Make the figures of one item."""
    fields: dict[str, Any] = {
        "key": key,
        "cost_usd": 0.01,
        "latency_s": 1.0,
        "tokens_in": 100.0,
        "tokens_out": 20.0,
        "tokens_cached": None,
        "error_events": 0,
        "calls": 1,
        "first_at": None,
        "last_at": None,
        "has_data": True,
    }
    return ItemMetrics(**(fields | over))


def cluster(
    cluster_id: int, title: str, keys: Sequence[str], description: str | None = None, **over: Any
) -> Cluster:
    """Make one cluster holding the given items."""
    fields: dict[str, Any] = {
        "cluster_id": cluster_id,
        "title": title,
        "description": THEMES.get(title, "") if description is None else description,
        "items": tuple(item(key, rank) for rank, key in enumerate(keys)),
        "centroid_x": None,
        "centroid_y": None,
        "baked": None,
    }
    return Cluster(**(fields | over))


def run(sizes: Mapping[str, int], days: float, *, noise: int = 0, prefix: str = "", **over: Any) -> Run:
    """Make a run of themes with fresh items."""
    prefix = prefix or f"d{days}"
    clusters = [
        cluster(
            i, title, [f"{prefix}-{title[:4].strip()}{i if len(sizes) > 9 else ''}-{n}" for n in range(size)]
        )
        for i, (title, size) in enumerate(sizes.items())
    ]
    if noise:
        clusters.append(cluster(-1, "Outliers", [f"{prefix}-noise-{n}" for n in range(noise)]))
    return Run(header(days, items=sum(c.size for c in clusters), **over), tuple(clusters))


def rows(made: Run, seed: int, **factors: Mapping[str, float]) -> tuple[ItemMetrics, ...]:
    """Draw figures for every item; ``cost={"Refund disputes": 2.5}`` multiplies a cluster's costs."""
    rng = random.Random(seed)
    found = []
    for part in made.clusters:
        for member in part.items:
            found.append(  # noqa: PERF401 (a comprehension this long reads worse)
                row(
                    member.key,
                    cost_usd=rng.lognormvariate(-4, 0.6) * factors.get("cost", {}).get(part.title, 1.0),
                    latency_s=rng.lognormvariate(0.5, 0.5) * factors.get("latency", {}).get(part.title, 1.0),
                    tokens_in=float(rng.randrange(200, 900)),
                    error_events=int(rng.random() < factors.get("errors", {}).get(part.title, 0.03)),
                )
            )
    return tuple(sorted(found, key=lambda r: r.key))


def inputs(latest: Run | None, prior: Run | None = None, **over: Any) -> section.SectionInput:
    """Make the input of one section, figures drawn unless given."""
    headers = tuple(r.header for r in (latest, prior) if r is not None)
    job = Job(JOB, "Default", latest.header.level if latest else "trace", enabled=True)
    choice: PriorChoice | None = choose_prior(latest.header, headers, "week") if latest else None
    fields: dict[str, Any] = {
        "group": JobRuns(job, headers),
        "latest": latest,
        "prior": prior,
        "choice": choice,
        "now": NOW,
        "host": "https://us.posthog.com",
        "project_id": "77",
        "redaction": "titles",
        "latest_rows": rows(latest, 1) if latest else (),
        "prior_rows": rows(prior, 2) if prior else (),
        "latest_totals": Totals(items=9000, calls=20_000, cost_usd=250.0, tokens=1e7, error_events=9),
    }
    return section.SectionInput(**(fields | over))


def failure(key: str, message: str, **over: Any) -> Failure:
    """Make a group of failed calls."""
    fields: dict[str, Any] = {
        "key": key,
        "message": message,
        "http_status": 429,
        "model": "m",
        "provider": "p",
        "count": 1,
        "first_at": NOW - timedelta(days=2),
        "last_at": NOW - timedelta(days=1),
        "cost_usd": None,
        "users": 1,
    }
    return Failure(**(fields | over))
