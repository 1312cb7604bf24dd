"""The PDF as a sheet of paper: few pages, nothing on nothing, no heading left alone."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import pytest
from pypdf import PdfReader

from reporter.report import Report
from tests.pages import making, reading
from tests.reports import report, section, states

ROOT = Path(__file__).parents[2]
STATES = states()
LEVELS = ("trace", "generation", "trace")

pytestmark = pytest.mark.skipif(
    shutil.which("pdftotext") is None and not os.environ.get("CI"), reason="no poppler here; CI must have it"
)


def made(value: Report, paper: str = "a4") -> bytes:
    return making.paper(value, paper).data


def three_jobs() -> Report:
    """Three jobs of fifteen clusters, each with a change, one that came and one that went."""
    jobs = [
        section(seed=i, clusters=15, name=f"Job {i}", level=level, job_id=f"{i:032d}")
        for i, level in enumerate(LEVELS)
    ]
    return report(jobs)


@pytest.fixture(scope="module")
def three() -> Report:
    return three_jobs()


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_three_jobs_of_fifteen_clusters_take_fourteen_pages_and_a_megabyte(three: Report, paper: str) -> None:
    data = made(three, paper)
    assert len(PdfReader(io.BytesIO(data)).pages) <= 14
    assert len(data) < 1_000_000


def test_their_page_stays_below_a_megabyte_and_a_half(three: Report) -> None:
    assert len(making.screen(three).encode()) < 1_500_000


def test_ten_jobs_of_fifty_clusters_stay_readable() -> None:
    many = report([section(seed=i, clusters=50, name=f"Job {i}", job_id=f"{i:032d}") for i in range(10)])
    data = made(many)
    read = PdfReader(io.BytesIO(data))
    assert len(read.pages) <= 40
    assert len(data) < 4_000_000
    assert len(read.attachments["clusters.csv"][0].splitlines()) == 1 + 10 * 51


@pytest.mark.parametrize("name", sorted(set(STATES) - {"ten_jobs"}))
def test_no_word_lies_on_another_and_none_leaves_the_sheet(name: str) -> None:
    for number, sheet in enumerate(reading.pages(made(STATES[name])), start=1):
        assert reading.touching(sheet) == [], f"page {number}"
        for word in sheet.words:
            assert word.left > 30, word
            assert word.right < sheet.width - 30, word


@pytest.mark.parametrize("paper", ["a4", "letter"])
@pytest.mark.parametrize("name", ["changed", "fifty_clusters", "evaluation", "three"])
def test_no_heading_and_no_caption_is_the_last_line_of_a_page(name: str, paper: str, three: Report) -> None:
    value = three if name == "three" else STATES[name]
    for number, sheet in enumerate(reading.pages(made(value, paper))[:-1], start=1):
        last = sheet.body[-1]
        high = max(word.bottom - word.top for word in last)
        told = " ".join(word.text for word in last)
        assert high < 13.5, f"page {number} ends with “{told}”"
        assert not told.startswith(("Surest and largest", "Largest first", "Clusters are made")), told
        assert told not in ("Cluster", "Kind", "Cause"), told


@pytest.mark.parametrize("rows", [1, 2, 3, 12])
def test_no_row_of_a_table_stands_alone_on_a_page(rows: int) -> None:
    import weasyprint

    style = (ROOT / "templates" / "style" / "print.css").read_text("utf-8")
    body = "".join(f"<tr><th>row {number}</th><td>1</td></tr>" for number in range(rows))
    table = f"<h3>Head</h3><table><thead><tr><th>Cluster</th></tr></thead><tbody>{body}</tbody></table>"
    parts = set()
    for above_mm in range(180, 250, 3):
        page = f"<style>{style}</style><div style='height: {above_mm}mm'></div>{table}<p>after</p>"
        told = [
            [line[0].text for line in sheet.lines]
            for sheet in reading.pages(weasyprint.HTML(string=page).write_pdf())
        ]
        parts |= {count for sheet in told if (count := sheet.count("row"))}
    assert rows in parts
    assert min(parts) >= min(rows, 2)
    assert rows < 12 or len(parts) > 2, "no table was divided"


def test_a_quiet_week_is_one_calm_page_and_its_appendix() -> None:
    first, second, *_ = reading.pages(made(STATES["quiet"]))
    told = " ".join(word.text for word in first.words)
    assert "Nothing needs you this week." in told
    assert "Mean cost per trace" in told
    for elsewhere in ("All clusters", "Glossary", "Where to look", "How the two runs connect"):
        assert elsewhere not in told
    assert "All clusters" in " ".join(word.text for word in second.words)


def test_text_of_drawings_is_text_on_paper() -> None:
    told = " ".join(word.text for sheet in reading.pages(made(STATES["changed"])) for word in sheet.words)
    assert "Coverage of the sample" in told
    assert "all 4.0%" in told or "all " in told
