"""Which runs a report is about: grouped by job, the latest, the prior, and whether they compare.

Pure and light: nothing here loads a numeric library, so that listing jobs stays fast.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from reporter import units
from reporter.errors import RunUnreadable
from reporter.model import LEVELS, Job, Level, RunHeader
from reporter.report import Comparability, Status

STALE_AFTER = timedelta(days=3)
"""A job whose newest window ended longer ago than this is stale."""
_WEEK = timedelta(days=7)
_LENGTH_TOLERANCE = 0.05
_ITEMS_FACTOR = 2
_NO_PRIOR = "No prior:"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class JobRuns:
    """A job at one level with its runs."""

    job: Job
    runs: tuple[RunHeader, ...]
    """Newest emitted first; empty for a configured job that never ran in the time looked at."""
    broken: tuple[RunUnreadable, ...] = ()
    """Runs of the job that cannot even be listed, newest first."""


@dataclass(frozen=True, slots=True)
class PriorChoice:
    """The run to compare with, and why it was taken."""

    prior: RunHeader | None
    sentence: str
    """Choice, gap and overlap, or why there is nothing to compare with."""


def group(
    jobs: tuple[Job, ...] | None, headers: Sequence[RunHeader], broken: Sequence[RunUnreadable] = ()
) -> tuple[JobRuns, ...]:
    """Group runs by job and level.

    A run without a job id belongs to the jobless section of its level. Where a list of jobs is known, a
    job that is not on it is deleted. A job's level can be edited: runs it made at another level than the
    configured one get a section of their own, under the configured name, with ``enabled`` unknown.

    Args:
        jobs: Jobs as configured; ``None`` where no configuration is known.
        headers: Runs in any order.
        broken: Runs without a readable header, newest first; one whose level is unknown belongs nowhere.

    Returns:
        One entry a job and level, by level, name and id; configured jobs without runs included.
    """
    runs: defaultdict[tuple[str | None, Level], list[RunHeader]] = defaultdict(list)
    for header in headers:
        runs[header.job_id, header.level].append(header)
    lost: defaultdict[tuple[str | None, Level], list[RunUnreadable]] = defaultdict(list)
    for error in broken:
        for level in LEVELS:
            if level == error.level:
                lost[error.job_id, level].append(error)
    configured = {(job.id, job.level): job for job in jobs or ()}
    names: dict[str | None, str] = {job.id: job.name for job in jobs or () if job.id is not None and job.name}
    made = []
    for key in {*runs, *configured, *lost}:
        mine = tuple(sorted(runs.get(key, ()), key=_emission, reverse=True))
        job_id, level = key
        job = configured.get(key) or Job(
            id=job_id,
            name="",
            level=level,
            deleted=jobs is not None and job_id is not None and all(known.id != job_id for known in jobs),
        )
        told = [run.job_name for run in (*mine, *lost.get(key, ())) if run.job_name]
        name = job.name or names.get(job_id) or next(iter(told), "")
        made.append(JobRuns(replace(job, name=name), mine, tuple(lost.get(key, ()))))
    made.sort(key=lambda g: (LEVELS.index(g.job.level), g.job.name, g.job.id or ""))
    return tuple(made)


def latest(runs: Sequence[RunHeader]) -> RunHeader | None:
    """Give the newest emitted run without a label; equal times are decided by the greater run id."""
    return max((run for run in runs if run.label is None), key=_emission, default=None)


def is_rule(baseline: str) -> bool:
    """Say whether a baseline is a rule (``previous``, ``week``, a date) rather than the id of a run."""
    return baseline in {"previous", "week"} or _day(baseline) is not None


def choose_prior(latest: RunHeader, runs: Sequence[RunHeader], baseline: str) -> PriorChoice:
    """Choose the run to compare the latest with.

    Args:
        latest: The run reported on.
        runs: Runs of the same job and level, the latest among them or not.
        baseline: ``previous`` (the run before), ``week`` (the window end nearest to seven days earlier among
            windows that cover at most half of the latest's; where two are equally near, the older), a run id
            (any run, labelled ones too), or ``YYYY-MM-DD`` (the newest run whose window had ended by the end
            of that day, UTC).

    Returns:
        The choice. ``previous``, ``week`` and a date only ever give an unlabelled run whose window ended
        before the latest's; no choice carries a sentence that says why.
    """
    others = [run for run in runs if run.run_id != latest.run_id]
    earlier = sorted(
        (run for run in others if run.label is None and run.window.end < latest.window.end), key=_window_end
    )
    if baseline == "previous":
        return _chosen(latest, earlier, "the run before")
    if baseline == "week":
        return _week(latest, earlier)
    day = _day(baseline)
    if day is not None:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        ended = [run for run in earlier if run.window.end <= midnight]
        return _chosen(latest, ended, f"the newest run that had ended by {day.isoformat()}")
    named = [run for run in others if run.run_id == baseline]
    if named:
        return _chosen(latest, named, "the run asked for")
    name = units.clean(baseline, 120)
    if baseline == latest.run_id:
        return PriorChoice(None, f"{_NO_PRIOR} {name} is the latest run itself.")
    return PriorChoice(None, f"{_NO_PRIOR} this job has no run {name} in the time looked at.")


def comparability(
    latest: RunHeader, prior: RunHeader, shared_items: int, *, prior_choice: str = ""
) -> Comparability:
    """Say whether two runs may be subtracted from each other.

    They may when level, method and all other parameters are equal, window lengths differ by at most 5 % of
    the longer one, neither has a label, and the numbers of items are within a factor of two.
    """
    reasons = []
    if latest.level != prior.level:
        reasons.append(f"The level differs: {latest.level} now, {prior.level} before.")
    reasons += [
        f"The {which} run was started by hand (label {units.clean(run.label, 60)})."
        for which, run in (("latest", latest), ("prior", prior))
        if run.label is not None
    ]
    reasons += _params(latest.params, prior.params)
    now_s, before_s = latest.window.length.total_seconds(), prior.window.length.total_seconds()
    if abs(now_s - before_s) > _LENGTH_TOLERANCE * max(now_s, before_s):
        reasons.append(f"The window length differs: {_length(latest)} now, {_length(prior)} before.")
    fewer, more = sorted((latest.items, prior.items))
    if more > _ITEMS_FACTOR * fewer:
        reasons.append(f"The number of items differs: {latest.items:,} now, {prior.items:,} before.")
    return Comparability(
        comparable=not reasons,
        reasons=reasons,
        shared_items=shared_items,
        window_overlap=latest.window.overlap(prior.window),
        prior_choice=prior_choice,
    )


def is_stale(latest: RunHeader, now: datetime) -> bool:
    """Say whether a job's newest window ended more than three days ago."""
    return now - latest.window.end > STALE_AFTER


def status(
    group: JobRuns,
    latest: RunHeader | None,
    prior: RunHeader | None,
    now: datetime,
    *,
    failed: str | None = None,
    no_prior: str = "",
    compared: Comparability | None = None,
) -> tuple[Status, str]:
    """Give a job's state and one or two sentences for people.

    Precedence: failed, no_run, no_prior, not_comparable, stale, ok. A run that is stale besides being
    something else says so in the sentence.

    Args:
        group: The job and all its runs.
        latest: The run reported on.
        prior: The run to compare with.
        now: The report's clock.
        failed: Why the job could not be read, if it could not.
        no_prior: Why there is no prior, where that is known.
        compared: Whether the two may be compared, where that is known.

    Returns:
        State and reason; the reason is empty when all is well.
    """
    if failed is not None:
        return "failed", failed
    if latest is None:
        return "no_run", _no_run(group)
    late = _stale_sentence(group.job, latest, now) if is_stale(latest, now) else ""
    if prior is None:
        alone = len([run for run in group.runs if run.label is None]) <= 1
        known = no_prior and not (alone and no_prior.startswith(_NO_PRIOR))
        first = no_prior if known else "First run: nothing to compare with yet."
        return "no_prior", f"{first} {late}".rstrip()
    compared = compared or comparability(latest, prior, 0)
    if not compared.comparable:
        return "not_comparable", f"{' '.join(compared.reasons)} {late}".rstrip()
    return ("stale", late) if late else ("ok", "")


def _emission(run: RunHeader) -> tuple[datetime, str]:
    return run.emitted_at, run.run_id


def _window_end(run: RunHeader) -> tuple[datetime, datetime, str]:
    return run.window.end, run.emitted_at, run.run_id


def _day(text: str) -> date | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _week(latest: RunHeader, earlier: Sequence[RunHeader]) -> PriorChoice:
    """Take the window end nearest to a week earlier among little-overlapping windows, else the run before."""
    apart = [run for run in earlier if latest.window.overlap(run.window) <= 0.5]
    if not apart:
        return _chosen(latest, earlier, "the run before, as no run about a week earlier is stored")
    target = latest.window.end - _WEEK
    best = min(apart, key=lambda run: (abs(run.window.end - target), *_window_end(run)))
    return _chosen(latest, [best], "the run nearest to a week earlier")


def _chosen(latest: RunHeader, ordered: Sequence[RunHeader], rule: str) -> PriorChoice:
    if not ordered:
        return PriorChoice(None, f"{_NO_PRIOR} this job has no earlier run in the time looked at.")
    prior = ordered[-1]
    gap = latest.window.end - prior.window.end
    direction = "earlier" if gap >= timedelta(0) else "later"
    ended = f"its window ended {_span(abs(gap))} {direction}" if gap else "its window ended at the same time"
    overlap = latest.window.overlap(prior.window)
    covered = (
        "the windows do not overlap"
        if overlap == 0
        else f"it covers {units.percent(overlap)} of the latest window"
    )
    return PriorChoice(prior, f"Prior: {rule}; {ended}, and {covered}.")


def _span(gap: timedelta) -> str:
    start = datetime(2000, 1, 1, tzinfo=UTC)
    return units.duration(units.iso(start), units.iso(start + gap))


def _length(run: RunHeader) -> str:
    days = run.window.length.total_seconds() / 86_400
    return f"{days:.3g} {'day' if days == 1 else 'days'}"


def _params(latest: Mapping[str, Any] | None, prior: Mapping[str, Any] | None) -> list[str]:
    if latest == prior:
        return []
    if latest is None or prior is None:
        known = "latest" if latest is not None else "prior"
        return [f"The clustering parameters are known for the {known} run only."]
    return [
        f"{units.clean(str(key), 60)} differs: {_value(latest, key)} now, {_value(prior, key)} before."
        for key in sorted({*latest, *prior}, key=str)
        if latest.get(key) != prior.get(key) or (key in latest) != (key in prior)
    ]


def _value(params: Mapping[str, Any], key: str) -> str:
    if key not in params:
        return "not set"
    value = params[key]
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return units.clean(text, 60) or "empty"


def _no_run(group: JobRuns) -> str:
    if group.runs:
        return "Only runs started by hand are stored; those are not reported on unless asked for."
    if group.job.enabled is False:
        return "The job is disabled and has no run in the time looked at."
    least = "100 evaluations in three days" if group.job.level == "evaluation" else "1,000 items a week"
    looked = "No run of this job is stored in the time looked at."
    return f"{looked} By default PostHog makes one only where there are at least {least}."


def _stale_sentence(job: Job, latest: RunHeader, now: datetime) -> str:
    ended = units.day(units.iso(latest.window.end))
    text = f"The newest run ended on {ended}, {_span(now - latest.window.end)} before this report."
    if job.deleted:
        return f"{text} The job has been deleted."
    if job.enabled is False:
        return f"{text} The job is disabled."
    return text
