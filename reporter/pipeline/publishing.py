"""From a `Report` to files: draw, render, write; a format that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from reporter.artifact import Artifact, Receipt
from reporter.errors import DeliveryError, RenderError, ReporterError
from reporter.pipeline import placing
from reporter.pipeline.delivering import Delivery
from reporter.pipeline.opening import Progress
from reporter.report import FileHash, Report, to_json

if TYPE_CHECKING:
    from reporter.config import Settings

DEFAULT_FORMATS = ("html", "pdf", "json")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of the pipeline made."""

    report: Report
    receipts: tuple[Receipt, ...]
    problems: tuple[ReporterError, ...]
    """What failed while the rest was written; the exit code is the first one's."""
    notes: tuple[str, ...] = ()
    """What a person should know but that is no failure, such as a format left out by default."""
    artifacts: tuple[Artifact, ...] = ()
    """The documents themselves, report.json last."""
    deliveries: tuple[Delivery, ...] = ()
    """What became of each reader."""
    command: str = ""
    """The command line that makes the report again, where it was asked for."""


def publish(
    report: Report,
    settings: Settings,
    problems: Sequence[ReporterError],
    progress: Progress,
    *,
    command: str = "",
) -> Outcome:
    """Make the formats asked for and write them, report.json last.

    Args:
        report: What to say.
        settings: What was asked for.
        problems: What went wrong before.
        progress: Told what goes on.
        command: What makes the report again, for those who read it in a build.

    Raises:
        DeliveryError: The folder cannot be written.
    """
    formats, notes = _formats(settings)
    report = msgspec.structs.replace(report, files=[])  # what lay beside an earlier report.json is not ours
    failed = list(problems)
    artifacts: list[Artifact] = []

    def take(made: Artifact | RenderError) -> None:
        if isinstance(made, RenderError):
            failed.append(made)
        else:
            artifacts.append(made)

    for made in _documents(report, formats, settings, progress, command):
        take(made)
    if "email" in formats:  # after the others, for it brings some of them along
        from reporter.pipeline import mailing

        take(_tried(partial(mailing.eml, report, tuple(artifacts), settings)))
    if "json" in formats:
        files = [FileHash(name=a.name, sha256=sha256(a.data).hexdigest()) for a in artifacts]
        report = msgspec.structs.replace(report, files=files)
        artifacts.append(Artifact(name="report.json", media_type="application/json", data=to_json(report)))
    progress.step("writing files")
    from reporter.deliver import files as delivery

    folder = placing.folder(settings, report)
    receipts = delivery.write(folder, artifacts)
    if note := placing.settle(settings, folder):
        notes = (*notes, note)
    for address in settings.upload:
        try:
            receipts += _uploaded(address, report, artifacts, settings, progress)
        except DeliveryError as error:
            failed.append(error)
    return Outcome(report, receipts, tuple(failed), notes, tuple(artifacts))


def _uploaded(
    address: str, report: Report, artifacts: Sequence[Artifact], settings: Settings, progress: Progress
) -> tuple[Receipt, ...]:
    """Copy the documents to an address; where there is a pattern, to its folder and to `latest`."""
    from reporter.deliver.upload import upload

    progress.step(f"copying files to {address}")
    pattern = settings.out_pattern
    folders = [placing.filled(pattern, report), placing.LATEST] if pattern else [""]
    return upload(address, folders, artifacts)


def _formats(settings: Settings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Settle the formats; by default PDF is left out, with a note, where its libraries are missing."""
    if settings.formats:
        return settings.formats, ()
    from reporter.render import pdf

    missing = pdf.available()
    if missing is None:
        return DEFAULT_FORMATS, ()
    return tuple(name for name in DEFAULT_FORMATS if name != "pdf"), (f"No PDF: {missing}",)


def _documents(
    report: Report, formats: Sequence[str], settings: Settings, progress: Progress, command: str
) -> Iterator[Artifact | RenderError]:
    """Make every document but report.json; a failure takes the document's place."""
    if {"html", "pdf"} & set(formats):
        yield from _drawn(report, formats, settings, progress, command)
    makers: list[Callable[[Report], Artifact]] = []
    if "md" in formats and report.kind == "ci":
        from reporter.render import ci

        makers.append(partial(ci.comment, command=command))
    elif "md" in formats:
        from reporter.render.summary import markdown

        makers.append(markdown)
    if "junit" in formats:
        from reporter.render.junit import junit

        makers.append(junit)
    if "codequality" in formats:
        from reporter.render.ci import code_quality

        makers.append(code_quality)
    if "csv" in formats:
        from reporter.render.tables import csv

        makers.append(csv)
    for make in makers:
        yield _tried(partial(make, report))


def _drawn(
    report: Report, formats: Sequence[str], settings: Settings, progress: Progress, command: str
) -> Iterator[Artifact | RenderError]:
    """Make the documents that show charts."""
    from reporter import charts
    from reporter.render import page, pdf, templates

    progress.step("drawing charts")
    pictures = charts.draw(report, page="html" in formats, paper="pdf" in formats)
    assets = charts.page_assets()
    try:
        environment = templates.environment(settings.templates)
    except RenderError as error:
        yield error
        return
    if "html" in formats:
        progress.step("writing the page")
        yield _tried(partial(page.html, report, pictures, assets, env=environment, command=command))
    if "pdf" in formats:
        progress.step("setting the PDF")
        attached = to_json(report)
        yield _tried(
            partial(
                pdf.pdf, report, pictures, assets, env=environment, paper=settings.paper, attachment=attached
            )
        )


def _tried(make: Callable[[], Artifact]) -> Artifact | RenderError:
    try:
        return make()
    except RenderError as error:
        return error
