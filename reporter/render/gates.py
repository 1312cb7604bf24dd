"""Outcomes of rules made ready for a page, a build or a comment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reporter import units
from reporter.render import facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reporter.report import Gate, Report

OUTCOMES = {
    "failed": "Failed",
    "warned": "Warning",
    "waived": "Waived",
    "not_enough_data": "Not enough data",
    "not_comparable": "Not comparable",
    "passed": "Passed",
}
"""In the order a reader needs them."""


@dataclass(frozen=True, slots=True)
class GateRow:
    """One outcome."""

    rule: str
    outcome: str
    tone: str
    job: str
    """The job's name, where there are several; else empty."""
    sentence: str


@dataclass(frozen=True, slots=True)
class GateView:
    """All outcomes, those that matter first."""

    verdict: str
    """In a sentence: how many rules, how many of them broken."""
    failing: tuple[GateRow, ...]
    """What fails a build."""
    others: tuple[GateRow, ...]
    """Warnings and waivers."""
    unjudged: tuple[GateRow, ...]
    """What could not be judged."""
    passed: tuple[GateRow, ...]


def view(report: Report) -> GateView | None:
    """Prepare the outcomes; ``None`` where no rule was given."""
    if not report.gates:
        return None
    rows = [(gate, _row(gate, report)) for gate in report.gates]
    ranked = sorted(rows, key=lambda pair: list(OUTCOMES).index(pair[0].outcome))
    return GateView(
        verdict=verdict(report.gates),
        failing=tuple(row for gate, row in ranked if gate.fails),
        others=tuple(row for gate, row in ranked if not gate.fails and gate.outcome in ("warned", "waived")),
        unjudged=tuple(row for gate, row in ranked if not gate.fails and gate.outcome.startswith("not_")),
        passed=tuple(row for gate, row in ranked if not gate.fails and gate.outcome == "passed"),
    )


def verdict(gates: Sequence[Gate]) -> str:
    """Say how many rules there are and how many of them are broken."""
    rules = list(dict.fromkeys(gate.rule for gate in gates))
    broken = {gate.rule for gate in gates if gate.fails}
    if not broken:
        unjudged = [
            r
            for r in rules
            if all(g.outcome in ("not_enough_data", "not_comparable") for g in gates if g.rule == r)
        ]
        tail = f"; {units.plural(len(unjudged), 'rule')} could not be judged" if unjudged else ""
        return f"No rule of {len(rules)} is broken{tail}." if len(rules) > 1 else f"The rule holds{tail}."
    count = sum(gate.fails for gate in gates)
    where = units.plural(count, "place")
    of = f"{len(broken)} of {units.plural(len(rules), 'rule')}"
    return f"{of} {'is' if len(broken) == 1 else 'are'} broken, in {where}."


def _row(gate: Gate, report: Report) -> GateRow:
    several = len(report.jobs) > 1 and gate.job_index is not None
    tone = "worse" if gate.fails else "plain" if gate.outcome in ("warned", "failed") else "calm"
    waived = (
        f" Waived until {units.day(gate.until)}: {gate.reason}"
        if gate.outcome == "waived" and gate.until
        else ""
    )
    return GateRow(
        rule=units.clean(gate.rule, 200),
        outcome=OUTCOMES[gate.outcome],
        tone=tone,
        job=facts.heading(report.jobs[gate.job_index or 0]) if several else "",
        sentence=units.clean(f"{gate.sentence}{waived}", 500),
    )
