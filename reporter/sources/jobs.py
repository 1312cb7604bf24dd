"""The list of clustering jobs as PostHog's REST interface answers it, turned into `Job` values.

Whoever fetched the answer passes it in, or names the file it was saved to. Nothing in it is trusted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reporter.errors import SourceUnreadable
from reporter.model import LEVELS, Job, Level
from reporter.sources.decode_values import MAX_TITLE, ExcessError, Faults, Where, as_text, plain, shown

if TYPE_CHECKING:
    from datetime import datetime

MAX_JOBS = 10_000
"""Jobs of the longest list that is read; PostHog allows ten enabled ones a project."""
MAX_FILTERS = 200

_LEVEL_BY_NAME: dict[str, Level] = {level: level for level in LEVELS}
_SHOWN_FAULTS = 5


def decode_jobs(answer: object, subject: str = "the list of clustering jobs") -> tuple[Job, ...]:
    """Read a list of jobs.

    Args:
        answer: ``{count, next, previous, results}`` or the bare array older servers send; native or
            JSON text.
        subject: What the answer came from, for the error message.

    Returns:
        Jobs ordered by level, name and id. Of a job listed twice (a page that moved while it was
        read) the entry updated last is kept.

    Raises:
        SourceUnreadable: The answer is no such list; all faults are named.
    """
    faults = Faults()
    found: dict[str, tuple[datetime | None, Job]] = {}
    for index, raw in enumerate(_results(answer, faults)):
        read = _job(raw, ("results", index), faults)
        if read is None:
            continue
        updated_at, job = read
        known = found.get(str(job.id))
        if known is None or _is_newer(updated_at, known[0]):
            found[str(job.id)] = (updated_at, job)
    if faults:
        raise _unreadable(subject, faults)
    jobs = (job for _, job in found.values())
    return tuple(sorted(jobs, key=lambda job: (LEVELS.index(job.level), job.name, str(job.id))))


def read_jobs(path: str) -> tuple[Job, ...]:
    """Read a list of jobs that was saved to a file.

    Raises:
        SourceUnreadable: There is no such file, or it is no such list.
    """
    name = Path(path).name
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8-sig")
        answer = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not JSON"
        raise SourceUnreadable(
            f"the list of jobs cannot be read: {reason}",
            subject=name,
            hint="Save the answer of GET …/llm_analytics/clustering_jobs/ in this file.",
        ) from error
    return decode_jobs(answer, subject=name)


class JobsFile:
    """The jobs of a file, for sources that hold no configuration."""

    def __init__(self, path: str | None) -> None:
        """Read the file; ``None`` where none was given.

        Raises:
            SourceUnreadable: There is no such file, or it is no list of jobs.
        """
        self._jobs = None if path is None else read_jobs(path)

    def fetch(self) -> None:
        """Do nothing: the file was read."""

    def jobs(self) -> tuple[Job, ...] | None:
        """List the jobs; ``None`` where no file was given."""
        return self._jobs

    def job(self, job_id: str) -> Job | None:
        """Give one job, or ``None``."""
        return next((job for job in self._jobs or () if job.id == job_id.lower()), None)


def decode_job(answer: object, subject: str = "the clustering job") -> Job:
    """Read one job, as the address of a single job answers it.

    Args:
        answer: The job object, native or JSON text.
        subject: What the answer came from, for the error message.

    Raises:
        SourceUnreadable: The answer is no job; all faults are named.
    """
    faults = Faults()
    read = _job(faults.native(answer, ()), (), faults)
    if faults or read is None:
        raise _unreadable(subject, faults)
    return read[1]


def next_page(answer: object) -> str | None:
    """Give the address of the next page, as the server names it, or ``None`` after the last.

    The address is untrusted: check that it leads to the same server before a key is sent there.
    """
    address = answer.get("next") if isinstance(answer, Mapping) else None
    return address if isinstance(address, str) and address else None


def _unreadable(subject: str, faults: Faults) -> SourceUnreadable:
    lines = faults.lines
    more = f"; and {len(lines) - _SHOWN_FAULTS} more" if len(lines) > _SHOWN_FAULTS else ""
    return SourceUnreadable(
        f"this is not what PostHog answers: {'; '.join(lines[:_SHOWN_FAULTS])}{more}",
        subject=subject,
        hint="It should be the JSON of GET …/llm_analytics/clustering_jobs/.",
    )


def _results(answer: object, faults: Faults) -> list[object]:
    parsed = faults.native(answer, ())
    results = parsed.get("results") if isinstance(parsed, Mapping) else parsed
    if isinstance(results, (list, tuple)) and len(results) <= MAX_JOBS:
        return list(results)
    if isinstance(results, (list, tuple)):
        faults.add(("results",), f"{len(results):,} jobs, more than the {MAX_JOBS:,} that are read")
    elif not faults:
        faults.add(("results",), "missing" if results is None else f"not a list but {shown(results)}")
    return []


def _job(raw: object, where: Where, faults: Faults) -> tuple[datetime | None, Job] | None:
    """Read one job with the time of its last change; ``None`` where a fault was added."""
    if not isinstance(raw, Mapping):
        faults.add(where, f"not an object but {shown(raw)}")
        return None
    before = len(faults)
    job_id = faults.identifier(raw.get("id"), where, "id").lower()
    if not job_id and len(faults) == before:
        faults.add((*where, "id"), "missing")
    name = faults.text(raw.get("name"), where, "name", MAX_TITLE)
    level = _level(raw.get("analysis_level"), where, faults)
    event_filters = _filters(raw.get("event_filters"), (*where, "event_filters"), faults)
    enabled = _flag(raw.get("enabled"), where, faults)
    updated_at = faults.instant(raw.get("updated_at"), where, "updated_at")
    if level is None or len(faults) > before:
        return None
    return updated_at, Job(id=job_id, name=name, level=level, event_filters=event_filters, enabled=enabled)


def _level(value: object, where: Where, faults: Faults) -> Level | None:
    before = len(faults)
    name = faults.identifier(value, where, "analysis_level").lower()
    level = _LEVEL_BY_NAME.get(name)
    if level is None and len(faults) == before:
        reason = f"{shown(name)} is none of {', '.join(LEVELS)}" if name else "missing"
        faults.add((*where, "analysis_level"), reason)
    return level


def _filters(value: object, where: Where, faults: Faults) -> tuple[Mapping[str, Any], ...]:
    filters = faults.native(value, where)
    if filters is None:
        return ()
    if not isinstance(filters, (list, tuple)):
        faults.add(where, f"not a list but {shown(filters)}")
        return ()
    if len(filters) > MAX_FILTERS:
        faults.add(where, f"{len(filters):,} filters, more than the {MAX_FILTERS} that are read")
        return ()
    kept: list[Mapping[str, Any]] = []
    for index, entry in enumerate(filters):
        place = (*where, index)
        if not isinstance(entry, Mapping):
            faults.add(place, f"not an object but {shown(entry)}")
        elif not isinstance(entry.get("key"), str):
            faults.add((*place, "key"), f"not text but {shown(entry.get('key'))}")
        else:
            try:
                kept.append(plain(entry))
            except ExcessError as error:
                faults.add(place, str(error))
    return tuple(kept)


def _flag(value: object, where: Where, faults: Faults) -> bool | None:
    """Read a truth value, also ``"true"`` in any case and 0 or 1; a missing one is not known."""
    if value is None or value == "":
        return None
    known = {"true": True, "1": True, "false": False, "0": False}
    flag = known.get((as_text(value) or "").strip().lower())
    if flag is None:
        faults.add((*where, "enabled"), f"neither true nor false but {shown(value)}")
    return flag


def _is_newer(time: datetime | None, than: datetime | None) -> bool:
    return time is not None and (than is None or time > than)
