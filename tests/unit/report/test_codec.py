"""report.json round-trips, is strict, and its hash notices every change."""

import json
import math
from pathlib import Path

import msgspec
import pytest

from reporter import report as r
from reporter.errors import UsageError
from reporter.report.checks import problems
from tests.incidents import incident_report
from tests.reports import report, states

STATES = states()


@pytest.mark.parametrize("name", STATES)
def test_every_state_round_trips_and_obeys_the_schema(name: str) -> None:
    from jsonschema import Draft202012Validator

    data = r.to_json(STATES[name])
    assert r.from_json(data) == STATES[name]
    Draft202012Validator(r.schema()).validate(json.loads(data))


def test_schema_refuses_a_report_with_a_missing_key() -> None:
    from jsonschema import Draft202012Validator, ValidationError

    broken = json.loads(r.to_json(report()))
    del broken["jobs"][0]["clusters"][0]["share"]
    with pytest.raises(ValidationError):
        Draft202012Validator(r.schema()).validate(broken)


def test_what_differs_between_processors_is_not_written() -> None:
    made = report()
    cluster = made.jobs[0].clusters[0]
    assert cluster.change is not None
    nudged = []
    for end in (0.123456789012345, 0.123456789012399):
        metrics = {
            name: msgspec.structs.replace(metric, low=end, high=end, p_value=end, q_value=end)
            for name, metric in cluster.change.metrics.items()
        }
        change = msgspec.structs.replace(cluster.change, metrics=metrics)
        clusters = [msgspec.structs.replace(cluster, change=change), *made.jobs[0].clusters[1:]]
        section = msgspec.structs.replace(made.jobs[0], clusters=clusters)
        nudged.append(r.to_json(msgspec.structs.replace(made, jobs=[section, *made.jobs[1:]])))
    assert nudged[0] == nudged[1]
    assert b"0.123456789" in nudged[0]


def test_numbers_carry_at_most_fifteen_digits_and_are_finite() -> None:
    made = report()
    section = msgspec.structs.replace(
        made.jobs[0],
        coverage=r.Coverage(
            sampled_items=1,
            population_items=None,
            sampled_cost=0.1 + 0.2,
            population_cost=math.nan,
            noise_share=math.inf,
        ),
    )
    coverage = json.loads(r.to_json(msgspec.structs.replace(made, jobs=[section])))["jobs"][0]["coverage"]
    assert coverage == {
        "sampled_items": 1,
        "population_items": None,
        "sampled_cost": 0.3,
        "population_cost": None,
        "noise_share": None,
    }


def test_sealed_report_is_what_its_json_says() -> None:
    sealed = report(headline="1/3 is " + str(1 / 3))
    assert r.from_json(r.to_json(sealed)) == sealed
    assert sealed.content_sha256 == r.content_hash(sealed)


def test_hash_ignores_files_but_no_content() -> None:
    made = report()
    with_files = msgspec.structs.replace(made, files=[r.FileHash(name="report.html", sha256="0" * 64)])
    assert r.content_hash(with_files) == made.content_sha256
    assert r.content_hash(msgspec.structs.replace(made, headline="else")) != made.content_sha256


def test_incident_key_is_absent_unless_there_is_one() -> None:
    assert "incident" not in json.loads(r.to_json(report()))


def test_incident_writes_from_not_from_underscore() -> None:
    made = incident_report()
    told = json.loads(r.to_json(made))["incident"]
    assert told["from"] == "2026-11-20T23:30:00Z"
    assert "from_" not in told
    assert r.from_json(r.to_json(made)) == made


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a report.json"),
        (b"[1]", "not a report.json"),
        (b'{"schema_version": "9"}', "schema version '9'"),
        (b'{"schema_version": "1"}', "missing required field"),
        (b"\xff\xfe", "not a report.json"),
        (b"[" * 100_000, "not a report.json"),
    ],
)
def test_what_is_no_report_is_a_usage_error(data: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=r"mine\.json") as caught:
        r.from_json(data, name="mine.json")
    assert words in str(caught.value)


def test_lone_surrogates_do_not_break_the_json() -> None:
    made = msgspec.structs.replace(report(), title="bad \ud800 title")
    assert json.loads(r.to_json(made))["title"] == "bad ? title"


@pytest.mark.parametrize("name", STATES)
def test_checks_of_an_honest_report_find_only_invented_item_counts(name: str) -> None:
    """The sample builder invents run totals; everything else must hold."""
    assert [p for p in problems(STATES[name]) if "total_cost" not in p] == []


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("size", 9_999_999, "share is"), ("share", 0.5, "share is")],
)
def test_checks_notice_a_changed_cluster(field: str, value: float, words: str) -> None:
    made = report()
    cluster = msgspec.structs.replace(made.jobs[0].clusters[0], **{field: value})
    section = msgspec.structs.replace(made.jobs[0], clusters=[cluster, *made.jobs[0].clusters[1:]])
    found = problems(msgspec.structs.replace(made, jobs=[section]))
    assert any("content_sha256" in problem for problem in found)
    assert any(words in problem for problem in found)


def test_checks_notice_an_interval_that_misses_its_point() -> None:
    made = report()
    first = made.jobs[0].clusters[0]
    wrong = msgspec.structs.replace(first.estimates.error_rate, low=0.9, high=0.95)
    cluster = msgspec.structs.replace(
        first, estimates=msgspec.structs.replace(first.estimates, error_rate=wrong)
    )
    section = msgspec.structs.replace(made.jobs[0], clusters=[cluster, *made.jobs[0].clusters[1:]])
    assert any("estimates.error_rate" in p for p in problems(msgspec.structs.replace(made, jobs=[section])))


def test_checks_notice_a_bridge_that_does_not_add_up() -> None:
    made = report()
    bridge = r.Bridge(
        prior=100.0, latest=130.0, volume=10.0, coverage=0.0, mix=5.0, unit_cost=14.0, intervals={}, lines=[]
    )
    section = msgspec.structs.replace(made.jobs[0], bridge=bridge)
    assert any("bridge parts sum to 29" in p for p in problems(msgspec.structs.replace(made, jobs=[section])))


def test_schema_in_docs_is_the_schema_of_the_code() -> None:
    path = Path(__file__).parents[3] / "docs" / "report.schema.json"
    assert json.loads(path.read_text("utf-8")) == json.loads(json.dumps(r.schema()))


def altered(**over: object) -> tuple[str, ...]:
    """Give the problems of a report whose first section differs from an honest one."""
    made = report()
    section = msgspec.structs.replace(made.jobs[0], **over)
    return problems(msgspec.structs.replace(made, jobs=[section]))


def test_checks_notice_findings_out_of_rank_or_without_a_section() -> None:
    made = report()
    first = msgspec.structs.replace(made.findings[0], rank=7, job_index=3)
    found = problems(msgspec.structs.replace(made, findings=[first, *made.findings[1:]]))
    assert "findings[0].rank is 7, expected 1" in found
    assert "findings[0].job_index 3 is no section of this report" in found


def test_checks_notice_clusters_missing_or_out_of_order() -> None:
    section = report().jobs[0]
    assert any("clusters are not in order" in p for p in altered(clusters=section.clusters[::-1]))
    assert any("latest.clusters is 11, 10 are listed" in p for p in altered(clusters=section.clusters[:10]))


def test_checks_notice_sums_that_differ_from_the_whole_run() -> None:
    section = report().jobs[0]
    assert section.overall is not None
    whole = msgspec.structs.replace(section.overall.metrics, item_count=1, total_cost=None)
    found = altered(overall=msgspec.structs.replace(section.overall, metrics=whole))
    assert any("overall.metrics.item_count is 1, the clusters sum to" in p for p in found)
    assert any("overall.metrics.total_cost is None, the clusters sum to" in p for p in found)


@pytest.mark.parametrize(
    ("field", "words"), [("item_count", "exceeds size"), ("error_count", "exceeds item_count")]
)
def test_checks_notice_counts_that_cannot_be(field: str, words: str) -> None:
    section = report().jobs[0]
    first = section.clusters[0]
    metrics = msgspec.structs.replace(first.metrics, **{field: 99_999})
    clusters = [msgspec.structs.replace(first, metrics=metrics), *section.clusters[1:]]
    assert any(words in p for p in altered(clusters=clusters))


@pytest.mark.parametrize(
    ("over", "words"),
    [({"difference": 0.5}, "latest - prior gives"), ({"prior": None}, "although a side is unknown")],
)
def test_checks_notice_a_difference_that_is_none(over: dict[str, object], words: str) -> None:
    section = report().jobs[0]
    first = section.clusters[0]
    assert first.change is not None
    wrong = msgspec.structs.replace(first.change.metrics["mean_cost_usd"], **over)
    change = msgspec.structs.replace(first.change, metrics={**first.change.metrics, "mean_cost_usd": wrong})
    clusters = [msgspec.structs.replace(first, change=change), *section.clusters[1:]]
    assert any(words in p for p in altered(clusters=clusters))


def test_checks_pass_a_report_without_runs_or_with_an_honest_bridge() -> None:
    assert problems(STATES["no_run"]) == ()
    parts = r.UnitCostParts(
        calls_per_item=4.0, model_mix=0.0, tokens_per_call=5.0, price_per_token=5.0, other=0.0
    )
    line = r.BridgeLine(title="", status="new", mix=5.0, unit_cost=14.0, unit_cost_parts=parts)
    bridge = r.Bridge(
        prior=100.0,
        latest=130.0,
        volume=10.0,
        coverage=1.0,
        mix=5.0,
        unit_cost=14.0,
        intervals={},
        lines=[line],
        unit_cost_parts=parts,
    )
    assert not any("bridge" in p for p in altered(bridge=bridge))
    short = msgspec.structs.replace(bridge, lines=[msgspec.structs.replace(line, mix=4.0)])
    assert "jobs[0].bridge.mix is 5.0, the lines sum to 4.0" in altered(bridge=short)
    odd = msgspec.structs.replace(bridge, unit_cost_parts=msgspec.structs.replace(parts, other=1.0))
    assert "jobs[0].bridge.unit_cost is 14.0, its parts sum to 15.0" in altered(bridge=odd)
