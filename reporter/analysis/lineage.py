"""Identity of clusters over many runs: every run is matched to the one before, and ids are handed on.

Only the best one-to-one pairing carries an id, so no two clusters of a run ever share one. What a run lost
and a later one shows again keeps its id, if not more than a week has passed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from reporter import units
from reporter.analysis.memory import WEEKS, Memory, Place, Step, added
from reporter.model import NOISE, Level, Membership, RunHeader

if TYPE_CHECKING:
    from reporter.analysis.matching import Matching

SPAN = timedelta(weeks=WEEKS)
"""How far back identity is followed where nothing is remembered."""
_BACK = timedelta(days=7)
"""How long a cluster may be missing and still be the same when it comes again."""


@dataclass(frozen=True, slots=True)
class Heirs:
    """Which clusters of a run carry on which ones of an older run, as a report compares the two."""

    run_id: str
    older_run_id: str
    clusters: Mapping[int, int]
    """Cluster id → cluster id of the older run."""


def heirs(prior: RunHeader, latest: RunHeader, matched: Matching) -> Heirs:
    """Read off a comparison, whichever of its runs is the older one, who carries on whom."""
    pairs = {link.latest_id: link.prior_id for link in matched.links if link.backbone}
    if prior.window.end <= latest.window.end:
        return Heirs(latest.run_id, prior.run_id, pairs)
    return Heirs(prior.run_id, latest.run_id, {old: new for new, old in pairs.items()})


def lineage_id(job_id: str | None, level: Level, run_id: str, cluster_id: int) -> str:
    """Derive an id from the oldest place a cluster is known from: 12 hexadecimal digits.

    The noise of a job at a level has one id for ever.
    """
    origin = "\x1f".join((job_id or "", level, "" if cluster_id == NOISE else run_id, str(cluster_id)))
    return sha256(origin.encode("utf-8", "replace")).hexdigest()[:12]


def needed(memory: Memory, runs: Sequence[RunHeader], latest: RunHeader) -> tuple[RunHeader, ...]:
    """Say which runs must be known by their memberships to follow clusters up to the latest one.

    Args:
        memory: What is known already.
        runs: A job's runs, any order.
        latest: The run reported on.

    Returns:
        Runs older than the latest one, oldest first: those not known yet, and those of the week before them,
        which their clusters are matched to.
    """
    old = [
        run
        for run in _in_order(runs)
        if latest.window.end - SPAN <= run.window.end < latest.window.end and run.run_id != latest.run_id
    ]
    news = _unknown(_trusted(memory, runs), (*old, latest))
    if not news:
        return ()
    first = news[0].window.end
    before = [run for run in old if run.window.end < first]
    return tuple(run for run in old if run.window.end >= first - _BACK or run in before[-1:])


def followed(
    memory: Memory,
    runs: Sequence[tuple[RunHeader, Membership]],
    compared: Heirs | None = None,
) -> Memory:
    """Give every cluster of runs not known yet an id, oldest run first.

    Args:
        memory: What is known already; its ids stay.
        runs: Runs of one job and level with what they hold, any order; the newest is the one reported on.
        compared: Who is who in the two runs a report compares: there, that decides, so that a report names a
            cluster as it compares it.

    Returns:
        The memory, with those runs.
    """
    held = {header.run_id: membership for header, membership in runs}
    memory = _trusted(memory, [header for header, _ in runs])
    for header in _unknown(memory, _in_order([header for header, _ in runs])):
        recent = [
            step
            for step in reversed(memory.steps)
            if step.run_id in held and header.window.end - units.parse_time(step.window_end) <= SPAN
        ]
        given = _given(header, held[header.run_id], recent, held)
        if compared is not None and compared.run_id == header.run_id:
            given = _corrected(given, memory, compared)
        memory = added(memory, _step(header, held[header.run_id], given))
    return memory


def _in_order(runs: Sequence[RunHeader]) -> list[RunHeader]:
    """Give runs without a label, oldest first, each once."""
    ordered = sorted(runs, key=lambda run: (run.window.end, run.run_id))
    return list({run.run_id: run for run in ordered if run.label is None or run is ordered[-1]}.values())


def _trusted(memory: Memory, runs: Sequence[RunHeader]) -> Memory:
    """Forget runs that were stored again since: what is known of them may not hold."""
    uuids = {run.run_id: run.event_uuid for run in runs}
    steps = [
        step
        for step in memory.steps
        if not step.event_uuid or uuids.get(step.run_id) in (None, step.event_uuid)
    ]
    return memory if len(steps) == len(memory.steps) else msgspec.structs.replace(memory, steps=steps)


def _unknown(memory: Memory, runs: Sequence[RunHeader]) -> list[RunHeader]:
    """Give runs that are not known and newer than all that are: ids once given are never changed."""
    known = {step.run_id for step in memory.steps}
    newest = max((units.parse_time(step.window_end) for step in memory.steps), default=None)
    return [run for run in runs if run.run_id not in known and (newest is None or run.window.end > newest)]


def _given(
    header: RunHeader, run: Membership, recent: Sequence[Step], held: Mapping[str, Membership]
) -> dict[int, str]:
    """Hand ids on to a run's clusters: from the run before, else from earlier ones of the last week."""
    from reporter.analysis import matching  # half a second, and what `needed` says is fetched before

    given: dict[int, str] = {}
    for index, step in enumerate(recent):
        if index and header.window.end - units.parse_time(step.window_end) > _BACK:
            break
        names = {p.cluster_id: p.lineage_id for p in step.places if p.cluster_id not in (None, NOISE)}
        lost = {cluster: name for cluster, name in names.items() if name not in given.values()}
        open_ = [c for c in run.clusters if c.cluster_id != NOISE and c.cluster_id not in given]
        if not lost or not open_:
            continue
        for link in matching.match(held[step.run_id], run).links:
            if link.backbone and link.latest_id not in given and link.prior_id in lost:
                given[link.latest_id] = lost.pop(link.prior_id)
    for cluster in run.clusters:
        if cluster.cluster_id not in given:
            given[cluster.cluster_id] = lineage_id(
                header.job_id, header.level, header.run_id, cluster.cluster_id
            )
    return given


def _corrected(given: Mapping[int, str], memory: Memory, compared: Heirs) -> dict[int, str]:
    """Let the comparison with the older run decide where the two differ."""
    step = memory.step(compared.older_run_id)
    if step is None:
        return dict(given)
    names = {place.cluster_id: place.lineage_id for place in step.places}
    sure = {new: names[old] for new, old in compared.clusters.items() if old in names}
    taken = set(sure.values())
    fresh = {
        cluster: name
        for cluster, name in given.items()
        if cluster not in sure and (name not in taken or cluster == NOISE)
    }
    return sure | fresh


def _step(header: RunHeader, run: Membership, given: Mapping[int, str]) -> Step:
    size = sum(len(cluster.keys) for cluster in run.clusters)
    return Step(
        run_id=header.run_id,
        event_uuid=header.event_uuid,
        window_end=units.iso(header.window.end),
        places=[
            Place(
                given.get(c.cluster_id)
                or lineage_id(header.job_id, header.level, header.run_id, c.cluster_id),
                c.title,
                len(c.keys) / size if size else None,
                c.cluster_id,
            )
            for c in sorted(run.clusters, key=lambda c: c.cluster_id)
        ],
    )
