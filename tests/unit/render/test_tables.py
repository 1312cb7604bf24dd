from __future__ import annotations

import csv
import io

import pytest

from reporter.render import tables
from reporter.report import Incident
from tests.incidents import incident_report
from tests.reports import report, section, states

STATES = states()


def rows(value) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(tables.csv(value).data.decode())))


@pytest.mark.parametrize("name", STATES)
def test_every_cluster_is_one_line(name: str) -> None:
    value = STATES[name]
    assert len(rows(value)) == sum(len(s.clusters) + (s.noise is not None) for s in value.jobs)


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", '=cmd|" /C calc"!A0', "\u200b=1"])
def test_formula_is_neutralised(title: str) -> None:
    first = rows(report([section(titles=(title,), name=title)]))[0]
    assert first["title"].startswith("'")
    assert first["job"].startswith("'")


def test_numbers_stay_numbers_and_unknown_is_empty() -> None:
    value = report([section(clusters=2, noise=False)])
    first = rows(value)[0]
    assert float(first["share"]) == value.jobs[0].clusters[0].estimates.share.value
    assert first["p95_latency_s_prior"] == ""
    assert first["p95_latency_s_call"] == "not_enough_data"


def test_negative_cluster_id_of_the_noise_stays_a_number() -> None:
    assert rows(STATES["quiet"])[-1]["cluster_id"] == "-1"


def test_incident_lists_every_cluster_with_its_phases() -> None:
    value = incident_report(hostile=True)
    rows = list(csv.DictReader(io.StringIO(tables.csv(value).data.decode())))
    told = value.incident
    assert isinstance(told, Incident)
    assert [row["verdict"] for row in rows] == [c.verdict for c in told.clusters]
    assert [int(row["during_failed"]) for row in rows] == [c.during.failed for c in told.clusters]
    assert not any(row["title"].startswith(("=", "+", "-", "@")) for row in rows)
