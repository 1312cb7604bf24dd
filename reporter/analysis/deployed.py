"""One run as two: its items before a deploy, and those from it on, in the same clusters.

A build cannot wait for the next run to judge its own traffic. Both sides share the clusters of one run, so
nothing has to be matched, and no border moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reporter import units
from reporter.analysis.matching import Group, Matched, Matching
from reporter.model import Failure, ItemMetrics, Run, Window
from reporter.report import Comparability


@dataclass(frozen=True, slots=True)
class Side:
    """The part of a run on one side of a deploy."""

    run: Run
    rows: tuple[ItemMetrics, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """Both sides, and how they belong together."""

    before: Side
    after: Side
    matched: Matching
    comparability: Comparability


def split(
    run: Run, rows: Sequence[ItemMetrics], failures: Sequence[Failure], at: datetime, tz: str
) -> Split | None:
    """Split a run at a moment.

    Args:
        run: The run.
        rows: Its items, measured inside its window.
        failures: Their failed calls.
        at: The deploy; an item belongs to the side of its first call.
        tz: IANA name of the zone that times are told in.

    Returns:
        The sides; ``None`` where the moment lies outside the run's window or one side has no item. Items
        without any call are on neither.
    """
    window = run.header.window
    first = {row.key: row.first_at for row in rows if row.first_at is not None}
    if not window.start < at < window.end:
        return None
    before = _side(
        run, rows, failures, {k for k, t in first.items() if t < at}, Window(window.start, at), " before"
    )
    after = _side(run, rows, failures, {k for k, t in first.items() if t >= at}, Window(at, window.end), "")
    if not before.run.header.items or not after.run.header.items:
        return None
    size = sum(cluster.size for cluster in run.clusters)
    lost = size - before.run.header.items - after.run.header.items
    left = (
        f" {units.plural(lost, 'item')} without a call {'is' if lost == 1 else 'are'} on neither side."
        if lost
        else ""
    )
    counts = f"{units.count(after.run.header.items)} of {units.count(size)} items"
    when = units.moment(units.iso(at), tz)
    said = f"Items from {when} on ({counts}) are compared with those before it, in this run.{left}"
    return Split(
        before,
        after,
        _identity(before.run, after.run),
        Comparability(comparable=True, reasons=[], shared_items=0, window_overlap=0.0, prior_choice=said),
    )


def _side(
    run: Run,
    rows: Sequence[ItemMetrics],
    failures: Sequence[Failure],
    keys: set[str],
    window: Window,
    suffix: str,
) -> Side:
    held = [
        replace(c, items=tuple(item for item in c.items if item.key in keys), baked=None)
        for c in run.clusters
    ]
    clusters = tuple(cluster for cluster in held if cluster.items)
    header = replace(
        run.header,
        run_id=f"{run.header.run_id}{suffix}",
        window=window,
        items=sum(cluster.size for cluster in clusters),
    )
    return Side(
        replace(run, header=header, clusters=clusters),
        tuple(row for row in rows if row.key in keys),
        tuple(failure for failure in failures if failure.key in keys),
    )


def _identity(before: Run, after: Run) -> Matching:
    """Say that each cluster is itself; one that has items on one side alone may have come or gone.

    How surely is told by how unlikely it is that all its items fall on one side by chance, over all clusters
    (a binomial tail with Bonferroni's correction).
    """
    old, new = (_sizes(run) for run in (before, after))
    count = len(old.keys() | new.keys())
    part = before.header.items / (before.header.items + after.header.items)
    kept = [Group("continued", (i,), (i,), 1.0, "items", 0) for i in sorted(old.keys() & new.keys())]
    came = [
        Group("new", (), (i,), max(0.0, 1 - count * (1 - part) ** new[i]), "items", 0, 0.0)
        for i in sorted(new.keys() - old.keys())
    ]
    went = [
        Group("gone", (i,), (), max(0.0, 1 - count * part ** old[i]), "items", 0, 0.0)
        for i in sorted(old.keys() - new.keys())
    ]
    links = tuple(_link(i) for group in kept for i in group.prior)
    return Matching(links, (*kept, *came, *went), frozenset())


def _sizes(run: Run) -> Mapping[int, int]:
    return {cluster.cluster_id: cluster.size for cluster in run.clusters if not cluster.is_noise}


def _link(cluster_id: int) -> Matched:
    return Matched(
        prior_id=cluster_id,
        latest_id=cluster_id,
        confidence=1.0,
        evidence="items",
        item_evidence=1.0,
        purity=1.0,
        shared_items=0,
        text_similarity=1.0,
        text_probability=1.0,
        backbone=True,
    )
