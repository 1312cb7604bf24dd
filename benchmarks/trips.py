"""Counts what a report costs over PostHog's API: requests, trips, queries at once, bytes, seconds.

The events (the bundled ones, or an export named on the command line with its list of jobs) are served by the
tests' stand-in with 80 ms a round trip. The same report is made from the export in the same run, to compare:

    python -m benchmarks.trips [EVENTS.parquet JOBS.json NOW]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.canned import Canned
from reporter.sources import demo
from tests.servers.handle import PostHog, Project, Request

LATENCY_S = 0.08
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def rows_of(events: Path) -> list[dict[str, Any]]:
    """Read an export as rows with native properties."""
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        zoned = "timestamp, created_at, _inserted_at"
        texts = ", ".join(
            f"strftime({name}, '%Y-%m-%dT%H:%M:%S.%fZ') AS {name}" for name in zoned.split(", ")
        )
        sql = f"SELECT * EXCLUDE ({zoned}), {texts} FROM read_parquet($1)"
        found = engine.execute(sql, [str(events)])
        names = [column[0] for column in found.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    for row in rows:
        row |= {name: json.loads(row.get(name) or "{}") for name in ("properties", "person_properties")}
        row |= {name: str(row[name]) for name in ("uuid", "person_id") if row.get(name)}
    return rows


def trips(log: list[Request]) -> int:
    """Count the longest chain of requests each begun after another's end."""
    chain, free_at = 0, float("-inf")
    for request in sorted(log, key=lambda one: one.ended or 0.0):
        if request.started >= free_at:
            chain, free_at = chain + 1, request.ended or 0.0
    return chain


def run(folder: str, *arguments: str, formats: str = "json", verb: str = "report", **env: str) -> float:
    """Make a report; gives the seconds it took."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "reporter", verb, "--format", formats, *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env={**os.environ, **env})
    return time.perf_counter() - begin


def told(name: str, took_s: float, served: Project) -> None:
    """Print what one report cost."""
    log = served.log()
    queries = [request for request in log if request.method == "POST"]
    most = max((request.concurrent for request in queries), default=0)
    sent = sum(request.bytes_sent for request in log)
    print(f"{name:14}{took_s:8.2f}{len(log):10}{len(queries):9}{trips(log):7}{most:9}{sent / 1e6:9.2f}")
    served.clear()


def main() -> None:
    """Print one line a report: cold, again with nothing new, without keeping, from the export; then pages."""
    with tempfile.TemporaryDirectory() as folder, PostHog() as server:
        if len(sys.argv) > 3:
            events, jobs_file, now = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3]
        else:
            moved = demo.moved(NOW, Path(folder))
            events, jobs_file, now = Path(moved.events), Path(moved.jobs), NOW.isoformat()
        jobs = json.loads(jobs_file.read_text(encoding="utf-8"))
        served = server.project(rows_of(events), jobs, latency_s=LATENCY_S)
        key = {
            "POSTHOG_HOST": served.url,
            "POSTHOG_PROJECT_ID": served.id,
            "POSTHOG_PERSONAL_API_KEY": served.key,
        }
        keep = ("--now", now, "--state", "state")
        print(f"{'':14}{'s':>8}{'requests':>10}{'queries':>9}{'trips':>7}{'at once':>9}{'MB':>9}")
        told("cold", run(folder, *keep, **key), served)
        told("nothing new", run(folder, *keep, **key), served)
        told("kept nothing", run(folder, "--now", now, "--no-cache", **key), served)
        export = ("--source", str(events), "--jobs", str(jobs_file), "--now", now)
        print(f"{'from export':14}{run(folder, *export):8.2f}")
        paged(folder, served, ("--now", now, "--level", "trace"), key)


def paged(folder: str, served: Project, arguments: tuple[str, ...], key: dict[str, str]) -> None:
    """Hold html, pdf and json over the API against drawing and layout alone and six trips, best of seven.

    The stand-in's own work is left out: its answers are asked for once.
    """
    print("\nhtml, pdf and json, jobs of level trace")
    first, again, alone = [], [], []
    with Canned(served.url, LATENCY_S) as canned:
        key = {**key, "POSTHOG_HOST": canned.url}
        for attempt in range(8):
            keep = (*arguments, "--state", f"paged{attempt}", "--out", "paged")
            first.append(run(folder, *keep, formats="html,pdf,json", **key))
            again.append(run(folder, *keep, formats="html,pdf,json", **key))
            alone.append(
                run(folder, "paged/report.json", "--out", "alone", formats="html,pdf", verb="render")
            )
    del first[0]  # for which the stand-in worked
    served.clear()
    least = min(alone) + 6 * LATENCY_S
    print(f"{'cold':14}{min(first):8.2f}{min(first) / least:8.2f} x drawing and layout alone and six trips")
    print(f"{'nothing new':14}{min(again):8.2f}{min(again) / min(first):8.2f} x cold")
    print(f"{'render alone':14}{min(alone):8.2f}")


if __name__ == "__main__":
    main()
