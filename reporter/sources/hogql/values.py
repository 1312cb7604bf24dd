"""PostHog's answers become the rows that `reporter.sources.rows` builds values from.

Nothing in an answer is trusted: what is not of the kind expected is not known.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from reporter.model import ItemMetrics, Totals
from reporter.sources import rows as build
from reporter.sources.queries.hogql.items import USE_COLUMNS
from reporter.sources.queries.hogql.spelling import MONEY_SCALE
from reporter.sources.times import parse_instant

_EXACT_BELOW = 2.0**42
"""Dollars below which whole parts were counted without overflow."""


def moment(value: Any) -> datetime:
    """Read a time as an engine holds it: UTC without saying so; what is no time is the beginning of 1970."""
    return build.naive(parse_instant(value) or datetime.fromtimestamp(0, UTC))


def figure(value: Any) -> float | None:
    """Read a finite number, also one written as text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def whole(value: Any) -> int:
    """Read a count; 0 for what is none."""
    number = figure(value)
    return 0 if number is None else int(number)


def flag(value: Any) -> bool:
    """Read a truth value, which may come as 0 or 1."""
    return value in (True, "1", "true")


def word(value: Any) -> str | None:
    r"""Read a text property as it was sent: PostHog keeps JSON's escapes (``it\"s``)."""
    if not isinstance(value, str) or value in ("", "null"):
        return None
    if "\\" in value:
        try:
            return str(json.loads(f'"{value}"')) or None
        except ValueError:
            return value
    return value


def said(value: Any) -> str | None:
    """Read a property that came as JSON text: texts without quotes, anything else as it is written."""
    if not isinstance(value, str) or value in ("", "null", '""', '"null"'):
        return None
    if value.startswith('"'):
        try:
            text = json.loads(value)
        except ValueError:
            return value
        return text if isinstance(text, str) and text else None
    return value


def money(parts: Iterable[tuple[Any, Any, Any]]) -> float | None:
    """Add up (whole parts, rests, plain sum) of `queries.hogql.spelling.money`, to the nearest number."""
    known = [(w, figure(r), p) for w, r, plain in parts if (p := figure(plain)) is not None]
    if not known:
        return None
    if all(isinstance(w, int) and r is not None for w, r, _ in known) and all(
        abs(p) < _EXACT_BELOW for _, _, p in known
    ):
        exact = sum((Fraction(w) + Fraction(r or 0.0) for w, r, _ in known), Fraction(0))
        return _float(lambda: float(exact / MONEY_SCALE))
    return _float(lambda: math.fsum(p for _, _, p in known))


def _float(compute: Callable[[], float]) -> float | None:
    """Compute a number; one beyond every number that can be held is not known."""
    try:
        return compute()
    except OverflowError:
        return None


def items(rows: Iterable[Mapping[str, Any]]) -> tuple[ItemMetrics, ...]:
    """Build the items of one run from rows of `queries.hogql.items.items`; slices of one item are joined."""
    groups: defaultdict[tuple[str, str | None], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[str(row["item"]), said(row["grouped"])].append(row)
    found = [_item(key, by, group) for (key, by), group in groups.items()]
    return tuple(sorted(found, key=build.item_order))


def _item(key: str, by: str | None, group: Sequence[Mapping[str, Any]]) -> ItemMetrics:
    head = group[0]
    times = [moment(row[name]) for row in group for name in ("first", "last")]
    return build.item(
        (
            key,
            by,
            money((row["cost_whole"], row["cost_rest"], row["cost_plain"]) for row in group),
            max(known) if (known := _known(group, "latency")) else None,
            _total(group, "tokens_in"),
            _total(group, "tokens_out"),
            _total(group, "tokens_cached"),
            sum(whole(row["errors"]) for row in group),
            sum(whole(row["calls"]) for row in group),
            min(times),
            max(times),
            any(flag(row["found"]) for row in group),
            head["verdict"] if head["verdict"] in ("pass", "fail", "na") else None,
            word(head["name"]),
            word(head["runtime"]),
            figure(head["judge_cost"]),
            build.canonical(str(head["target"] or "")),
            min((str(row["trace"]) for row in group if row["trace"]), default=None),
            [use for row in group for use in _uses(row["models"])],
        )
    )


def _uses(listed: Any) -> Iterator[tuple[Any, ...]]:
    """Read what one row tells of each model: calls, tokens in and out, cost."""
    for use in listed if isinstance(listed, list) else ():
        if isinstance(use, list) and len(use) == len(USE_COLUMNS):
            said = dict(zip(USE_COLUMNS, use, strict=True))
            cost = money([(said["cost_whole"], said["cost_rest"], said["cost_plain"])])
            tokens = figure(said["tokens_in"]), figure(said["tokens_out"])
            yield word(said["model"]), whole(said["calls"]), *tokens, cost


def _known(group: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    return [number for row in group if (number := figure(row[name])) is not None]


def _total(group: Sequence[Mapping[str, Any]], name: str) -> float | None:
    known = _known(group, name)
    return _float(lambda: math.fsum(known)) if known else None


def failure(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Give a row of `queries.hogql.items.failures` as `rows.failures` takes it."""
    return (
        str(row["item"]),
        word(row["error"]),
        figure(row["http_status"]),
        word(row["model"]),
        word(row["provider"]),
        moment(row["moment"]),
        figure(row["cost"]),
        row["who"] if isinstance(row["who"], str) else None,
    )


def totals(row: Mapping[str, Any]) -> Totals:
    """Build totals from a row of `queries.hogql.population.totals`."""
    cost = money([(row["cost_whole"], row["cost_rest"], row["cost_plain"])])
    tokens = figure(row["tokens_in"]), figure(row["tokens_out"])
    return build.totals((whole(row["items"]), whole(row["calls"]), cost, *tokens, whole(row["errors"])))
