"""The vocabulary of the pages: what codes of a report are called in front of a reader."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reporter import units
from reporter.units import DASH, MINUS, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reporter.report import Link, MetricChange, TransitionEntry

METRIC_KINDS = frozenset({"share", "cost", "latency", "tokens", "errors", "noise"})
"""Kinds of findings that are about a figure; the others are about clusters that came or went."""
CALLS = {
    "changed": "Changed",
    "probably_changed": "Probably changed",
    "no_clear_change": "No clear change",
    "not_enough_data": "Not enough data",
    "not_comparable": "Not comparable",
}
LEVELS = {
    "trace": ("trace", "traces"),
    "generation": ("generation", "generations"),
    "evaluation": ("evaluation", "evaluations"),
}
REASONS = {
    "nearest": "nearest to the cluster's centre",
    "most_expensive": "the most expensive",
    "slowest": "the slowest",
    "typical": "typical in cost and latency",
    "failing": "the newest that failed",
    "farthest": "farthest from the cluster's centre",
}
METHODS = {
    "wilson": "Wilson score interval",
    "log-t": "Student's t interval on the log scale",
    "order-statistic": "interval between order statistics (binomial)",
    "log-ratio": "ratio of means on the log scale (delta method)",
    "bootstrap": "percentile bootstrap over items, seeded",
    "share-growth": "log ratio of shares (delta method)",
    "share-growth-net": "log ratio of shares, net of re-clustering measured on shared items",
    "share-growth-bridged": "log ratio of shares, net of re-clustering measured over the runs between",
    "newcombe": "Newcombe's hybrid score interval for a difference of shares",
}
NO_JOB = "No job (runs started without one)"
STATUSES = {
    "failed": "Could not be read",
    "no_run": "No run",
    "no_prior": "First run",
    "not_comparable": "Not comparable",
    "stale": "Stale",
    "ok": "",
}
SURE = 0.9
PROBABLE = 0.6
"""Confidence of a link between two runs from which pages say "surely" and "probably"."""
_NET = ("share-growth-net", "share-growth-bridged")
_SOME_NOISE = 0.05
"""Part of a cluster's items among the outliers from which it is worth a word."""
_DISSOLVED = 0.5
"""Part of a gone cluster's followed items among the outliers from which it dissolved into them."""
_LONGEST_LINK = 2_000
_WHOLE = 9.95
"""Percentage points from which no decimal is shown."""
_TIMES = 2.995
"""Ratio from which "×3.1" reads better than "+210%"."""
_LINK = re.compile(r"https?://[^\s\"'<>\\^`{|}\x00-\x1f\x7f]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Metric:
    """How one estimate is named and written."""

    label: str
    unit: str
    """``money``, ``seconds``, ``tokens`` or ``share``."""

    def write(self, value: float | None) -> str:
        """Write a value with its unit."""
        return {
            "money": units.money,
            "seconds": units.seconds,
            "tokens": units.tokens,
            "share": units.percent,
        }[self.unit](value)

    def write_signed(self, value: float | None) -> str:
        """Write a difference with its sign and unit; shares in percentage points."""
        match self.unit:
            case "money":
                return units.money(value, signed=True)
            case "seconds":
                return units.seconds(value, signed=True)
            case "tokens":
                return units.tokens(value, signed=True)
            case _:
                return units.points(value)


METRICS = {
    "share": Metric("Share", "share"),
    "mean_cost_usd": Metric("Mean cost", "money"),
    "median_cost_usd": Metric("Median cost", "money"),
    "mean_latency_s": Metric("Mean latency", "seconds"),
    "median_latency_s": Metric("Median latency", "seconds"),
    "p95_latency_s": Metric("p95 latency", "seconds"),
    "mean_tokens": Metric("Mean tokens", "tokens"),
    "error_rate": Metric("Error rate", "share"),
}


def metric(name: str | None) -> Metric:
    """Give the wording of an estimate; a name that is not known is written as a plain number."""
    return METRICS.get(name or "", Metric(units.clean((name or "value").replace("_", " "), 60), "tokens"))


def title(text: str, cluster_id: int) -> str:
    """Give a cluster a name that can be printed."""
    if cleaned := units.clean(text, 200):
        return cleaned
    return "Outliers" if cluster_id < 0 else f"Cluster {cluster_id} (untitled)"


def dimension(name: str) -> str:
    """Name what a change is taken apart by: ``$ai_model`` is a model."""
    return units.clean(name.removeprefix("$ai_").replace("_", " ") if name.startswith("$ai_") else name, 60)


def noun(level: str, number: int = 2) -> str:
    """Name what a level clusters: ``trace`` or ``traces``."""
    return LEVELS[level][0 if number == 1 else 1]


def link(url: str | None) -> str | None:
    """Give an address only if it is an ordinary web address."""
    return url if url is not None and len(url) <= _LONGEST_LINK and _LINK.fullmatch(url) else None


def confidence(value: float) -> str:
    """Say how sure a link between two runs is: same ≥ 0.9, probably ≥ 0.6, else possibly."""
    return "surely" if value >= SURE else "probably" if value >= PROBABLE else "possibly"


def confidence_of(value: float) -> str:
    """Write how sure a link is, with its number: ``surely (0.97)``; nothing is ever quite certain."""
    return f"{confidence(value)} ({'>0.99' if value > 0.99 else f'{value:.2f}'})"


def evidence(links: Sequence[Link]) -> str:
    """Say what links rest on: ``41 shared items``, ``wording only, 0.71``."""
    shared = sum(link.shared_items for link in links)
    wording = f"{min(link.text_similarity for link in links):.2f}"
    kinds = {link.evidence for link in links}
    if kinds == {"text"}:
        return f"wording only, {wording}"
    items = f"{units.plural(shared, 'shared item')}" if shared else "items followed through the runs between"
    return items if kinds == {"items"} else f"{items} and wording, {wording}"


def absence(entry: TransitionEntry) -> str:
    """Say what a cluster without counterpart rests on, and where its items went."""
    if entry.noise_share is None or entry.noise_share < _SOME_NOISE:
        return "no link found"
    became = "became outliers" if entry.kind == "gone" else "were outliers before"
    return f"no link found; {units.percent(entry.noise_share)} of its items that were followed {became}"


def dissolved(entry: TransitionEntry) -> str:
    """Say where the items of a gone cluster are, if most of them became outliers; else nothing."""
    share = entry.noise_share or 0.0
    told = f"{units.percent(share)} of its items that were followed became outliers"
    return told if share >= _DISSOLVED else ""


def tone(call: str, direction: str, good: bool | None) -> str:  # noqa: FBT001 (a fact, not an option)
    """Choose the colour of a change: only for calls that say something changed."""
    if call not in ("changed", "probably_changed") or direction == "none":
        return "calm"
    return "plain" if good is None else "better" if good else "worse"


def direction(change: MetricChange) -> str:
    """Say which way a value went."""
    if change.difference is None or change.difference == 0:
        return "none"
    return "up" if change.difference > 0 else "down"


def moved(name: str, change: MetricChange) -> str:
    """Write how far a value went: ``▲ 38%``, ``▼ 2.1 points``, ``flat``, ``–``."""
    if metric(name).unit != "share":
        return units.change(change.prior, change.latest)
    text = units.points(change.difference)
    if text in ("flat", UNKNOWN):
        return text
    return f"{'▲' if text[0] == '+' else '▼'}\u00a0{text[1:]}"


def called(name: str, change: MetricChange) -> str:
    """Write how far a value went, with an arrow only where a call supports one, else with a sign."""
    text = moved(name, change)
    if change.call in ("changed", "probably_changed"):
        return text
    return text.replace("▲\u00a0×", "×").replace("▲\u00a0", "+").replace("▼\u00a0", MINUS)


def interval(name: str, change: MetricChange) -> str:
    """Write the 95 % interval of a change, relative where there is a ratio, else in the metric's unit."""
    ratio = change.ratio
    if (
        metric(name).unit != "share"
        and ratio is not None
        and ratio.low is not None
        and ratio.high is not None
    ):
        return f"{_relative(ratio.low)} to {_relative(ratio.high)}"
    return span(metric(name), change.low, change.high)


def label(name: str, change: MetricChange | None) -> str:
    """Name what changed; where prior and latest beside it do not give the change when subtracted, say why."""
    net = change is not None and change.method in _NET
    return f"{metric(name).label}, net of re-clustering" if net else metric(name).label


def span(wording: Metric, low: float | None, high: float | None) -> str:
    """Write the 95 % interval of a difference."""
    if low is None or high is None:
        return UNKNOWN
    if wording.unit == "share":
        return f"{_points(low)} to {_points(high)} points"
    return f"{wording.write_signed(low)} to {wording.write_signed(high)}"


def around(wording: Metric, low: float | None, high: float | None) -> str:
    """Write the 95 % interval of a level: ``$0.027 – $0.041``."""
    if low is None or high is None:
        return UNKNOWN
    return f"{wording.write(low)}\u00a0{DASH} {wording.write(high)}"


def sort_key(value: float | None) -> str:
    """Write a number for a script to sort by; empty where nothing is known."""
    return "" if value is None or not math.isfinite(value) else f"{value:.6g}"


def short_run(run_id: str) -> str:
    """Shorten a run id for a footer: without the job's UUID, at most 40 characters."""
    parts = units.clean(run_id, 200).split("_")
    return units.clean("_".join(parts[:4]), 40)


@dataclass(frozen=True, slots=True)
class Description:
    """A cluster's description, as PostHog shows it: a list, else a paragraph."""

    items: tuple[str, ...]
    paragraph: str


def description(text: str) -> Description:
    """Read a description: a list only if more than one non-blank line and all begin with ``- ``."""
    lines = [line.strip() for line in text[:20_000].splitlines() if line.strip()]
    if len(lines) > 1 and all(line.startswith("- ") for line in lines):
        return Description(items=tuple(units.clean(line[2:], 400) for line in lines[:12]), paragraph="")
    return Description(items=(), paragraph=units.clean(" ".join(lines), 1_200))


def _relative(ratio: float) -> str:
    if ratio >= _TIMES:
        return f"×{ratio:.2g}"
    percent = round((ratio - 1) * 100)
    return f"{'+' if percent > 0 else MINUS if percent < 0 else ''}{abs(percent)}%"


def _points(difference: float) -> str:
    points = difference * 100
    text = f"{abs(points):.1f}" if abs(points) < _WHOLE else f"{abs(points):.0f}"
    return f"{'' if float(text) == 0 else '+' if points > 0 else MINUS}{text}"
