"""An incident measured: calls counted by time and cluster, compared with what is usual.

Calls are added one by one, in any order, and only counts are kept. Nothing here asks for more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import msgspec
import numpy as np
from scipy import special

from reporter import units
from reporter.analysis import causes, links, onset
from reporter.analysis.incident_plan import Plan
from reporter.analysis.inference import benjamini_hochberg
from reporter.analysis.onset import Rise
from reporter.analysis.tally import Sum, Tally
from reporter.model import Call
from reporter.report import (
    Bucket,
    Effect,
    EvidenceTrace,
    Excess,
    IncidentBy,
    IncidentCause,
    IncidentCluster,
    IncidentVerdict,
    Unassigned,
)

Unit: TypeAlias = tuple[int, int]
"""Index of a job and id of its cluster."""
LEAST_CALLS = 8
"""Calls during the incident, and before it, without which nothing is said of a cluster."""
LEAST_CALM = 20
"""Calls during it without which a cluster is not said to have been left alone."""
LEAST_EXCESS = 3.0
"""Failed calls beyond the expected below which no cluster is called affected."""
SURE = 0.05
_LEAST_CELL = 5
_MOST_VALUES = 8
_MOST_CAUSES = 12
_CALM = 0.05
"""Rise of the failed share that a cluster that did not move may have had at most (upper limit)."""
_ORDER: Mapping[str, int] = {"affected": 0, "unclear": 1, "control": 2}


@dataclass(frozen=True, slots=True)
class Known:
    """A cluster that calls are assigned to."""

    job_id: str | None
    cluster_id: int
    title: str
    run_id: str


class Counter:
    """Counts the calls around an incident."""

    def __init__(self, plan: Plan, clusters: Mapping[Unit, Known], by: Sequence[str] = ()) -> None:
        """Begin with nothing counted.

        Args:
            plan: Which calls are looked at.
            clusters: The clusters calls may belong to.
            by: Names of the properties that calls carry values of.
        """
        self._properties = tuple(by)
        self._plan = plan
        self._clusters = clusters
        self._all = self._tally()
        self._units = {unit: self._tally() for unit in clusters}
        self._strata: dict[Unit | None, Tally] = {}
        """Every call once: by the first of its clusters, or none."""
        self._by: dict[tuple[str, str], tuple[Sum, Sum]] = {}
        self._causes: dict[str, list[Call]] = {}
        self._causes_before: dict[str, int] = {}

    def _tally(self) -> Tally:
        return Tally(self._plan, [Sum() for _ in range(self._plan.buckets)])

    @property
    def calls(self) -> int:
        """Calls of the incident counted so far."""
        return self._all.during.calls

    def add(self, call: Call, mine: Iterable[Unit]) -> None:
        """Count a call; what lies outside of the plan is passed over.

        Args:
            call: The call.
            mine: Clusters it belongs to, at most one of each job.
        """
        self._all.add(call)
        mine = tuple(mine)
        for unit in mine:
            self._units[unit].add(call)
        stratum = min(mine, default=None)
        if stratum not in self._strata:
            self._strata[stratum] = self._tally()
        self._strata[stratum].add(call)
        inside = self._plan.window.start <= call.at < self._plan.window.end
        before = any(window.start <= call.at < window.end for window in self._plan.baselines)
        for there, place in ((inside, 0), (before, 1)):
            if there:
                self._split(call, place)

    def _split(self, call: Call, place: int) -> None:
        """Count a call by what it was made with and why it failed: of the incident (0) or before (1)."""
        status = str(call.http_status) if call.http_status is not None and call.is_error else None
        more = zip(self._properties, call.by, strict=True)
        for dimension, value in (
            ("model", call.model),
            ("provider", call.provider),
            ("status", status),
            *more,
        ):
            if value is not None:
                self._by.setdefault((dimension, value), (Sum(), Sum()))[place].add(call)
        if call.is_error:
            cause = causes.named(call.error or "", call.http_status)
            if place:
                self._causes_before[cause] = self._causes_before.get(cause, 0) + 1
            else:
                self._causes.setdefault(cause, []).append(call)

    def overall(self) -> Effect:
        """Say what happened to all calls.

        What was to be expected is added up over clusters, so that more traffic of a cluster that fails often,
        or seldom, is no excess and hides none.
        """
        tested = _tested(self._all)
        effect = _effect(self._all, tested, tested.p_value)
        pooled, _ = self._all.baseline(_usual_until(self._plan, effect.onset_at))
        excess = _added([_excess(t, effect.onset_at, pooled) for t in self._strata.values()])
        cost = _added([_excess_cost(t, effect.onset_at, pooled) for t in self._strata.values()])
        effect = msgspec.structs.replace(effect, excess_failed=excess, excess_cost_usd=cost)
        if excess is None or excess.low > 0:
            return effect
        # The share of all calls rose, but that of no cluster: what fails often had more traffic.
        return msgspec.structs.replace(effect, onset_at=None, recovered_at=None, elevated=False)

    def unassigned(self) -> Unassigned:
        """Count the calls of the incident that sit in no cluster."""
        lost = self._strata.get(None)
        during = lost.during if lost else Sum()
        return Unassigned(calls=during.calls, failed=during.failed)

    def buckets(self) -> list[Bucket]:
        """Give the timeline of all calls."""
        found = []
        for index, each in enumerate(self._all.grid):
            phase = each.phase()
            start = units.iso(self._plan.grid.start + index * self._plan.bucket)
            found.append(Bucket(start=start, calls=phase.calls, failed=phase.failed, cost_usd=phase.cost_usd))
        return found

    def clusters(self, host: str, project_id: str | None) -> list[IncidentCluster]:
        """Say what happened to every cluster with a call during the incident, those affected most first."""
        seen = {unit: tally for unit, tally in self._units.items() if tally.during.calls}
        tested = {unit: _tested(tally) for unit, tally in seen.items()}
        done = [unit for unit, test in tested.items() if test.p_value is not None]
        adjusted = benjamini_hochberg([tested[unit].p_value or 0.0 for unit in done])
        q_values: dict[Unit, float] = dict(zip(done, adjusted, strict=True))
        told = []
        for unit, tally in seen.items():
            known, effect = self._clusters[unit], _effect(tally, tested[unit], q_values.get(unit))
            told.append(
                IncidentCluster(
                    **msgspec.structs.asdict(effect),
                    job_id=known.job_id,
                    cluster_id=known.cluster_id,
                    title=known.title,
                    verdict=_verdict(effect),
                    timeline=[(each.calls, each.failed) for each in tally.grid],
                    traces=_evidence(tally, host, project_id),
                    url=links.cluster_url(host, project_id, known.run_id, known.cluster_id),
                )
            )
        return sorted(
            told,
            key=lambda c: (
                _ORDER[c.verdict],
                -(c.excess_failed.value if c.excess_failed else 0.0),
                -c.during.calls,
                c.job_id or "",
                c.cluster_id,
            ),
        )

    def by(self) -> list[IncidentBy]:
        """Compare inside and before by model, provider, status of failed calls and the properties given."""
        found: list[IncidentBy] = []
        for dimension in ("model", "provider", "status", *self._properties):
            sums = {value: pair for (name, value), pair in self._by.items() if name == dimension}
            some = [v for v, (a, b) in sums.items() if a.calls + b.calls >= _LEAST_CELL and a.calls]
            some = sorted(some, key=lambda v: (-sums[v][0].failed, -sums[v][0].calls, v))[:_MOST_VALUES]
            found += [
                IncidentBy(
                    dimension=dimension, value=v, inside=sums[v][0].phase(), outside=sums[v][1].phase()
                )
                for v in some
            ]
        return found

    def causes(self) -> list[IncidentCause]:
        """Count why calls failed during the incident, the most frequent first."""
        ranked = sorted(self._causes.items(), key=lambda pair: (-len(pair[1]), pair[0]))
        return [self._cause(name, sorted(calls, key=_moment)) for name, calls in ranked[:_MOST_CAUSES]]

    def _cause(self, name: str, calls: Sequence[Call]) -> IncidentCause:
        costs = sorted(c.cost_usd for c in calls if c.cost_usd is not None)
        return IncidentCause(
            cause=name,
            onset_at=units.iso(calls[0].at),
            last_at=units.iso(calls[-1].at),
            count=len(calls),
            before=self._causes_before.get(name, 0),
            users=len({c.user for c in calls if c.user}),
            cost_usd=math.fsum(costs) if costs else None,
            example_trace_id=next((c.trace_id for c in calls if c.trace_id), None),
        )


def times(overall: Effect, clusters: Iterable[IncidentCluster]) -> tuple[str | None, str | None]:
    """Say when an incident began and when it was over: by the clusters affected, which show it best."""
    affected: list[Effect] = [c for c in clusters if c.verdict == "affected"]
    shown = affected or [overall]
    ends = [effect.recovered_at for effect in shown]
    begun = min((effect.onset_at for effect in shown if effect.onset_at), default=None)
    return begun, None if None in ends else max(end for end in ends if end)


@dataclass(frozen=True, slots=True)
class _Tested:
    """A tally's incident against its baseline."""

    whole: Sum
    """The baseline."""
    spread: float
    found: Rise | None
    """The span in which the failed share was most above the usual one, inside the window or not."""
    p_value: float | None


def _tested(tally: Tally) -> _Tested:
    """Test whether more calls failed in the window than usual, and find since when."""
    plan = tally.plan
    whole, spread = tally.baseline(None)
    if whole.calls < LEAST_CALLS or not tally.during.calls:
        return _Tested(whole, spread, None, None)
    found = _rise(tally, whole, spread)
    begun = plan.grid.start + found.start * plan.bucket if found else None
    if found is not None and begun is not None and begun < plan.window.start and found.p_value < SURE:
        # It began before the window given: that time is no measure of what is usual.
        whole, spread = tally.baseline(begun)
        found = _rise(tally, whole, spread)
    # Failed calls of one trace are no independent ones: it tries again.
    bursts = tally.during.failed / max(1, len(tally.failures))
    during = (tally.during.calls, tally.during.failed)
    p = onset.more_failed(during, (whole.calls, whole.failed), max(spread, bursts, 1.0))
    return _Tested(whole, spread, found, p)


def _effect(tally: Tally, tested: _Tested, p_value: float | None) -> Effect:
    """Tell what happened to a tally; `p_value` is adjusted for all tests made."""
    plan, whole, found = tally.plan, tested.whole, tested.found
    first = math.floor((plan.window.start - plan.grid.start) / plan.bucket)
    stop = math.ceil((plan.window.end - plan.grid.start) / plan.bucket)
    sure = p_value is not None and p_value < SURE
    if found is not None and not (sure and found.start < stop and first < found.stop):
        found = None
    lasts = found is not None and _lasts(tally, found)
    during = tally.during.phase()

    def at(place: int) -> str:
        return units.iso(plan.grid.start + place * plan.bucket)

    return Effect(
        before=whole.phase(),
        during=during,
        after=tally.after.phase(),
        excess_failed=onset.excess_failed(
            (during.calls, during.failed), (whole.calls, whole.failed), tested.spread
        ),
        excess_cost_usd=onset.excess_cost(_spent(tally), _moments(whole)),
        users=len(tally.users),
        onset_at=at(found.start) if found else None,
        recovered_at=at(found.stop) if found and not lasts else None,
        elevated=lasts,
        p_value=p_value,
    )


def _rise(tally: Tally, whole: Sum, spread: float) -> Rise | None:
    calls = np.array([each.calls for each in tally.grid], dtype=np.int64)
    failed = np.array([each.failed for each in tally.grid], dtype=np.int64)
    return onset.rise(calls, failed, onset.usual(whole.failed, whole.calls), spread)


def _lasts(tally: Tally, found: Rise) -> bool:
    """Say whether the data end before they show that a rise was over.

    They show it where so few failures among the calls after it would be seen in less than 5 % of cases if the
    share were still that of the rise.
    """
    inside, after = tally.grid[found.start : found.stop], tally.grid[found.stop :]
    calls, failed = sum(s.calls for s in after), sum(s.failed for s in after)
    share = onset.usual(sum(s.failed for s in inside), sum(s.calls for s in inside))
    return calls == 0 or float(special.bdtr(failed, calls, share)) > SURE


def _usual_until(plan: Plan, onset_at: str | None) -> datetime | None:
    """Give the moment up to which the baseline is usual, where the incident began before the window given."""
    begun = units.parse_time(onset_at) if onset_at else None
    return begun if begun is not None and begun < plan.window.start else None


def _excess(tally: Tally, onset_at: str | None, pooled: Sum) -> Excess | None:
    """Say how many calls of a stratum failed beyond the usual; one without a past takes that of all calls."""
    whole, spread = tally.baseline(_usual_until(tally.plan, onset_at))
    base = whole if whole.calls else pooled
    return onset.excess_failed((tally.during.calls, tally.during.failed), (base.calls, base.failed), spread)


def _excess_cost(tally: Tally, onset_at: str | None, pooled: Sum) -> Excess | None:
    whole, _ = tally.baseline(_usual_until(tally.plan, onset_at))
    usable = whole if len(whole.costs) > 1 else pooled
    return onset.excess_cost(_spent(tally), _moments(usable))


def _spent(tally: Tally) -> tuple[int, float]:
    return len(tally.during.costs), math.fsum(sorted(tally.during.costs))


def _moments(whole: Sum) -> tuple[float, float, int]:
    return math.fsum(sorted(whole.costs)), math.fsum(sorted(c * c for c in whole.costs)), len(whole.costs)


def _added(parts: Sequence[Excess | None]) -> Excess | None:
    """Add up independent excesses: their distances to either limit add in squares."""
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    value = math.fsum(sorted(p.value for p in known))
    below = math.sqrt(math.fsum(sorted((p.value - p.low) ** 2 for p in known)))
    above = math.sqrt(math.fsum(sorted((p.high - p.value) ** 2 for p in known)))
    return Excess(value=value, low=value - below, high=value + above)


def _verdict(effect: Effect) -> IncidentVerdict:
    before, during = effect.before, effect.during
    if before.calls < LEAST_CALLS or during.calls < LEAST_CALLS:
        return "unclear"
    excess = effect.excess_failed
    if excess is None:
        return "unclear"
    if effect.onset_at is not None and excess.low > 0 and excess.value >= LEAST_EXCESS:
        return "affected"
    if during.calls < LEAST_CALM:
        return "unclear"
    calm = excess.high <= max(_CALM * during.calls, LEAST_EXCESS)
    return "control" if calm or (excess.low <= 0 <= excess.high and effect.onset_at is None) else "unclear"


def _evidence(tally: Tally, host: str, project_id: str | None) -> list[EvidenceTrace]:
    """Choose up to three traces with failed calls: the first, the one with most, the last."""
    moments = {trace: sorted(times) for trace, times in tally.failures.items()}
    picks: tuple[tuple[str, Callable[[str], Any]], ...] = (
        ("first", lambda t: (moments[t][0], t)),
        ("most_failures", lambda t: (-len(moments[t]), moments[t][0], t)),
        ("last", lambda t: (-moments[t][-1].timestamp(), t)),
    )
    found: list[EvidenceTrace] = []
    for reason, key in picks:
        left = [trace for trace in moments if trace not in {one.trace_id for one in found}]
        if left:
            trace = min(left, key=key)
            found.append(
                EvidenceTrace(
                    trace_id=trace,
                    reason=reason,
                    at=units.iso(moments[trace][0]),
                    failed=len(moments[trace]),
                    url=links.trace_url(host, project_id, trace, moments[trace][0]),
                )
            )
    return found


def _moment(call: Call) -> tuple[datetime, str]:
    return call.at, call.uuid
