"""Where the past of jobs comes from and goes to: the state folder, or an earlier report.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from reporter.errors import UsageError

if TYPE_CHECKING:
    from reporter.analysis.memory import Memory
    from reporter.config import Settings
    from reporter.pipeline.opening import Progress
    from reporter.report import Level, Report
    from reporter.state import StateFolder

Key: TypeAlias = "tuple[str | None, Level]"
"""Job id and level."""
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of jobs before a report, and how to keep what is known after it."""

    memories: Mapping[Key, Memory]
    kept: bool
    """Whether ids outlive the report."""

    def of(self, key: Key) -> Memory:
        """Give what is known of a job at a level."""
        from reporter.analysis.memory import Memory

        return self.memories.get(key) or Memory()


def recalled(settings: Settings, project: str | None, keys: list[Key], progress: Progress) -> Past:
    """Look up the past of jobs.

    What --previous gives wins over the state folder, whose own past of that job is then begun anew.

    Args:
        settings: What was asked for.
        project: The PostHog project, as far as it is known.
        keys: Jobs to report on.
        progress: Told when something kept was damaged.

    Raises:
        UsageError: --previous gives no report.json, or the folder given with --state cannot be used.
    """
    found: dict[Key, Memory] = {}
    folder = _folder(settings, progress)
    if folder is not None:
        for key in keys:
            try:
                memory = _read(folder, project, key, progress)
            except UsageError as error:
                if settings.state is not None:
                    raise
                progress.step(f"what was reported before is not known: {error}")
                folder = None
                break
            if memory is not None:
                found[key] = memory
    earlier = previous(settings)
    if earlier is not None:
        found |= of_report(earlier)
    return Past(found, kept=folder is not None or earlier is not None)


def previous(settings: Settings) -> Report | None:
    """Read the report given with --previous.

    Raises:
        UsageError: It cannot be read or is no report.json.
    """
    if settings.previous is None:
        return None
    from reporter.report import from_json

    path = settings.previous / "report.json" if settings.previous.is_dir() else settings.previous
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the earlier report cannot be read: {error.strerror}",
            subject=f"--previous {settings.previous}",
            hint="Give the report.json of an earlier `reporter report`, or the folder it lies in.",
        ) from error
    return from_json(data, name=str(path))


def of_report(report: Report) -> dict[Key, Memory]:
    """Read the past of every job off an earlier report."""
    from reporter.analysis import memory

    return {
        (section.job.id, section.job.level): memory.of_report(report, index)
        for index, section in enumerate(report.jobs)
        if section.latest is not None
    }


def keep(
    settings: Settings, project: str | None, memories: Mapping[Key, Memory], progress: Progress
) -> str | None:
    """Write what is known of jobs after a report into the state folder.

    Returns:
        Why it could not be kept, in a sentence; ``None`` when all is well.
    """
    folder = _folder(settings, progress)
    if folder is None:
        return None
    try:
        for key, memory in memories.items():
            value = {"version": _VERSION, "memory": msgspec.to_builtins(memory)}
            folder.write_json(_name(project, key), value)
    except UsageError as error:
        return f"What this report says will not be known to the next one: {error}"
    return None


def _folder(settings: Settings, progress: Progress) -> StateFolder | None:
    if settings.no_cache:
        return None
    from reporter.state import StateFolder, default_folder

    return StateFolder(settings.state or default_folder(), warn=progress.step)


def _name(project: str | None, key: Key) -> str:
    job, level = key
    digest = sha256("\x1f".join((project or "", job or "", level)).encode("utf-8", "replace")).hexdigest()
    return f"lineage-{digest[:24]}.json"


def _read(folder: StateFolder, project: str | None, key: Key, progress: Progress) -> Memory | None:
    from reporter.analysis.memory import Memory

    kept: Any = folder.read_json(_name(project, key))
    if not isinstance(kept, dict) or kept.get("version") != _VERSION:
        return None
    try:
        return msgspec.convert(kept.get("memory"), Memory)
    except msgspec.ValidationError:
        progress.step(f"{folder.path / _name(project, key)} is not what was written; it is begun anew.")
        return None
