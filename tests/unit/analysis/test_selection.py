"""Grouping runs, choosing latest and prior, comparability, status."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from reporter.analysis import selection
from reporter.model import Job
from tests.worlds import JOB, NOW, header

OTHER = "019db7a4-1f60-7c1e-9a55-0d3c7be21002"


def test_runs_are_grouped_by_job_and_level_newest_first() -> None:
    runs = [
        header(8),
        header(1),
        header(1, level="generation", run_id="g"),
        header(2, job_id=None, job_name="", run_id="j"),
    ]
    found = selection.group(None, runs)
    assert [(g.job.level, g.job.id, len(g.runs)) for g in found] == [
        ("trace", None, 1),
        ("trace", JOB, 2),
        ("generation", JOB, 1),
    ]
    assert found[1].runs[0].emitted_at > found[1].runs[1].emitted_at
    assert all(g.job.enabled is None and not g.job.deleted for g in found)


def test_configured_jobs_without_runs_appear_and_unknown_ones_are_deleted() -> None:
    jobs = (Job(OTHER, "Never ran", "trace", enabled=True),)
    found = {
        g.job.id: g for g in selection.group(jobs, [header(8, job_name="Old"), header(1, job_name="New")])
    }
    assert found[OTHER].runs == ()
    assert (found[JOB].job.deleted, found[JOB].job.enabled, found[JOB].job.name) == (True, None, "New")


def test_the_configured_name_wins_over_what_runs_said() -> None:
    (found,) = selection.group((Job(JOB, "Renamed", "trace", enabled=False),), [header(1, job_name="Before")])
    assert (found.job.name, found.job.enabled, found.job.deleted) == ("Renamed", False, False)


def test_runs_from_before_a_level_was_edited_get_a_section_of_their_own() -> None:
    found = selection.group((Job(JOB, "Moved", "generation", enabled=True),), [header(1)])
    assert [(g.job.level, g.job.name, g.job.enabled, g.job.deleted, len(g.runs)) for g in found] == [
        ("trace", "Moved", None, False, 1),
        ("generation", "Moved", True, False, 0),
    ]


def test_jobless_runs_are_never_deleted() -> None:
    found = selection.group((), [header(1, job_id=None, job_name="")])
    assert [g.job.deleted for g in found] == [False]


def test_grouping_does_not_depend_on_the_order_of_runs() -> None:
    runs = [header(day, run_id=f"r{day}") for day in range(6)]
    shuffled = random.Random(1).sample(runs, 6)
    assert selection.group(None, runs) == selection.group(None, shuffled)


def test_latest_is_the_newest_emitted_run_without_a_label() -> None:
    late = header(1, run_id="late", emitted_at=NOW)
    assert (
        selection.latest([header(0.5), late, header(0, label="x", emitted_at=NOW + timedelta(hours=1))])
        is late
    )
    assert selection.latest([header(0, label="x")]) is None
    assert selection.latest([]) is None


def test_equal_emission_times_are_decided_by_run_id() -> None:
    a, b = header(1, run_id="a"), header(1, run_id="b")
    assert selection.latest([a, b]) is selection.latest([b, a]) is b


def test_week_takes_the_window_end_nearest_to_seven_days_before() -> None:
    latest, runs = header(0), [header(day) for day in (1, 3, 5, 6.5, 8, 14)]
    choice = selection.choose_prior(latest, [latest, *runs], "week")
    assert choice.prior is runs[3]
    assert "7 days earlier" in choice.sentence or "6 days earlier" in choice.sentence


def test_week_skips_windows_that_cover_more_than_half() -> None:
    latest, near, far = header(0), header(3), header(13)
    assert selection.choose_prior(latest, [near, far], "week").prior is far
    assert selection.choose_prior(latest, [header(3.5, run_id="half"), far], "week").prior is not far


def test_week_prefers_the_older_of_two_equally_near() -> None:
    older, newer = header(8), header(6)
    assert selection.choose_prior(header(0), [newer, older], "week").prior is older


def test_week_falls_back_to_the_run_before_and_says_so() -> None:
    near = header(1)
    choice = selection.choose_prior(header(0), [near, header(2)], "week")
    assert choice.prior is near
    assert "no run about a week earlier" in choice.sentence
    assert "86% of the latest window" in choice.sentence


def test_previous_takes_the_run_before_and_never_a_labelled_or_later_one() -> None:
    latest, before = header(5), header(6)
    runs = [latest, before, header(5.5, label="mine"), header(1), header(9)]
    assert selection.choose_prior(latest, runs, "previous").prior is before


def test_a_run_id_may_name_any_run() -> None:
    labelled = header(1, label="mine", run_id="r1")
    assert selection.choose_prior(header(4), [labelled], "r1").prior is labelled
    missing = selection.choose_prior(header(4), [labelled], "r2")
    assert missing.prior is None
    assert "r2" in missing.sentence
    assert "itself" in selection.choose_prior(labelled, [labelled], "r1").sentence


def test_a_date_takes_the_newest_run_that_had_ended_by_then() -> None:
    latest, runs = header(0), [header(day) for day in (5, 6, 7)]
    day = (NOW - timedelta(days=6)).date().isoformat()
    assert selection.choose_prior(latest, runs, day).prior is runs[1]
    assert selection.choose_prior(latest, runs, "2020-01-01").prior is None
    assert selection.choose_prior(latest, runs, "2026-13-45").prior is None


def test_equal_runs_are_comparable() -> None:
    found = selection.comparability(header(0), header(7), 12, prior_choice="why")
    assert (found.comparable, found.reasons, found.shared_items, found.prior_choice) == (True, [], 12, "why")


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"params": {"clustering_method": "hdbscan", "max_samples": 900}}, ["max_samples", "1500", "900"]),
        ({"params": {"clustering_method": "kmeans", "max_samples": 1500}}, ["clustering_method", "kmeans"]),
        ({"params": {"max_samples": 1500}}, ["clustering_method", "not set"]),
        ({"params": None}, ["known for the latest run only"]),
        ({"level": "generation"}, ["level", "trace", "generation"]),
        ({"label": "test"}, ["label test"]),
        ({"length": 6.6}, ["window length", "7 days", "6.6 days"]),
        ({"items": 499}, ["1,000", "499"]),
    ],
)
def test_every_reason_not_to_compare_names_both_values(over: dict[str, object], words: list[str]) -> None:
    found = selection.comparability(header(0), header(7, **over), 0)
    assert not found.comparable
    (reason,) = found.reasons
    assert all(word in reason for word in words)


@pytest.mark.parametrize("over", [{"length": 6.66}, {"items": 500}, {"items": 2000}])
def test_limits_of_comparability_are_inclusive(over: dict[str, object]) -> None:
    assert selection.comparability(header(0), header(7, **over), 0).comparable


def test_runs_without_parameters_on_both_sides_are_comparable() -> None:
    assert selection.comparability(header(0, params=None), header(7, params=None), 0).comparable


def group_of(*runs: object, **over: object) -> selection.JobRuns:
    return selection.JobRuns(Job(JOB, "Default", "trace", **over), tuple(runs))  # type: ignore[arg-type]


def test_status_follows_precedence() -> None:
    new, old, odd = header(0), header(7), header(7, items=1)
    both = group_of(new, old)
    assert selection.status(both, new, old, NOW) == ("ok", "")
    assert selection.status(both, new, old, NOW, failed="Broken.") == ("failed", "Broken.")
    assert selection.status(group_of(), None, None, NOW)[0] == "no_run"
    assert selection.status(group_of(new), new, None, NOW)[0] == "no_prior"
    assert selection.status(both, new, odd, NOW)[0] == "not_comparable"
    later = NOW + timedelta(days=4)
    assert selection.status(both, new, old, later)[0] == "stale"
    status, reason = selection.status(group_of(new), new, None, later)
    assert status == "no_prior"
    assert "First run" in reason
    assert "before this report" in reason


def test_stale_begins_after_three_days() -> None:
    run = header(0, end=NOW)
    assert not selection.is_stale(run, NOW + timedelta(days=3))
    assert selection.is_stale(run, NOW + timedelta(days=3, seconds=1))


def test_reasons_explain_disabled_deleted_and_small_jobs() -> None:
    run, late = header(0), NOW + timedelta(days=30)
    assert "disabled" in selection.status(group_of(enabled=False), None, None, NOW)[1]
    assert "1,000 items" in selection.status(group_of(enabled=True), None, None, NOW)[1]
    assert "deleted" in selection.status(group_of(run, deleted=True), run, header(7), late)[1]
    assert "by hand" in selection.status(group_of(header(0, label="x")), None, None, NOW)[1]
    asked = selection.status(group_of(run, header(9)), run, None, NOW, no_prior="No prior: no such run.")[1]
    assert asked == "No prior: no such run."
