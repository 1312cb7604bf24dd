"""Items of random events, measured once by the source and once by a few lines of plain Python."""

from __future__ import annotations

import math
import random
import uuid
from dataclasses import astuple
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.cases import END, START, TICK

if TYPE_CHECKING:
    from reporter.model import ItemMetrics
    from tests.contract.conftest import Adapter

COUNTED = ("$ai_generation", "$ai_embedding", "$ai_span")
NUMBERS = (
    None,
    0,
    1,
    0.1,
    0.3,
    -2.5,
    1e-7,
    2.4e-07,
    123456.789,
    "0.7",
    "12",
    "1e3",
    "",
    "n/a",
    True,
    "Infinity",
    [2],
)
FLAGS = (None, True, False, "true", "True", "FALSE", 1, "1", {})
MOMENTS = (START - TICK, START, START + TICK, START + timedelta(days=3), END - TICK, END, END + TICK)
TRACES = ("a", "A", "a ", "b'b", "ü", 5, 5.5, True, None, "", {"x": 1})
MODELS = (None, "m1", "m2", "")


def made_up(rng: random.Random, count: int) -> list[dict[str, Any]]:
    """Make up rows; some uuids come several times, stored at different moments."""
    rows = []
    ids = [str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(count)]
    for number in range(count):
        at = rng.choice(MOMENTS)
        said = {
            "$ai_trace_id": rng.choice(TRACES),
            "$ai_total_cost_usd": rng.choice(NUMBERS),
            "$ai_latency": rng.choice(NUMBERS),
            "$ai_input_tokens": rng.choice(NUMBERS),
            "$ai_output_tokens": rng.choice(NUMBERS),
            "$ai_cache_read_input_tokens": rng.choice(NUMBERS),
            "$ai_is_error": rng.choice(FLAGS),
            "$ai_model": rng.choice(MODELS),
            "$ai_target_event_id": rng.choice(
                [*ids[:40], *(name.upper() for name in ids[:40]), "no id", None]
            ),
            "$ai_evaluation_result": rng.choice(FLAGS),
            "$ai_evaluation_applicable": rng.choice([None, None, True, *FLAGS]),
        }
        rows.append(
            {
                "uuid": rng.choice([ids[number], ids[number], ids[number // 2]]),
                "event": rng.choice(
                    [*COUNTED, "$ai_generation", "$ai_trace", "$ai_evaluation", "$ai_evaluation"]
                ),
                "distinct_id": rng.choice("uvw"),
                "properties": {name: value for name, value in said.items() if value is not None},
                "timestamp": at.isoformat(),
                "_inserted_at": (END + timedelta(seconds=number)).isoformat(),
            }
        )
    return rows


def as_number(value: Any) -> float | None:
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value) if math.isfinite(float(value)) else None
        except ValueError:
            return None
    return None


def as_trace(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value in (None, "") or isinstance(value, dict) else str(value)


def says(value: Any, word: str) -> bool:
    return str(value).lower() == word and isinstance(value, (bool, str))


class Oracle:
    """Every event in memory, every question a loop."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        newest: dict[str, dict[str, Any]] = {}
        for row in sorted(rows, key=lambda row: row["_inserted_at"]):
            newest[row["uuid"]] = row
        self.events = [
            row for row in newest.values() if START <= datetime.fromisoformat(row["timestamp"]) < END
        ]

    def figures(self, calls: list[dict[str, Any]]) -> dict[str, Any]:
        def all_of(name: str) -> list[float]:
            read = [as_number(call["properties"].get(name)) for call in calls]
            return [number for number in read if number is not None]

        def total(name: str) -> float | None:
            return math.fsum(all_of(name)) if all_of(name) else None

        return {
            "cost_usd": total("$ai_total_cost_usd"),
            "latency_s": max(all_of("$ai_latency"), default=None),
            "tokens_in": total("$ai_input_tokens"),
            "tokens_out": total("$ai_output_tokens"),
            "tokens_cached": total("$ai_cache_read_input_tokens"),
            "error_events": sum(says(call["properties"].get("$ai_is_error"), "true") for call in calls),
            "calls": sum(call["event"] in COUNTED[:2] for call in calls),
        }

    def measures(self, calls: list[dict[str, Any]]) -> dict[str, Any]:
        """Give the figures, and the same of each model."""
        found = []
        for model in sorted({call["properties"].get("$ai_model") or "" for call in calls}):
            mine = self.figures([c for c in calls if (c["properties"].get("$ai_model") or "") == model])
            known = [mine[name] for name in ("tokens_in", "tokens_out") if mine[name] is not None]
            tokens = sum(known) if known else None
            if mine["calls"] or tokens is not None or mine["cost_usd"] is not None:
                found.append((model or None, mine["calls"], tokens, mine["cost_usd"]))
        return {**self.figures(calls), "models": found}

    def traces(self) -> dict[str, dict[str, Any]]:
        calls = [event for event in self.events if event["event"] in COUNTED]
        keys = {as_trace(call["properties"].get("$ai_trace_id")) for call in calls} - {None}
        return {
            str(key): self.measures(
                [c for c in calls if as_trace(c["properties"].get("$ai_trace_id")) == key]
            )
            for key in keys
        }

    def generations(self) -> dict[str, dict[str, Any]]:
        return {
            event["uuid"]: self.measures([event])
            for event in self.events
            if event["event"] == "$ai_generation"
        }

    def evaluations(self) -> dict[str, dict[str, Any]]:
        generations = {event["uuid"]: event for event in self.events if event["event"] == "$ai_generation"}
        found = {}
        for event in self.events:
            if event["event"] == "$ai_evaluation":
                said = event["properties"]
                judged = generations.get(said.get("$ai_target_event_id", "").lower())
                result = said.get("$ai_evaluation_result")
                verdict = "pass" if says(result, "true") else "fail" if says(result, "false") else None
                found[event["uuid"]] = {
                    **self.measures([judged] if judged else []),
                    "has_data": judged is not None,
                    "judge_cost_usd": as_number(said.get("$ai_total_cost_usd")),
                    "verdict": "na" if says(said.get("$ai_evaluation_applicable"), "false") else verdict,
                }
        return found


def alike(found: Any, expected: Any) -> bool:
    if isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(alike, found, expected))
    if isinstance(expected, float):
        return bool(found == pytest.approx(expected, rel=1e-12, abs=1e-12))
    return bool(found == expected)


def agree(row: ItemMetrics, expected: dict[str, Any]) -> bool:
    told = {"models": [astuple(use) for use in row.models]}
    return all(alike(told.get(name, getattr(row, name)), value) for name, value in expected.items())


@pytest.mark.parametrize("seed", range(4))
def test_items_of_random_events_equal_the_oracle(adapter: Adapter, seed: int) -> None:
    rows = made_up(random.Random(seed), 400)
    oracle = Oracle(rows)
    answers = {
        "trace": oracle.traces(),
        "generation": oracle.generations(),
        "evaluation": oracle.evaluations(),
    }
    for level, expected in answers.items():
        keys = [*expected, "nobody's"]
        rows.append(
            {
                "uuid": str(uuid.UUID(int=len(keys))),
                "event": f"$ai_{level}_clusters",
                "distinct_id": "clustering",
                "properties": {
                    "$ai_clustering_run_id": f"1_{level}_20260309_003000",
                    "$ai_window_start": START.isoformat(),
                    "$ai_window_end": END.isoformat(),
                    "$ai_total_items_analyzed": len(keys),
                    "$ai_clusters": [{"cluster_id": 0, "size": len(keys), "title": "", "description": "",
                                      "traces": {key: {"rank": 0} for key in keys}}],
                },
                "timestamp": (END + timedelta(hours=1)).isoformat(),
                "_inserted_at": (END + timedelta(hours=2)).isoformat(),
            }
        )  # fmt: skip
    source = adapter.open(rows, lambda caveat: pytest.fail(caveat.message))
    runs = source.runs(END, END + timedelta(days=1))
    assert len(runs) == 3
    found = source.items(runs)
    for run in runs:
        measured = {row.key: row for row in found[run.run_id]}
        assert list(measured) == sorted(answers[run.level])
        wrong = {key: (row, answers[run.level][key]) for key, row in measured.items()
                 if not agree(row, answers[run.level][key])}  # fmt: skip
        assert not wrong
