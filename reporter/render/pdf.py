"""The PDF: paged, tagged, with bookmarks, and with report.json inside it.

WeasyPrint is imported on use: it takes most of a second and needs Pango. It may load nothing: every
address but ``data:`` stops the rendering.
"""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from reporter import units
from reporter.artifact import Artifact, Chart, Room
from reporter.errors import LibraryMissing, RenderError
from reporter.render import page, tables, templates, views, words
from reporter.render.views import Limits, PageAssets

if TYPE_CHECKING:
    from collections.abc import Sequence

    import jinja2

    from reporter.report import Report

Paper: TypeAlias = Literal["a4", "letter"]

MANY_JOBS = 24
_ROWS_IN_ALL = 240
"""Rows of a kind over all jobs: a PDF does not grow with its data, what is attached does."""
_CARDS_IN_ALL = 6
_CHARTS_IN_ALL = 10
_MAPS_UP_TO = 2
"""Jobs with which each has its map."""
_HINT = (
    "Install Pango: `apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0` (Debian, Ubuntu), "
    "`dnf install pango` (Fedora), `brew install pango` (macOS); or leave `pdf` out of --format."
)


def available() -> str | None:
    """Say why no PDF can be made here; ``None`` where one can."""
    try:
        _engine()
    except RenderError as error:
        return f"{error.message} {error.hint}"
    return None


def pdf(
    report: Report,
    charts: Sequence[Chart],
    assets: PageAssets,
    *,
    env: jinja2.Environment,
    paper: Paper = "a4",
    attachment: bytes | None = None,
) -> Artifact:
    """Render the PDF.

    Args:
        report: What to say.
        charts: Its charts, with PNG.
        assets: Type and colours; paper is always light.
        env: See `templates.environment`.
        paper: Page size.
        attachment: The bytes of report.json to put inside, or ``None`` for none.

    Returns:
        ``report.pdf``; equal arguments give equal bytes on one machine.

    Raises:
        RenderError: WeasyPrint or Pango is missing, a template is wrong or asks for an outside resource, or
            there is no room for temporary files.
    """
    engine = _engine()
    urls = import_module("weasyprint.urls")
    text = markup(report, charts, assets, env=env, paper=paper)
    made = units.parse_time(report.generated_at)
    files = [] if attachment is None else [("report.json", attachment, "All figures of this report")]
    files.append(("clusters.csv", tables.csv(report).data, "All clusters, one a line"))
    attachments = [
        engine.Attachment(
            string=data,
            name=name,
            description=told,
            # Left to itself WeasyPrint writes the wall clock here.
            created=made,
            modified=made,
            relationship="Data",
        )
        for name, data, told in files
    ]
    fetcher = urls.URLFetcher(allowed_protocols={"data"}, fail_on_errors=True)
    try:
        data = engine.HTML(string=text, url_fetcher=fetcher, base_url=None).write_pdf(
            pdf_variant="pdf/ua-1", attachments=attachments
        )
    except urls.FatalURLFetchingError as error:
        raise RenderError(
            f"a template asks for something outside the report: {units.clean(str(error), 200)}",
            subject="print.html",
            hint="Put pictures and fonts into the template as data: addresses.",
        ) from error
    except OSError as error:
        raise RenderError(
            f"nothing can be written: {error.strerror}",
            subject="report.pdf",
            hint="Fonts are set aside meanwhile: point TMPDIR to a folder with a megabyte of room.",
        ) from error
    return Artifact(name="report.pdf", media_type="application/pdf", data=data)


def markup(
    report: Report,
    charts: Sequence[Chart],
    assets: PageAssets,
    *,
    env: jinja2.Environment,
    paper: Paper = "a4",
) -> str:
    """Render the HTML the PDF is laid out from.

    Raises:
        RenderError: A template is missing or wrong.
    """
    # Letter is the shorter sheet: less margin and flatter charts, so that it takes about as many pages.
    sheet = {
        "a4": "@page { size: A4; margin: 18mm; }",
        "letter": "@page { size: Letter; margin: 13mm 20mm; } .plot img { max-width: 165mm; }",
    }[paper]
    css = page.style(
        page.font_faces(assets.fonts),
        f":root {{ {page.variables(assets.light)} }}",
        templates.source(env, "style/base.css"),
        templates.source(env, "style/print.css"),
        sheet,
    )
    return templates.render(
        env,
        "print.html",
        doc=views.document(report, charts, limits=limits(len(report.jobs)), swatch=page.swatch_of(assets)),
        screen=False,
        key=words.sort_key,
        light=assets.light,
        css=templates.own_markup(css),
    )


def limits(jobs: int) -> Limits:
    """Say how many rows each of so many jobs may take on paper."""
    jobs = max(1, min(jobs, MANY_JOBS))
    share = max(10, _ROWS_IN_ALL // jobs)
    return Limits(
        clusters=min(60, share),
        cards=min(6, max(1, _CARDS_IN_ALL // jobs)),
        errors=min(5, share),
        transitions=min(24, share),
        jobs=MANY_JOBS,
    )


def room(jobs: int) -> Room:
    """Say how many charts there is room for on paper, with so many jobs."""
    return Room(
        jobs=MANY_JOBS,
        charts=max(1, min(8, _CHARTS_IN_ALL // max(1, jobs))),
        maps=jobs <= _MAPS_UP_TO,
    )


def _engine() -> Any:
    try:
        # Where Pango is missing WeasyPrint also prints a page of advice; ours is one line, on standard error.
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            return import_module("weasyprint")
    except ImportError as error:
        raise LibraryMissing("WeasyPrint is not installed.", hint="Run `pip install weasyprint`.") from error
    except OSError as error:  # how a missing Pango shows itself
        raise LibraryMissing("The libraries WeasyPrint draws text with are missing.", hint=_HINT) from error
