"""Intervals of the cost bridge hold what they promise: coverage by simulation with known truth."""

from __future__ import annotations

import numpy as np
import pytest

from reporter.analysis.bridge import Population, bridge
from reporter.analysis.cells import Cell, Spent

REPLICATES = 200
N = 300
SHARES = np.array(
    [[0.30, 0.22, 0.15, 0.10, 0.08, 0.05, 0.00, 0.10], [0.24, 0.26, 0.12, 0.12, 0.06, 0.05, 0.07, 0.08]]
)
COSTS = np.array(
    [[0.02, 0.05, 0.01, 0.15, 0.03, 0.08, 0.04, 0.05], [0.02, 0.06, 0.01, 0.13, 0.05, 0.08, 0.04, 0.05]]
)
"""Of eight cells, a new one and the noise among them, on both sides."""
ITEMS = (9_000, 10_500)
BEYOND = (1.10, 1.15)
"""What the population's mean cost is to that of what can be sampled."""
SD = 0.8


def run_of(
    rng: np.random.Generator, side: int, keys: list[str], quality: np.ndarray
) -> list[dict[str, float]]:
    """Sample a run: each item in a cell, at that cell's cost times the item's own quality."""
    held: list[dict[str, float]] = [{} for _ in SHARES[side]]
    for key, cell, factor in zip(keys, rng.choice(8, len(keys), p=SHARES[side]), quality, strict=True):
        held[cell][key] = float(COSTS[side][cell] * factor)
    return held


@pytest.mark.parametrize("shared", [0, 120])
def test_intervals_of_the_bridge_cover_the_truth(shared: int) -> None:
    means = (SHARES * COSTS).sum(axis=1)
    prior, latest = (Population(n, n * b * m) for n, b, m in zip(ITEMS, BEYOND, means.tolist(), strict=True))
    known = [Cell(str(k), "continued", *map(float, (*SHARES[:, k], *COSTS[:, k]))) for k in range(8)]
    truth = bridge(known, prior, latest)
    assert truth is not None
    rng = np.random.default_rng(29)
    hits = dict.fromkeys(("volume", "coverage", "mix", "unit_cost"), 0)
    lines = {"mix": [0, 0], "unit_cost": [0, 0]}
    for index in range(REPLICATES):
        both = rng.lognormal(-SD * SD / 2, SD, shared)
        runs = []
        for side in (0, 1):
            keys = [f"s{i}" for i in range(shared)] + [f"{side}-{i}" for i in range(N - shared)]
            quality = np.concatenate([both, rng.lognormal(-SD * SD / 2, SD, N - shared)])
            runs.append(run_of(rng, side, keys, quality))
        cells = [
            Cell(
                str(k),
                "continued",
                len(a) / N,
                len(b) / N,
                sum(a.values()) / len(a) if a else None,
                sum(b.values()) / len(b) if b else None,
                {key: Spent(cost) for key, cost in a.items()},
                {key: Spent(cost) for key, cost in b.items()},
            )
            for k, (a, b) in enumerate(zip(*runs, strict=True))
        ]
        made = bridge(cells, prior, latest, index)
        assert made is not None
        for name, (low, high) in made.intervals.items():
            hits[name] += low <= getattr(truth, name) <= high
        for line in made.lines:
            real = next(one for one in truth.lines if one.title == line.title)
            for name, limits in (("mix", line.mix_interval), ("unit_cost", line.unit_cost_interval)):
                if limits is not None:
                    lines[name][0] += limits[0] <= getattr(real, name) <= limits[1]
                    lines[name][1] += 1
    for name, (held, told) in lines.items():
        assert told > 500
        assert 0.90 <= held / told <= 0.99, (name, held, told)
    for name, count in hits.items():
        assert 0.88 <= count / REPLICATES <= 0.99, (name, count)
