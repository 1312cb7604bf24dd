"""Calls counted by time: what an incident is measured from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime

from reporter.analysis import onset
from reporter.analysis.incident_plan import Plan
from reporter.analysis.inference import wilson
from reporter.model import Call
from reporter.report import Phase


@dataclass(slots=True)
class Sum:
    """Calls, failed calls and cost."""

    calls: int = 0
    failed: int = 0
    costs: list[float] = field(default_factory=list)

    def add(self, call: Call) -> None:
        """Count a call."""
        self.calls += 1
        self.failed += call.is_error
        if call.cost_usd is not None:
            self.costs.append(call.cost_usd)

    def phase(self) -> Phase:
        """Give the counts as a report holds them."""
        low, high = wilson(self.failed, self.calls) if self.calls else (None, None)
        return Phase(
            calls=self.calls,
            failed=self.failed,
            failed_share=self.failed / self.calls if self.calls else None,
            low=low,
            high=high,
            cost_usd=math.fsum(sorted(self.costs)) if self.costs else None,
        )


@dataclass(slots=True)
class Tally:
    """What is counted of all calls, or of those of one cluster."""

    plan: Plan
    grid: list[Sum]
    cells: dict[tuple[int, int], Sum] = field(default_factory=dict)
    """The baseline, by window and bucket."""
    during: Sum = field(default_factory=Sum)
    after: Sum = field(default_factory=Sum)
    users: set[int] = field(default_factory=set)
    failures: dict[str, list[datetime]] = field(default_factory=dict)
    """When calls of a trace failed during the incident."""

    def add(self, call: Call) -> None:
        """Count a call where it belongs in time; one outside of the plan counts nowhere."""
        plan = self.plan
        if plan.grid.start <= call.at < plan.grid.end:
            self.grid[int((call.at - plan.grid.start) / plan.bucket)].add(call)
        for number, window in enumerate(plan.baselines):
            if window.start <= call.at < window.end:
                place = number, int((call.at - window.start) / plan.bucket)
                self.cells.setdefault(place, Sum()).add(call)
        if plan.window.start <= call.at < plan.window.end:
            self.during.add(call)
            if call.is_error:
                if call.user:  # 0 stands for no user
                    self.users.add(call.user)
                if call.trace_id:
                    self.failures.setdefault(call.trace_id, []).append(call.at)
        if plan.after and plan.after.start <= call.at < plan.after.end:
            self.after.add(call)

    def baseline(self, until: datetime | None) -> tuple[Sum, float]:
        """Add up the baseline, as far as it began before a moment, and say how its failures spread."""
        kept = [
            cell
            for (number, place), cell in sorted(self.cells.items())
            if until is None or self.plan.baselines[number].start + (place + 1) * self.plan.bucket <= until
        ]
        whole = Sum(
            sum(c.calls for c in kept), sum(c.failed for c in kept), [cost for c in kept for cost in c.costs]
        )
        return whole, onset.dispersion([c.calls for c in kept], [c.failed for c in kept])
