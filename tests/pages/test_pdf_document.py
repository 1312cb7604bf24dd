"""The PDF read back with another library: text, bookmarks, tags, attachment, bytes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from reporter import charts
from reporter.artifact import Artifact
from reporter.press import Order, document
from reporter.render import pdf, tables, templates
from reporter.report import Report, to_json
from tests.pages import making
from tests.reports import report, section, states

STATES = states()
FOLDER = Path(__file__).resolve().parent.parent.parent


def set_anew(value: Report, **over: Any) -> Artifact:
    return document("pdf", to_json(value), Order(**over))


def made(value: Report) -> Artifact:
    return Artifact("report.pdf", "application/pdf", making.paper(value).data)


def read(artifact: Artifact) -> PdfReader:
    return PdfReader(io.BytesIO(artifact.data))


def words(reader: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


@pytest.fixture(scope="module")
def changed() -> Artifact:
    return made(STATES["changed"])


SAID = {
    "changed": (
        "Data import mapping",
        "$0.030",
        "57 of 409",
        "+$12.40",
        "Probably changed",
        "Coming and going",
        "Holiday opening hours",
    ),
    "quiet": ("Nothing needs you this week.", "No cluster changed", "All clusters"),
    "no_prior": ("First run: nothing to compare with yet.",),
    "not_comparable": ("max_samples differs", "prior run: $0.031"),
    "stale": ("The newest run ended on 16 Nov 2026",),
    "incomplete": ("This report is incomplete", "Travel desk", "expected a number"),
    "no_run": ("No job has a run to report on.", "1,000 items a week"),
    "one_cluster": ("All clusters", "1 cluster"),
    "fifty_clusters": ("Data import mapping",),
    "noise_only": ("Outliers",),
    "ten_jobs": ("Job 0", "Job 9"),
    "evaluation": ("Pass rate", "82%", "Groundedness"),
    "generation": ("No job (runs started without one)",),
    "hostile": ("<script>alert(1)</script>", "Cluster 8 (untitled)", "{{ 7*7 }}"),
}


@pytest.mark.parametrize("name", STATES)
def test_state_is_on_paper_and_the_engine_has_no_complaint(name: str) -> None:
    reader = read(made(STATES[name]))
    text = words(reader)
    for said in SAID[name]:
        assert said in text
    for said in (
        "Method",
        "$ai_total_cost_usd",
        "Provenance",
        f"Page {len(reader.pages)} of {len(reader.pages)}",
    ):
        assert said in text
    assert making.paper(STATES[name]).complaints == ()


def test_bookmarks_lead_to_the_verdict_and_the_jobs() -> None:
    value = STATES["incomplete"]
    outline = read(made(value)).outline
    assert outline[0]["/Title"] == value.headline
    names = [entry["/Title"] for entry in outline[1] if not isinstance(entry, list)]
    assert names == ["Default - traces", "Travel desk Could not be read", "Glossary", "Method", "Provenance"]


def test_pdf_is_tagged_in_english_with_its_title(changed: Artifact) -> None:
    root = read(changed).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"pdfuaid" in root["/Metadata"].get_data()
    assert read(changed).metadata.title.startswith("What people use our AI for")
    kinds: set[str] = set()

    def walk(node: Any) -> None:
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict):
            if "/S" in node:
                kinds.add(node["/S"])
                if node["/S"] == "/Figure":
                    assert node.get("/Alt"), "a figure without words"
            if "/K" in node:
                walk(node["/K"])

    walk(root["/StructTreeRoot"])
    assert {"/H1", "/H2", "/H3", "/Table", "/TR", "/TH", "/TD", "/Figure", "/Link", "/L", "/LI"} <= kinds


def test_report_json_is_inside_unchanged(changed: Artifact) -> None:
    held = read(changed).attachments
    assert held["report.json"] == [to_json(STATES["changed"])]
    assert held["clusters.csv"] == [tables.csv(STATES["changed"]).data]
    assert list(
        read(pdf.pdf(STATES["no_run"], (), charts.paper_assets(), env=templates.environment())).attachments
    ) == ["clusters.csv"]


def test_links_lead_to_the_web_or_into_the_document(changed: Artifact) -> None:
    found = 0
    for page in read(changed).pages:
        for note in page.get("/Annots", []):
            action = note.get_object().get("/A", {})
            if "/URI" in action:
                found += 1
                assert action["/URI"].startswith("https://us.posthog.com/")
    assert found > 5
    assert b"file://" not in changed.data


@pytest.mark.parametrize(("paper", "size"), [("a4", (595, 842)), ("letter", (612, 792))])
def test_paper_has_the_size_asked_for(paper: str, size: tuple[int, int]) -> None:
    box = read(set_anew(STATES["no_run"], paper=paper)).pages[0].mediabox
    assert (round(box.width), round(box.height)) == size


def test_equal_reports_are_equal_bytes(changed: Artifact) -> None:
    assert set_anew(STATES["changed"]).data == changed.data


def test_bytes_do_not_depend_on_zone_hash_seed_or_clock() -> None:
    code = """
import hashlib
from reporter.press import Order, document
from reporter.report import to_json
from tests.reports import states
made = document("pdf", to_json(states()["one_cluster"]), Order())
print(hashlib.sha256(made.data).hexdigest())
"""
    found = set()
    for zone, seed in (("UTC", "1"), ("Asia/Tokyo", "2")):
        environment = {**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": "0"}
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=FOLDER,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1


def test_paper_holds_the_same_pages_for_many_rows() -> None:
    few, many = (len(read(made(report([section(clusters=n, loud=None)]))).pages) for n in (70, 300))
    assert many <= few + 1
