"""Following clusters through a job's runs: which runs that takes, and what is known afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reporter import units
from reporter.errors import SourceError
from reporter.report import Caveat

if TYPE_CHECKING:
    from reporter.analysis.matching import Matching
    from reporter.analysis.memory import Memory
    from reporter.analysis.selection import JobRuns
    from reporter.model import Run, RunHeader
    from reporter.pipeline.remembering import Key, Past
    from reporter.report import Finding, JobSection, Report, Resolved
    from reporter.sources.base import Source


def key(group: JobRuns) -> Key:
    """Name a job at a level."""
    return group.job.id, group.job.level


def between(group: JobRuns, latest: RunHeader, prior: RunHeader) -> tuple[RunHeader, ...]:
    """Give the runs between prior and latest: they carry identity where no items are shared."""
    ends = sorted((latest.window.end, prior.window.end))
    return tuple(run for run in group.runs if run.label is None and ends[0] < run.window.end < ends[1])


def members(group: JobRuns, ends: tuple[RunHeader, ...], past: Past | None) -> tuple[RunHeader, ...]:
    """Give the runs that carry identity: those between latest and prior, and those not followed yet."""
    bridge = between(group, *ends) if len(ends) > 1 else ()
    if past is None or not ends:
        return bridge
    from reporter.analysis import lineage

    older = lineage.needed(past.of(key(group)), group.runs, ends[0])
    mine = {run.run_id for run in ends}
    wanted = {run.run_id: run for run in (*bridge, *older) if run.run_id not in mine}
    return tuple(wanted.values())


def followed(
    source: Source,
    group: JobRuns,
    ends: tuple[Run | None, Run | None],
    past: Past,
    caveats: list[Caveat],
) -> tuple[Memory, Matching | None]:
    """Follow a job's clusters up to its latest run; where older runs cannot be read, that is said.

    Args:
        source: Where memberships come from.
        group: The job and its runs.
        ends: Latest and prior.
        past: What is known of jobs.
        caveats: What a reader must know; appended to.

    Returns:
        What is known of the job then, and how latest and prior match, if that was worked out on the way.
    """
    from reporter.analysis import lineage, matching

    memory, (latest, prior) = past.of(key(group)), ends
    if latest is None:
        return memory, None
    runs = [run for run in (latest, prior) if run]
    headers = {run.run_id: run for run in group.runs} | {run.header.run_id: run.header for run in runs}
    wanted = members(group, tuple(run.header for run in runs), past)
    mine = {run.header.run_id: matching.membership(run) for run in runs}
    matched = compared = None
    try:
        held = {**source.memberships([run.run_id for run in wanted]), **mine}
    except SourceError as error:
        message = units.clean(f"Clusters could not be followed through older runs: {error}", 600)
        caveats.append(Caveat(code="lineage_incomplete", message=message, job_id=group.job.id))
        held = mine
    else:
        if prior is not None:
            bridge = between(group, latest.header, prior.header)
            matched = matching.match(
                mine[prior.header.run_id],
                mine[latest.header.run_id],
                [held[run.run_id] for run in bridge if run.run_id in held],
            )
            compared = lineage.heirs(prior.header, latest.header, matched)
    known = [(headers[run_id], held[run_id]) for run_id in sorted(held)]
    return lineage.followed(memory, known, compared), matched


def learnt(report: Report, past: Past) -> dict[Key, Memory]:
    """Say what is to be known of each job from now on."""
    from reporter.analysis import memory

    found = {}
    for index, section in enumerate(report.jobs):
        name = (section.job.id, section.job.level)
        mine = [finding for finding in report.findings if finding.job_index == index]
        if section.latest is not None:
            over = [one for one in report.resolved if one.job_index == index]
            found[name] = memory.remembered(past.of(name), section, mine, over)
    return found


def resolved(
    findings: Sequence[Finding], sections: Sequence[JobSection], past: Past, tz: str
) -> list[Resolved]:
    """Say which changes of earlier reports are over."""
    from reporter.analysis import news, wording

    found = []
    for index, section in enumerate(sections):
        mine = [finding for finding in findings if finding.job_index == index]
        over = news.resolved(past.of((section.job.id, section.job.level)).told, section, index, mine)
        found += [replace(one, sentence=wording.over(one, section, tz)) for one in over]
    return found


def seen(finding: Finding, sections: Sequence[JobSection], past: Past) -> Finding:
    """Say whether earlier reports found the same."""
    from reporter.analysis import news

    section = sections[finding.job_index]
    return news.seen(past.of((section.job.id, section.job.level)).told, section, finding)
