"""Baselines with a name: the runs of a release, kept in the state folder or in a file to commit."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from reporter import units
from reporter.artifact import Artifact
from reporter.errors import RunNotFound, UsageError
from reporter.report import Report

if TYPE_CHECKING:
    from reporter.analysis.selection import JobRuns
    from reporter.config import Settings
    from reporter.pipeline.opening import Progress
    from reporter.pipeline.remembering import Key
    from reporter.sources.base import Source

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", re.ASCII)
_VERSION = 1


class _Run(msgspec.Struct):
    job_id: str | None
    level: str
    run_id: str


class _File(msgspec.Struct):
    version: int
    made_at: str
    runs: list[_Run]


@dataclass(frozen=True, slots=True)
class Baseline:
    """What every job is compared with."""

    rule: str
    """``week``, ``previous``, a date or a run id; the name, where there is one."""
    runs: Mapping[Key, str] = field(default_factory=dict)
    """Of a named baseline: job and level → run id."""

    def of(self, group: JobRuns) -> str:
        """Give what a job is compared with, as `selection.choose_prior` takes it."""
        return self.runs.get((group.job.id, group.job.level), self.rule)


def settled(settings: Settings, progress: Progress) -> Baseline:
    """Find out what ``--baseline`` means: a rule, a file, a name that was kept, or a run id.

    Raises:
        UsageError: The file or what was kept is no baseline.
    """
    from reporter.analysis import selection

    asked = settings.baseline
    if selection.is_rule(asked):
        return Baseline(asked)
    if asked.endswith(".json"):
        try:
            raw = json.loads(Path(asked).read_bytes())
        except (OSError, ValueError) as error:
            raise UsageError(
                f"the baseline cannot be read: {error}",
                subject=asked,
                hint="`reporter ci --save-baseline FILE.json` writes one.",
            ) from error
        return _read(asked, raw)
    if _NAME.fullmatch(asked) and not settings.no_cache:
        kept = _folder(settings, progress).read_json(_file(asked))
        if kept is not None:
            return _read(asked, kept)
    return Baseline(asked)


def with_baseline(source: Source, groups: tuple[JobRuns, ...], baseline: Baseline) -> tuple[JobRuns, ...]:
    """Let runs named as baseline take part, whatever their age; a mistyped one must not read as "first run".

    Raises:
        RunNotFound: No such run is stored.
        RunUnreadable: It breaks the contract.
        UsageError: It belongs to none of the jobs reported on.
    """
    from reporter.analysis import selection

    if baseline.runs:
        return tuple(_with_run(source, group, baseline.of(group)) for group in groups)
    named = baseline.rule
    if selection.is_rule(named) or any(run.run_id == named for group in groups for run in group.runs):
        return groups
    header = source.run(named).header
    mine = (header.job_id, header.level)
    if mine not in {(group.job.id, group.job.level) for group in groups}:
        raise UsageError(
            "this run belongs to none of the jobs reported on",
            subject=f"--baseline {named}",
            hint="Give a run of one of them; `reporter runs` lists runs with their jobs.",
        )
    return tuple(
        replace(group, runs=(*group.runs, header)) if (group.job.id, group.job.level) == mine else group
        for group in groups
    )


def _with_run(source: Source, group: JobRuns, run_id: str) -> JobRuns:
    """Add a run of a kept baseline, where it is stored; a job the baseline does not know has none."""
    if any(run.run_id == run_id for run in group.runs):
        return group
    try:
        header = source.run(run_id).header
    except RunNotFound:
        return group
    mine = (header.job_id, header.level) == (group.job.id, group.job.level)
    return replace(group, runs=(*group.runs, header)) if mine else group


def saved(report: Report, name: str, settings: Settings, progress: Progress) -> str:
    """Keep the latest runs of a report under a name, or in a file.

    Returns:
        Where, for people.

    Raises:
        UsageError: The name is none, or the state folder cannot be used.
        DeliveryError: The file cannot be written.
    """
    value = {
        "version": _VERSION,
        "made_at": report.generated_at,
        "runs": [
            {"job_id": section.job.id, "level": section.job.level, "run_id": section.latest.run_id}
            for section in report.jobs
            if section.latest is not None
        ],
    }
    if name.endswith(".json"):
        from reporter.deliver import files

        path = Path(name)
        data = json.dumps(value, indent=2).encode("ascii") + b"\n"
        files.write(path.parent, [Artifact(path.name, "application/json", data)])
        return name
    if not _NAME.fullmatch(name):
        raise UsageError(
            "a baseline is named with letters, digits, dots and dashes",
            subject=f"--save-baseline {units.clean(name, 80)}",
            hint="Or give a file that ends in .json.",
        )
    return str(_folder(settings, progress).write_json(_file(name), value))


def _read(name: str, raw: Any) -> Baseline:
    try:
        found = msgspec.convert(raw, _File)
    except msgspec.ValidationError as error:
        raise UsageError(f"this is no baseline: {error}", subject=name) from error
    if found.version != _VERSION:
        raise UsageError(f"this baseline is of version {found.version}, not {_VERSION}", subject=name)
    return Baseline(name, {(run.job_id, run.level): run.run_id for run in found.runs})  # type: ignore[misc]


def _folder(settings: Settings, progress: Progress) -> Any:
    from reporter.state import StateFolder, default_folder

    return StateFolder(settings.state or default_folder(), warn=progress.step)


def _file(name: str) -> str:
    return f"baseline-{name}.json"
