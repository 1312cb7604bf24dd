"""A small made-up project whose events tests can shape: eras, levels, job states, hostile texts.

`Project` collects events as a batch export holds them and writes them as JSONLines.
"""

from __future__ import annotations

import gzip
import json
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
JOB = "019db7a4-1f60-7c1e-9a55-0d3c7be21001"
RUN_EVENT = {
    "trace": "$ai_trace_clusters",
    "generation": "$ai_generation_clusters",
    "evaluation": "$ai_evaluation_clusters",
}


@dataclass
class Project:
    """Events of one invented project; every draw comes from one seed."""

    seed: int = 0
    team: int = 77
    events: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Seed the generator."""
        self.rng = random.Random(self.seed)

    def uuid(self) -> str:
        """Draw an event uuid."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def add(self, event: str, at: datetime, properties: dict[str, Any], event_uuid: str | None = None) -> str:
        """Store one event and give its uuid."""
        event_uuid = event_uuid or self.uuid()
        stamp = at.astimezone(UTC).isoformat()
        self.events.append(
            {
                "uuid": event_uuid,
                "event": event,
                "distinct_id": f"user-{self.rng.randrange(50)}",
                "person_id": None,
                "elements_chain": "",
                "properties": properties,
                "person_properties": {"plan": "pro"},
                "timestamp": stamp,
                "created_at": stamp,
                "_inserted_at": stamp,
            }
        )
        return event_uuid

    def call(self, at: datetime, trace: str, **over: Any) -> str:
        """Store one generation with everyday figures; ``None`` drops a property."""
        cost = round(self.rng.lognormvariate(-4, 1), 8)
        properties: dict[str, Any] = {
            "$ai_trace_id": trace,
            "$ai_model": "gpt-5-mini",
            "$ai_provider": "openai",
            "$ai_total_cost_usd": cost,
            "$ai_latency": round(self.rng.lognormvariate(0.5, 0.7), 3),
            "$ai_input_tokens": self.rng.randrange(50, 4000),
            "$ai_output_tokens": self.rng.randrange(5, 900),
            "$ai_http_status": 200,
        } | {
            key if key.startswith("$") or not key.startswith("ai_") else "$" + key: value
            for key, value in over.items()
        }
        if self.rng.random() < 0.04:
            properties |= {
                "$ai_is_error": True,
                "$ai_error": "Rate limit reached for request 8812",
                "$ai_http_status": 429,
            }
        return self.add("$ai_generation", at, {k: v for k, v in properties.items() if v is not None})

    def run(
        self,
        window_end: datetime,
        sizes: Sequence[int],
        *,
        level: str = "trace",
        job: str | None = JOB,
        name: str = "Default - traces",
        noise: int = 0,
        days: float = 7,
        titles: Sequence[str] = (),
        label: str | None = None,
        era: int = 7,
        keys: Sequence[Sequence[str]] | None = None,
        params: dict[str, Any] | None = None,
        over: dict[str, Any] | None = None,
    ) -> str:
        """Store a clustering run with fresh traffic behind it and give its run id."""
        start = window_end - timedelta(days=days)
        clusters = []
        members = [*sizes, *([noise] if noise else [])]
        for index, size in enumerate(members):
            is_noise = bool(noise) and index == len(sizes)
            traces = {}
            for rank in range(size):
                at = start + (window_end - start) * self.rng.random()
                key, trace = self._item(level, at, keys[index][rank] if keys else None, start)
                item: dict[str, Any] = {"distance_to_centroid": rank * 0.01, "rank": rank}
                if era >= 2:
                    item |= {
                        "x": self.rng.gauss(index, 0.2),
                        "y": self.rng.gauss(index % 3, 0.2),
                        "timestamp": at.isoformat(),
                    }
                if era >= 3:
                    item |= {"trace_id": trace, "generation_id": None if level == "trace" else key}
                traces[key] = item
            cluster: dict[str, Any] = {
                "cluster_id": -1 if is_noise else index,
                "size": size,
                "title": "Outliers"
                if is_noise
                else titles[index]
                if index < len(titles)
                else f"Topic number {index} about {'abcdefghijklmnopqrstuvwxyz'[index % 26] * 5}",
                "description": f"- People ask about theme {index}\n- Mostly short",
                "traces": traces,
                "centroid": [] if is_noise else [0.1, 0.2],
            }
            if era >= 2:
                cluster |= {"centroid_x": float(index), "centroid_y": 0.0}
            if era >= 5:
                cluster["metrics"] = None
            clusters.append(cluster)
        run_id = (
            f"{self.team}_{level}_{window_end:%Y%m%d_%H%M%S}"
            if era >= 3
            else f"{self.team}_{window_end:%Y%m%d_%H%M%S}"
        )
        run_id += f"_{job}" if job and era >= 4 else ""
        run_id += f"_{label}" if label else ""
        properties: dict[str, Any] = {
            "$ai_clustering_run_id": run_id,
            "$ai_window_start": start.isoformat(),
            "$ai_window_end": window_end.isoformat(),
            "$ai_clusters": clusters,
            "$ai_total_items_analyzed" if era >= 3 else "$ai_total_traces_analyzed": sum(members),
        }
        if era >= 3:
            properties["$ai_clustering_level"] = level
        if era >= 4:
            properties |= {"$ai_clustering_job_id": job or "", "$ai_clustering_job_name": name if job else ""}
        if level != "evaluation" and era >= 2:
            properties["$ai_clustering_params"] = params or {
                "clustering_method": "hdbscan",
                "clustering_method_params": {},
                "max_samples": 1500,
            }
        self.add(
            RUN_EVENT[level] if era >= 3 else "$ai_trace_clusters",
            window_end + timedelta(minutes=18),
            properties | (over or {}),
        )
        return run_id

    def _item(self, level: str, at: datetime, key: str | None, start: datetime) -> tuple[str, str]:
        """Store what stands behind one item; gives its key and its trace."""
        trace = key if key is not None and level == "trace" else f"tr-{self.rng.getrandbits(48):x}"
        if level == "trace":
            for step in range(self.rng.randrange(1, 4)):
                self.call(at + timedelta(seconds=step), trace)
            self.add(
                "$ai_trace",
                at + timedelta(seconds=9),
                {"$ai_trace_id": trace, "$ai_total_cost_usd": 99.0, "$ai_latency": 500.0},
            )
            return trace, trace
        generation = self.call(at, trace)
        if level == "generation":
            return generation, trace
        judged = max(start, at) + timedelta(seconds=1)
        evaluation = self.add(
            "$ai_evaluation",
            judged,
            {
                "$ai_trace_id": trace,
                "$ai_target_event_id": generation,
                "$ai_evaluation_name": self.rng.choice(["Grounded", "Polite"]),
                "$ai_evaluation_runtime": "llm_judge",
                "$ai_evaluation_result": self.rng.random() < 0.8,
                "$ai_evaluation_applicable": self.rng.random() < 0.95,
                "$ai_total_cost_usd": 0.0003,
            },
        )
        return evaluation, trace

    def write(self, path: Path) -> Path:
        """Write the events as JSONLines (gzip if the name says so) in shuffled order."""
        rows = list(self.events)
        self.rng.shuffle(rows)
        text = "".join(json.dumps(row) + "\n" for row in rows).encode()
        path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
        return path


def job_list(*jobs: dict[str, Any]) -> dict[str, Any]:
    """Give a REST answer holding the given jobs over everyday defaults."""
    results = [
        {
            "id": JOB,
            "name": "Default - traces",
            "analysis_level": "trace",
            "event_filters": [],
            "enabled": True,
            "created_at": "2026-03-04T08:25:22Z",
            "updated_at": "2026-03-04T08:25:22Z",
        }
        | job
        for job in jobs
    ]
    return {"count": len(results), "next": None, "previous": None, "results": results}
