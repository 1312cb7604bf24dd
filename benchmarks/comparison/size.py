"""Times one comparison of two large runs: `python -m benchmarks.comparison.size`.

50 clusters and 1,500 items on both sides, once with most items in both, once with none and six runs between.
Prints processor seconds of matching alone and of the whole section with its findings.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.comparison.world import Drawn, inputs
from reporter.analysis import findings, matching, section
from reporter.model import NOISE, Cluster, Item, ItemMetrics, Run, RunHeader, Totals, Window

CLUSTERS, ITEMS, LENGTH = 50, 1_500, 7
_JOB = "0d2f6c1e-58f3-4b7a-9d1c-7a3e5b9c2f10"


def drawn(day: int, topics: np.ndarray, rng: np.random.Generator) -> Drawn:
    """Sample a week that ends on a day and cluster it, one item in twenty astray."""
    per_day = len(topics) // (2 * LENGTH)
    taken = np.sort(rng.choice(np.arange((day - LENGTH) * per_day, day * per_day), ITEMS, replace=False))
    where = np.where(rng.random(ITEMS) < 0.05, rng.integers(-1, CLUSTERS, ITEMS), topics[taken])
    clusters = tuple(
        Cluster(
            number,
            "Outliers" if number == NOISE else f"Theme {number} of {number % 7} and {number % 11}",
            f"People ask about {number} with {number % 5} or {number % 13}",
            tuple(
                Item(f"t{i:06d}", f"t{i:06d}", rank, 0.1, 0.0, 0.0, None)
                for rank, i in enumerate(taken[where == number])
            ),
            None,
            None,
            None,
        )
        for number in range(-1, CLUSTERS)
    )
    costs = np.random.default_rng(9).lognormal(-4, 0.8, len(topics))
    rows = tuple(
        ItemMetrics(
            key=f"t{i:06d}",
            cost_usd=float(costs[i] * (2.5 if topics[i] < 5 and i >= LENGTH * per_day else 1.0)),
            latency_s=float(50 * costs[i]),
            tokens_in=float(1e5 * costs[i]),
            tokens_out=100.0,
            tokens_cached=None,
            error_events=int(costs[i] > 0.06),
            calls=1,
            first_at=None,
            last_at=None,
            has_data=True,
        )
        for i in taken
    )
    end = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=day)
    header = RunHeader(
        run_id=f"7_trace_{end:%Y%m%d_%H%M%S}_{_JOB}",
        level="trace",
        job_id=_JOB,
        job_name="Simulated",
        label=None,
        window=Window(end - timedelta(days=LENGTH), end),
        items=ITEMS,
        emitted_at=end,
        params={"max_samples": ITEMS},
        event_uuid=f"run-{day}",
    )
    totals = Totals(items=7 * per_day, calls=7 * per_day, cost_usd=50.0, tokens=None, error_events=0)
    none = np.zeros(1)
    return Drawn(Run(header, clusters), rows, totals, {}, day, none, none)


def main() -> None:
    """Measure and print."""
    rng = np.random.default_rng(1)
    topics = rng.integers(0, CLUSTERS, 2 * LENGTH * 400)
    runs = {day: drawn(day, topics, rng) for day in range(LENGTH, 2 * LENGTH + 1)}
    latest = runs[2 * LENGTH]
    for name, prior, between in (
        ("most items in both", runs[2 * LENGTH - 1], ()),
        ("six runs between", runs[LENGTH], tuple(runs[day] for day in range(LENGTH + 1, 2 * LENGTH))),
    ):
        start = time.process_time()
        matching.match(prior.membership, latest.membership, [run.membership for run in between])
        matched = time.process_time() - start
        start = time.process_time()
        made = section.build(inputs(latest, prior, between))
        found = findings.findings([made])
        whole = time.process_time() - start
        print(f"{name}: matching {matched:.2f} s, everything {whole:.2f} s, {len(found)} findings")


if __name__ == "__main__":
    main()
