"""An independent computation of report figures: plain Python over JSONLines events.

Shares no code with `reporter`. Slow and simple on purpose, so that a person can check it with a pencil.
"""

from __future__ import annotations

import gzip
import json
import math
import uuid
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CALLS = ("$ai_generation", "$ai_embedding", "$ai_span")
RUNS = {
    "$ai_trace_clusters": "trace",
    "$ai_generation_clusters": "generation",
    "$ai_evaluation_clusters": "evaluation",
}


def read(path: Path) -> list[dict[str, Any]]:
    """Read events, one a uuid."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        events = {event["uuid"]: event for event in map(json.loads, lines)}
    for event in events.values():
        if isinstance(event["properties"], str):
            event["properties"] = json.loads(event["properties"])
    return list(events.values())


def instant(text: str) -> datetime:
    """Read an ISO time as UTC."""
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)


def number(value: Any) -> float | None:
    """Read a number, or text that is one."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        read = float(value)
    except (TypeError, ValueError):
        return None
    return read if math.isfinite(read) else None


def truth(value: Any) -> bool | None:
    """Read a truth value from JSON or text."""
    return {"true": True, "false": False}.get(str(value).lower())


def canonical(text: Any) -> str | None:
    """Give a UUID in its canonical form."""
    try:
        return str(uuid.UUID(text))
    except (ValueError, AttributeError, TypeError):
        return None


def quantile(values: list[float], q: float) -> float | None:
    """Linear interpolation between order statistics (type 7)."""
    if not values:
        return None
    ordered = sorted(values)
    at = (len(ordered) - 1) * q
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


class Oracle:
    """Everything known about one export."""

    def __init__(self, path: Path) -> None:
        """Index events by trace and by uuid."""
        events = read(path)
        self.by_uuid = {event["uuid"].lower(): event for event in events}
        self.by_trace: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for event in events:
            event["at"] = instant(event["timestamp"])
            if event["event"] in CALLS:
                self.by_trace[str(event["properties"].get("$ai_trace_id"))].append(event)
        self.runs = {
            event["properties"]["$ai_clustering_run_id"]: event
            for event in sorted(events, key=lambda e: e["at"])
            if event["event"] in RUNS
        }

    def items(self, level: str, keys: list[str], start: datetime, end: datetime) -> dict[str, dict[str, Any]]:
        """Measure items inside [start, end)."""
        found = {}
        for key in keys:
            extra: dict[str, Any] = {}
            if level == "trace":
                calls = self.by_trace.get(key, [])
            elif level == "generation":
                calls = [e for e in [self.by_uuid.get(key.lower())] if e and e["event"] == "$ai_generation"]
            else:
                judged = self.by_uuid.get(key.lower())
                if not judged or judged["event"] != "$ai_evaluation" or not start <= judged["at"] < end:
                    continue
                said = judged["properties"]
                target = canonical(said.get("$ai_target_event_id"))
                calls = [e for e in [self.by_uuid.get(target or "")] if e and e["event"] == "$ai_generation"]
                if truth(said.get("$ai_evaluation_applicable")) is False:
                    verdict = "na"
                else:
                    verdict = {True: "pass", False: "fail", None: None}[
                        truth(said.get("$ai_evaluation_result"))
                    ]
                extra = {
                    "verdict": verdict,
                    "name": said.get("$ai_evaluation_name"),
                    "runtime": said.get("$ai_evaluation_runtime"),
                    "judge": number(said.get("$ai_total_cost_usd")),
                }
            calls = [e for e in calls if start <= e["at"] < end]
            if not calls and not extra:
                continue
            row: dict[str, Any] = {"has_data": bool(calls), **extra}
            for name, prop in (
                ("cost", "$ai_total_cost_usd"),
                ("latency", "$ai_latency"),
                ("in", "$ai_input_tokens"),
                ("out", "$ai_output_tokens"),
            ):
                values = [v for e in calls if (v := number(e["properties"].get(prop))) is not None]
                row[name] = (max(values) if name == "latency" else math.fsum(values)) if values else None
            row["errors"] = sum(truth(e["properties"].get("$ai_is_error")) is True for e in calls)
            row["tokens"] = (
                None if row["in"] is None and row["out"] is None else (row["in"] or 0) + (row["out"] or 0)
            )
            found[key] = row
        return found

    def cluster_keys(self, run_id: str) -> dict[int, list[str]]:
        """Give the item keys of every cluster of a run."""
        clusters = self.runs[run_id]["properties"]["$ai_clusters"]
        clusters = json.loads(clusters) if isinstance(clusters, str) else clusters
        return {int(cluster["cluster_id"]): list(cluster["traces"]) for cluster in clusters}

    def measure(self, run_id: str, level: str) -> tuple[dict[int, list[str]], dict[str, dict[str, Any]]]:
        """Give a run's clusters and the figures of its items."""
        said = self.runs[run_id]["properties"]
        keys = self.cluster_keys(run_id)
        start, end = instant(said["$ai_window_start"]), instant(said["$ai_window_end"])
        return keys, self.items(level, [key for members in keys.values() for key in members], start, end)


def metrics(level: str, keys: list[str], rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """PostHog's metrics of a cluster, by the rules the report prints."""
    mine = [rows[key] for key in keys if key in rows]
    data = [row for row in mine if row["has_data"]]
    positive = {
        name: [row[name] for row in data if (row[name] or 0) > 0] for name in ("cost", "latency", "tokens")
    }

    def mean(values: list[float]) -> float | None:
        return math.fsum(values) / len(values) if values else None

    errors = sum(row["errors"] > 0 for row in data)
    out: dict[str, Any] = {
        "item_count": len(keys) if level == "evaluation" else len(data),
        "avg_cost": mean(positive["cost"]),
        "total_cost": math.fsum(positive["cost"]) if positive["cost"] else None,
        "avg_latency": mean(positive["latency"]),
        "avg_tokens": mean(positive["tokens"]),
        "error_rate": errors / len(data) if data else None,
        "error_count": errors,
    }
    for name in ("cost", "latency"):
        for q in (50, 90, 95):
            out[f"p{q}_{name}"] = quantile(positive[name], q / 100)
    if level == "evaluation":
        verdicts = Counter(row["verdict"] for row in mine if row["verdict"])
        said = sum(verdicts.values())
        judges = [row["judge"] for row in mine if (row["judge"] or 0) > 0]

        def most(values: list[str | None]) -> str | None:
            ranked = sorted(Counter(v for v in values if v).items(), key=lambda pair: (-pair[1], pair[0]))
            return ranked[0][0] if ranked else None

        out |= {
            "pass_rate": verdicts["pass"] / said if said else None,
            "na_rate": verdicts["na"] / said if said else None,
            "avg_judge_cost": mean(judges),
            "dominant_evaluation_name": most([row["name"] for row in mine]),
            "dominant_runtime": most([row["runtime"] for row in mine]),
        }
    return out


def estimates(keys: list[str], run_size: int, rows: dict[str, dict[str, Any]]) -> dict[str, float | None]:
    """Point estimates of a cluster, by the rules the report prints."""
    data = [rows[key] for key in keys if key in rows and rows[key]["has_data"]]

    def spread(name: str) -> float | None:
        if not any(row[name] is not None for row in data):
            return None
        return math.fsum(row[name] or 0 for row in data) / len(data)

    latencies = [row["latency"] for row in data if row["latency"] is not None]
    costs = [row["cost"] for row in data if (row["cost"] or 0) > 0]
    positive = [latency for latency in latencies if latency > 0]
    return {
        "share": len(keys) / run_size if run_size else None,
        "mean_cost_usd": spread("cost"),
        "mean_tokens": spread("tokens"),
        "mean_latency_s": math.fsum(latencies) / len(latencies) if latencies else None,
        "median_cost_usd": quantile(costs, 0.5),
        "median_latency_s": quantile(positive, 0.5),
        "p95_latency_s": quantile(positive, 0.95),
        "error_rate": sum(row["errors"] > 0 for row in data) / len(data) if data else None,
    }
