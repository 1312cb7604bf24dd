"""Looking closer: one cluster, traces, one trace, a query of one's own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from reporter import units
from reporter.errors import RunNotFound, SourceUnreadable, UsageError
from reporter.model import Window
from reporter.pipeline.heading import in_order
from reporter.pipeline.opening import Progress, before, groups_of, moment_of, opened
from reporter.report import (
    Caveat,
    ClusterView,
    JobSection,
    QueryView,
    Redaction,
    TracesView,
    TraceView,
)

if TYPE_CHECKING:
    from reporter.config import Settings
    from reporter.model import Cluster, ItemMetrics, Run
    from reporter.report import Driver
    from reporter.sources.base import Source

_DIMENSIONS = ("$ai_model", "$ai_provider")
"""What a change is taken apart by where nothing else is asked for."""
_LATELY = timedelta(days=7)
"""How far back traces are listed, and queries bound, where nothing else is said."""
_AROUND = timedelta(days=1)
_PLACEHOLDER = re.compile(r"[{$](since|until)\b")


def show_cluster(
    settings: Settings,
    run_name: str,
    cluster_name: str,
    *,
    sort: str,
    limit: int,
    by: Sequence[str],
    progress: Progress,
) -> ClusterView:
    """Show one cluster of one run with its items.

    Args:
        settings: What was asked for.
        run_name: A run id, or a job's id or name for its latest run.
        cluster_name: The cluster's number (-1 for the outliers), or words of its title.
        sort: One of `reporter.analysis.drilldown.SORTS`.
        limit: Items shown at most.
        by: Event properties by which a change is taken apart; empty for model and provider.
        progress: Told about each step.

    Raises:
        UsageError: There is no such cluster, or several are meant.
        RunNotFound: There is no such run or job.
        SourceError: The source cannot be read.
    """
    from reporter.analysis import drilldown
    from reporter.pipeline.assembly import section_of

    caveats: list[Caveat] = []
    now = moment_of(settings)
    with opened(settings, caveats.append, progress) as source:
        run = run_called(source, settings, now, run_name)
        cluster = _cluster_called(run, cluster_name, settings)
        progress.step("measuring and comparing")
        section = section_of(source, settings, now, run, caveats, progress)
        told = [*section.clusters, *([section.noise] if section.noise else [])]
        shown = next(c for c in told if c.cluster_id == cluster.cluster_id)
        header, level = run.header, run.header.level
        rows = {row.key: row for row in source.items([header]).get(header.run_id, ())}
        chosen = drilldown.ordered(cluster, rows, sort)[: max(limit, 0)]
        at: Redaction = settings.redact if cluster.size >= settings.min_text_items else "numbers"
        spoken = at in drilldown.SPOKEN
        summaries = source.summaries(header, [item.key for item in chosen]) if spoken else {}
        project = settings.project_id or source.describe().project_id
        drivers = _drivers(source, section, run, cluster, by or _DIMENSIONS, at)
    from msgspec.structs import replace

    return ClusterView(
        redaction=settings.redact,
        job=section.job,
        run_id=header.run_id,
        window_start=units.iso(header.window.start),
        window_end=units.iso(header.window.end),
        run_items=header.items,
        prior_run_id=section.prior.run_id if section.prior else None,
        compared=_compared(section),
        cluster=replace(shown, drivers=drivers),
        sort=sort,
        items=[
            drilldown.item_row(
                item,
                rows.get(item.key),
                level,
                settings.host,
                project,
                at,
                summaries.get(item.key),
            )
            for item in chosen
        ],
        items_total=cluster.size,
        warnings=in_order(caveats),
    )


def list_traces(
    settings: Settings,
    *,
    run_name: str | None,
    cluster_name: str | None,
    since: datetime | timedelta | None,
    until: datetime | timedelta | None,
    filters: Mapping[str, str],
    limit: int,
    progress: Progress,
) -> TracesView:
    """List traces that begin in a window, or those of a cluster, newest first.

    Raises:
        UsageError: The window is empty, or the cluster is not there.
        SourceError: The source cannot be read.
    """
    from reporter.analysis import drilldown

    caveats: list[Caveat] = []
    now = moment_of(settings)
    with opened(settings, caveats.append, progress) as source:
        keys: list[str] | None = None
        window = window_of(since, until, now)
        if run_name is not None:
            run = run_called(source, settings, now, run_name)
            clusters = (
                [_cluster_called(run, cluster_name, settings)] if cluster_name is not None else run.clusters
            )
            keys = sorted(_traces_of(source, run, clusters))
            if since is None and until is None:
                window = Window(run.header.window.start - _AROUND, run.header.window.end)
        progress.step("listing traces")
        found = source.traces(window, dict(filters), limit + 1, keys)
        project = settings.project_id or source.describe().project_id
    return TracesView(
        redaction=settings.redact,
        since=units.iso(window.start),
        until=units.iso(window.end),
        filters=dict(filters),
        traces=[drilldown.trace_row(one, settings.host, project, settings.redact) for one in found[:limit]],
        truncated=len(found) > limit,
        warnings=in_order(caveats),
    )


def show_trace(settings: Settings, trace_id: str, *, progress: Progress) -> TraceView:
    """Show one trace with all its events.

    Raises:
        SourceUnreadable: The source has no event of it.
        SourceError: The source cannot be read.
    """
    from reporter.analysis import drilldown

    caveats: list[Caveat] = []
    with opened(settings, caveats.append, progress) as source:
        progress.step("reading the trace")
        trace = source.trace(trace_id, None)
        project = settings.project_id or source.describe().project_id
    if trace is None:
        raise SourceUnreadable(
            "no event of this trace is stored",
            subject=units.clean(trace_id, 200),
            hint="Ids are case-sensitive; `reporter traces` lists some. Events are kept for some time only.",
        )
    if settings.redact in drilldown.SPOKEN and not any(e.input or e.output for e in trace.events):
        message = (
            "What was said in this trace is not stored any more, or never was; PostHog keeps it for 30 days."
        )
        caveats.append(Caveat(code="content_unknown", message=message))
    return TraceView(
        redaction=settings.redact,
        trace=drilldown.trace_row(trace.summary, settings.host, project, settings.redact),
        events=drilldown.nodes(trace, settings.redact),
        warnings=in_order(caveats),
    )


def put_query(
    settings: Settings,
    sql: str,
    values: Mapping[str, Any],
    *,
    since: datetime | timedelta | None,
    until: datetime | timedelta | None,
    unbounded: bool,
    limit: int,
    progress: Progress,
) -> QueryView:
    """Put a query of the user's own, bounded in time and rows.

    The query must use the placeholders ``since`` and ``until`` (``{since}`` in HogQL, ``$since`` over an
    export), unless it is to be unbounded; nothing is added to it but the bound of rows.

    Raises:
        UsageError: It uses no window, or the source refuses it.
        SourceError: The source cannot be read.
    """
    from reporter.analysis import redact

    caveats: list[Caveat] = []
    window = window_of(since, until, moment_of(settings))
    used = set(_PLACEHOLDER.findall(sql))
    for name, given in (("since", since), ("until", until)):
        if given is not None and name not in used:
            raise UsageError(
                f"the query does not use the window's --{name}",
                subject="query",
                hint=f"Name it {{{name}}} (over an export ${name}), or leave the option out.",
            )
    if not unbounded and "since" not in used:
        raise UsageError(
            "the query is not bounded in time",
            subject="query",
            hint=(
                "Use the window: timestamp >= toDateTime({since}, 'UTC'), over an export >= $since, "
                "and until; --since and --until set them. Or say --unbounded."
            ),
        )
    bounds = {"since": window.start, "until": window.end}
    with opened(settings, caveats.append, progress) as source:
        progress.step("asking")
        told = {name: _time(settings, bounds[name]) for name in used}
        table = source.query(sql, {**told, **values}, limit)
    rows, masked = redact.cells(table.columns, table.rows, settings.redact)
    return QueryView(
        columns=list(table.columns),
        rows=rows,
        masked=masked,
        truncated=table.truncated,
        limit=limit,
    )


def _time(settings: Settings, moment: datetime) -> Any:
    """Give a time as the source's own language takes it: text in HogQL, a time over an export."""
    from reporter.config import POSTHOG

    naive = moment.replace(tzinfo=None)
    return naive.isoformat(sep=" ") if settings.source == POSTHOG else naive


def window_of(
    since: datetime | timedelta | None, until: datetime | timedelta | None, now: datetime
) -> Window:
    """Give the window asked for: up to now and seven days long where nothing is said.

    Raises:
        UsageError: It is empty.
    """
    end = now if until is None else before(now, until)
    start = end - _LATELY if since is None else before(now, since)
    if start >= end:
        raise UsageError(
            "the window is empty",
            subject=f"{units.iso(start)} to {units.iso(end)}",
            hint="Give --since before --until.",
        )
    return Window(start, end)


def run_called(source: Source, settings: Settings, now: datetime, name: str) -> Run:
    """Find a run by its id, or the latest run of a job by the job's id or name.

    Raises:
        RunNotFound: There is none.
    """
    from reporter.analysis import selection

    try:
        return source.run(name)
    except RunNotFound:
        groups = groups_of(source, settings, now)
        mine = [g for g in groups if name.lower() == (g.job.id or "none") or name == g.job.name]
        headers = [header for g in mine if (header := selection.latest(g.runs))]
        if len(mine) > 1 and len(headers) > 1:
            raise UsageError(
                "several jobs are called so",
                subject=units.clean(name, 120),
                hint=f"Give a run: {', '.join(header.run_id for header in headers)}.",
            ) from None
        if not headers:
            raise
    return source.run(headers[0].run_id)


def _cluster_called(run: Run, name: str, settings: Settings) -> Cluster:
    """Find a cluster by its number, or by words of its title that no other title holds."""
    from reporter.analysis import redact

    numbered = next((c for c in run.clusters if str(c.cluster_id) == name.strip()), None)
    if numbered is not None:
        return numbered
    found = [c for c in run.clusters if c.title.casefold() == name.strip().casefold()]
    found = found or [
        c for c in run.clusters if name.strip() and name.strip().casefold() in c.title.casefold()
    ]
    if len(found) == 1:
        return found[0]
    known = found or run.clusters
    level, least = settings.redact, settings.min_text_items
    shown = ((c.cluster_id, redact.title(c.cluster_id, c.title, c.size, level, least)) for c in known[:20])
    listed = "; ".join(f"{number} {units.clean(title, 60) or '(untitled)'}" for number, title in shown)
    raise UsageError(
        "several clusters are called so" if found else "the run has no such cluster",
        subject=units.clean(name, 120),
        hint=f"Give one of: {listed}." if known else "The run has no cluster at all.",
    )


def _traces_of(source: Source, run: Run, clusters: Sequence[Cluster]) -> set[str]:
    """Give the ids of the traces that items belong to."""
    from reporter.analysis import links

    level = run.header.level
    rows: Mapping[str, ItemMetrics] = {}
    if level != "trace":
        rows = {row.key: row for row in source.items([run.header]).get(run.header.run_id, ())}
    found = (links.trace_of(level, item, rows.get(item.key)) for c in clusters for item in c.items)
    return {trace_id for trace_id in found if trace_id}


def _drivers(
    source: Source,
    section: JobSection,
    run: Run,
    cluster: Cluster,
    by: Sequence[str],
    at: Redaction,
) -> list[Driver]:
    """Take the change of a cluster's cost and failures apart by properties."""
    from reporter.analysis import drivers, redact

    told = next((c for c in section.clusters if c.cluster_id == cluster.cluster_id), None)
    origins = told.change.prior_cluster_ids if told and told.change else []
    if section.prior is None or len(origins) != 1:
        return []
    prior = source.run(section.prior.run_id)
    sides = (
        (run.header, {i.key for i in cluster.items}),
        (
            prior.header,
            {i.key for c in prior.clusters if c.cluster_id == origins[0] for i in c.items},
        ),
    )
    plain = source.items([header for header, _ in sides])
    sizes = [sum(r.has_data for r in plain.get(h.run_id, ()) if r.key in keys) for h, keys in sides]
    found: list[Driver] = []
    for dimension in by:
        grouped = source.items([header for header, _ in sides], dimension)
        rows = [[r for r in grouped.get(h.run_id, ()) if r.key in keys] for h, keys in sides]
        for figure in ("mean_cost_usd", "failed_calls"):
            latest, earlier = (drivers.parts(some, figure) for some in rows)
            found += drivers.drivers(latest, earlier, (sizes[0], sizes[1]), dimension, figure)
    return redact.drivers(found, at)


def _compared(section: JobSection) -> str:
    if section.comparability is None:
        return section.status_reason or "There is no prior run."
    if not section.comparability.comparable:
        return " ".join(section.comparability.reasons)
    return section.comparability.prior_choice
