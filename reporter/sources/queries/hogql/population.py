# ruff: noqa: S608 -- statements are built of constants; every value is bound or written as an escaped literal
"""Populations: everything a job could have drawn its sample from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reporter.sources.queries.hogql.spelling import (
    CALLS,
    FIGURE,
    MONEY_COLUMNS,
    ONCE,
    Ask,
    Values,
    events,
    money,
    nested,
    passing,
    said,
)

if TYPE_CHECKING:
    from reporter.model import Level, Window

TOTAL_COLUMNS = ("part", "items", "calls", *MONEY_COLUMNS, "tokens_in", "tokens_out", "errors")


def totals(asked: Sequence[tuple[Window, Level]], filters: Sequence[Mapping[str, Any]]) -> Ask:
    """Ask for the population of some windows under one list of filters; columns are `TOTAL_COLUMNS`."""
    values = Values()
    passed = passing(filters)
    arms = [
        _population(number, window, level, values, passed) for number, (window, level) in enumerate(asked)
    ]
    limit = len(arms) + 1
    sql = f"SELECT {', '.join(TOTAL_COLUMNS)} FROM ({' UNION ALL '.join(arms)}) LIMIT {limit}"
    return Ask("totals", sql, TOTAL_COLUMNS, limit, values.bound, filters=list(filters))


def _population(number: int, window: Window, level: Level, values: Values, passed: str) -> str:
    span = values.within("timestamp", window.start, window.end)
    sums = f"""{money("e.")}, sum(e.{FIGURE["tokens_in"]}) AS tokens_in,
        sum(e.{FIGURE["tokens_out"]}) AS tokens_out"""
    if level == "evaluation":
        evaluations = f"event = '$ai_evaluation' AND {span} AND {passed}"
        judged = nested(
            f"SELECT toString(uuid) AS id, {said('target')} AS target FROM events WHERE {evaluations} {ONCE}",
            "id, lower(target) AS target",
        )
        generations = f"""{events(f"event = '$ai_generation' AND {span}")} {ONCE}"""
        return f"""SELECT {number} AS part, count() AS items, countIf(e.id != '') AS calls, {sums},
            countIf(e.id != '' AND e.bad) AS errors
          FROM ({judged}) AS v LEFT JOIN ({generations}) AS e ON e.id = v.target"""
    counted = {
        "trace": (
            "uniqExactIf(e.trace, e.trace != '')",
            "countIf(e.kind != '$ai_span')",
            f"event IN ({CALLS})",
        ),
        "generation": ("count()", "count()", "event = '$ai_generation'"),
    }
    items, calls, chosen = counted[level]
    read = events(f"{chosen} AND {span} AND {passed}")
    return f"""SELECT {number} AS part, {items} AS items, {calls} AS calls, {sums}, countIf(e.bad) AS errors
      FROM ({read} {ONCE}) AS e"""
