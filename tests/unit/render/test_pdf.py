from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest

from reporter.charts import paper_assets
from reporter.errors import RenderError
from reporter.render import pdf, templates
from tests.reports import report, section, states

if TYPE_CHECKING:
    from pathlib import Path

STATES = states()


def test_a_pdf_can_be_made_here() -> None:
    assert pdf.available() is None


def test_missing_pango_names_the_packages_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: str) -> None:
        print("a page of advice")  # noqa: T201 (as WeasyPrint does)
        raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.setattr(pdf, "import_module", broken)
    said = pdf.available()
    assert said is not None
    for word in ("libpango-1.0-0", "dnf install pango", "brew install pango"):
        assert word in said
    assert "\n" not in said
    assert capsys.readouterr() == ("", "")


def test_missing_weasyprint_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(pdf, "import_module", missing)
    assert "pip install weasyprint" in (pdf.available() or "")


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/x.png", "file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_outside_resource_stops_the_rendering(address: str, tmp_path: Path, assets) -> None:
    (tmp_path / "print.html").write_text(
        '{% extends "builtin/print.html" %}{% block masthead %}<h1>x</h1><img alt="x" src="'
        + address
        + '">{% endblock %}'
    )
    with pytest.raises(RenderError, match="outside the report"):
        pdf.pdf(STATES["no_run"], [], assets, env=templates.environment(tmp_path))


def test_no_room_for_the_fonts_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assets = paper_assets()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(RenderError, match="nothing can be written: No such file or directory") as found:
        pdf.pdf(STATES["no_run"], [], assets, env=templates.environment())
    assert "TMPDIR" in found.value.hint


def test_rows_are_capped_and_the_rest_is_named(assets) -> None:
    text = pdf.markup(report([section(clusters=90)]), [], assets, env=templates.environment())
    assert text.count('id="job-1-cluster-') == 60
    assert "30 clusters more are in the attached files" in text


def test_paper_does_not_grow_with_rows(assets) -> None:
    env = templates.environment()
    sizes = [
        len(pdf.markup(report([section(clusters=n, loud=None)]), [], assets, env=env)) for n in (70, 400)
    ]
    assert sizes[1] < sizes[0] * 1.05


def test_jobs_beyond_the_limit_are_named(assets) -> None:
    jobs = [
        section(clusters=1, name=f"Job {i}", job_id=f"{i:032d}", loud=None) for i in range(pdf.MANY_JOBS + 3)
    ]
    text = pdf.markup(report(jobs), [], assets, env=templates.environment())
    assert "3 more jobs are in the attached files" in text


def test_many_jobs_share_the_rows() -> None:
    assert pdf.limits(1).clusters == 60
    assert pdf.limits(10).clusters * 10 <= 240
    assert pdf.limits(1_000).clusters == pdf.limits(pdf.MANY_JOBS).clusters


def test_print_uses_pictures_not_drawings(assets, make_chart) -> None:
    text = pdf.markup(STATES["changed"], [make_chart("share")], assets, env=templates.environment())
    assert 'src="data:image/svg+xml;base64,' in text
    assert 'alt="Alt of share"' in text
    assert "drawn wide" not in text
    assert "<details" not in text
