"""Judging rules: every rule for every cluster it is about, on the figures of the report alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

import msgspec

from reporter import units
from reporter.analysis.gate_figures import Figure, figure, is_compared
from reporter.analysis.gate_rules import JOB_METRICS, Rule, unit_of
from reporter.analysis.wording import NOUNS, cluster_title
from reporter.report import Caveat, Cluster, Gate, JobSection, Report

Policy: TypeAlias = Mapping[str, str]
"""``not_enough_data`` and ``not_comparable`` → ``pass`` or ``fail``."""


class Gating(Protocol):
    """A rule with what the settings say of it."""

    @property
    def rule(self) -> Rule:
        """The rule."""

    @property
    def severity(self) -> str:
        """``fail`` or ``warn``."""

    @property
    def min_n(self) -> int | None:
        """Items a figure must rest on; ``None`` for the usual number."""

    @property
    def until(self) -> datetime | None:
        """When a waiver ends, exclusive; ``None`` where there is none."""

    @property
    def reason(self) -> str:
        """Why it is waived."""


def judge(
    rules: Sequence[Gating], sections: Sequence[JobSection], policy: Policy, now: datetime
) -> tuple[list[Gate], list[Caveat]]:
    """Judge every rule.

    Args:
        rules: The rules.
        sections: Sections of the jobs, at full length.
        policy: What becomes of what cannot be judged.
        now: The report's clock.

    Returns:
        Outcomes by rule, job and size of cluster; and what a reader must know of waivers that have ended.
    """
    gates: list[Gate] = []
    caveats: list[Caveat] = []
    for gating in rules:
        mine = [
            gate
            for index, section in enumerate(sections)
            for gate in _of_job(gating, section, index, policy, now)
        ]
        if not mine:
            mine = [_nothing(gating, policy)]
        gates += mine
        if (
            gating.until is not None
            and now >= gating.until
            and any(gate.outcome == "failed" for gate in mine)
        ):
            caveats.append(_ended(gating))
    return gates, caveats


def _of_job(gating: Gating, section: JobSection, index: int, policy: Policy, now: datetime) -> Iterator[Gate]:
    rule = gating.rule
    if rule.scope == "new" and section.overall is not None and not is_compared(section):
        # Of a first run it is not known what is new.
        yield _gate(
            gating, section, index, None, Figure(None, None, None, None, "not_comparable"), policy, now
        )
        return
    subjects = _subjects(rule, section)
    for subject in subjects:
        found = figure(rule, gating.min_n, section, subject)
        if found is not None:
            yield _gate(gating, section, index, subject, found, policy, now)
    if rule.scope == "new" and not subjects and section.overall is not None:
        # A run without a new cluster holds any rule about new ones.
        yield _gate(gating, section, index, None, Figure(None, None, None, None, "passed"), policy, now)


def _subjects(rule: Rule, section: JobSection) -> list[Cluster | None]:
    """Give the clusters a rule is about; ``None`` stands for the whole run."""
    if rule.metric in JOB_METRICS or rule.scope == "total":
        return [None]
    if rule.scope == "any" and section.overall is None:
        return [None]  # a job that was not read must not pass in silence
    if rule.scope == "noise":
        return [section.noise] if section.noise is not None else []
    return [c for c in section.clusters if _is_meant(rule, c)]


def _is_meant(rule: Rule, cluster: Cluster) -> bool:
    match rule.scope:
        case "lineage":
            return cluster.lineage_id == rule.subject
        case "title":
            flags = re.IGNORECASE if rule.ignore_case else 0
            return re.search(rule.subject, cluster.title, flags) is not None
        case "new":
            return cluster.change is not None and cluster.change.transition == "new"
        case _:
            return True


def _gate(
    gating: Gating,
    section: JobSection,
    index: int,
    subject: Cluster | None,
    found: Figure,
    policy: Policy,
    now: datetime,
) -> Gate:
    rule = gating.rule
    outcome = found.outcome or ("failed" if _broken(rule, found) else "passed")
    if found.outcome is None and rule.certainty == "surely" and (found.low is None or found.high is None):
        outcome = "not_enough_data"  # nothing is sure of a figure without an interval
    waived = gating.until is not None and now < gating.until
    if outcome == "failed":
        outcome = "waived" if waived else "warned" if gating.severity == "warn" else "failed"
    made = Gate(
        rule=rule.text,
        job_id=section.job.id,
        cluster_id=subject.cluster_id if subject is not None else None,
        limit=-rule.limit if rule.way == "-" else rule.limit,
        value=found.value,
        low=found.low,
        high=found.high,
        outcome=outcome,
        fails=outcome == "failed"
        or (policy.get(outcome) == "fail" and gating.severity == "fail" and not waived),
        job_index=index,
        metric=rule.metric,
        relative=rule.relative,
        change=rule.compares,
        n=found.n,
        reason=units.clean(gating.reason, 300) if waived else "",
        until=units.iso(gating.until) if gating.until is not None else None,
    )
    return msgspec.structs.replace(made, sentence=sentence(made, section))


def _broken(rule: Rule, found: Figure) -> bool:
    """Say whether a limit is broken: by the point, or by the whole interval."""
    sure = rule.certainty == "surely"
    high_end = found.low if sure else found.value
    low_end = found.high if sure else found.value
    if high_end is None or low_end is None:
        return False
    match rule.way:
        case "<=" | "+":
            return high_end > rule.limit
        case "<":
            return high_end >= rule.limit
        case ">=":
            return low_end < rule.limit
        case ">":
            return low_end <= rule.limit
        case "-":
            return low_end < -rule.limit


def _nothing(gating: Gating, policy: Policy) -> Gate:
    """Say that a rule found nothing to judge, which a misspelt title would hide for ever."""
    rule = gating.rule
    return Gate(
        rule=rule.text,
        job_id=None,
        cluster_id=None,
        limit=-rule.limit if rule.way == "-" else rule.limit,
        value=None,
        low=None,
        high=None,
        outcome="not_enough_data",
        fails=policy.get("not_enough_data") == "fail" and gating.severity == "fail",
        metric=rule.metric,
        relative=rule.relative,
        change=rule.compares,
        sentence="No job has a cluster this rule is about.",
    )


def _ended(gating: Gating) -> Caveat:
    until = units.day(units.iso(gating.until)) if gating.until is not None else ""
    return Caveat(
        code="waiver_ended",
        message=(
            f"The waiver of “{units.clean(gating.rule.text, 200)}” ended on {until} "
            f"({units.clean(gating.reason, 200)}), and the rule still fails."
        ),
    )


def sentence(gate: Gate, section: JobSection) -> str:
    """Write an outcome as one sentence."""
    subject = _named(gate, section)
    if gate.value is None:
        why = {
            "passed": "there is nothing to judge",
            "not_comparable": "the runs cannot be compared",
            "failed": "it rose from nothing",
        }.get(gate.outcome, "too little data to judge")
        return f"{subject}: {why}."
    around = ""
    if gate.low is not None and gate.high is not None:
        around = f" (95% {_write(gate, gate.low)} to {_write(gate, gate.high)})"
    rests = "" if gate.n is None else f", {units.plural(gate.n, *NOUNS[section.job.level])}"
    value, limit = _write(gate, gate.value), _write(gate, gate.limit)
    return f"{subject}: {gate.metric} {value}{around}{rests}; the limit is {limit}."


def shown(gate: Gate, report: Report) -> tuple[str, ...]:
    """Write an outcome as the cells of a row: rule, outcome, job, cluster, value, interval, limit, items."""
    section = report.jobs[gate.job_index] if gate.job_index is not None else None
    around = gate.low is not None and gate.high is not None
    return (
        gate.rule,
        gate.outcome.replace("_", " ") + (" (fails)" if gate.fails and gate.outcome != "failed" else ""),
        units.clean(section.job.name, 40) or "(no job)" if section else units.UNKNOWN,
        _named(gate, section) if section else units.UNKNOWN,
        units.UNKNOWN if gate.value is None else _write(gate, gate.value),
        f"{_write(gate, gate.low or 0)} to {_write(gate, gate.high or 0)}" if around else units.UNKNOWN,
        _write(gate, gate.limit),
        units.UNKNOWN if gate.n is None else units.count(gate.n),
    )


def _named(gate: Gate, section: JobSection) -> str:
    if gate.cluster_id is None:
        return "The whole run"
    return cluster_title(section, gate.cluster_id, 80)


def _write(gate: Gate, value: float) -> str:
    if gate.relative:
        return units.percent(value, signed=True)
    kind = unit_of(gate.metric)
    signed = gate.change
    match kind:
        case "share":
            return units.points(value) if signed else units.percent(value)
        case "money":
            return units.money(value, signed=signed)
        case "seconds":
            return units.seconds(value, signed=signed)
        case "tokens":
            return units.tokens(value, signed=signed)
        case _:
            return units.count(value, signed=signed)
