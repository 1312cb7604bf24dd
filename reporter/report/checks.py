"""Recompute what a report says of itself: its sums, its bounds and its hash.

Every sentence returned names the place in report.json and both figures, so that a reader can see what
was changed. Pure; files beside the report are checked where they lie, in the pipeline.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from reporter.report.codec import content_hash
from reporter.report.document import Report
from reporter.report.section import Bridge, BridgeLine, Cluster, JobSection, UnitCostParts
from reporter.report.values import ESTIMATES, Estimate, MetricChange

_TOLERANCE = 1e-9
_PARTS = UnitCostParts.__struct_fields__


def problems(report: Report) -> tuple[str, ...]:
    """List what does not add up in a report; empty when everything does."""
    found: list[str] = []
    actual = content_hash(report)
    if actual != report.content_sha256:
        found.append(f"content_sha256 is {report.content_sha256 or 'missing'}, the content gives {actual}")
    for index, section in enumerate(report.jobs):
        found.extend(f"jobs[{index}].{problem}" for problem in _section(section))
    for index, finding in enumerate(report.findings):
        if finding.rank != index + 1:
            found.append(f"findings[{index}].rank is {finding.rank}, expected {index + 1}")
        if not 0 <= finding.job_index < len(report.jobs):
            found.append(f"findings[{index}].job_index {finding.job_index} is no section of this report")
    return tuple(found)


def _section(section: JobSection) -> Iterator[str]:
    everything = [*section.clusters, *([section.noise] if section.noise else [])]
    total = sum(cluster.size for cluster in everything)
    for cluster in everything:
        where = "noise" if cluster.cluster_id == -1 else f"clusters[id {cluster.cluster_id}]"
        yield from (f"{where}.{problem}" for problem in _cluster(cluster, total))
    if section.latest is not None and section.latest.clusters != len(section.clusters):
        yield f"latest.clusters is {section.latest.clusters}, {len(section.clusters)} are listed"
    order = [(-cluster.size, cluster.cluster_id) for cluster in section.clusters]
    if order != sorted(order):
        yield "clusters are not in order of size and id"
    if section.overall is not None:
        whole = section.overall.metrics
        counted = sum(cluster.metrics.item_count for cluster in everything)
        if counted != whole.item_count:
            yield f"overall.metrics.item_count is {whole.item_count}, the clusters sum to {counted}"
        costs = [c.metrics.total_cost for c in everything if c.metrics.total_cost is not None]
        cost = math.fsum(costs) if costs else None
        if not _same(cost, whole.total_cost):
            yield f"overall.metrics.total_cost is {whole.total_cost}, the clusters sum to {cost}"
    if section.bridge is not None:
        bridge = section.bridge
        moved = math.fsum((bridge.volume, bridge.coverage, bridge.mix, bridge.unit_cost))
        if not _same(moved, bridge.latest - bridge.prior, scale=max(abs(bridge.latest), abs(bridge.prior))):
            yield f"bridge parts sum to {moved}, the cost moved by {bridge.latest - bridge.prior}"
        yield from (f"bridge.{problem}" for problem in _bridge(bridge))


def _bridge(bridge: Bridge) -> Iterator[str]:
    """Check that the lines add up to the steps, and the parts of unit cost to each line and the whole."""
    scale = max(abs(bridge.latest), abs(bridge.prior))
    for step in ("mix", "unit_cost"):
        lines = math.fsum(getattr(line, step) for line in bridge.lines)
        if not _same(lines, getattr(bridge, step), scale=scale):
            yield f"{step} is {getattr(bridge, step)}, the lines sum to {lines}"
    places: list[tuple[str, Bridge | BridgeLine]] = [("", bridge)]
    places += [(f"lines[{i}].", line) for i, line in enumerate(bridge.lines)]
    for where, told in places:
        if told.unit_cost_parts is None:
            continue
        parts = math.fsum(getattr(told.unit_cost_parts, name) for name in _PARTS)
        if not _same(parts, told.unit_cost, scale=scale):
            yield f"{where}unit_cost is {told.unit_cost}, its parts sum to {parts}"


def _cluster(cluster: Cluster, total: int) -> Iterator[str]:
    share = cluster.size / total if total else 0.0
    if not _same(cluster.share, share):
        yield f"share is {cluster.share}, size / items gives {share}"
    metrics = cluster.metrics
    if metrics.item_count > cluster.size:
        yield f"metrics.item_count {metrics.item_count} exceeds size {cluster.size}"
    if metrics.error_count > metrics.item_count:
        yield f"metrics.error_count {metrics.error_count} exceeds item_count {metrics.item_count}"
    for name in ESTIMATES:
        estimate: Estimate = getattr(cluster.estimates, name)
        if not _ordered(estimate.low, estimate.value, estimate.high):
            yield f"estimates.{name}: {estimate.value} lies outside {estimate.low} to {estimate.high}"
    for name, change in (cluster.change.metrics if cluster.change else {}).items():
        yield from (f"change.metrics.{name}: {problem}" for problem in _change(name, change))


def _change(name: str, change: MetricChange) -> Iterator[str]:
    if change.prior is not None and change.latest is not None:
        plain = change.raw_difference if name == "share" else change.difference
        if plain is not None and not _same(plain, change.latest - change.prior, scale=abs(change.latest)):
            yield f"difference is {plain}, latest - prior gives {change.latest - change.prior}"
    elif change.difference is not None:
        yield "difference is given although a side is unknown"


def _ordered(*numbers: float | None) -> bool:
    known = [number for number in numbers if number is not None]
    return all(a <= b + _TOLERANCE * max(abs(a), abs(b)) for a, b in pairwise(known))


def _same(a: float | None, b: float | None, *, scale: float = 0.0) -> bool:
    if a is None or b is None:
        return a is b
    return abs(a - b) <= _TOLERANCE * max(abs(a), abs(b), scale) + 1e-15
