"""Commands that look closer: cluster, traces, trace, query."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reporter import units
from reporter.cli.command import DELIVERY, command, settings_options
from reporter.cli.session import Session
from reporter.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reporter.config import Settings
    from reporter.report import Caveat
    from reporter.report.values import Value

_NO_REPORT = (
    "out",
    "formats",
    "title",
    "paper",
    "templates",
    "fail_on",
    "annotate",
    "good",
    "previous",
    *DELIVERY,
)
"""Settings that are about documents."""
_PLAIN = (*_NO_REPORT, "jobs", "level", "baseline", "min_text_items", "since")
_LIMIT = click.IntRange(min=1)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,15})?")


class Moment(click.ParamType[Any]):
    """A date or time, or a length of time before now (``24h``, ``7d``)."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a moment or a length of time."""
        from reporter.config import parse

        try:
            return parse.since(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _window_options(function: Callable[..., Any]) -> Callable[..., Any]:
    until = click.option("--until", type=Moment(), help="End of the window, exclusive. [default: now]")
    since = click.option("--since", type=Moment(), help="Begin of the window. [default: seven days before]")
    return since(until(function))


def _csv_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--csv", "as_csv", is_flag=True, help="Answer as CSV.")(function)


@command(
    "reporter cluster 'Default - traces' 'VAT rate' --source export/",
    "reporter cluster 4182_trace_20261123_012828 5 --source export/ --sort cost --limit 50",
    "reporter cluster 'Default - traces' 5 --by plan --csv > items.csv",
)
@click.argument("run")
@click.argument("cluster")
@click.option(
    "--sort",
    type=click.Choice(["rank", "cost", "latency", "tokens", "errors", "newest"]),
    default="rank",
    show_default=True,
    help="Order of the items; rank is nearest to the centre first.",
)
@click.option("--limit", type=_LIMIT, default=20, show_default=True, help="Items shown.")
@click.option(
    "--by",
    multiple=True,
    metavar="PROPERTY",
    help="Take the change apart by this property of the events (person.NAME: of their users). Repeatable.",
)
@_csv_option
@settings_options(without=(*_NO_REPORT, "jobs", "level"))
@click.pass_context
def cluster(
    ctx: click.Context,
    /,
    run: str,
    cluster: str,
    sort: str,
    limit: int,
    by: tuple[str, ...],
    as_csv: bool,  # noqa: FBT001 (a flag)
    **flags: Any,
) -> None:
    """Show one cluster and its items.

    With its figures, what drives its change, why calls failed and which traces are worth opening.

    RUN is a run id, or a job's id or name for its latest run. CLUSTER is its number (-1 for the outliers), or
    words of its title. Put -- before -1.
    """
    session, settings = _begun(ctx, flags, as_csv=as_csv)
    with session.at_work(settings) as progress:
        from reporter.pipeline import drilldown

        view = drilldown.show_cluster(
            settings, run, cluster, sort=sort, limit=limit, by=by, progress=progress
        )
    _answer(session, view, as_json=settings.as_json, as_csv=as_csv, warnings=view.warnings)


@command(
    "reporter traces --source export/ --since 24h",
    "reporter traces --run 'Default - traces' --cluster 5 --source export/",
    "reporter traces --where plan=enterprise --where '$ai_model=gpt-5-mini' --limit 500 --csv",
)
@click.option("--run", help="Only traces of this run: its id, or a job's id or name for its latest run.")
@click.option("--cluster", help="Only traces of this cluster of the run: its number, or words of its title.")
@click.option(
    "--where",
    multiple=True,
    metavar="NAME=VALUE",
    help="An event of the trace has it (person.NAME: its user). Repeatable.",
)
@click.option("--limit", type=_LIMIT, default=50, show_default=True, help="Traces listed.")
@_window_options
@_csv_option
@settings_options(without=_PLAIN)
@click.pass_context
def traces(
    ctx: click.Context,
    /,
    run: str | None,
    cluster: str | None,
    where: tuple[str, ...],
    limit: int,
    since: Any,
    until: Any,
    as_csv: bool,  # noqa: FBT001 (a flag)
    **flags: Any,
) -> None:
    """List traces of a window, a run or a cluster.

    Newest first; each begins in the window.
    """
    session, settings = _begun(ctx, flags, as_csv=as_csv)
    if cluster is not None and run is None:
        raise click.UsageError("--cluster needs --run")
    filters = dict(_pair(text, "--where") for text in where)
    with session.at_work(settings) as progress:
        from reporter.pipeline import drilldown

        view = drilldown.list_traces(
            settings,
            run_name=run,
            cluster_name=cluster,
            since=since,
            until=until,
            filters=filters,
            limit=limit,
            progress=progress,
        )
    if view.truncated:
        more = units.plural(limit, "trace")
        session.console.warning(f"There are more than {more}; --limit shows more.")
    _answer(session, view, as_json=settings.as_json, as_csv=as_csv, warnings=view.warnings)


@command(
    "reporter trace 0198f2c4-trace --source export/",
    "reporter trace 0198f2c4-trace --redact full --json",
)
@click.argument("trace_id", metavar="ID")
@_csv_option
@settings_options(without=_PLAIN)
@click.pass_context
def trace(ctx: click.Context, /, trace_id: str, as_csv: bool, **flags: Any) -> None:  # noqa: FBT001 (a flag)
    """Show one trace as a tree.

    Its spans, generations and embeddings, parents before children. What was said is shown at the
    redaction levels quotes (cut and scrubbed) and full.
    """
    session, settings = _begun(ctx, flags, as_csv=as_csv)
    with session.at_work(settings) as progress:
        from reporter.pipeline import drilldown

        view = drilldown.show_trace(settings, trace_id, progress=progress)
    _answer(session, view, as_json=settings.as_json, as_csv=as_csv, warnings=view.warnings)


@command(
    "reporter query \"SELECT count() FROM events WHERE timestamp >= toDateTime({since}, 'UTC')\" --since 24h",
    "reporter query 'SELECT event, count(*) FROM events WHERE timestamp >= $since GROUP BY 1' --source data/",
    "reporter query --file spend.sql --value plan=team --since 30d --csv",
)
@click.argument("sql", required=False)
@click.option(
    "--file", type=click.Path(path_type=Path), help="Read the query from a file; - is standard input."
)
@click.option("--value", multiple=True, metavar="NAME=VALUE", help="A value the query names. Repeatable.")
@click.option("--limit", type=_LIMIT, default=1000, show_default=True, help="Rows at most.")
@click.option("--unbounded", is_flag=True, help="Take a query that uses no window.")
@_window_options
@_csv_option
@settings_options(without=_PLAIN)
@click.pass_context
def query(
    ctx: click.Context,
    /,
    sql: str | None,
    file: Path | None,
    value: tuple[str, ...],
    limit: int,
    unbounded: bool,  # noqa: FBT001 (a flag)
    since: Any,
    until: Any,
    as_csv: bool,  # noqa: FBT001 (a flag)
    **flags: Any,
) -> None:
    """Put a query of your own.

    In HogQL to PostHog, in DuckDB's SQL to an export. It names the window as {since} and {until} (over an
    export $since and $until); nothing is added to it but a bound of rows. The answer is redacted like
    a report; at --redact full it is shown as it came.
    """
    session, settings = _begun(ctx, flags, as_csv=as_csv)
    with session.at_work(settings) as progress:
        from reporter.pipeline import drilldown

        view = drilldown.put_query(
            settings,
            _statement(sql, file),
            dict(_typed(*_pair(text, "--value")) for text in value),
            since=since,
            until=until,
            unbounded=unbounded,
            limit=limit,
            progress=progress,
        )
    if view.truncated:
        session.console.warning(f"The answer was cut at {units.plural(limit, 'row')}; --limit shows more.")
    if view.masked:
        said = f"{units.plural(view.masked, 'cell')} {'has' if view.masked == 1 else 'have'} masked text"
        session.console.warning(f"{said}; --redact full shows the answer as it came.")
    _answer(session, view, as_json=settings.as_json, as_csv=as_csv, warnings=())


def _begun(ctx: click.Context, flags: Mapping[str, Any], *, as_csv: bool) -> tuple[Session, Settings]:
    """Settle the settings of a command that answers as text, JSON or CSV."""
    session = ctx.ensure_object(Session)
    settings = session.settle(flags).settings
    if settings.as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    return session, settings


def _answer(
    session: Session, view: Value, *, as_json: bool, as_csv: bool, warnings: Sequence[Caveat]
) -> None:
    """Print a view in the form asked for."""
    for caveat in warnings:
        session.caution(caveat)
    if as_json:
        from reporter.report import plain

        session.console.value(plain(view))
        return
    from reporter.cli import views

    if as_csv:
        session.console.document(views.csv(view))
        return
    for line in views.lines(view):
        session.console.document(line + "\n")


def _pair(text: str, flag: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise click.BadParameter(f"{text!r} is no NAME=VALUE", param_hint=flag)
    return name.strip(), value


def _typed(name: str, text: str) -> tuple[str, Any]:
    """Read a value as a number where it is spelled as one and nothing is lost (``007`` stays text)."""
    if not _NUMBER.fullmatch(text):
        return name, text
    return name, float(text) if "." in text else int(text)


def _statement(sql: str | None, file: Path | None) -> str:
    if (sql is None) == (file is None):
        raise click.UsageError("give a query, or --file")
    if sql is not None:
        return sql
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else Path(file or "").read_bytes()
        return data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("the file with the query cannot be read", subject=str(file)) from error
