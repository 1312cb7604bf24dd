"""What a report costs in ClickHouse, per row of events: ``python benchmarks/clickhouse.py [EVENTS]``.

Makes a table as PostHog orders it, fills it with AI events and runs, and reports from it with the embedded
engine. What a cluster would take follows from rows read, not from seconds here: both are printed.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from chdb import session
from events import run

from reporter.model import Job, Window
from reporter.sources.clickhouse import ClickHouseSource
from reporter.sources.clickhouse.address import parse
from reporter.sources.clickhouse.client import ClickHouse
from reporter.sources.clickhouse.engines import Embedded
from reporter.sources.queries.for_clickhouse import literal

T = TypeVar("T")
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
WEEKS, ITEMS = 13, 1_500
EVENTS = """CREATE TABLE events (uuid UUID, event String, properties String CODEC(ZSTD(3)),
    timestamp DateTime64(6, 'UTC'), distinct_id String, person_properties String CODEC(ZSTD(3)), team_id Int64)
  ENGINE = MergeTree PARTITION BY toYYYYMM(timestamp)
  ORDER BY (team_id, toDate(timestamp), event, cityHash64(distinct_id), cityHash64(uuid))"""
FILL = """INSERT INTO events SELECT generateUUIDv4(), multiIf(number % 5 = 0, '$ai_trace', number % 7 = 0, '$ai_span',
    number % 11 = 0, '$pageview', '$ai_generation'),
  concat('{{"$ai_trace_id":"trace-', toString(intDiv(number, 4)), '","$ai_model":"gpt-5-mini","$ai_provider":"openai",',
    '"$ai_total_cost_usd":', toString((number % 1000) / 50000.), ',"$ai_latency":', toString((number % 300) / 100.),
    ',"$ai_input_tokens":', toString(number % 4000), ',"$ai_output_tokens":', toString(number % 900),
    ',"$ai_is_error":', if(number % 41 = 0, 'true', 'false'), ',"$ai_input":"', repeat('what was said ', 20), '"}}'),
  toDateTime64('2026-11-22 00:00:00', 6, 'UTC') - toIntervalSecond(intDiv(number, 4) * {spread}),
  concat('user-', toString(number % 5000)), '{{"plan":"pro"}}', 1 FROM numbers({events})"""


def main() -> None:
    """Fill, ask each question of a report, print seconds and rows."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    spread = WEEKS * 7 * 86_400 * 4 / events
    with tempfile.TemporaryDirectory() as folder:
        engine = session.Session(folder)
        engine.query(EVENTS)
        engine.query(FILL.format(events=events, spread=spread))
        for week in range(WEEKS):
            _, event, _, emitted, properties = run(0, week, spread, 20, ITEMS)
            at, text = emitted.strftime("%Y-%m-%d %H:%M:%S"), literal(properties)
            engine.query(
                f"INSERT INTO events SELECT generateUUIDv4(), '{event}', {text}, toDateTime64('{at}', 6, 'UTC'), "
                "'posthog', '', 1"
            )
        address = parse("chdb://", "1")
        client = ClickHouse(Embedded(engine), address.events, host=address.shown, project_id="1")
        source = ClickHouseSource(client, warn=print, now=NOW)

        def timed(name: str, rows: int, ask: Callable[[], T]) -> T:
            begin = time.perf_counter()
            found = ask()
            took = time.perf_counter() - begin
            print(f"{name:34}{took:8.2f} s{took / rows * 1e9:10.0f} ns a row of {rows:,}")
            return found

        size = json.loads(engine.query(
            "SELECT sum(data_compressed_bytes) / sum(rows) AS b FROM system.parts WHERE active AND table = 'events'",
            "JSONCompact").bytes())["data"][0][0]  # fmt: skip
        print(f"{events:,} events in {WEEKS} weeks, {size:.0f} bytes a row on disk")
        since = NOW - timedelta(days=98)
        listed = timed("headers of all runs", events, lambda: source.runs(since, NOW))
        two = listed[:2]
        weeks = 2 * events // WEEKS
        timed("memberships of all runs", events, lambda: source.memberships([run.run_id for run in listed]))
        timed("items of two runs", weeks, lambda: source.items(two))
        timed("failures of two runs", weeks, lambda: source.failures(two))
        population = Window(two[0].window.start, two[0].window.end)
        job = Job(id=listed[0].job_id, name="Job 0", level="trace")
        timed("population of one window", weeks // 2, lambda: source.totals(population, job))


if __name__ == "__main__":
    main()
