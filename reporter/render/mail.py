"""The mail: the verdict for a phone, as HTML for mail programs and as plain text that says the same.

Mail programs know tables and inline styles, no SVG, no web fonts and no variables. One template is
rendered, its style sheet inlined by css-inline, and only what cannot be inlined stays in its head.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reporter import units
from reporter.artifact import Artifact, Letter, Picture
from reporter.errors import RenderError
from reporter.render import page, templates, views, words
from reporter.render.changes import ChangeRow, Movement
from reporter.render.rows import ClusterRow, ErrorRow
from reporter.report import Incident

if TYPE_CHECKING:
    import jinja2

    from reporter.render.views import Document, JobView, PageAssets
    from reporter.report import Report

LIMIT_BYTES = 100_000
"""Of the HTML: Gmail cuts off what comes after about 102 kB."""
_LIMITS = views.Limits(clusters=400, cards=0, errors=3, transitions=0, jobs=200)
_TOLD = 3
"""Jobs told with their numbers; the others in a line each."""
_CHANGES = (5, 3)
"""Changes told of the first job and of the others."""
_MOVEMENTS = (5, 2)
_LINES = 30
"""Jobs told in a line."""
_CLUSTERS = 5
"""Largest clusters named for a job."""
_SUBJECT = 140
_LINE = 76
_VARIABLE = re.compile(r"var\(--([A-Za-z0-9_-]+)\)")
_ANGLES = str.maketrans({"<": "\u2039", ">": "\u203a"})
"""css-inline writes these bare inside an attribute, which is sound HTML but looks like markup to a filter."""
_BREAKS = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class PictureView:
    """One picture, ready to be placed."""

    cid: str
    title: str
    subtitle: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Part:
    """One job of the mail."""

    job: JobView
    changed: tuple[ChangeRow, ...]
    more_changed: int
    movements: tuple[Movement, ...]
    more_movements: int
    largest: tuple[ClusterRow, ...]
    """Of the first job, where it has news."""
    failing: tuple[ErrorRow, ...]
    """The same."""
    pictures: tuple[PictureView, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """One report of the mail."""

    doc: Document
    parts: tuple[Part, ...]
    """Jobs told in full, those with news first."""
    others: tuple[JobView, ...]
    """Jobs told in a line."""
    left: int
    """Jobs not told at all."""
    pictures: tuple[PictureView, ...]
    """Of an incident."""


def letter(
    reports: Sequence[Report],
    pictures: Sequence[Sequence[Picture]],
    assets: PageAssets,
    *,
    env: jinja2.Environment,
    attachments: Sequence[Artifact] = (),
    withheld: Sequence[str] = (),
    note: str = "",
    link: str | None = None,
    unsubscribe: str | None = None,
) -> Letter:
    """Write a mail about one or several reports.

    Args:
        reports: What to say.
        pictures: The pictures of each report, in the same order.
        assets: Colours.
        env: See `templates.environment`.
        attachments: What is sent along; named in the text.
        withheld: Names of what is too large to be sent along.
        note: A sentence that takes the place of the verdict where there is nothing new; nothing but the
            state of each job follows it.
        link: Where the whole report can be read.
        unsubscribe: Where a reader can leave.

    Returns:
        The letter; equal arguments give equal bytes.

    Raises:
        RenderError: A template is missing or wrong, or the HTML would be too large to be shown whole.
    """
    told, placed = [], []
    for number, (report, mine) in enumerate(zip(reports, pictures, strict=True), start=1):
        cids = [
            (f"picture-{number}-{place}@reporter", picture) for place, picture in enumerate(mine, start=1)
        ]
        told.append(_told(report, cids, assets, brief=bool(note)))
        placed += [] if note else cids
    said = note or verdict([one.doc for one in told])
    values = {
        "verdict": said,
        "preheader": _preheader(told),
        "note": note,
        "reports": tuple(told),
        "several": len(told) > 1,
        "attached": tuple(f"{a.name} ({_size(len(a.data))})" for a in attachments),
        "withheld": tuple(withheld),
        "link": words.link(link) if link else None,
        "unsubscribe": unsubscribe,
    }
    html = _html(env, values, assets)
    if len(html.encode("utf-8", "replace")) > LIMIT_BYTES:
        raise RenderError("the mail is too long to be shown whole", subject="mail.html")
    return Letter(
        subject=_subject(said, [one.doc for one in told]),
        text=_text(env, values),
        html=html,
        pictures=tuple(placed),
        attachments=tuple(attachments),
    )


def _told(
    report: Report, pictures: Sequence[tuple[str, Picture]], assets: PageAssets, *, brief: bool
) -> Told:
    doc = views.document(report, (), limits=_LIMITS, swatch=page.swatch_of(assets))
    shown = [(picture.job_index, _picture(cid, picture)) for cid, picture in pictures]
    # The job of the headline first, then by how much the others' findings matter.
    told = {index: rank for rank, index in enumerate(dict.fromkeys(f.job_index for f in report.findings))}
    ranked = sorted(range(len(doc.jobs)), key=lambda i: (told.get(i, len(told)), doc.jobs[i].quiet, i))
    full = [] if brief or isinstance(report.incident, Incident) else ranked[:_TOLD]
    full = [i for i in full if doc.jobs[i].has_run and not report.jobs[i].stale]
    parts = tuple(
        _part(doc.jobs[i], tuple(picture for index, picture in shown if index == i), first=i == full[0])
        for i in full
    )
    rest = [doc.jobs[i] for i in sorted(set(ranked) - set(full))]
    return Told(
        doc=doc,
        parts=parts,
        others=tuple(rest[:_LINES]),
        left=max(0, len(rest) - _LINES) + doc.jobs_left,
        pictures=() if brief else tuple(picture for index, picture in shown if index >= len(doc.jobs)),
    )


def _part(job: JobView, pictures: tuple[PictureView, ...], *, first: bool) -> Part:
    rows = [row for row in job.ledger.shown if isinstance(row, ClusterRow) and not row.noise]
    failing = [row for row in job.errors.shown if isinstance(row, ErrorRow)]
    changes, moved = (limits[0 if first else 1] for limits in (_CHANGES, _MOVEMENTS))
    movements = () if job.quiet else job.movements
    whole = first and not job.quiet
    return Part(
        job=job,
        changed=job.changed[:changes],
        more_changed=job.more_changed + max(0, len(job.changed) - changes),
        movements=movements[:moved],
        more_movements=max(0, len(movements) - moved),
        largest=tuple(rows[:_CLUSTERS]) if whole else (),
        failing=tuple(failing) if whole else (),
        pictures=pictures,
    )


def _picture(cid: str, picture: Picture) -> PictureView:
    return PictureView(
        cid=cid,
        title=units.clean(picture.title, 200),
        subtitle=units.clean(picture.subtitle, 300),
        alt=units.clean(picture.alt, 400).translate(_ANGLES),
        width=picture.width,
        height=picture.height,
    )


def verdict(docs: Sequence[Document]) -> str:
    """Say in one sentence what the reports say."""
    if len(docs) == 1:
        return docs[0].headline
    changed = [doc for doc in docs if doc.verdict in ("changed", "probably_changed")]
    if not changed:
        return f"No clear change in any of {len(docs)} reports."
    head = f"{len(changed)} of {len(docs)} reports changed"
    return f"{head}. {changed[0].headline}" if len(changed) == 1 else f"{head}, first: {changed[0].headline}"


def _subject(verdict: str, docs: Sequence[Document]) -> str:
    incomplete = any("Could not be read" in job.chips for doc in docs for job in doc.jobs)
    head = "Incomplete: " if incomplete else ""
    return units.clean(head + verdict.removesuffix(" below.").removesuffix("."), _SUBJECT)


def _preheader(told: Sequence[Told]) -> str:
    """Give the four numbers of what is told first: the line that lists show beside the subject."""
    for one in told:
        if one.doc.incident:
            return units.clean("; ".join(f"{f.name}: {f.value}" for f in one.doc.incident.facts[:4]), 180)
        for job in (part.job for part in one.parts):
            numbers = (f"{fact.label}: {fact.value}" for fact in job.facts)
            return units.clean(f"{job.window.partition(' (')[0]}. {'; '.join(numbers)}", 180)
        for job in one.others:
            return units.clean(f"{job.heading}: {job.sentence}", 180)
    return ""


def _html(env: jinja2.Environment, values: Mapping[str, object], assets: PageAssets) -> str:
    """Render the HTML with its style sheet inlined."""
    import css_inline

    sheet = page.style(_coloured(templates.source(env, "style/mail.css"), assets.light))
    head = page.style(_coloured(templates.source(env, "style/mail-head.css"), assets.dark))
    plain = templates.render(env, "mail.html", **values, head=templates.own_markup(head))
    inliner = css_inline.CSSInliner(
        extra_css=sheet,
        inline_style_tags=False,
        keep_style_tags=True,
        load_remote_stylesheets=False,
    )
    try:
        return inliner.inline(plain)
    except css_inline.InlineError as error:
        raise RenderError(f"the style sheet cannot be inlined: {error}", subject="style/mail.css") from error


def _coloured(sheet: str, colours: Mapping[str, str]) -> str:
    """Write colours in the place of variables, which mail programs do not know.

    Raises:
        RenderError: The sheet names a colour there is not.
    """

    def colour(found: re.Match[str]) -> str:
        if found[1] not in colours:
            raise RenderError("there is no colour of this name", subject=f"style/mail.css, var(--{found[1]})")
        return colours[found[1]]

    return _VARIABLE.sub(colour, sheet)


def _text(env: jinja2.Environment, values: Mapping[str, object]) -> str:
    """Render the plain twin: nothing is escaped, for nothing in it is markup; long lines are wrapped."""
    plain = templates.render(env.overlay(autoescape=False), "mail.txt", **values)
    lines: list[str] = []
    for line in _BREAKS.sub("\n\n", plain.strip()).splitlines():
        indent = " " * (len(line) - len(line.lstrip(" -")))
        wrapped = textwrap.wrap(
            line, _LINE, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        lines += wrapped or [""]
    return "\n".join(lines) + "\n"


def _size(length: int) -> str:
    return f"{length / 1e6:.1f} MB" if length >= 999_500 else f"{max(1, round(length / 1e3))} kB"
