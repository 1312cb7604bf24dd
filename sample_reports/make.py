"""Make the samples again from the bundled events: five Mondays, each remembering the last, and an incident.

`python sample_reports/make.py` writes them beside itself; a folder as its argument writes them there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from reporter.sources import demo

LATEST = datetime.fromisoformat("2026-11-23T08:00:00Z")
"""The Monday of the `weekly` sample; the Monday before was a quiet one."""
SAMPLES = {LATEST - timedelta(weeks=1): "quiet", LATEST: "weekly"}
OUTAGE = ("2026-11-20T12:00:00Z", "2026-11-20T16:30:00Z")
"""The window of the `incident` sample, a little wider than the outage planted in it."""
FORMATS = "html,pdf,json,md,csv"
RULES = (
    *("--fail-on", "total mean_cost_usd +20% surely"),
    *("--fail-on", "error_rate <= 15%"),
    *("--fail-on", "title:/bank/i error_rate +5pp"),
    *("--fail-on", "new_share <= 10%"),
)
"""Of the `ci` samples."""


def as_of(now: datetime, whole: demo.DemoFiles, folder: Path) -> demo.DemoFiles:
    """Write what PostHog held at a moment: events, jobs that were set up, what had happened."""
    folder.mkdir()
    files = demo.DemoFiles(
        folder / "events.parquet", folder / "jobs.json", folder / "annotations.csv", whole.incident
    )
    with duckdb.connect(config={"threads": 1}) as engine:
        engine.execute("SET TimeZone = 'UTC'")
        held = engine.read_parquet(str(whole.events)).filter(f"_inserted_at <= TIMESTAMPTZ '{now}'")
        held.write_parquet(str(files.events), compression="zstd")
    answer = json.loads(whole.jobs.read_text(encoding="utf-8"))
    answer["results"] = [job for job in answer["results"] if earlier(job["created_at"], now)]
    files.jobs.write_text(json.dumps(answer), encoding="utf-8")
    head, *rows = whole.annotations.read_text(encoding="utf-8").splitlines()
    kept = [head, *(row for row in rows if earlier(row.partition(",")[0], now))]
    files.annotations.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return files


def earlier(text: str, now: datetime) -> bool:
    """Tell whether an ISO 8601 time has come by then."""
    return datetime.fromisoformat(text) <= now


def make(out: Path) -> None:
    """Write every sample below a folder, and nothing else there."""
    with TemporaryDirectory() as scratch:
        work = Path(scratch)
        whole = demo.moved(LATEST, work / "whole")
        for week in range(4, -1, -1):
            now = LATEST - timedelta(weeks=week)
            files = as_of(now, whole, work / f"week-{week}")
            name = SAMPLES.get(now)
            target = out / name if name else work / f"out-{week}"
            formats = FORMATS if name else "json"
            _reporter(files, now, target, "report", "--format", formats, "--state", str(work / "state"))
        window = ("--from", OUTAGE[0], "--to", OUTAGE[1], "--title", "Statement provider refuses calls")
        _reporter(whole, LATEST, out / "incident", "incident", *window, "--format", FORMATS)
        for weeks, name in ((0, "ci-failing"), (1, "ci-passing")):
            now = LATEST - timedelta(weeks=weeks)
            files = as_of(now, whole, work / name)
            _reporter(files, now, out / name, "ci", *RULES, "--no-cache", broken=name == "ci-failing")


def _reporter(files: demo.DemoFiles, now: datetime, out: Path, *arguments: str, broken: bool = False) -> None:
    """Call the command line over some files, by names that are the same wherever they lie."""
    command = [
        *(sys.executable, "-m", "reporter", *arguments, "--quiet", "--now", now.isoformat()),
        *("--source", files.events.name, "--jobs", files.jobs.name, "--annotate", files.annotations.name),
        *("--out", str(out)),
    ]
    done = subprocess.run(  # noqa: S603 (our own command line)
        command, cwd=files.events.parent, check=False, stdout=subprocess.DEVNULL
    )
    if done.returncode != int(broken):
        sys.exit(f"{arguments[0]} ended with {done.returncode}")


if __name__ == "__main__":
    make(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent).resolve())
