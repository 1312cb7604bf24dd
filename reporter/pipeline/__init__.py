"""The one road from settings to documents; the only room that opens doors between the others.

settings → source → analysis → `Report` → charts → render → deliver. Heavy libraries are imported where
they are first needed, so that listing jobs never loads a plotting library.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from reporter import temporary
from reporter.artifact import Artifact
from reporter.errors import DeliveryError, RenderError, UsageError
from reporter.pipeline import baselines, delivering, mailing, notifying, remembering, reproducing
from reporter.pipeline.assembly import assemble, assemble_pair
from reporter.pipeline.delivering import Delivery, How
from reporter.pipeline.doctor import Check, examine
from reporter.pipeline.listing import JobRow, RunRow, list_jobs, list_runs
from reporter.pipeline.opening import Progress, before, moment_of, opened
from reporter.pipeline.publishing import DEFAULT_FORMATS, Outcome, press, publish
from reporter.pipeline.templating import TemplateRow, built_in_templates, list_templates
from reporter.report import Caveat, Report, from_json, sealed

if TYPE_CHECKING:
    from reporter.config import Settings

__all__ = [
    "DEFAULT_FORMATS",
    "Check",
    "Delivery",
    "How",
    "JobRow",
    "Outcome",
    "Progress",
    "RunRow",
    "TemplateRow",
    "built_in_templates",
    "examine",
    "list_jobs",
    "list_runs",
    "list_templates",
    "run_ci",
    "run_compare",
    "run_demo",
    "run_render",
    "run_report",
    "run_send",
    "run_verify",
]


def run_report(settings: Settings, how: How | None = None, *, progress: Progress) -> Outcome:
    """Report on the latest run of every job, compared with its prior run, and tell the readers.

    Args:
        settings: What was asked for.
        how: What is asked of delivery.
        progress: Told what goes on.

    Raises:
        UsageError: An option names something that does not exist, or a mail could not be sent.
        SourceError: The source cannot be read at all.
        NothingToReport: No job has a run in the time looked at.
        DeliveryError: The documents cannot be written.
    """
    how = how or How()
    delivering.check(settings, how)
    caveats: list[Caveat] = []
    now = moment_of(settings)
    with press(settings) as printing:
        with opened(settings, caveats.append, progress, printing) as source:
            made = assemble(source, settings, now, caveats, progress)
        outcome = publish(made.report, settings, made.problems, printing, progress)
    # Only what was published is remembered: a report nobody got has told nobody anything.
    note = remembering.keep(settings, made.report.source.project_id, made.memories, progress)
    noted = outcome if note is None else replace(outcome, notes=(*outcome.notes, note))
    return _told(noted, [noted.report], noted.artifacts, settings, how, progress)


def run_send(settings: Settings, paths: Sequence[Path], how: How, *, progress: Progress) -> Outcome:
    """Tell the readers about reports that were built, all in one mail.

    Raises:
        UsageError: A file cannot be read, does not belong to its report, or a mail could not be sent.
    """
    delivering.check(settings, how)
    reports = [_read(path) for path in paths]
    artifacts = [
        paper for path, report in zip(paths, reports, strict=True) for paper in _papers(path, report)
    ]
    outcome = Outcome(reports[0], (), ())
    return _told(outcome, reports, artifacts, settings, how, progress)


def _papers(path: Path, report: Report) -> list[Artifact]:
    """Read the PDF beside a report.json, if it is the one that was written with it."""
    found = []
    for file in report.files:
        beside = path.parent / file.name
        if file.name != "report.pdf" or not beside.is_file():
            continue
        data = beside.read_bytes()
        if sha256(data).hexdigest() != file.sha256:
            raise UsageError(
                "this is not the file the report was written with",
                subject=str(beside),
                hint="Make the report again: `reporter render` does, offline.",
            )
        found.append(Artifact(file.name, "application/pdf", data))
    return found


def _told(
    outcome: Outcome,
    reports: Sequence[Report],
    artifacts: Sequence[Artifact],
    settings: Settings,
    how: How,
    progress: Progress,
) -> Outcome:
    """Tell the readers, if that is asked for."""
    if not settings.email and not settings.notify:
        return outcome
    try:
        with ExitStack() as stack:
            readers: list[delivering.Reader] = []
            if settings.email:
                readers += stack.enter_context(mailing.readers(reports, artifacts, settings))
            if settings.notify:
                readers += notifying.readers(reports, settings)
            deliveries, problems = delivering.tell(readers, reports, settings, how, progress)
    except (DeliveryError, RenderError) as error:
        # What was written is told all the same.
        return replace(outcome, problems=(*outcome.problems, error))
    return replace(outcome, deliveries=deliveries, problems=(*outcome.problems, *problems))


def run_ci(
    settings: Settings,
    deployed: datetime | timedelta | None,
    save_baseline: str | None = None,
    *,
    given: Collection[str],
    config: str | None = None,
    progress: Progress,
) -> Outcome:
    """Report for a build, and judge its rules.

    Args:
        settings: What was asked for.
        deployed: Where given, a moment, or a length of time before now: the latest run's items from then on
            are compared with those before.
        save_baseline: Where given, the name or file under which the latest runs are kept as a baseline.
        given: The fields of `settings` that somebody set, for the command that makes the report again.
        config: The settings file that was named, for the same.
        progress: Told what goes on.

    Raises:
        UsageError: An option names something that does not exist.
        SourceError: The source cannot be read at all.
        NothingToReport: No job has a run in the time looked at.
        DeliveryError: The documents cannot be written.
    """
    caveats: list[Caveat] = []
    now = moment_of(settings)
    deployed_at = None if deployed is None else before(now, deployed)
    with press(settings) as printing:
        with opened(settings, caveats.append, progress, printing) as source:
            made = assemble(source, settings, now, caveats, progress, kind="ci", deployed_at=deployed_at)
        command = reproducing.command(settings, made.report, given, config, deployed_at)
        outcome = publish(made.report, settings, made.problems, printing, progress, command=command)
    if deployed_at is None:
        # Half a run is no run to remember.
        note = remembering.keep(settings, made.report.source.project_id, made.memories, progress)
        outcome = outcome if note is None else replace(outcome, notes=(*outcome.notes, note))
    if save_baseline is not None:
        kept = baselines.saved(outcome.report, save_baseline, settings, progress)
        outcome = replace(
            outcome, notes=(*outcome.notes, f"The runs of this report are the baseline {kept}.")
        )
    return replace(outcome, command=command)


def run_compare(settings: Settings, prior_id: str, latest_id: str, *, progress: Progress) -> Outcome:
    """Report on any two runs of one level, in the order given.

    Raises:
        UsageError: The runs are of different levels.
        RunNotFound: One of the runs is not stored.
        RunUnreadable: One of the runs breaks the contract.
        DeliveryError: The documents cannot be written.
    """
    caveats: list[Caveat] = []
    now = moment_of(settings)
    with press(settings) as printing:
        with opened(settings, caveats.append, progress, printing) as source:
            report = assemble_pair(source, settings, now, caveats, prior_id, latest_id)
        return publish(report, settings, (), printing, progress)


def run_demo(settings: Settings, *, progress: Progress) -> Outcome:
    """Report on the bundled events, moved so that they end now; needs no key and no network."""
    from reporter.sources import demo

    now = moment_of(settings)
    folder = temporary.folder()
    try:
        progress.step("moving the bundled events to now")
        files = demo.moved(now, Path(folder))
        # The same events under another clock every time: nothing of it is worth remembering.
        moved = replace(settings, source=str(files.events), jobs_file=files.jobs, now=now, no_cache=True)
        moved = replace(moved, annotate=settings.annotate or files.annotations)
        return run_report(moved, progress=progress)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_render(settings: Settings, path: Path, *, progress: Progress) -> Outcome:
    """Make documents from a report.json, offline; the redaction level may fall, never rise.

    Raises:
        UsageError: The file cannot be read or is no report.json.
    """
    with press(settings) as printing:
        printing.start()
        from reporter.analysis import redact

        report = _read(path)
        lowered = redact.redact(report, settings.redact)
        # From a file to files: nothing is left anywhere else.
        return publish(sealed(lowered), replace(settings, no_cache=True), (), printing, progress)


def run_verify(path: Path) -> tuple[str, ...]:
    """Recompute the sums and hashes of a report.json and of the files beside it.

    Returns:
        One sentence for each thing that differs; empty when everything holds.

    Raises:
        UsageError: The file cannot be read or is no report.json.
    """
    from reporter.report import checks

    report = _read(path)
    found = list(checks.problems(report))
    for file in report.files:
        beside = path.parent / file.name
        if Path(file.name).name != file.name or not beside.is_file():
            found.append(f"{file.name} is listed but does not lie beside {path.name}")
        elif sha256(beside.read_bytes()).hexdigest() != file.sha256:
            found.append(f"{file.name} is not the file this report was written with")
    return tuple(found)


def _read(path: Path) -> Report:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the file cannot be read: {error.strerror}",
            subject=str(path),
            hint="Give the report.json that `reporter report` wrote.",
        ) from error
    return from_json(data, name=str(path))
