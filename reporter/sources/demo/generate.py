"""Makes the demo's two data files from a seed; run it with ``python -m reporter.sources.demo.generate``.

Nothing here runs in a user's hands: the files it writes are part of the package. Equal code gives
equal rows; texts, names and numbers are invented.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from reporter.sources.demo import timeline
from reporter.sources.demo.calls import Event, extras, tell
from reporter.sources.demo.clustering import Thing, draft
from reporter.sources.demo.evaluations import Judged, evaluate
from reporter.sources.demo.measures import Ledger
from reporter.sources.demo.runs import cluster_event
from reporter.sources.demo.summaries import summarise
from reporter.sources.demo.traffic import Request, requests

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FOLDER = Path(__file__).parent
_COMPRESSION = 19
_SCHEMA = (
    "uuid VARCHAR, event VARCHAR, distinct_id VARCHAR, person_id VARCHAR, elements_chain VARCHAR, "
    "properties VARCHAR, person_properties VARCHAR, "
    "timestamp TIMESTAMPTZ, created_at TIMESTAMPTZ, _inserted_at TIMESTAMPTZ"
)


@dataclass(frozen=True, slots=True)
class World:
    """Everything that happened, before it becomes rows."""

    requests: dict[str, Request]
    traces: dict[str, list[Event]]
    judged: dict[str, Judged]
    others: list[Event]


def build() -> list[Event]:
    """Make every event of the demo.

    Returns:
        Events in the order in which the file holds them: by kind, then by time.
    """
    world = _happen()
    ledger = Ledger(world.traces, world.judged)
    things = {"trace": _traces(world), "generation": _answers(world), "evaluation": _evaluations(world)}
    events = [event for trace in world.traces.values() for event in trace]
    events += [each.event for each in world.judged.values()]
    events += world.others
    for job in timeline.JOBS:
        events += [cluster_event(draft(job, day, things[job.level]), ledger) for day in job.days]
    for job in timeline.JOBS[:2]:
        events += summarise(job, things[job.level], world.requests)
    last = timeline.at(timeline.LAST_DAY)
    past = [event for event in events if event.at < last]
    return sorted(past, key=lambda event: (event.name, event.at, event.uuid))


def rows(events: Iterable[Event]) -> list[tuple[Any, ...]]:
    """Write events as rows of a batch export.

    Args:
        events: The events.

    Returns:
        One tuple an event, in the columns of PostHog's ``events`` model; times as UTC text.
    """
    made = []
    for event in events:
        rng = timeline.dice("row", event.uuid)
        created = event.at + timedelta(milliseconds=1000 + 250 * rng.randrange(8))
        inserted = created + timedelta(milliseconds=2000 + 500 * rng.randrange(12))
        person = {"plan": event.user.plan, "country": event.user.country} if event.user.plan else None
        made.append((
            event.uuid, event.name, event.user.distinct_id, event.user.person_id, "",
            _json(event.properties), _json(person) if person else None,
            event.at.isoformat(), created.isoformat(), inserted.isoformat(),
        ))  # fmt: skip
    return made


def write(folder: Path) -> None:
    """Write ``events.parquet`` and ``jobs.json``.

    Args:
        folder: An existing folder; files of these names are replaced.
    """
    lines = folder / "events.jsonl.partial"
    columns = [part.split()[0] for part in _SCHEMA.split(", ")]
    with lines.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows(build()):
            file.write(_json(dict(zip(columns, row, strict=True))) + "\n")
    try:
        _to_parquet(lines, folder / "events.parquet")
    finally:
        lines.unlink()
    (folder / "jobs.json").write_text(json.dumps(jobs(), indent=2) + "\n", encoding="utf-8")


def jobs() -> dict[str, Any]:
    """Give the clustering jobs as PostHog's REST interface answers them, oldest first."""
    results = [
        {
            "id": job.id,
            "name": job.name,
            "analysis_level": job.level,
            "event_filters": list(job.filters),
            "enabled": job.enabled,
            "created_at": _micro(job.created, order),
            "updated_at": _micro(job.changed, order + 24),
        }
        for order, job in enumerate(timeline.JOBS)
    ]
    return {"count": len(results), "next": None, "previous": None, "results": results}


def _to_parquet(lines: Path, target: Path) -> None:
    types = dict(part.split() for part in _SCHEMA.split(", "))
    with duckdb.connect(config={"threads": 1}) as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute("SET enable_progress_bar = false")
        engine.read_json(
            str(lines), columns=types, format="newline_delimited", maximum_object_size=16_000_000
        ).create("events")
        path = str(target).replace("'", "''")
        engine.execute(
            f"COPY events TO '{path}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {_COMPRESSION}, "
            "ROW_GROUP_SIZE 200000)"
        )


def _happen() -> World:
    world = World({}, {}, {}, [])
    for request in requests():
        events = tell(request)
        world.requests[request.trace_id] = request
        world.traces[request.trace_id] = events
        for judged in evaluate(request, events):
            world.judged[judged.event.uuid] = judged
        world.others.extend(extras(request, events))
    return world


def _facets(event: Event) -> dict[str, str]:
    wanted = ("feature", "environment", "plan", "$ai_provider", "$ai_model")
    return {key: event.properties[key] for key in wanted if key in event.properties}


def _traces(world: World) -> list[Thing]:
    made = []
    for key, events in world.traces.items():
        request = world.requests[key]
        begun = min(event.at for event in events)
        facets = _facets(events[0])
        topic = request.topic.key
        made.append(Thing(key, key, begun, begun, topic, request.depth, request.angle, facets))
    return made


def _answers(world: World) -> list[Thing]:
    made = []
    for trace_id, events in world.traces.items():
        request = world.requests[trace_id]
        last = [event for event in events if event.name == "$ai_generation"][-1]
        begun = min(event.at for event in events)
        topic, facets = request.topic.key, _facets(last)
        made.append(Thing(last.uuid, trace_id, last.at, begun, topic, request.depth, request.angle, facets))
    return made


def _evaluations(world: World) -> list[Thing]:
    made = []
    for uuid, judged in world.judged.items():
        rng = timeline.dice("judged", uuid)
        trace_id = judged.request.trace_id
        begun = min(event.at for event in world.traces[trace_id])
        depth, angle = rng.random(), rng.random()
        facets = _facets(judged.event)
        made.append(Thing(uuid, trace_id, judged.event.at, begun, judged.theme, depth, angle, facets))
    return made


def _micro(day: float, order: int) -> str:
    moment = timeline.at(day) + timedelta(microseconds=137_211 + 613 * order)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def main(arguments: Sequence[str]) -> None:
    """Rewrite the bundled files, or write them into the folder named.

    Args:
        arguments: At most one folder.
    """
    write(Path(arguments[0]) if arguments else FOLDER)


if __name__ == "__main__":
    main(sys.argv[1:])
