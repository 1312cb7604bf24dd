"""Times one comparison of two large runs: `python -m benchmarks.comparison.size`.

50 clusters and 1,500 items on both sides, once with most items in both, once with none and six runs between.
Prints processor seconds of matching alone and of the whole section with its findings.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.comparison.world import LENGTH, Drawn, cluster, figures, inputs, run_header
from reporter.analysis import findings, matching, section
from reporter.model import NOISE, Run, Totals

CLUSTERS, ITEMS = 50, 1_500


def drawn(day: int, topics: np.ndarray, rng: np.random.Generator) -> Drawn:
    """Sample a week that ends on a day and cluster it, one item in twenty astray."""
    per_day = len(topics) // (2 * LENGTH)
    taken = np.sort(rng.choice(np.arange((day - LENGTH) * per_day, day * per_day), ITEMS, replace=False))
    where = np.where(rng.random(ITEMS) < 0.05, rng.integers(-1, CLUSTERS, ITEMS), topics[taken])
    clusters = tuple(
        cluster(
            number,
            "Outliers" if number == NOISE else f"Theme {number} of {number % 7} and {number % 11}",
            f"People ask about {number} with {number % 5} or {number % 13}",
            taken[where == number],
        )
        for number in range(-1, CLUSTERS)
    )
    costs = np.random.default_rng(9).lognormal(-4, 0.8, len(topics))
    dearer = (topics < 5) & (np.arange(len(topics)) >= LENGTH * per_day)
    rows = tuple(
        figures(
            i, costs[i] * (2.5 if dearer[i] else 1.0), 50 * costs[i], 1e5 * costs[i], int(costs[i] > 0.06)
        )
        for i in taken.tolist()
    )
    header = run_header(day, ITEMS, ITEMS)
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
