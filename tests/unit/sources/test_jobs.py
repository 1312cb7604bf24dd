"""The REST list of clustering jobs becomes jobs, or one message that names every fault."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporter.errors import SourceUnreadable
from reporter.model import LEVELS, Job
from reporter.sources.jobs import decode_job, decode_jobs, next_page
from tests.strategies import hostile_text, json_values, levels, uuids

A, B = "019c9a10-0b1c-7c55-9e0e-52f4c1a7d0aa", "019cb7f3-a123-7bde-b699-6fa50502196c"


def raw(job_id: Any = A, **changes: Any) -> dict[str, Any]:
    return {
        "id": job_id,
        "name": "Default - traces",
        "analysis_level": "trace",
        "event_filters": [],
        "enabled": True,
        "created_at": "2026-02-26T12:57:03.132471Z",
        "updated_at": "2026-03-04T08:25:22.990114Z",
        **changes,
    }


def page(*jobs: Any) -> dict[str, Any]:
    return {"count": len(jobs), "next": None, "previous": None, "results": list(jobs)}


def complaint(answer: Any) -> str:
    with pytest.raises(SourceUnreadable) as caught:
        decode_jobs(answer)
    return caught.value.message


def test_a_page_a_bare_array_and_text_are_the_same_list() -> None:
    expected = (
        Job(id=A, name="Default - traces", level="trace", event_filters=(), enabled=True, deleted=False),
    )
    for answer in (page(raw()), [raw()], json.dumps(page(raw())), json.dumps([raw()])):
        assert decode_jobs(answer) == expected


def test_no_jobs_are_no_fault() -> None:
    assert decode_jobs(page()) == decode_jobs([]) == ()


def test_jobs_are_ordered_by_level_name_and_id_whatever_the_answer() -> None:
    jobs = [
        raw("4", analysis_level="evaluation", name="a"), raw("3", analysis_level="generation", name="a"),
        raw("2", name="b"), raw("1", name="b"), raw("5", name="a"),
    ]  # fmt: skip
    assert [job.id for job in decode_jobs(jobs)] == ["5", "1", "2", "3", "4"]
    assert decode_jobs(jobs[::-1]) == decode_jobs(jobs)


def test_filters_are_kept_as_configured() -> None:
    filters = [
        {"key": "environment", "value": ["production"], "operator": "exact", "type": "event"},
        {"key": "id", "value": 4711, "type": "cohort"},
    ]
    (job,) = decode_jobs([raw(event_filters=filters)])
    assert job.event_filters == tuple(filters)
    assert decode_jobs([raw(event_filters=json.dumps(filters))]) == (job,)
    assert decode_jobs([raw(event_filters=None)])[0].event_filters == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (False, False),
        ("True", True),
        ("false", False),
        (1, True),
        (0, False),
        (None, None),
        ("", None),
    ],
)
def test_enabled_may_be_spelled_and_unknown(value: object, expected: bool | None) -> None:
    assert decode_jobs([raw(enabled=value)])[0].enabled is expected


def test_ids_are_lower_case_and_names_usable() -> None:
    (job,) = decode_jobs([raw(A.upper(), name="a\ud800" + "x" * 10**6)])
    assert job.id == A
    assert job.name.startswith("a\ufffdx")
    assert len(job.name) == 2_000


def test_of_a_job_listed_twice_the_newest_is_kept() -> None:
    older, newer = raw(name="old"), raw(A.upper(), name="new", updated_at="2026-05-01T00:00:00Z")
    undated = raw(name="undated", updated_at=None)
    for answer in ([older, newer], [newer, older], [undated, newer], [newer, undated], [newer, newer]):
        assert [job.name for job in decode_jobs(answer)] == ["new"]


def test_all_faults_are_listed_together() -> None:
    message = complaint(
        page(
            raw(None),
            raw(analysis_level="session"),
            raw(name={}, enabled="perhaps"),
            "job",
            raw(B, event_filters=[{"value": 1}, 7]),
        )
    )
    for fault in (
        "$.results[0].id: missing",
        '$.results[1].analysis_level: "session" is none of trace, generation, evaluation',
        "$.results[2].name: not text but an object",
        '$.results[2].enabled: neither true nor false but "perhaps"',
        '$.results[3]: not an object but "job"',
        "and 2 more",
    ):
        assert fault in message


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (None, "$.results: missing"),
        ("", "$.results: missing"),
        ("<html>", '$: not JSON: "<html>"'),
        ({"type": "authentication_error", "detail": "Invalid API key."}, "$.results: missing"),
        ({"results": {}}, "$.results: not a list but an object"),
        (7, "$.results: not a list but 7"),
        ([raw()] * 10_001, "$.results: 10,001 jobs"),
        ([raw(analysis_level=None)], "$.results[0].analysis_level: missing"),
        ([raw("x" * 301)], "$.results[0].id: 301 characters"),
        ([raw(event_filters={"a": 1})], "$.results[0].event_filters: not a list but an object"),
        ([raw(event_filters=[{"key": "a"}] * 201)], "$.results[0].event_filters: 201 filters"),
        (
            [raw(event_filters=[{"key": "a", "value": [0] * 30_000}])],
            "event_filters[0]: holds too many values",
        ),
        ([raw(event_filters=[{"key": 7}])], "$.results[0].event_filters[0].key: not text but 7"),
        ([raw(enabled=10**5_000)], "$.results[0].enabled: neither true nor false but a number too large"),
    ],
)
def test_what_is_no_list_of_jobs_is_named(answer: Any, fault: str) -> None:
    assert fault in complaint(answer)


def test_one_job_is_read_alone() -> None:
    assert decode_job(json.dumps(raw())) == decode_jobs([raw()])[0]
    with pytest.raises(SourceUnreadable, match=r"\$\.id: missing"):
        decode_job({"detail": "Not found.", "analysis_level": "trace"}, subject="job 7")
    with pytest.raises(SourceUnreadable, match=r"job 7: .*\$: not an object but nothing"):
        decode_job(None, subject="job 7")


def test_next_page_is_what_the_server_names() -> None:
    assert (
        next_page({"next": "https://us.posthog.com/api/?offset=100"})
        == "https://us.posthog.com/api/?offset=100"
    )
    answers: tuple[Any, ...] = (page(), [], None, {"next": ""}, {"next": 7}, "text")
    for answer in answers:
        assert next_page(answer) is None


@given(st.lists(st.tuples(uuids(), hostile_text(), levels(), st.booleans()), unique_by=lambda row: row[0]))
def test_what_posthog_configured_is_what_is_read(rows: list[tuple[str, str, Any, bool]]) -> None:
    answer = page(*(raw(i, name=name, analysis_level=level, enabled=on) for i, name, level, on in rows))
    assert {(job.id, job.name, job.level, job.enabled) for job in decode_jobs(answer)} == set(rows)


@settings(deadline=None)
@given(json_values(30) | st.lists(st.builds(raw, json_values(), name=json_values(), enabled=json_values())))
def test_any_answer_gives_jobs_or_a_complaint(answer: Any) -> None:
    result = outcome(answer)
    if isinstance(result, SourceUnreadable):
        assert "$" in result.message
        assert str(result).encode()
    else:
        assert all(job.id and job.level in LEVELS for job in result)
        assert len({job.id for job in result}) == len(result)


def outcome(answer: Any) -> tuple[Job, ...] | SourceUnreadable:
    """Give the jobs or the complaint; any other exception fails the test."""
    try:
        return decode_jobs(answer)
    except SourceUnreadable as error:
        return error
