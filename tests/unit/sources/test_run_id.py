"""Run ids of every era are read; whatever is not one is read as nothing."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reporter.model import LEVELS
from reporter.sources.run_id import RunId, parse_run_id
from tests.strategies import broken_text, instants, labels, levels, uuids

JOB = "019cb7f3-a123-7bde-b699-6fa50502196c"
JAN = datetime(2026, 1, 22, 0, 0, 43, tzinfo=UTC)
NOTHING = RunId(team=None, level=None, moment=None, job_id=None, label=None)

FORMS = [
    ("2_trace_20260122_000043", RunId("2", "trace", JAN, None, None)),
    (f"2_trace_20260122_000043_{JOB}", RunId("2", "trace", JAN, JOB, None)),
    (f"2_trace_20260122_000043_{JOB.upper()}", RunId("2", "trace", JAN, JOB, None)),
    (f"2_trace_20260122_000043_{JOB}_experiment", RunId("2", "trace", JAN, JOB, "experiment")),
    (f"2_trace_20260122_000043_{JOB}_two_words_", RunId("2", "trace", JAN, JOB, "two_words_")),
    ("2_generation_20260122_000043_experiment_v2", RunId("2", "generation", JAN, None, "experiment_v2")),
    (f"1_evaluation_20260122_000043_{JOB}", RunId("1", "evaluation", JAN, JOB, None)),
    # A uuid that does not stand directly after the time is part of the label.
    (f"2_trace_20260122_000043_rerun_of_{JOB}", RunId("2", "trace", JAN, None, f"rerun_of_{JOB}")),
    (f"2_trace_20260122_000043_{JOB}_{JOB}", RunId("2", "trace", JAN, JOB, JOB)),
    (f"2_trace_20260122_000043_{JOB}x", RunId("2", "trace", JAN, None, f"{JOB}x")),
    # An early build wrote the job before the timestamp.
    (f"1_evaluation_{JOB}_20260122_000043", RunId("1", "evaluation", JAN, JOB, None)),
    (f"1_evaluation_{JOB}_20260122_000043_pilot_1", RunId("1", "evaluation", JAN, JOB, "pilot_1")),
    # Before levels.
    ("2_20251216_000105", RunId("2", None, datetime(2025, 12, 16, 0, 1, 5, tzinfo=UTC), None, None)),
    ("2_20251216_000105_a_b", RunId("2", None, datetime(2025, 12, 16, 0, 1, 5, tzinfo=UTC), None, "a_b")),
    # Prototypes.
    (
        "team_112495_2025-11-20T10:30:00.123456+00:00",
        RunId("112495", None, datetime(2025, 11, 20, 10, 30, 0, 123456, tzinfo=UTC), None, None),
    ),
    ("team_2_2025-11-20T10:30:00Z", RunId("2", None, datetime(2025, 11, 20, 10, 30, tzinfo=UTC), None, None)),
    # An impossible date costs the moment, nothing else.
    (f"2_trace_20261399_000043_{JOB}_a", RunId("2", "trace", None, JOB, "a")),
    ("2_trace_20260122_246060", RunId("2", "trace", None, None, None)),
    ("team_2_someday", RunId("2", None, None, None, None)),
    # What stands in third place is no date; the level still tells how to read the items.
    ("2_trace_2026-01-22_000043", RunId("2", "trace", None, None, None)),
    (f"1_evaluation_{JOB}", RunId("1", "evaluation", None, None, None)),
    # A level of the future.
    ("2_session_20260122_000043", RunId("2", None, JAN, None, None)),
    ("2_Trace_20260122_000043", RunId("2", "trace", JAN, None, None)),
    ("2_trace_20260122_000043_", RunId("2", "trace", JAN, None, None)),
]


@pytest.mark.parametrize(("text", "expected"), FORMS, ids=[text for text, _ in FORMS])
def test_every_form_is_read(text: str, expected: RunId) -> None:
    assert parse_run_id(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "_",
        "2",
        "2_",
        "trace_20260122_000043",
        "\uff12_trace_20260122_000043",
        "run-7",
        JOB,
        None,
        7,
        b"2_trace",
        [],
    ],
)
def test_what_is_no_run_id_is_read_as_nothing(text: object) -> None:
    assert parse_run_id(text) == NOTHING


@given(
    team=st.integers(0, 10**9).map(str),
    level=st.none() | levels(),
    moment=instants(),
    job=st.none() | uuids(),
    label=st.none() | labels(),
)
def test_what_was_written_is_what_is_read(
    team: str, level: str | None, moment: datetime, job: str | None, label: str | None
) -> None:
    text = "_".join(part for part in (team, level, moment.strftime("%Y%m%d_%H%M%S"), job, label) if part)
    parsed = parse_run_id(text)
    assert parsed == RunId(team, parsed.level, moment.replace(microsecond=0), job, label)
    assert parsed.level == level


@given(broken_text(200) | st.from_regex(r"[0-9]+_[a-z]*_?[0-9_]*.*", fullmatch=True))
@example("2_trace_" + "9" * 100_000)
@example("team_1_" + "_" * 100_000)
def test_no_text_is_refused_or_misread(text: str) -> None:
    parsed = parse_run_id(text)
    assert parsed.team is None or parsed.team.isdigit()
    assert parsed.level in (None, *LEVELS)
    assert parsed.moment is None or parsed.moment.utcoffset() is not None
    assert parsed.job_id is None or parsed.job_id == parsed.job_id.lower()
    assert parsed.label is None or (parsed.label and text.endswith(parsed.label))
