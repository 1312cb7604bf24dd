"""From a `Report` to files: draw, render, write; a format that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from reporter.artifact import Artifact, Receipt
from reporter.errors import DeliveryError, LibraryMissing, RenderError, ReporterError
from reporter.pipeline import placing
from reporter.pipeline.delivering import Delivery
from reporter.pipeline.opening import Progress
from reporter.press import Document, Order, Press
from reporter.report import FileHash, Report, to_json
from reporter.state import StateFolder, default_folder
from reporter.state.documents import Documents

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


def press(settings: Settings) -> Press:
    """Give the press for the documents asked for."""
    wanted: tuple[Document, ...] = ("html", "pdf")
    return Press([name for name in wanted if name in (settings.formats or DEFAULT_FORMATS)])


def publish(
    report: Report,
    settings: Settings,
    problems: Sequence[ReporterError],
    press: Press,
    progress: Progress,
    *,
    command: str = "",
) -> Outcome:
    """Make the formats asked for and write them, report.json last.

    Args:
        report: What to say.
        settings: What was asked for.
        problems: What went wrong before.
        press: What makes the documents with charts.
        progress: Told what goes on.
        command: What makes the report again, for those who read it in a build.

    Raises:
        DeliveryError: The folder cannot be written.
    """
    formats, notes = settings.formats or DEFAULT_FORMATS, list[str]()
    report = msgspec.structs.replace(report, files=[])  # what lay beside an earlier report.json is not ours
    failed = list(problems)
    artifacts: list[Artifact] = []

    def take(made: Artifact | RenderError) -> None:
        if isinstance(made, LibraryMissing) and not settings.formats:
            # Nobody asked for it: a report without PDF is no failure where none can be made.
            notes.append(f"No PDF: {made.message} {made.hint}")
        elif isinstance(made, RenderError):
            failed.append(made)
        else:
            artifacts.append(made)

    progress.step("drawing charts and making documents")
    order = Order(str(settings.templates) if settings.templates else None, settings.paper, command)
    for made in press.make(report, order, _kept(settings)):
        take(made)
    for made in _texts(report, formats, command):
        take(made)
    if "email" in formats:  # after the others, for it brings some of them along
        from reporter.pipeline import mailing

        take(_tried(partial(mailing.eml, report, tuple(artifacts), settings)))
    if "json" in formats:
        report = _with_hashes(report, artifacts)
        artifacts.append(Artifact(name="report.json", media_type="application/json", data=to_json(report)))
    progress.step("writing files")
    from reporter.deliver import files as delivery

    folder = placing.folder(settings, report)
    receipts = delivery.write(folder, artifacts)
    if note := placing.settle(settings, folder):
        notes.append(note)
    copies, refused = _copies(report, artifacts, settings, progress)
    receipts += copies
    failed += refused
    return Outcome(report, receipts, tuple(failed), tuple(notes), tuple(artifacts))


def _kept(settings: Settings) -> Documents | None:
    """Give the documents of earlier reports, where anything is kept between runs."""
    if settings.no_cache:
        return None
    return Documents(StateFolder(settings.state or default_folder(), warn=lambda _: None))


def _with_hashes(report: Report, artifacts: Sequence[Artifact]) -> Report:
    """Name the files beside a report, so that a mixed set can be told."""
    files = [FileHash(name=made.name, sha256=sha256(made.data).hexdigest()) for made in artifacts]
    return msgspec.structs.replace(report, files=files)


def _copies(
    report: Report, artifacts: Sequence[Artifact], settings: Settings, progress: Progress
) -> tuple[tuple[Receipt, ...], list[ReporterError]]:
    """Copy the documents to every address asked for; gives the receipts, and why others have none."""
    receipts: tuple[Receipt, ...] = ()
    failed: list[ReporterError] = []
    for address in settings.upload:
        try:
            receipts += _uploaded(address, report, artifacts, settings, progress)
        except DeliveryError as error:
            failed.append(error)
    return receipts, failed


def _uploaded(
    address: str, report: Report, artifacts: Sequence[Artifact], settings: Settings, progress: Progress
) -> tuple[Receipt, ...]:
    """Copy the documents to an address; where there is a pattern, to its folder and to `latest`."""
    from reporter.deliver.upload import upload

    progress.step(f"copying files to {address}")
    pattern = settings.out_pattern
    folders = [placing.filled(pattern, report), placing.LATEST] if pattern else [""]
    return upload(address, folders, artifacts)


def _texts(report: Report, formats: Sequence[str], command: str) -> Iterator[Artifact | RenderError]:
    """Make the documents without charts; a failure takes the document's place."""
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


def _tried(make: Callable[[], Artifact]) -> Artifact | RenderError:
    try:
        return make()
    except RenderError as error:
        return error
