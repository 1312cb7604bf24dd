"""Item summaries: what the hourly summariser left behind for the last days' items."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from reporter.model import Window
from reporter.sources.demo import timeline
from reporter.sources.demo.calls import Event
from reporter.sources.demo.clustering import Thing, pooled
from reporter.sources.demo.traffic import Request, User

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reporter.sources.demo.timeline import DemoJob

_NAME = {"trace": "$ai_trace_summary", "generation": "$ai_generation_summary"}
_KEPT = {"trace": 1.0, "generation": 0.12}
"""Share of summaries that is kept, to keep the demo small."""


def summarise(job: DemoJob, things: Sequence[Thing], requests: Mapping[str, Request]) -> Iterator[Event]:
    """Write the summaries of a job's items.

    Args:
        job: The job whose hourly summariser it is.
        things: Every item of its level.
        requests: Trace id to request.

    Yields:
        One summary event an item, half an hour after the item's hour was over.
    """
    window = Window(timeline.at(timeline.SUMMARIES_SINCE), timeline.at(timeline.LAST_DAY))
    name = f"{job.level}_summary_{timeline.TEAM}"
    nobody = User(name, timeline.uuid4(timeline.dice("person", name)), "", "")
    for thing in pooled(job, things, window):
        rng = timeline.dice("summary", job.level, thing.key)
        if rng.random() >= _KEPT[job.level]:
            continue
        topic = requests[thing.trace_id].topic
        hour = thing.moment.replace(minute=0, second=0, microsecond=0)
        moment = hour + timedelta(hours=1, milliseconds=rng.randrange(1_810_000, 2_040_000))
        batch = timeline.dice("batch", job.level, hour.isoformat()).getrandbits(48)
        asked = topic.asks[requests[thing.trace_id].ask]
        extra = {} if job.level == "trace" else {"$ai_generation_id": thing.key}
        yield Event(timeline.uuid4(rng), _NAME[job.level], nobody, moment, {
            "$ai_trace_id": thing.trace_id,
            **extra,
            "$ai_batch_run_id": f"{timeline.TEAM}_{job.level}_{batch:012x}",
            "$ai_clustering_job_id": job.id,
            "$ai_summary_title": rng.choice(topic.gists),
            "$ai_summary_bullets": [
                {"text": f"Asked: {asked}", "line_refs": "L1"},
                {"text": f"Handled by {topic.feature}", "line_refs": "L2"},
            ],
            "trace_timestamp": timeline.iso(thing.begun),
        })  # fmt: skip
