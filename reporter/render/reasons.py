"""What a change consists of, in a few words: never a cause that was not measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reporter import units
from reporter.render import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reporter.report import Bridge, Cluster, Finding, JobSection, MetricChange, UnitCostParts

_MOSTLY = 0.5
"""Part of a change something must make up to be named."""
_PARTS = {
    "calls_per_item": ("fewer calls per {one}", "more calls per {one}"),
    "model_mix": ("calls went to cheaper models", "calls went to dearer models"),
    "tokens_per_call": ("fewer tokens per call", "more tokens per call"),
    "price_per_token": ("a lower price per token", "a higher price per token"),
    "other": ("cost outside of calls fell", "cost outside of calls rose"),
}
"""What a falling and a rising part of unit cost is called."""
_STEPS = {"mix": "mix of clusters", "unit_cost": "cost within clusters"}


def why(f: Finding, cluster: Cluster | None, change: MetricChange | None, section: JobSection) -> str:
    """Say what a finding mostly consists of; empty where nothing measured makes up half of it."""
    found = ""
    if f.metric == "mean_cost_usd":
        found = _cost(cluster, section)
    elif f.kind == "errors":
        found = _errors(cluster, section)
    few = len(change.driven_by) if change else 0
    lone = f"rests on {units.plural(few, words.noun(section.job.level, 1), words.noun(section.job.level))}"
    return "; ".join(part for part in (found, lone if few else "") if part)


def _cost(cluster: Cluster | None, section: JobSection) -> str:
    made = section.bridge
    if made is None:
        return ""
    if cluster is None:
        return _whole(made, words.noun(section.job.level, 1))
    line = next((line for line in made.lines if line.latest == [cluster.cluster_id]), None)
    if line is None or line.unit_cost_parts is None:
        return ""
    return _part(line.unit_cost_parts, line.unit_cost, words.noun(section.job.level, 1))


def _whole(made: Bridge, one: str) -> str:
    total = made.mix + made.unit_cost
    key = "mix" if abs(made.mix) >= abs(made.unit_cost) else "unit_cost"
    amount: float = getattr(made, key)
    if total == 0 or amount / total < _MOSTLY:
        return ""
    parts = made.unit_cost_parts
    within = _part(parts, made.unit_cost, one) if key == "unit_cost" and parts else ""
    # Above one where the other step went the other way.
    share = "more than all" if amount > total > 0 or amount < total < 0 else units.percent(amount / total)
    return f"{_STEPS[key]} ({share} of it)" + (f", {within}" if within else "")


def _part(parts: UnitCostParts, total: float, one: str) -> str:
    amounts = {name: float(getattr(parts, name)) for name in _PARTS}
    name = max(amounts, key=lambda key: abs(amounts[key]))
    if total == 0 or amounts[name] / total < _MOSTLY:
        return ""
    return f"mostly {_PARTS[name][amounts[name] > 0].format(one=one)}"


def _errors(cluster: Cluster | None, section: JobSection) -> str:
    everyone = [*section.clusters, *([section.noise] if section.noise else [])]
    counts: dict[str, int] = {}
    for one in everyone if cluster is None else [cluster]:
        for error in one.errors:
            counts[error.cause] = counts.get(error.cause, 0) + error.count
    if not counts:
        return ""
    cause = max(counts, key=lambda name: (counts[name], name))
    total = sum(counts.values())
    if counts[cause] < _MOSTLY * total:
        return ""
    named = units.clean(cause, 60) or "no error message"
    return f"{units.of(counts[cause], total)} failed {'call' if total == 1 else 'calls'}: {named}"


_OPERATORS = {
    "exact": "is",
    "is_not": "is not",
    "icontains": "contains",
    "not_icontains": "does not contain",
    "regex": "matches",
    "not_regex": "does not match",
    "gt": "is greater than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
    "is_set": "is set",
    "is_not_set": "is not set",
    "is_date_before": "is before",
    "is_date_after": "is after",
    "is_date_exact": "is on",
    "in": "is in",
    "not_in": "is not in",
}
_VALUES_MOST = 4


def filters(section: JobSection) -> str:
    """Write a job's filters as one sentence; empty where it has none."""
    told = conditions(section.job.event_filters)
    return f"The job looks only at {words.noun(section.job.level)} where {told}." if told else ""


def conditions(event_filters: Sequence[Mapping[str, Any]]) -> str:
    """Write PostHog's property filters as a condition; empty where there are none."""
    told = [_filter(one) for one in event_filters[:6]]
    more = len(event_filters) - len(told)
    return " and ".join(told) + (f" and {units.plural(more, 'more filter')}" if more else "")


def _filter(one: Mapping[str, Any]) -> str:
    key = units.clean(str(one.get("key") or "a property"), 80)
    operator = str(one.get("operator") or "exact")
    verb = _OPERATORS.get(operator, units.clean(operator.replace("_", " "), 40))
    kind = units.clean(str(one.get("type") or ""), 20)
    of = f" of the {kind}" if kind not in ("", "event") else ""
    if operator in ("is_set", "is_not_set"):
        return f"{key}{of} {verb}"
    value = one.get("value")
    values = value if isinstance(value, list) else [value]
    if value is None:
        return f"{key}{of} {verb} a value not shown"
    shown = [f"\u201c{units.clean(_plain(v), 60)}\u201d" for v in values[:_VALUES_MOST]]
    if len(values) > _VALUES_MOST:
        shown.append(f"{len(values) - _VALUES_MOST} more")
    return f"{key}{of} {verb} {' or '.join(shown)}"


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
