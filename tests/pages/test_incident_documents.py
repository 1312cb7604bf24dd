"""The incident on paper: read back, it holds what report.json holds, and nothing lies on anything."""

from __future__ import annotations

import io
import re

import msgspec
import pytest
from pypdf import PdfReader

from reporter import units
from reporter.analysis import incident_wording
from reporter.artifact import Artifact
from reporter.render import incident as incidents
from reporter.render import summary
from reporter.report import Excess, Incident, Report, from_json, to_json
from tests.incidents import incident_report
from tests.pages import making
from tests.pages.reading import pages, touching

REPORTS = {
    "broken": incident_report(),
    "calm": incident_report(broken=False),
    "hostile": incident_report(hostile=True),
}


@pytest.fixture(scope="module", params=REPORTS)
def made(request: pytest.FixtureRequest) -> tuple[Report, Artifact, str]:
    value = REPORTS[request.param]
    return value, Artifact("report.pdf", "application/pdf", making.paper(value).data), making.screen(value)


def told(value: Report) -> Incident:
    assert isinstance(value.incident, Incident)
    return value.incident


def test_no_word_lies_on_another_and_pages_are_few(made: tuple[Report, Artifact, str]) -> None:
    sheets = pages(made[1].data)
    assert 2 <= len(sheets) <= 8
    for sheet in sheets:
        assert touching(sheet) == []
        for word in sheet.words:
            assert word.left >= 0
            assert word.right <= sheet.width


def test_page_and_paper_hold_the_numbers_of_the_report(made: tuple[Report, Artifact, str]) -> None:
    value, paper, html = made
    incident = told(value)
    text = " ".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(paper.data)).pages)
    text = " ".join(text.split())
    plain = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    overall = incident.overall
    figures = [units.of(overall.during.failed, overall.during.calls), units.count(overall.users)]
    for cluster in incident.clusters:
        figures += [
            units.of(cluster.during.failed, cluster.during.calls),
            units.of(cluster.before.failed, cluster.before.calls),
        ]
        if cluster.verdict == "affected" and cluster.onset_at:
            figures.append(f"{units.parse_time(cluster.onset_at):%H:%M}")
    for figure in figures:
        for place in (text, plain):
            assert " ".join(figure.split()) in place, figure


def test_paper_is_tagged_and_carries_the_report(made: tuple[Report, Artifact, str]) -> None:
    reader = PdfReader(io.BytesIO(made[1].data))
    assert from_json(reader.attachments["report.json"][0]) == made[0]
    assert "/StructTreeRoot" in reader.trailer["/Root"]
    assert reader.trailer["/Root"]["/Lang"] == "en"


def test_markdown_escapes_titles_and_names_what_broke() -> None:
    text = summary.markdown(REPORTS["broken"]).data.decode()
    assert "| Broken answers |" in text
    assert "Did not move: " in text
    hostile = summary.markdown(REPORTS["hostile"]).data.decode()
    assert "<script>" not in hostile


def test_lowering_a_finished_incident_hides_its_words() -> None:
    from reporter.analysis import redact

    text = to_json(redact.redact(REPORTS["broken"], "numbers")).decode()
    assert "Broken answers" not in text
    assert "timed out" not in text


def test_status_is_a_part_of_the_failed_calls_and_a_model_of_all_calls() -> None:
    value = REPORTS["broken"]
    incident = told(value)
    shown = {part.name: part.rows for part in incidents.view(value, incident, ()).dimensions}
    (status,) = shown["HTTP status of failed calls"]
    failed = incident.overall.during.failed
    assert (status.value, status.inside) == ("503", units.of(failed, failed))
    assert {row.value for row in shown["Model"]} == {"large-1", "small-1"}


def test_headline_never_tells_of_less_than_nothing() -> None:
    incident = told(REPORTS["broken"])
    overall = msgspec.structs.replace(incident.overall, excess_failed=Excess(value=-3.0, low=-20.0, high=9.0))
    verdict, headline = incident_wording.verdict_and_headline(
        msgspec.structs.replace(incident, overall=overall), "UTC"
    )
    assert verdict == "changed"
    assert "more than the" not in headline
    assert "calls" in headline
