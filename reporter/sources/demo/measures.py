"""Cluster metrics as PostHog bakes them into its events, which differ from the ones its screen shows.

Cost and tokens are summed over an item's generations and embeddings, latency over its generations
alone, an item counts once however many of its events failed, and averages leave out zeros.
"""

from __future__ import annotations

from collections import Counter
from math import fsum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reporter.model import Level, Window
    from reporter.sources.demo.calls import Event
    from reporter.sources.demo.clustering import Thing
    from reporter.sources.demo.evaluations import Judged

_PRICED = ("$ai_generation", "$ai_embedding")
_COUNTED = ("$ai_generation", "$ai_embedding", "$ai_span")
_DIGITS = 10


class Ledger:
    """Everything needed to measure an item: its events by trace, by generation and by evaluation."""

    def __init__(self, traces: Mapping[str, Sequence[Event]], judged: Mapping[str, Judged]) -> None:
        """Index the events.

        Args:
            traces: Trace id to its events.
            judged: Evaluation uuid to the evaluation.
        """
        self._traces = traces
        self._judged = judged
        self._generations = {
            event.uuid: event
            for events in traces.values()
            for event in events
            if event.name == "$ai_generation"
        }

    def metrics(self, level: Level, window: Window, members: Sequence[Thing]) -> dict[str, Any]:
        """Measure a cluster.

        Args:
            level: What kind of item it holds.
            window: The run's window; events outside do not count.
            members: Its items.

        Returns:
            The ``metrics`` object of the cluster event.
        """
        rows = [self._events(level, window, thing) for thing in sorted(members, key=lambda thing: thing.key)]
        known = [row for row in rows if row]
        costs = [_sum(row, _PRICED, "$ai_total_cost_usd") for row in known]
        latencies = [_sum(row, ("$ai_generation",), "$ai_latency") for row in known]
        tokens = [
            _sum(row, _PRICED, "$ai_input_tokens") + _sum(row, _PRICED, "$ai_output_tokens") for row in known
        ]
        failed = sum(any(event.properties.get("$ai_is_error") for event in row) for row in known)
        paid = [cost for cost in costs if cost > 0]
        measured: dict[str, Any] = {
            "avg_cost": _mean(costs),
            "avg_latency": _mean(latencies),
            "avg_tokens": _mean(tokens),
            "total_cost": round(fsum(paid), _DIGITS) if paid else None,
            "error_rate": round(failed / len(known), _DIGITS) if known else None,
            "error_count": failed,
            "item_count": len(members) if level == "evaluation" else len(known),
        }
        return measured | self._verdicts(members if level == "evaluation" else ())

    def _events(self, level: Level, window: Window, thing: Thing) -> list[Event]:
        if level == "trace":
            events = [event for event in self._traces[thing.key] if event.name in _COUNTED]
            return [event for event in events if window.start <= event.at < window.end]
        if level == "generation":
            return [self._generations[thing.key]]
        return [self._judged[thing.key].target]

    def _verdicts(self, members: Sequence[Thing]) -> dict[str, Any]:
        if not members:
            return {
                "pass_rate": None, "na_rate": None, "dominant_evaluation_name": None,
                "dominant_runtime": None, "avg_judge_cost": None,
            }  # fmt: skip
        judged = [self._judged[thing.key] for thing in members]
        results = [each.event.properties.get("$ai_evaluation_result") for each in judged]
        return {
            "pass_rate": round(sum(result is True for result in results) / len(results), _DIGITS),
            "na_rate": round(sum(result is None for result in results) / len(results), _DIGITS),
            "dominant_evaluation_name": _most(judged, lambda each: each.judge.name),
            "dominant_runtime": _most(judged, lambda each: each.judge.runtime),
            "avg_judge_cost": _mean(
                [each.event.properties.get("$ai_total_cost_usd", 0.0) for each in sorted(judged, key=_uuid)]
            ),
        }


def _uuid(each: Judged) -> str:
    return each.event.uuid


def _most(judged: Sequence[Judged], name: Callable[[Judged], str]) -> str:
    counts = Counter(map(name, judged))
    return min(counts, key=lambda text: (-counts[text], text))


def _sum(events: Sequence[Event], names: Sequence[str], key: str) -> float:
    return fsum(float(event.properties.get(key) or 0.0) for event in events if event.name in names)


def _mean(values: Sequence[float]) -> float | None:
    positive = [value for value in values if value > 0]
    return round(fsum(positive) / len(positive), _DIGITS) if positive else None
