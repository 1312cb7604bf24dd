"""The bundled demo: six weeks of an invented company's events, moved so that they end now.

`moved` is all that others need. It uses neither network nor key and leaves the bundled files alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from reporter.errors import SourceUnreadable
from reporter.model import Window

EVENTS = Path(__file__).with_name("events.parquet")
"""The bundled events, at the dates they were generated for."""
JOBS = Path(__file__).with_name("jobs.json")
"""The bundled clustering jobs."""
ANNOTATIONS = Path(__file__).with_name("annotations.csv")
"""What happened in the demo's story."""

_NEWEST_RUN = datetime(2026, 3, 16, 7, 0, tzinfo=UTC)
"""By this time all bundled runs were emitted; traffic goes on for a day after it."""
_OUTAGE = Window(
    datetime(2026, 3, 13, 12, 30, tzinfo=UTC),
    datetime(2026, 3, 13, 16, 0, tzinfo=UTC),
)
_DATE = re.compile(r"(?<![0-9])([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})(?=T[0-9]{2}:|_[0-9]{6}_)")
"""The date of an ISO 8601 time, or of the moment inside a run id."""


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """Where the moved demo lies."""

    events: Path
    """Batch export of all events, Parquet."""
    jobs: Path
    """Clustering jobs as PostHog's REST interface answers them, JSON."""
    annotations: Path
    """What happened when, CSV."""
    incident: Window
    """A provider outage inside the data, worth an incident report."""


def moved(now: datetime, folder: Path) -> DemoFiles:
    """Write the demo's events and jobs as if they had just happened.

    Everything moves by one whole number of days, so that nights stay nights and runs keep starting
    shortly after 00:00 and 06:00 UTC; weekdays therefore move too. The newest runs are those of the
    last morning, at most a day before `now`, and traffic is cut off at `now`.

    Args:
        now: The moment the data shall end at; a naive one is UTC.
        folder: Where to write; made if missing. Files of the same names are replaced.

    Returns:
        The files written. The same moment gives the same bytes.

    Raises:
        SourceUnreadable: The bundled data cannot be read or the folder not written.
    """
    now = now.replace(tzinfo=UTC) if now.tzinfo is None else now.astimezone(UTC)
    shift = timedelta(days=(now - _NEWEST_RUN).days)
    files = DemoFiles(
        events=folder / "events.parquet",
        jobs=folder / "jobs.json",
        annotations=folder / "annotations.csv",
        incident=Window(_OUTAGE.start + shift, _OUTAGE.end + shift),
    )
    if folder.resolve() == EVENTS.parent.resolve():
        raise SourceUnreadable(
            "the bundled demo events are read from this folder and cannot be written into it",
            subject=str(folder),
            hint="Name another folder.",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for bundled, file in ((JOBS, files.jobs), (ANNOTATIONS, files.annotations)):
            text = _later(bundled.read_text(encoding="utf-8"), shift)
            file.write_text(text, encoding="utf-8", newline="\n")
        _move_events(now, shift, files.events)
    except (OSError, duckdb.Error) as error:
        raise SourceUnreadable(
            f"the demo events could not be written there ({type(error).__name__})",
            subject=str(folder),
            hint="Name a folder that can be written to, or reinstall the package if its data is missing.",
        ) from error
    return files


def _move_events(now: datetime, shift: timedelta, target: Path) -> None:
    """Shift columns where the data lies; only texts that hold times come through Python."""
    with duckdb.connect(config={"threads": 1}) as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute("SET enable_progress_bar = false")
        engine.read_parquet(str(EVENTS)).create_view("bundled")
        engine.execute("CREATE TABLE moved_texts (uuid VARCHAR, properties VARCHAR)")
        texts = engine.execute(
            "SELECT uuid, properties FROM bundled "
            "WHERE suffix(event, '_clusters') OR suffix(event, '_summary') ORDER BY uuid"
        ).fetchall()
        uuids = [uuid for uuid, _ in texts]
        later = [_later(text, shift) for _, text in texts]
        engine.execute("INSERT INTO moved_texts SELECT unnest(?), unnest(?)", [uuids, later])
        rows = engine.sql(
            "SELECT uuid, event, distinct_id, person_id, elements_chain, "
            "coalesce(moved_texts.properties, bundled.properties) AS properties, person_properties, "
            "timestamp + to_days($days) AS timestamp, created_at + to_days($days) AS created_at, "
            "_inserted_at + to_days($days) AS _inserted_at "
            "FROM bundled LEFT JOIN moved_texts USING (uuid) "
            "WHERE _inserted_at + to_days($days) <= $now "
            "ORDER BY event, timestamp, uuid",
            params={"days": shift.days, "now": now},
        )
        rows.write_parquet(str(target), compression="zstd")


def _later(text: str, shift: timedelta) -> str:
    """Move the date of every time in a text, and of every run id."""
    known: dict[str, str] = {}

    def moved_date(found: re.Match[str]) -> str:
        date = found.group()
        if date not in known:
            year, dash, month, day = found.groups()
            then = datetime(int(year), int(month), int(day), tzinfo=UTC) + shift
            known[date] = f"{then.year:04d}{dash}{then.month:02d}{dash}{then.day:02d}"
        return known[date]

    return _DATE.sub(moved_date, text)
