"""Page, PDF and report.json hold the same numbers: read back from each and compared."""

from __future__ import annotations

import io
import re
from html import unescape
from typing import Any

import pytest
from pypdf import PdfReader

from reporter import units
from reporter.render import words
from reporter.render.rows import anchor
from reporter.report import Report
from tests.pages import making
from tests.reports import states

STATES = states()
_ROW = re.compile(r'<tr id="(job-\d+-[^"]*)".*?</tr>', re.DOTALL)
_FIGURES = re.compile(r"<(?:td|th)[^>]*>(.*?)</(?:td|th)>", re.DOTALL)


def plain(markup: str) -> str:
    """Give the text of markup as a reader sees it, drawings left out."""
    bare = re.sub(r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", " ", markup, flags=re.DOTALL))
    return " ".join(unescape(bare).split())


@pytest.fixture(scope="module", params=["changed", "evaluation", "no_prior", "fifty_clusters", "generation"])
def documents(request: pytest.FixtureRequest) -> tuple[Report, str, str]:
    value = STATES[request.param]
    paper = making.paper(value).data
    text = " ".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(paper)).pages)
    return value, making.screen(value), " ".join(text.split())


def figures(cluster: Any, level: str) -> list[str]:
    """What report.json holds of a cluster, written for people."""
    found = [
        units.count(cluster.size),
        units.percent(cluster.share),
        units.money(cluster.estimates.mean_cost_usd.value),
        units.seconds(cluster.estimates.median_latency_s.value),
        units.of(cluster.metrics.error_count, cluster.metrics.item_count),
    ]
    if level == "evaluation":
        found.append(units.percent(cluster.metrics.pass_rate))
    else:
        found.append(units.seconds(cluster.estimates.p95_latency_s.value))
    return [" ".join(text.split()) for text in found]


def test_every_row_of_the_page_is_that_of_the_report(documents: tuple[Report, str, str]) -> None:
    value, html, _ = documents
    rows = {found[1]: [plain(c) for c in _FIGURES.findall(found[0])] for found in _ROW.finditer(html)}
    for index, job in enumerate(value.jobs, start=1):
        for cluster in (*job.clusters, *([job.noise] if job.noise else [])):
            cells = rows[anchor(index - 1, cluster.cluster_id)]
            assert cells[0] == words.title(cluster.title, cluster.cluster_id)
            for figure in figures(cluster, job.job.level):
                assert figure in cells, (cluster.title, figure)


def test_every_row_on_paper_is_that_of_the_report(documents: tuple[Report, str, str]) -> None:
    value, _, text = documents
    ledger = text.split("All clusters", 1)[1]
    for job in value.jobs:
        for cluster in job.clusters:
            title = words.title(cluster.title, cluster.cluster_id)
            # Titles may break over lines, and repeat elsewhere: the row is the place where the size follows.
            found = re.search(re.escape(f"{title} {units.count(cluster.size)} "), ledger)
            assert found, title
            row = ledger[found.start() : found.start() + len(title) + 90]
            for figure in figures(cluster, job.job.level)[:3]:
                assert figure in row, (title, figure)


def test_the_four_numbers_and_the_bill_are_the_same(documents: tuple[Report, str, str]) -> None:
    value, html, text = documents
    page_text = plain(html)
    for job in value.jobs:
        assert job.overall is not None
        told = [
            units.money(job.overall.estimates.mean_cost_usd.value),
            units.of(job.overall.metrics.error_count, job.overall.metrics.item_count),
        ]
        if job.bridge is not None:
            told += [units.exact_money(job.bridge.prior), units.exact_money(job.bridge.latest)]
        for figure in told:
            assert figure in page_text
            assert figure in text


def test_every_finding_is_on_both(documents: tuple[Report, str, str]) -> None:
    value, html, text = documents
    page_text = plain(html)
    for finding in value.findings[:5]:
        wording = words.metric(finding.metric)
        move = f"{wording.write(finding.prior)} → {wording.write(finding.latest)}"
        assert move in page_text
        assert move in text
