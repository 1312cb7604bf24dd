"""The grammar of a run id: which team, level, moment, job and label a clustering run names.

A run id is free text to everybody but its author, so nothing here ever raises; what cannot be read
is ``None``. Four spellings are in the wild, newest first::

    team _ level _ YYYYMMDD _ HHMMSS [_ job uuid] [_ label]     2_trace_20260122_000043_019c…_pilot
    team _ level _ job uuid _ YYYYMMDD _ HHMMSS [_ label]       evaluation runs of one early build
    team _ YYYYMMDD _ HHMMSS [_ label]                          before levels, 2_20251216_000105
    "team" _ team _ ISO 8601 time                               prototypes
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from reporter.model import LEVELS, Level
from reporter.sources.times import parse_instant

_UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_HEAD = re.compile(r"(?P<team>[0-9]+)(?:_(?P<level>[A-Za-z]+))?(?:_(?P<rest>.*))?", re.DOTALL)
_STAMPED = re.compile(
    rf"(?:(?P<early_job>{_UUID})_)?(?P<date>[0-9]{{8}})_(?P<time>[0-9]{{6}})(?:_(?P<tail>.*))?", re.DOTALL
)
_TAIL = re.compile(rf"(?P<job>{_UUID})(?:_(?P<label>.*))?", re.DOTALL)
_ANCIENT = re.compile(r"team_(?P<team>[0-9]+)_(?P<moment>.+)", re.DOTALL)
_LEVEL_BY_NAME: dict[str, Level] = {level: level for level in LEVELS}


@dataclass(frozen=True, slots=True)
class RunId:
    """What a run id says."""

    team: str | None
    """PostHog's project number, digits."""
    level: Level | None
    """``None`` where the id has no level (early runs) or one this version does not know."""
    moment: datetime | None
    """End of the run's window, cut to whole seconds; aware, UTC."""
    job_id: str | None
    """UUID text in lower case."""
    label: str | None
    """What a person called a run started by hand; may hold underscores and uuids."""


_NOTHING = RunId(team=None, level=None, moment=None, job_id=None, label=None)


def parse_run_id(text: object) -> RunId:
    """Read a run id; what cannot be read is ``None``, and nothing is ever raised.

    Only a uuid *directly* after the time is the job. PostHog's own screen takes the first uuid
    anywhere in the rest, so an experiment labelled ``rerun_of_<uuid>`` is shown there under a job
    that never started it; here that uuid stays label text, since a run put under the wrong job
    spoils that job's series. (A label that is nothing but a uuid cannot be told from a job.)

    Args:
        text: The run id as stored; anything but text gives a `RunId` of ``None`` only.

    Returns:
        The parts that could be read. An impossible date (``20261399``) costs only the moment.
    """
    if not isinstance(text, str):
        return _NOTHING
    ancient = _ANCIENT.fullmatch(text)
    if ancient:
        moment = parse_instant(ancient["moment"])
        return RunId(team=ancient["team"], level=None, moment=moment, job_id=None, label=None)
    head = _HEAD.fullmatch(text)
    if not head:
        return _NOTHING
    level = _LEVEL_BY_NAME.get((head["level"] or "").lower())
    stamped = _STAMPED.fullmatch(head["rest"] or "")
    if stamped:
        job_id, label = _split_tail(stamped["early_job"], stamped["tail"] or "")
        moment = _moment(stamped["date"], stamped["time"])
        return RunId(team=head["team"], level=level, moment=moment, job_id=job_id, label=label)
    if level:  # the level alone still tells how to read the items
        return RunId(team=head["team"], level=level, moment=None, job_id=None, label=None)
    return _NOTHING


def _split_tail(early_job: str | None, tail: str) -> tuple[str | None, str | None]:
    """Part what follows the time into job and label; after an early job all of it is label."""
    if early_job:
        return early_job.lower(), tail or None
    found = _TAIL.fullmatch(tail)
    if found:
        return found["job"].lower(), found["label"] or None
    return None, tail or None


def _moment(date: str, time: str) -> datetime | None:
    try:
        return datetime(
            int(date[:4]),
            int(date[4:6]),
            int(date[6:]),
            int(time[:2]),
            int(time[2:4]),
            int(time[4:]),
            tzinfo=UTC,
        )
    except ValueError:
        return None
