"""Follows clusters through thirteen weeks of daily runs: `python -m benchmarks.lineage`.

Prints processor seconds for all runs at once, as a first report needs, and for one more day on top of what is
remembered, as every later one does.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import numpy as np

from reporter.analysis import lineage
from reporter.analysis.memory import Memory
from reporter.model import MemberCluster, Membership, RunHeader, Window

DAYS, CLUSTERS, ITEMS, LENGTH = 91, 25, 1_500, 7
_WORDS = "alpha bravo cedar delta ember flint grove haven ivory juniper kelp lumen maple".split()  # noqa: SIM905


def runs(seed: int) -> list[tuple[RunHeader, Membership]]:
    """Invent daily runs over the same traffic, each with a sample and words of its own."""
    rng = np.random.default_rng(seed)
    per_day = 400
    topic = rng.integers(0, CLUSTERS, per_day * (DAYS + LENGTH))
    made = []
    for day in range(DAYS):
        window = np.arange(day * per_day, (day + LENGTH) * per_day)
        taken = np.sort(rng.choice(window, ITEMS, replace=False))
        moved = np.where(rng.random(ITEMS) < 0.05, rng.integers(0, CLUSTERS, ITEMS), topic[taken])
        clusters = tuple(
            MemberCluster(
                number,
                f"{_WORDS[number % 13]} {_WORDS[(number * 7 + 3) % 13]} {rng.choice(['questions', 'help'])}",
                f"People ask about {_WORDS[number % 13]} and {_WORDS[(number // 2 + 5) % 13]}",
                tuple(f"t{i:07d}" for i in taken[moved == number]),
            )
            for number in range(CLUSTERS)
        )
        end = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=day)
        header = RunHeader(
            run_id=f"r{day:03d}",
            level="trace",
            job_id="job",
            job_name="Simulated",
            label=None,
            window=Window(end - timedelta(days=LENGTH), end),
            items=ITEMS,
            emitted_at=end,
            params=None,
            event_uuid=f"e{day:03d}",
        )
        made.append((header, Membership(header.run_id, clusters)))
    return made


def main() -> None:
    """Measure and print."""
    made = runs(1)
    start = time.process_time()
    whole = lineage.followed(Memory(), made)
    first = time.process_time() - start
    known = lineage.followed(Memory(), made[:-1])
    start = time.process_time()
    lineage.followed(known, made[-9:])
    one = time.process_time() - start
    lives = len({place.lineage_id for step in whole.steps for place in step.places})
    print(f"{DAYS} runs of {CLUSTERS} clusters and {ITEMS} items: {first:.2f} s, {lives} lineages")
    print(f"one more run on top of what is remembered: {one:.3f} s")


if __name__ == "__main__":
    main()
