"""Views of `reporter.report.drilldown` as lines for a terminal and as CSV."""

from __future__ import annotations

import csv as stdlib_csv
import io
import json
import shutil
import sys
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from reporter import units
from reporter.cli.console import clean
from reporter.cli.table import Column, table
from reporter.report import ESTIMATES, ClusterView, QueryView, TracesView, TraceView

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reporter.report import CausePart, Driver, ErrorCause, Estimates, ItemRow, TraceNode
    from reporter.report.values import Value

_BAR = 24
"""Columns of the bar that shows when an event of a trace ran."""
_ITEMS = (
    Column("RANK", right=True),
    Column("FIRST CALL (UTC)"),
    Column("COST", right=True),
    Column("LATENCY", right=True),
    Column("TOKENS", right=True),
    Column("ERRORS", right=True),
    Column("TRACE"),
    Column("ABOUT", cut=True),
)
_ESTIMATES = (
    Column("FIGURE"),
    Column("LATEST", right=True),
    Column("95%"),
    Column("PRIOR", right=True),
    Column("CALL"),
)
_DRIVERS = (
    Column("WHAT DRIVES THE CHANGE"),
    Column("VALUE", cut=True),
    Column("PART", right=True),
    Column("PER ITEM", right=True),
    Column("ITEMS", right=True),
)
_ERRORS = (
    Column("WHY CALLS FAILED", cut=True),
    Column("MODEL", cut=True),
    Column("PROVIDER", cut=True),
    Column("CALLS", right=True),
    Column("ITEMS", right=True),
    Column("COST", right=True),
    Column("SEEN (UTC)"),
    Column("NEW"),
    Column("TRACE"),
)
_WORTH = (Column("WORTH OPENING"), Column("TRACE"))
_TRACES = (
    Column("STARTED (UTC)"),
    Column("COST", right=True),
    Column("LATENCY", right=True),
    Column("TOKENS", right=True),
    Column("ERRORS", right=True),
    Column("EVENTS", right=True),
    Column("TRACE"),
    Column("NAME", cut=True),
)


@singledispatch
def lines(view: Value) -> list[str]:
    """Write a view for people, a line each."""
    raise NotImplementedError(type(view).__name__)


@singledispatch
def csv(view: Value) -> str:
    """Write the rows of a view as CSV that is safe to open in a spreadsheet."""
    raise NotImplementedError(type(view).__name__)


@lines.register
def _(view: ClusterView) -> list[str]:
    from reporter.render import words

    cluster, many = view.cluster, words.noun(view.job.level)
    sized = f"{units.count(cluster.size)} of {units.count(view.run_items)} {many}"
    made = [
        words.title(cluster.title, cluster.cluster_id),
        f"cluster {cluster.cluster_id} of {view.run_id}",
        f"{units.span(view.window_start, view.window_end)} (UTC), {sized}, {units.percent(cluster.share)}",
        *([cluster.url] if cluster.url else []),
        *_about(cluster.description),
        "",
        *table(_ESTIMATES, _figures(view), width=None),
        "",
        f"Compared: {view.compared}" if view.compared else "Not compared.",
    ]
    chosen = [(words.REASONS.get(e.reason, e.reason), e.trace_id or e.item_key) for e in cluster.exemplars]
    for columns, rows in (
        (_DRIVERS, [_driver(d) for d in cluster.drivers]),
        (_ERRORS, [_error(e, part) for e in cluster.errors for part in e.parts]),
        (_WORTH, chosen),
    ):
        if rows:
            made += ["", *table(columns, rows, width=_width())]
    order = "nearest to the centre first" if view.sort == "rank" else f"by {view.sort}"
    made += ["", f"{units.count(len(view.items))} of {units.count(view.items_total)} {many}, {order}"]
    return [*made, *table(_ITEMS, [_item(i) for i in view.items], width=_width())]


def _item(i: ItemRow) -> tuple[str, ...]:
    return (
        units.UNKNOWN if i.rank is None else str(i.rank + 1),
        _minute(i.at),
        units.money(i.cost_usd),
        units.seconds(i.latency_s),
        units.tokens(i.tokens),
        units.count(i.error_events),
        i.trace_id or i.item_key,
        i.title or i.verdict or "",
    )


def _error(e: ErrorCause, part: CausePart) -> tuple[str, ...]:
    return (
        e.cause,
        part.model or "",
        part.provider or "",
        units.count(part.count),
        units.count(part.items),
        units.money(part.cost_usd),
        f"{_minute(part.first_seen)} – {_minute(part.last_seen)}",
        {True: "new", False: "seen before", None: ""}[part.new],
        part.example_trace_id or "",
    )


@lines.register
def _(view: TracesView) -> list[str]:
    if not view.traces:
        return [f"No trace began between {_minute(view.since)} and {_minute(view.until)} (UTC) as asked for."]
    rows = [
        (
            _minute(t.started_at),
            units.money(t.cost_usd),
            units.seconds(t.latency_s),
            units.tokens(_sum(t.tokens_in, t.tokens_out)),
            units.count(t.error_events),
            units.count(t.events),
            t.trace_id,
            t.name or "",
        )
        for t in view.traces
    ]
    return table(_TRACES, rows, width=_width())


@lines.register
def _(view: TraceView) -> list[str]:
    trace = view.trace
    ends = [e.offset_s + (e.latency_s or 0.0) for e in view.events]
    whole = max(ends, default=0.0)
    summary = (
        f"{_second(trace.started_at)} UTC, {units.seconds(trace.latency_s)}, {units.money(trace.cost_usd)}, "
        f"{units.tokens(_sum(trace.tokens_in, trace.tokens_out))} tokens, "
        f"{units.plural(trace.error_events, 'error')}"
    )
    columns = (
        Column("EVENT"), Column("WHEN"), Column("LATENCY", right=True), Column("COST", right=True),
        Column("TOKENS", right=True), Column("MODEL", cut=True), Column("STATUS", cut=True),
    )  # fmt: skip
    rows = [
        (
            f"{'· ' * e.depth}{e.kind}{f' {e.name}' if e.name else ''}",
            _bar(e, whole),
            units.seconds(e.latency_s),
            units.money(e.cost_usd),
            units.tokens(_sum(e.tokens_in, e.tokens_out)),
            e.model or "",
            (f"failed: {e.error}" if e.error else "failed") if e.is_error else "",
        )
        for e in view.events
    ]
    made = [f"trace {clean(trace.trace_id)}", summary, *([clean(trace.url)] if trace.url else []), ""]
    made += table(columns, rows, width=_width())
    for e in view.events:
        for side, text in (("in", e.input), ("out", e.output)):
            if text:
                made += ["", f"{e.kind}{f' {clean(e.name)}' if e.name else ''}, {side}:", f"  {clean(text)}"]
    return made


@lines.register
def _(view: QueryView) -> list[str]:
    if not view.rows:
        return ["No row."]
    columns = [
        Column(clean(name), right=_numbers(row[i] for row in view.rows))
        for i, name in enumerate(view.columns)
    ]
    return table(columns, [[_cell(value) for value in row] for row in view.rows], width=_width())


@csv.register
def _(view: ClusterView) -> str:
    head = ("rank", "item_key", "trace_id", "at", "cost_usd", "latency_s", "tokens", "calls", "error_events",
            "verdict", "title", "url")  # fmt: skip
    return _csv(head, ([getattr(item, name) for name in head] for item in view.items))


@csv.register
def _(view: TracesView) -> str:
    head = ("started_at", "trace_id", "name", "cost_usd", "latency_s", "tokens_in", "tokens_out",
            "error_events", "events", "url")  # fmt: skip
    return _csv(head, ([getattr(trace, name) for name in head] for trace in view.traces))


@csv.register
def _(view: TraceView) -> str:
    head = ("depth", "kind", "name", "uuid", "parent", "at", "offset_s", "latency_s", "model", "provider",
            "cost_usd", "tokens_in", "tokens_out", "is_error", "error", "input", "output")  # fmt: skip
    return _csv(head, ([getattr(event, name) for name in head] for event in view.events))


@csv.register
def _(view: QueryView) -> str:
    return _csv(view.columns, view.rows)


def _csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO(newline="")
    writer = stdlib_csv.writer(out, lineterminator="\n")
    writer.writerow([_text(name) for name in head])
    writer.writerows([_text(value) for value in row] for row in rows)
    return out.getvalue()


def _text(value: Any) -> Any:
    """Give a cell: numbers as they are, text that a spreadsheet would run with an apostrophe before it."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    from reporter.render import tables

    return tables.safe(_cell(value), 20_000)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str).strip('"')


def _numbers(values: Iterable[Any]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in known)


def _figures(view: ClusterView) -> list[tuple[str, ...]]:
    from reporter.render import words

    estimates: Estimates = view.cluster.estimates
    changes = view.cluster.change.metrics if view.cluster.change else {}
    rows = []
    for name in ESTIMATES:
        metric, estimate, change = words.METRICS[name], getattr(estimates, name), changes.get(name)
        spread = (
            f"{metric.write(estimate.low)} – {metric.write(estimate.high)}"
            if estimate.low is not None
            else ""
        )
        call = ""
        if change is not None:
            call = words.CALLS[change.call].lower()
            if change.call in ("changed", "probably_changed"):
                call = f"{words.moved(name, change)} {call}"
        rows.append(
            (
                metric.label,
                metric.write(estimate.value),
                spread,
                metric.write(change.prior) if change else "",
                call,
            )
        )
    errors = units.of(view.cluster.metrics.error_count, view.cluster.metrics.item_count)
    return [*rows, ("Items with an error", errors, "", "", "")]


def _driver(d: Driver) -> tuple[str, ...]:
    from reporter.analysis import drivers
    from reporter.render import words

    cost = d.metric == drivers.FIGURES[0]
    what = f"{'mean cost' if cost else 'failed calls per item'} by {words.dimension(d.dimension)}"
    difference = "" if d.difference is None else (
        units.money(d.difference, signed=True) if cost else f"{d.difference:+.3f}"
    )  # fmt: skip
    return what, d.value, units.percent(d.contribution), difference, f"{d.prior_items} → {d.latest_items}"


def _about(description: str) -> list[str]:
    return [f"  {clean(line)}" for line in description.splitlines() if line.strip()]


def _bar(event: TraceNode, whole: float) -> str:
    """Draw when an event ran, on the time of the whole trace."""
    if whole <= 0:
        return ""
    first = min(_BAR - 1, int(event.offset_s / whole * _BAR))
    length = max(1, round((event.latency_s or 0.0) / whole * _BAR))
    shown = min(length, _BAR - first)
    return "─" * first + "━" * shown + "─" * (_BAR - first - shown)


def _sum(*figures: float | None) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return sum(known) if known else None


def _minute(time: str | None) -> str:
    return units.UNKNOWN if time is None else f"{units.parse_time(time):%Y-%m-%d %H:%M}"


def _second(time: str) -> str:
    return f"{units.parse_time(time):%Y-%m-%d %H:%M:%S}"


def _width() -> int | None:
    """Give the columns of the terminal; a pipe or file gets every text whole."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
