"""Things made of bytes: a drawn chart, a finished document, the receipt for a written file.

Values only. Nothing here draws, renders or writes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChartTable:
    """The numbers behind a chart, as they are shown beside it."""

    columns: tuple[str, ...]
    """Column headings; the first column names the row."""
    rows: tuple[tuple[str, ...], ...]
    """Cells already written for people (units included), one tuple a row, as long as `columns`."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart of one job, drawn for the page and for print."""

    name: str
    """Kind of chart, e.g. ``"bridge"``, ``"slope"``, ``"errors"``, ``"map"``."""
    job_index: int
    """Index into ``Report.jobs`` of the job it belongs to."""
    title: str
    """The finding, a sentence computed from the numbers. Untrusted text: escape it."""
    subtitle: str
    """What is plotted: quantity, unit, window, n, meaning of hollow and filled. Untrusted text."""
    alt: str
    """Alternative text: the finding with its main numbers. Untrusted text."""
    table: ChartTable
    """The chart's data as a table."""
    svg: str
    """Wide drawing as SVG markup that is safe to inline (no ``style=`` attribute, no ids that
    collide, text escaped); ``""`` if not asked for."""
    svg_narrow: str
    """The same chart drawn again for a 340 px phone; ``""`` if not asked for or where a list is better."""
    svg_print: str
    """The same chart, denser, as an SVG document with colours of its own; ``""`` if not asked for."""
    news: bool
    """Whether it shows a sure change, so that it comes first where room is short."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many charts a document has room for; a job in which nothing is news has none."""

    jobs: int
    """Jobs with charts."""
    charts: int
    """Charts of a job, beside its bridge and its map."""
    maps: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """One chart as an image, for readers that show no SVG."""

    name: str
    """Kind of chart."""
    job_index: int
    """Index into ``Report.jobs`` of the job it belongs to."""
    title: str
    """The finding, a sentence computed from the numbers. Untrusted text: escape it."""
    subtitle: str
    """What is plotted. Untrusted text."""
    alt: str
    """Alternative text: the finding with its main numbers. Untrusted text."""
    png: bytes
    """The drawing on white paper, twice as many pixels as it is wide."""
    width: int
    """Width in CSS pixels."""
    height: int
    """Height in CSS pixels."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A finished document, ready to be written or sent."""

    name: str
    """File name without folder, e.g. ``"report.html"``."""
    media_type: str
    """IANA media type, e.g. ``"text/html"``."""
    data: bytes
    """The document."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail before it has a sender and readers."""

    subject: str
    """One line. Untrusted text."""
    text: str
    """The whole message as plain text."""
    html: str
    """The whole message as HTML; shows each picture as ``cid:`` and its content id."""
    pictures: tuple[tuple[str, Picture], ...]
    """(content id without angle brackets, picture)."""
    attachments: tuple[Artifact, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that an artifact arrived."""

    name: str
    """File name without folder."""
    path: str
    """Where it was written, as a person would type it."""
    sha256: str
    """SHA-256 of the bytes, lower-case hex."""
    size_bytes: int
    """Length in bytes."""
